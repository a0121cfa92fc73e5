"""The threads of a relay: nothing else in wheelrelay starts any."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Protocol, TypeVar

from wheelrelay.errors import BackendError, WheelrelayError, describe_unexpected
from wheelrelay.transfer.batch import NOTHING, Batch, Done
from wheelrelay.transfer.concurrency import SAMPLE_INTERVAL, ConcurrencyController

THREAD_PREFIX = "wheelrelay"

GRACE_PERIOD = 5.0
"""Seconds that running work has to end after Ctrl-C."""

MAX_HELPERS = 8
"""The most threads that share one large piece of work, because each needs memory."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Track = Callable[["Future[Any]"], object]


class RunAll(Protocol):
    """Runs work for many items: `Workers.run_all` in parallel, `run_sequentially` in the calling thread."""

    def __call__(self, items: Iterable[Item], work: Callable[[Item], Result], /) -> list[Done[Item, Result]]:
        """Return the results, in the order of completion."""
        ...


class Workers:
    """A thread pool that ends cleanly when it is interrupted.

    Args:
        jobs: The number of threads, or a controller that adapts it.
        stopped: Set when the relay is to end; running work may check it and give up.
        grace_period: Seconds that running work has to end after an interrupt.
        on_interrupt: Called with the grace period when an interrupt comes, before running work may end.

    Attributes:
        must_stop_now: Whether a second interrupt came within the grace period: nothing more is to be done.
    """

    def __init__(
        self,
        jobs: int | ConcurrencyController,
        stopped: threading.Event,
        grace_period: float = GRACE_PERIOD,
        *,
        on_interrupt: Callable[[float], object] = lambda _: None,
    ) -> None:
        self.must_stop_now = False
        self._on_interrupt = on_interrupt
        self.controller = jobs if isinstance(jobs, ConcurrencyController) else ConcurrencyController(jobs)
        self.stopped = stopped
        self._grace_period = grace_period
        self._pool = ThreadPoolExecutor(self.controller.maximum, thread_name_prefix=THREAD_PREFIX)
        self._is_abandoned = False
        self._is_interrupted = False
        self._batch: Batch[Any, Any] | None = None

    def interrupt(self) -> None:
        """Start no further item, and let the running ones end: `run_all` returns the results that there are.

        Another thread may call it, for a caller of `run_all` that Ctrl-C does not reach.
        """
        self._is_interrupted = True
        self.stopped.set()
        if self._batch:
            self._batch.close()

    def run_all(
        self,
        items: Iterable[Item],
        work: Callable[[Item], Result],
        /,
        *,
        is_last: Callable[[Done[Item, Result]], bool] = lambda _: False,
        bytes_moved: Callable[[Done[Item, Result]], int] = lambda _: 1,
    ) -> list[Done[Item, Result]]:
        """Run work for every item, and return the results in the order of completion.

        If the system refuses to start threads, the existing ones do all the work, or the calling thread.

        Args:
            items: The items, started in this order.
            work: Called in a thread. Whatever it raises becomes the error of the item: a bug of a plugin
                must not lose the results of the other items.
            is_last: Called with each result; ``True`` completes the running items and starts no others.
            bytes_moved: Returns the bytes transferred for an item, from which the controller learns.

        Raises:
            BaseException: Whatever interrupts the calling thread, such as Ctrl-C. It starts no further item.
                Running items have ended, or were abandoned after the grace period with unknown outcome.
        """
        self.controller.begin_batch()
        batch: Batch[Item, Result] = Batch(items, self.controller)
        self._batch = batch
        if self._is_interrupted:  # set before the batch is closed, so none escapes
            batch.close()

        def work_on_items() -> None:
            while (item := batch.take()) is not NOTHING:
                done = _attempt(item, work)
                ends_batch = is_last(done)  # decided in this thread, so that it takes no further item
                batch.put(done, ends_batch=ends_batch)
                self.controller.on_completion(bytes_moved(done), batch.remaining)
                start_threads()

        def start_threads() -> None:
            slots = batch.reserve_slots()
            try:
                while slots and self._start(work_on_items, batch.track_worker):
                    slots -= 1
            finally:
                if slots:  # the system refused to start a thread
                    self.controller.cap(batch.release_slots(slots))

        try:
            start_threads()
            while self.controller.is_ramping_up and not batch.is_idle(within=SAMPLE_INTERVAL):
                self.controller.sample()
                start_threads()
            if batch.needs_caller():
                work_on_items()
            return batch.results()
        except BaseException:
            self._end(batch)
            raise

    def _end(self, batch: "Batch[Item, Result]") -> None:
        """Give running work the grace period to end.

        Raises:
            KeyboardInterrupt: Ctrl-C came again.
        """
        self._is_abandoned = True  # until the opposite is known
        try:
            batch.close()
            if batch.slots_in_use:
                self._on_interrupt(self._grace_period)
            self.stopped.set()
            self._is_abandoned = not batch.has_ended(within=self._grace_period)
        except KeyboardInterrupt:
            self.must_stop_now = True
            self.stopped.set()
            raise

    def run_in_background(self, work: Callable[[], object]) -> None:
        """Run work that may fail and that no caller waits for."""
        self._start(work)

    def spare_connections(self) -> int:
        """Return how many additional connections each running transfer may open."""
        running = self._batch.slots_in_use if self._batch else 0
        return self.controller.limit // running - 1 if running else 0

    def submit(self, work: Callable[[], Result]) -> "Future[Result]":
        """Run a part of a transfer. The caller must not depend on a thread becoming free.

        Returns:
            The future result. It is already cancelled if the system refuses to start a thread.
        """
        future: Future[Result] = Future()
        self._start(work, self._batch.track_helper if self._batch else lambda _: None, future)
        return future

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Return the results of ``work`` for all items, in their order; idle threads help the calling worker.

        The calling thread takes part and never waits for a thread to become free, so that workers which
        call this cannot block each other. It is meant for work that keeps processors busy: at most as many
        threads take part as there are processors.
        """
        waiting = deque(enumerate(items))
        results: dict[int, Result] = {}

        def take_part() -> None:
            while waiting:
                try:
                    number, item = waiting.popleft()
                except IndexError:  # another thread took the last item
                    return
                results[number] = work(item)

        threads = min(len(waiting), os.cpu_count() or 1, MAX_HELPERS)
        helpers = [helper for _ in range(threads - 1) if (helper := self._start(take_part))]
        try:
            take_part()
        finally:
            waiting.clear()
            started = [helper for helper in helpers if not helper.cancel()]
            wait(started)
        for helper in started:
            helper.result()
        return [results[number] for number in sorted(results)]

    def close(self) -> None:
        """Start nothing more, and wait for running work unless it was abandoned."""
        self._pool.shutdown(wait=not self._is_abandoned, cancel_futures=True)

    def _start(
        self,
        work: Callable[[], Result],
        track: Track = lambda _: None,
        future: "Future[Result] | None" = None,
    ) -> "Future[Result] | None":
        """Run ``work`` in a thread; return ``None`` if the system refuses to start one.

        `ThreadPoolExecutor.submit` queues work before it starts a thread, and leaves it queued if that
        fails. With our own future, such work can be cancelled, unless another thread has begun it
        meanwhile. The future is tracked before it can begin, so that an interrupt always finds it.
        """
        promised: Future[Result] = Future() if future is None else future
        track(promised)
        try:
            self._pool.submit(_fulfil, promised, work)
        except BaseException as error:
            was_cancelled = promised.cancel()
            if not isinstance(error, RuntimeError):  # RuntimeError: can't start new thread
                raise
            return None if was_cancelled else promised
        return promised


def run_sequentially(items: Iterable[Item], work: Callable[[Item], Result], /) -> list[Done[Item, Result]]:
    """Run work for every item in the calling thread; for callers that are workers themselves."""
    return [_attempt(item, work) for item in items]


def _attempt(item: Item, work: Callable[[Item], Result]) -> Done[Item, Result]:
    try:
        return Done(item, work(item), None)
    except WheelrelayError as error:
        return Done(item, None, error)
    except BaseException as error:  # a plugin may raise anything, even SystemExit
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise  # Ctrl-C, which reaches no other thread
        return Done(item, None, unexpected_error(error))


def unexpected_error(error: BaseException) -> BackendError:
    """Return a `BackendError` for an exception that a backend should not have raised."""
    unexpected = BackendError(f"{describe_unexpected(error)}.", hint="This is a bug; --debug shows more.")
    unexpected.__cause__ = error
    return unexpected


def _fulfil(promised: "Future[Result]", work: Callable[[], Result]) -> None:
    if not promised.set_running_or_notify_cancel():
        return
    try:
        promised.set_result(work())
    except BaseException as error:  # noqa: BLE001  (raised again where the result is used)
        promised.set_exception(error)
