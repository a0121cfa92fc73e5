"""A file of 400 MB travels in constant memory, there and back, whole or in segments."""

import subprocess
import sys

import pytest

SIZE = 400_000_000
MOST = 120_000_000
"""Bytes of memory that the process may have had at once."""

THERE_AND_BACK = """
import hashlib, resource, sys
from pathlib import Path
from wheelrelay.testing import stage_path
from wheelrelay_cloudfiles.config import SwiftConfig

with SwiftConfig.model_validate_json(sys.argv[1]).open() as store:
    staged = stage_path(Path(sys.argv[2]))
    store.put(staged)
    [file] = store.iter_files("sample")
    digest = hashlib.sha256()
    with store.open(file) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    assert digest.hexdigest() == staged.sha256
status = Path("/proc/self/status")  # on Linux, getrusage counts what the parent had when it started this
if status.exists():
    [peak] = [int(line.split()[1]) * 1024 for line in status.open() if line.startswith("VmHWM")]
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak)
"""


@pytest.fixture(scope="module")
def large_wheel(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "sample-1.0-py3-none-any.whl"
    with path.open("wb") as stream:
        for number in range(SIZE // 1_000_000):
            stream.write(number.to_bytes(4, "big") * 250_000)
    return path


@pytest.mark.long
@pytest.mark.parametrize("limit", [5 * 2**30, 150_000_000], ids=["whole", "in segments"])
def test_large_file_needs_little_memory(limit, cluster, config_for, large_wheel):
    with cluster.proxy(limit=limit) as swift:
        config = config_for(swift, pages=False).model_dump_json(exclude_defaults=True)
        command = [sys.executable, "-c", THERE_AND_BACK, config, str(large_wheel)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(done.stdout) < MOST, done.stdout
