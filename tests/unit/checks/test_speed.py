"""The checks take little longer than reading the file once."""

import hashlib
import random
import time
import zipfile

import pytest

from wheelrelay.checks import inspect
from wheelrelay.testing.samples import make_wheel

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def large_wheel(tmp_path_factory):
    """A wheel of about 100 MB with 5,000 members that compress like source code."""
    chance = random.Random(5000)
    text = bytes(chance.choices(range(32, 127), weights=range(95, 0, -1), k=1 << 20))
    files = {}
    for number in range(5000):
        start = chance.randrange(len(text) - 30_000)
        files[f"sample/part{number % 50}/module{number}.py"] = text[start : start + 25_000]
    return make_wheel(tmp_path_factory.mktemp("large"), files=files)


def read_once(path):
    """Hash the file, and decompress and hash its members: the minimum that checks must do."""
    with path.open("rb") as raw:
        hashlib.file_digest(raw, "sha256")
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            hasher = hashlib.sha256()
            with archive.open(info) as member:
                while block := member.read(1 << 20):
                    hasher.update(block)


def duration(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def test_checks_take_at_most_half_as_long_again_as_one_read(large_wheel):
    assert large_wheel.stat().st_size > 95_000_000
    assert inspect(large_wheel).findings == ()
    ours, plain = [], []
    while not ours or (min(ours) > 1.5 * min(plain) and len(ours) < 8):  # other processes disturb some runs
        ours.append(duration(inspect, large_wheel))
        plain.append(duration(read_once, large_wheel))
    assert min(ours) <= 1.5 * min(plain)
