"""A large file on a slow connection is downloaded over several, in order and verified."""

import hashlib
import threading
import time
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import BytesIO

import pytest
from tests.unit.engine.conftest import QUICK, mirror

from wheelrelay.errors import DigestMismatch, Rejected, SizeMismatch, Unavailable
from wheelrelay.filenames import dist_file
from wheelrelay.model import Digests
from wheelrelay.staged import BLOCK_SIZE
from wheelrelay.testing import MemoryStore, write_distribution
from wheelrelay.transfer.download import stage
from wheelrelay.transfer.parallel_ranges import ParallelRangeReader, RangePolicy
from wheelrelay.transfer.retry import Retrier
from wheelrelay.transfer.staging_area import StagingArea
from wheelrelay.transfer.thread_pool import Workers

WHEEL = "sample-1.0-py3-none-any.whl"
PART = 100_000
SIZE = 4 * BLOCK_SIZE


class Place:
    """A source of one file that records the requested ranges.

    Attributes:
        content: the bytes of the whole.
        in_parts: those that parts are taken from.
        faults: what to raise in place of giving out parts, one each time.
        requested: the parts that were requested for; those from 0 on to the end are the whole.
        closed: how many openings of the whole have ended.
        most_at_once: how many parts were being given out at one time, at most.
    """

    def __init__(self, content):
        self.content = self.in_parts = content
        self.faults = []
        self.requested = []
        self.closed = 0
        self.meeting = None
        self.most_at_once = self._at_once = 0
        self._lock = threading.Lock()

    def iter_files(self, project):
        yield declared(self.content)

    @contextmanager
    def open(self, file):
        self.requested.append((0, None))
        yield BytesIO(self.content)
        self.closed += 1

    @contextmanager
    def open_range(self, file, start, stop):
        with self._lock:
            self.requested.append((start, stop))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            fault = self.faults.pop(0) if self.faults else None
        try:
            if fault:
                raise fault
            if self.meeting:
                self.meeting.wait()
            yield BytesIO(self.in_parts[start:stop])
        finally:
            with self._lock:
                self._at_once -= 1


class RangeExecutor:
    """A thread pool with a given number of spare connections."""

    def __init__(self, spare=3):
        self._spare = spare
        self._pool = ThreadPoolExecutor(8)

    def spare_connections(self):
        return self._spare

    def submit(self, work):
        return self._pool.submit(work)


class Absent(RangeExecutor):
    """Threads that never begin."""

    def submit(self, work):
        return Future()


def declared(content):
    return dist_file(WHEEL, size=len(content), digests=Digests(sha256=hashlib.sha256(content).hexdigest()))


SMALL_RANGES = RangePolicy(size=PART, min_remaining=2 * PART, measure_after=0, waiting_share=0)
"""Small ranges; every connection counts as slow."""


@pytest.fixture
def place(tmp_path):
    return Place(write_distribution(tmp_path, WHEEL, size=SIZE).read_bytes())


@pytest.fixture
def fetch(tmp_path, place):
    """Return a function that stages the file with retries."""
    folder = tmp_path / "staging_area"
    folder.mkdir()

    def fetched(executor, source=place, file=None, ranges=SMALL_RANGES):
        retrier = Retrier(QUICK, lambda _: None, threading.Event())
        file = file or declared(place.content)
        return stage(source, file, StagingArea(folder), retrier=retrier, executor=executor, ranges=ranges)

    return fetched


@pytest.mark.parametrize("executor", [RangeExecutor, Absent])
def test_downloads_all_bytes_once_and_in_order(fetch, place, executor):
    staged = fetch(executor())
    assert staged.path.read_bytes() == place.content
    whole, *parts = place.requested
    assert whole == (0, None)
    parts.sort()
    assert [start for start, _ in parts[1:]] == [stop for _, stop in parts[:-1]]
    assert parts[-1][1] == len(place.content)
    assert {stop - start for start, stop in parts[:-1]} == {PART}
    assert place.closed == 1


def test_downloads_several_ranges_in_parallel(fetch, place):
    place.meeting = threading.Barrier(3, timeout=10)
    place.in_parts = place.content[: BLOCK_SIZE + 4 * PART]  # three ranges after the stream
    place.content = place.in_parts
    assert fetch(RangeExecutor(spare=3)).path.read_bytes() == place.content
    assert place.most_at_once == 3


@pytest.mark.parametrize(
    "file",
    [
        {"size": None},
        {"digests": Digests()},
    ],
    ids=["size unknown", "no digest"],
)
def test_does_not_divide_file_without_size_or_digest(fetch, place, file):
    plain = declared(place.content)
    known = {"size": plain.size, "digests": plain.digests, **file}
    assert fetch(RangeExecutor(), file=dist_file(WHEEL, **known)).path.read_bytes() == place.content
    assert place.requested == [(0, None)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("measure_after", 60.0), ("waiting_share", 2.0), ("min_remaining", 2 * SIZE)],
    ids=["not yet judged", "this machine is slow", "too small"],
)
def test_does_not_divide_where_it_would_not_help(fetch, place, name, value):
    ranges = replace(SMALL_RANGES, **{name: value})
    assert fetch(RangeExecutor(), ranges=ranges).path.read_bytes() == place.content
    assert place.requested == [(0, None)]


def test_does_not_divide_without_spare_connections(fetch, place):
    assert fetch(RangeExecutor(spare=0)).path.read_bytes() == place.content
    assert place.requested == [(0, None)]


@pytest.mark.parametrize("fault", [Rejected("Only as a whole."), Unavailable("Too many.")])
def test_continues_with_the_stream_if_the_first_range_fails(fetch, place, fault):
    place.faults = [fault] * 3
    assert fetch(RangeExecutor()).path.read_bytes() == place.content
    assert place.requested.count((0, None)) == 1
    assert place.closed == 1


def test_downloads_the_rest_over_one_connection_if_a_later_range_fails(fetch, place):
    done = BLOCK_SIZE + 2 * PART

    class Second(RangeExecutor):
        def submit(self, work):
            future = super().submit(work)
            future.exception()
            place.faults = [Unavailable("Too many.")]
            return future

    assert fetch(Second(spare=1)).path.read_bytes() == place.content
    assert place.requested[-1] == (done, len(place.content))


def test_short_range_is_a_size_mismatch(fetch, place):
    place.in_parts = place.content[:-10]
    with pytest.raises(SizeMismatch, match="only"):
        fetch(RangeExecutor())


def test_downloads_the_file_again_if_ranges_do_not_match(fetch, place):
    place.in_parts = bytes(reversed(place.content))
    assert fetch(RangeExecutor()).path.read_bytes() == place.content
    assert place.requested.count((0, None)) == 2
    assert place.requested[-1] == (0, None)


def test_refuses_file_with_another_digest(fetch, place):
    file = dist_file(WHEEL, size=len(place.content), digests=Digests(sha256="0" * 64))
    with pytest.raises(DigestMismatch):
        fetch(RangeExecutor(), file=file)


def test_closed_reader_requests_no_further_range(place):
    executor, connection = RangeExecutor(spare=2), ExitStack()
    file = declared(place.content)
    stream = ParallelRangeReader(
        BytesIO(place.content),
        connection,
        source=place,
        file=file,
        start=0,
        executor=executor,
        policy=SMALL_RANGES,
    )
    while not stream.is_divided:
        assert stream.read(BLOCK_SIZE)
    stream.close()
    requested = len(place.requested)
    executor._pool.shutdown()
    assert len(place.requested) == requested


@pytest.mark.parametrize(("jobs", "divided"), [(1, False), (4, True)])
def test_relay_divides_its_last_file_among_idle_workers(place, jobs, divided):
    sink = MemoryStore()
    assert mirror(place, sink, jobs=jobs, ranges=SMALL_RANGES).is_complete
    assert (len(place.requested) > 1) is divided
    assert place.most_at_once < jobs
    [file] = sink.iter_files(None)
    assert file.sha256 == declared(place.content).sha256


def test_spare_connections_are_shared_by_running_transfers():
    workers, found = Workers(8, threading.Event()), []
    together = threading.Barrier(3, timeout=10)

    def work(_):
        together.wait()
        found.append(workers.spare_connections())
        together.wait()

    assert workers.spare_connections() == 0
    workers.run_all(range(3), work)
    workers.close()
    assert found == [1, 1, 1]


def test_range_is_released_after_use():
    class Part:
        pass

    def work(_):
        future = workers.submit(Part)
        kept = weakref.ref(future.result())
        del future
        ends = time.monotonic() + 10
        while kept() is not None and time.monotonic() < ends:  # the other thread has to let go of it too
            time.sleep(0.01)
        return kept() is None

    workers = Workers(2, threading.Event())
    [done] = workers.run_all([1], work)
    workers.close()
    assert done.unwrap()
