"""Metadata of distribution files at a source, read without the rest of the file."""

import threading
from hashlib import shake_256
from pathlib import Path

import pytest

from wheelrelay.errors import IntegrityError, Rejected, Unavailable
from wheelrelay.filenames import dist_file
from wheelrelay.testing import MemoryStore, make_sdist, make_wheel, stage_path
from wheelrelay.testing.broken_archives import truncated_wheel
from wheelrelay.transfer.remote_metadata import FIRST_RANGE, read_metadata
from wheelrelay.transfer.retry import Retrier, RetryPolicy

SCRIPTS = b"[console_scripts]\nsample = sample:main\n"


class RecordingStore(MemoryStore):
    """Records what is read, and fails as often as it is told to."""

    def __init__(self):
        super().__init__()
        self.ranges = []
        self.opened = 0
        self.failures = []

    def open_range(self, file, start, stop):
        self.ranges.append((start, stop))
        if self.failures:
            raise self.failures.pop(0)
        return super().open_range(file, start, stop)

    def open(self, file):
        self.opened += 1
        return super().open(file)


@pytest.fixture
def store():
    return RecordingStore()


@pytest.fixture
def retrier():
    return Retrier(RetryPolicy(first_pause=0.0), lambda _: None, threading.Event())


@pytest.fixture
def large_wheel(tmp_path, store):
    """A wheel of a megabyte in the store, as the store lists it."""
    path = make_wheel(
        tmp_path,
        files={"sample-1.0.dist-info/entry_points.txt": SCRIPTS},
        payload=shake_256().digest(1 << 20),
        metadata={"Requires-Dist": "other"},
    )
    store.put(stage_path(path))
    (file,) = store.iter_files("sample")
    return file


def test_reads_only_parts_of_a_wheel(store, large_wheel, retrier):
    read = read_metadata(store, large_wheel, retrier)

    assert b"Requires-Dist: other" in read.core
    assert read.entry_points == SCRIPTS
    assert store.opened == 0
    assert store.ranges[0] == (large_wheel.size - FIRST_RANGE, large_wheel.size)
    assert sum(stop - start for start, stop in store.ranges) < large_wheel.size / 2


def test_repeats_a_range_that_failed(store, large_wheel, retrier):
    store.failures.append(Unavailable("Busy."))

    assert read_metadata(store, large_wheel, retrier).entry_points == SCRIPTS


def test_downloads_a_wheel_without_ranges(store, large_wheel, retrier):
    store.failures.append(Rejected("No ranges."))

    assert read_metadata(store, large_wheel, retrier).entry_points == SCRIPTS
    assert store.opened == 1


def test_reads_the_metadata_of_an_sdist(tmp_path, store, retrier):
    store.put(stage_path(make_sdist(tmp_path)))
    (file,) = store.iter_files("sample")

    read = read_metadata(store, file, retrier)
    assert read.core.startswith(b"Metadata-Version")
    assert read.entry_points is None


def test_reports_a_truncated_wheel(tmp_path, retrier):
    path = truncated_wheel(tmp_path)

    class Store(MemoryStore):
        def _content(self, file):
            return Path(path).read_bytes()

    file = dist_file(path.name, size=path.stat().st_size)
    with pytest.raises(IntegrityError, match=f"{path.name} cannot be read"):
        read_metadata(Store(), file, retrier)


def test_reports_a_file_that_is_shorter_than_declared(store, large_wheel, retrier):
    longer = dist_file(large_wheel.filename, size=large_wheel.size + 1)

    with pytest.raises(IntegrityError, match="ends before its declared size"):
        read_metadata(store, longer, retrier)
