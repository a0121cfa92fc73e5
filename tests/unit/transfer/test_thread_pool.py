"""The threads of a relay: as many as asked for, and they end tidily."""

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
    made = Workers(3, threading.Event())
    yield made
    made.close()


def test_every_item_comes_back_with_its_result(workers):
    done = workers.run_all([1, 2, 3, 4, 5], lambda number: number * 10)
    assert {one.item: one.unwrap() for one in done} == {1: 10, 2: 20, 3: 30, 4: 40, 5: 50}


def test_no_more_work_at_once_than_there_are_jobs(workers):
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


def test_an_error_belongs_to_its_item(workers):
    def work(number):
        if number == 2:
            raise Unavailable("Busy.")
        return number

    done = {one.item: one for one in workers.run_all([1, 2, 3], work)}
    assert (done[1].unwrap(), done[3].unwrap()) == (1, 3)
    with pytest.raises(Unavailable, match="Busy"):
        done[2].unwrap()


def test_a_slip_of_a_foreign_backend_becomes_an_error_of_ours(workers):
    def work(_):
        return {}["nothing"]

    [done] = workers.run_all(["item"], work)
    with pytest.raises(BackendError, match="KeyError"):
        done.unwrap()
    assert isinstance(done.error.__cause__, KeyError)


def test_when_it_is_enough_nothing_more_is_begun():
    workers = Workers(1, threading.Event())
    done = workers.run_all(range(100), lambda number: number, is_last=lambda one: one.item == 3)
    workers.close()
    assert [one.item for one in done] == [0, 1, 2, 3]


def test_when_it_is_enough_what_is_under_way_ends(workers):
    together = threading.Barrier(3)

    def work(number):
        together.wait()
        time.sleep(number / 50)
        return number

    done = workers.run_all(range(30), work, is_last=lambda one: one.item == 0)
    assert sorted(one.item for one in done) == [0, 1, 2]


class TestLendingAHand:
    def test_results_come_in_order(self, workers):
        [done] = workers.run_all(["whole"], lambda _: workers.map(str.upper, "parts"))
        assert done.unwrap() == ["P", "A", "R", "T", "S"]

    @pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor is not shared")
    def test_a_thread_that_is_free_takes_part(self, workers):
        together = threading.Barrier(2)
        [done] = workers.run_all(["whole"], lambda _: workers.map(lambda _: together.wait(10), "ab"))
        assert sorted(done.unwrap()) == [0, 1]

    def test_those_who_are_all_busy_do_not_wait_for_each_other(self, workers):
        busy = threading.Barrier(3)

        def work(number):
            busy.wait(10)
            return workers.map(lambda part: number * part, [1, 2, 3])

        done = {one.item: one.unwrap() for one in workers.run_all([1, 2, 3], work)}
        assert done == {1: [1, 2, 3], 2: [2, 4, 6], 3: [3, 6, 9]}

    def test_a_single_worker_does_it_alone(self):
        workers = Workers(1, threading.Event())
        [done] = workers.run_all(["whole"], lambda _: workers.map(len, ["a", "bb", "ccc"]))
        workers.close()
        assert done.unwrap() == [1, 2, 3]

    def test_an_error_in_a_part_is_the_error_of_the_whole(self, workers):
        def work(number):
            raise Unavailable(f"Part {number}.")

        [done] = workers.run_all(["whole"], lambda _: workers.map(work, [1]))
        with pytest.raises(Unavailable, match="Part 1"):
            done.unwrap()

    def test_nothing_gives_nothing(self, workers):
        assert workers.map(len, []) == []


def interrupted_once(begun):
    """Send Ctrl-C to the main thread when ``begun`` is set and it had the time to wait for something."""

    def interrupt():
        begun.wait()
        time.sleep(0.1)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt).start()


def test_on_an_interrupt_nothing_more_is_begun_and_what_is_under_way_ends(workers):
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


def test_what_does_not_come_to_its_end_after_an_interrupt_is_given_up():
    workers, going, released = Workers(1, threading.Event()), threading.Event(), threading.Event()

    def work(_):
        going.set()
        released.wait(60)

    interrupted_once(going)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        workers.run_all(range(3), work)
    workers.close()
    assert GRACE_PERIOD <= time.monotonic() - began < GRACE_PERIOD + 10
    released.set()


def test_a_second_interrupt_waits_no_longer():
    workers, going, released = Workers(1, threading.Event()), threading.Event(), threading.Event()

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
    released.set()


def test_an_interrupt_that_comes_while_threads_are_called_is_not_waited_for_in_vain():
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
    """The system gives few threads or none, as in a container with a low limit of processes."""

    @pytest.fixture
    def few_threads(self, monkeypatch):
        """Lets so many threads start and no more."""

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
    def test_all_work_is_done_by_the_threads_there_are(self, few_threads, threads, jobs):
        few_threads(threads)
        workers = Workers(ConcurrencyController(jobs), threading.Event())
        done = workers.run_all(range(200), lambda number: number * 10)
        workers.close()
        assert sorted(one.unwrap() for one in done) == [number * 10 for number in range(200)]

    def test_a_worker_that_gets_no_help_does_not_wait_for_it(self, few_threads):
        workers = Workers(ConcurrencyController(8), threading.Event())
        few_threads(1)

        def work(number):
            part = workers.submit(lambda: number)
            return sum(workers.map(lambda part: part, [1, 2, 3])) + part.cancel()

        done = workers.run_all(range(10), work)
        workers.close()
        assert [one.unwrap() for one in done] == [7] * 10

    def test_nothing_is_required_of_work_that_nobody_waits_for(self, few_threads):
        few_threads(0)
        workers = Workers(4, threading.Event())
        workers.run_in_background(lambda: None)
        workers.close()

    def test_ctrl_c_ends_also_the_thread_that_called(self, few_threads):
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


class TestTheWaitEndsByAnyError:
    """Whatever ends the caller's wait ends the work as well: nothing goes on behind its back."""

    @pytest.mark.parametrize("error", [MemoryError, SystemExit, RuntimeError])
    def test_nothing_more_is_begun(self, error):
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
