"""A coordinator that is killed: the same command completes the release, and no file is published twice."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest
from tests.servers.dask import ActingPyPI, acting_source, run_tls_cluster

from wheelrelay.testing import make_sdist, make_wheel

pytestmark = pytest.mark.long

CONFIG = """
[remotes.index]
type = "index"
url = "{index.simple_url}"
upload_url = "{index.upload_url}"
token = {{ file = "token.txt" }}

[routes.release]
source = "listing+{source.url}"
sinks = ["index"]

[engines.farm]
type = "dask"
{keys}
"""

COMMAND = ("relay", "release", "--yes", "--engine", "farm", "--receipt", "receipt.json")
OWN = "workers = 2"

AFTER_GATE = (10, 12, 14, 17, 21, 25, 28, 30, 31)
"""Requests to either side after the gate. Before it are those for the index page, the files, and the page."""


@pytest.fixture
def release(tmp_path):
    """A folder with six wheels and an sdist, and the token of the index."""
    for minor in range(10, 16):
        tag = f"cp3{minor}-cp3{minor}-manylinux_2_28_x86_64"
        make_wheel(tmp_path / "dist", "sample", tag=tag)
    make_sdist(tmp_path / "dist")
    (tmp_path / "token.txt").write_text("pypi-open-sesame")
    return tmp_path


@pytest.fixture(scope="module")
def remote_keys(tmp_path_factory):
    """The keys of an engine whose workers survive the coordinator."""
    with run_tls_cluster(tmp_path_factory.mktemp("cluster"), workers=2) as cluster:
        paths = "\n".join(f'{name} = "{path}"' for name, path in cluster.files.items())
        yield f'address = "{cluster.address}"\n{paths}'


def start(folder):
    return subprocess.Popen(
        [sys.executable, "-m", "wheelrelay", *COMMAND],
        cwd=folder,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


@contextmanager
def killed_at(moment, folder, keys):
    """Kill a coordinator at one of the requests to either side, and yield the index."""
    started, workers = [], []

    def kill():
        workers.extend(psutil.Process(started[0].pid).children(recursive=True))
        os.kill(started[0].pid, signal.SIGKILL)

    with ActingPyPI.run(kill, at=moment) as index, acting_source(folder / "dist", index.count, at=0) as web:
        web.act_always = True
        (folder / "wheelrelay.toml").write_text(CONFIG.format(index=index, source=web, keys=keys))
        started.append(start(folder))
        started[0].communicate(timeout=60)
        assert started[0].returncode == -signal.SIGKILL
        assert len(workers) >= 2 or keys != OWN
        assert psutil.wait_procs(workers, timeout=30)[1] == []
        yield index


def require_recorded(index, folder):
    """Require that the receipt has every file that the index was sent, though its sender was killed."""
    receipt = json.loads((folder / "receipt.json").read_text())
    pending = {
        file["filename"] for file in receipt["files"] if file["sinks"]["index"]["outcome"] == "pending"
    }
    assert pending.isdisjoint(index.sent())


def require_completed(index, folder):
    """Run the command again, and compare the index with the release: each file was accepted once."""
    again = start(folder)
    _, messages = again.communicate(timeout=120)
    assert again.returncode == 0, messages
    expected = {path.name: path.read_bytes() for path in (folder / "dist").iterdir()}
    assert {name: file.content for name, file in index.files.items()} == expected
    accepted = [upload.filename for upload in index.uploads if upload.status == 200]
    assert sorted(accepted) == sorted(expected)
    assert accepted[-1].endswith(".tar.gz")


@pytest.mark.parametrize("moment", [4, 18])
def test_second_run_completes_a_release_whose_coordinator_was_killed(release, moment):
    with killed_at(moment, release, OWN) as index:
        if moment == 4:  # before the gate
            assert index.uploads == []
        else:
            require_recorded(index, release)
        require_completed(index, release)


@pytest.mark.parametrize("moment", [3, 8, *AFTER_GATE])
def test_second_run_completes_while_workers_of_the_first_still_run(release, remote_keys, moment):
    with killed_at(moment, release, remote_keys) as index:
        if moment not in AFTER_GATE:
            assert index.uploads == []
        else:
            require_recorded(index, release)
        require_completed(index, release)
