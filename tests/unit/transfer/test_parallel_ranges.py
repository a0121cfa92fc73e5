"""A large file whose connection is slow comes by several: in order, proven, and never worse than by one."""

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
    """A source of one file that notes which parts it was asked for.

    Attributes:
        content: the bytes of the whole.
        in_parts: those that parts are taken from.
        faults: what to raise in place of giving out parts, one each time.
        asked: the parts that were asked for; those from 0 on to the end are the whole.
        closed: how many openings of the whole have ended.
        most_at_once: how many parts were being given out at one time, at most.
    """

    def __init__(self, content):
        self.content = self.in_parts = content
        self.faults = []
        self.asked = []
        self.closed = 0
        self.meeting = None
        self.most_at_once = self._at_once = 0
        self._lock = threading.Lock()

    def iter_files(self, project):
        yield declared(self.content)

    @contextmanager
    def open(self, file):
        self.asked.append((0, None))
        yield BytesIO(self.content)
        self.closed += 1

    @contextmanager
    def open_range(self, file, start, stop):
        with self._lock:
            self.asked.append((start, stop))
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
    """Threads, as many as are wanted."""

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
    """Stage the file with some patience."""
    folder = tmp_path / "wheelhouse"
    folder.mkdir()

    def fetched(executor, source=place, file=None, ranges=SMALL_RANGES):
        retrier = Retrier(QUICK, lambda _: None, threading.Event())
        file = file or declared(place.content)
        return stage(source, file, StagingArea(folder), retrier=retrier, executor=executor, ranges=ranges)

    return fetched


@pytest.mark.parametrize("executor", [RangeExecutor, Absent])
def test_all_bytes_come_once_and_in_order_whoever_fetches_them(fetch, place, executor):
    staged = fetch(executor())
    assert staged.path.read_bytes() == place.content
    whole, *parts = place.asked
    assert whole == (0, None)
    parts.sort()
    assert [start for start, _ in parts[1:]] == [stop for _, stop in parts[:-1]]
    assert parts[-1][1] == len(place.content)
    assert {stop - start for start, stop in parts[:-1]} == {PART}
    assert place.closed == 1


def test_several_parts_come_at_the_same_time(fetch, place):
    place.meeting = threading.Barrier(3, timeout=10)
    place.in_parts = place.content[: BLOCK_SIZE + 4 * PART]  # three parts, after what comes before them
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
def test_what_nothing_would_prove_is_not_divided(fetch, place, file):
    plain = declared(place.content)
    known = {"size": plain.size, "digests": plain.digests, **file}
    assert fetch(RangeExecutor(), file=dist_file(WHEEL, **known)).path.read_bytes() == place.content
    assert place.asked == [(0, None)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("measure_after", 60.0), ("waiting_share", 2.0), ("min_remaining", 2 * SIZE)],
    ids=["not yet judged", "this machine is slow", "too small"],
)
def test_what_would_not_come_faster_is_not_divided(fetch, place, name, value):
    ranges = replace(SMALL_RANGES, **{name: value})
    assert fetch(RangeExecutor(), ranges=ranges).path.read_bytes() == place.content
    assert place.asked == [(0, None)]


def test_where_all_hands_are_busy_nothing_is_divided(fetch, place):
    assert fetch(RangeExecutor(spare=0)).path.read_bytes() == place.content
    assert place.asked == [(0, None)]


@pytest.mark.parametrize("fault", [Rejected("Only as a whole."), Unavailable("Too many.")])
def test_if_the_first_part_does_not_come_the_one_connection_goes_on(fetch, place, fault):
    place.faults = [fault] * 3
    assert fetch(RangeExecutor()).path.read_bytes() == place.content
    assert place.asked.count((0, None)) == 1
    assert place.closed == 1


def test_if_a_later_part_does_not_come_the_rest_comes_by_one_connection(fetch, place):
    done = BLOCK_SIZE + 2 * PART

    class Second(RangeExecutor):
        def submit(self, work):
            future = super().submit(work)
            future.exception()
            place.faults = [Unavailable("Too many.")]
            return future

    assert fetch(Second(spare=1)).path.read_bytes() == place.content
    assert place.asked[-1] == (done, len(place.content))


def test_a_part_that_comes_short_is_no_end(fetch, place):
    place.in_parts = place.content[:-10]
    with pytest.raises(SizeMismatch, match="only"):
        fetch(RangeExecutor())


def test_parts_of_another_file_are_found_out_and_the_whole_is_fetched(fetch, place):
    place.in_parts = bytes(reversed(place.content))
    assert fetch(RangeExecutor()).path.read_bytes() == place.content
    assert place.asked.count((0, None)) == 2
    assert place.asked[-1] == (0, None)


def test_a_file_that_is_not_what_was_declared_is_refused_for_that(fetch, place):
    file = dist_file(WHEEL, size=len(place.content), digests=Digests(sha256="0" * 64))
    with pytest.raises(DigestMismatch):
        fetch(RangeExecutor(), file=file)


def test_what_is_given_up_asks_for_nothing_more(place):
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
    asked = len(place.asked)
    executor._pool.shutdown()
    assert len(place.asked) == asked


@pytest.mark.parametrize(("jobs", "divided"), [(1, False), (4, True)])
def test_a_relay_divides_its_last_file_among_those_who_are_free(place, jobs, divided):
    sink = MemoryStore()
    assert mirror(place, sink, jobs=jobs, ranges=SMALL_RANGES).is_complete
    assert (len(place.asked) > 1) is divided
    assert place.most_at_once < jobs
    [file] = sink.iter_files(None)
    assert file.sha256 == declared(place.content).sha256


def test_there_are_as_many_to_spare_as_each_may_be_divided_into():
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


def test_a_part_is_not_kept_longer_than_it_is_needed():
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
