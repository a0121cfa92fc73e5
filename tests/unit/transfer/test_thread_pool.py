"""The thread pool runs as many threads as requested, and ends cleanly."""

import os
import signal
import threading
import time

import pytest

from wheelrelay.errors import BackendError, Unavailable
from wheelrelay.transfer.concurrency import ConcurrencyController
from wheelrelay.transfer.thread_pool import GRACE_PERIOD, Workers


@pytest.fixture
def workers():
    pool = Workers(3, threading.Event())
    yield pool
    pool.close()


def test_returns_the_result_of_every_item(workers):
    done = workers.run_all([1, 2, 3, 4, 5], lambda number: number * 10)
    assert {one.item: one.unwrap() for one in done} == {1: 10, 2: 20, 3: 30, 4: 40, 5: 50}


def test_runs_at_most_as_many_items_as_jobs(workers):
    at_once, most, lock = 0, 0, threading.Lock()

    def work(_):
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.01)
        with lock:
            at_once -= 1

    workers.run_all(range(12), work)
    assert most == 3


def test_error_belongs_to_its_item(workers):
    def work(number):
        if number == 2:
            raise Unavailable("Busy.")
        return number

    done = {one.item: one for one in workers.run_all([1, 2, 3], work)}
    assert (done[1].unwrap(), done[3].unwrap()) == (1, 3)
    with pytest.raises(Unavailable, match="Busy"):
        done[2].unwrap()


def test_unexpected_exception_becomes_backend_error(workers):
    def work(_):
        return {}["nothing"]

    [done] = workers.run_all(["item"], work)
    with pytest.raises(BackendError, match="KeyError"):
        done.unwrap()
    assert isinstance(done.error.__cause__, KeyError)


def test_last_result_starts_no_further_item():
    workers = Workers(1, threading.Event())
    done = workers.run_all(range(100), lambda number: number, is_last=lambda one: one.item == 3)
    workers.close()
    assert [one.item for one in done] == [0, 1, 2, 3]


def test_running_items_end_after_the_last_result(workers):
    together = threading.Barrier(3)

    def work(number):
        together.wait()
        time.sleep(number / 50)
        return number

    done = workers.run_all(range(30), work, is_last=lambda one: one.item == 0)
    assert sorted(one.item for one in done) == [0, 1, 2]


class TestMap:
    def test_returns_results_in_order(self, workers):
        [done] = workers.run_all(["whole"], lambda _: workers.map(str.upper, "parts"))
        assert done.unwrap() == ["P", "A", "R", "T", "S"]

    @pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor is not shared")
    def test_idle_thread_takes_part(self, workers):
        together = threading.Barrier(2)
        [done] = workers.run_all(["whole"], lambda _: workers.map(lambda _: together.wait(10), "ab"))
        assert sorted(done.unwrap()) == [0, 1]

    def test_busy_workers_do_not_wait_for_each_other(self, workers):
        busy = threading.Barrier(3)

        def work(number):
            busy.wait(10)
            return workers.map(lambda part: number * part, [1, 2, 3])

        done = {one.item: one.unwrap() for one in workers.run_all([1, 2, 3], work)}
        assert done == {1: [1, 2, 3], 2: [2, 4, 6], 3: [3, 6, 9]}

    def test_single_worker_does_all_items(self):
        workers = Workers(1, threading.Event())
        [done] = workers.run_all(["whole"], lambda _: workers.map(len, ["a", "bb", "ccc"]))
        workers.close()
        assert done.unwrap() == [1, 2, 3]

    def test_raises_the_error_of_an_item(self, workers):
        def work(number):
            raise Unavailable(f"Part {number}.")

        [done] = workers.run_all(["whole"], lambda _: workers.map(work, [1]))
        with pytest.raises(Unavailable, match="Part 1"):
            done.unwrap()

    def test_returns_nothing_for_no_items(self, workers):
        assert workers.map(len, []) == []


def interrupted_once(begun):
    """Send Ctrl-C to the main thread when ``begun`` is set and it had the time to wait for something."""

    def interrupt():
        begun.wait()
        time.sleep(0.1)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt).start()


def test_interrupt_starts_no_further_item_and_waits_for_running_ones(workers):
    begun, ended, going = [], [], threading.Event()

    def work(number):
        begun.append(number)
        going.set()
        workers.stopped.wait(10)
        time.sleep(0.05)
        ended.append(number)

    interrupted_once(going)
    with pytest.raises(KeyboardInterrupt):
        workers.run_all(range(100), work)
    assert workers.stopped.is_set()
    assert 1 <= len(begun) <= 3
    assert sorted(ended) == sorted(begun)


def test_interrupt_abandons_work_after_the_grace_period():
    workers = Workers(1, threading.Event(), grace_period=0.2)
    going, released = threading.Event(), threading.Event()

    def work(_):
        going.set()
        released.wait(60)

    interrupted_once(going)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        workers.run_all(range(3), work)
    workers.close()
    assert 0.2 <= time.monotonic() - began < GRACE_PERIOD
    released.set()


def test_second_interrupt_does_not_wait():
    told = []
    workers = Workers(1, threading.Event(), on_interrupt=told.append)
    going, released = threading.Event(), threading.Event()

    def work(_):
        going.set()
        released.wait(60)

    interrupted_once(going)
    interrupted_once(workers.stopped)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        workers.run_all(range(3), work)
    workers.close()
    assert time.monotonic() - began < GRACE_PERIOD
    assert told == [GRACE_PERIOD]
    assert workers.must_stop_now
    released.set()


def test_interrupt_while_threads_start_does_not_hang():
    workers, first = Workers(100, threading.Event()), threading.Lock()

    def work(_):
        if first.acquire(blocking=False):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        workers.stopped.wait(10)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        workers.run_all(range(1_000), work)
    workers.close()
    assert time.monotonic() - began < GRACE_PERIOD


class TestTooFewThreads:
    """The system starts few threads or none, as in a container with a low process limit."""

    @pytest.fixture
    def few_threads(self, monkeypatch):
        """Let a given number of threads start and no more."""

        def limit(left):
            start = threading.Thread.start

            def start_or_fail(thread):
                nonlocal left
                if left <= 0:
                    raise RuntimeError("can't start new thread")
                left -= 1
                start(thread)

            monkeypatch.setattr(threading.Thread, "start", start_or_fail)

        return limit

    @pytest.mark.parametrize("jobs", [8, None], ids=["fixed", "adaptive"])
    @pytest.mark.parametrize("threads", [0, 1, 2])
    def test_existing_threads_do_all_work(self, few_threads, threads, jobs):
        few_threads(threads)
        workers = Workers(ConcurrencyController(jobs), threading.Event())
        done = workers.run_all(range(200), lambda number: number * 10)
        workers.close()
        assert sorted(one.unwrap() for one in done) == [number * 10 for number in range(200)]

    def test_worker_without_helpers_does_not_wait_for_them(self, few_threads):
        workers = Workers(ConcurrencyController(8), threading.Event())
        few_threads(1)

        def work(number):
            part = workers.submit(lambda: number)
            return sum(workers.map(lambda part: part, [1, 2, 3])) + part.cancel()

        done = workers.run_all(range(10), work)
        workers.close()
        assert [one.unwrap() for one in done] == [7] * 10

    def test_background_work_may_find_no_thread(self, few_threads):
        few_threads(0)
        workers = Workers(4, threading.Event())
        workers.run_in_background(lambda: None)
        workers.close()

    def test_ctrl_c_ends_work_in_the_calling_thread(self, few_threads):
        few_threads(0)
        workers = Workers(4, threading.Event())
        begun = []

        def work(number):
            begun.append(number)
            signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            workers.run_all(range(10), work)
        workers.close()
        assert begun == [0]


class TestErrorsInTheCallingThread:
    """Any error in the calling thread ends the batch."""

    @pytest.mark.parametrize("error", [MemoryError, SystemExit, RuntimeError])
    def test_starts_no_further_item(self, error):
        class Failing(ConcurrencyController):
            def sample(self):
                raise error

        workers, begun, ended = Workers(Failing(), threading.Event()), [], []

        def work(number):
            begun.append(number)
            workers.stopped.wait(10)
            ended.append(number)

        with pytest.raises(error):
            workers.run_all(range(100), work)
        assert workers.stopped.is_set()
        known = sorted(begun)
        assert sorted(ended) == known
        workers.close()
        assert sorted(begun) == known
        assert len(known) < 100
