"""The threads of a relay: nothing else in wheelrelay starts any."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

from wheelrelay.errors import BackendError, WheelrelayError, describe_unexpected
from wheelrelay.transfer.concurrency import SAMPLE_INTERVAL, ConcurrencyController

THREAD_PREFIX = "wheelrelay"

GRACE_PERIOD = 5.0
"""Seconds that running work has to end after Ctrl-C."""

MAX_HELPERS = 8
"""The most threads that share one large piece of work, because each needs memory."""

_NOTHING = object()

Item = TypeVar("Item")
Result = TypeVar("Result")
Track = Callable[["Future[Any]"], object]


class Done(Generic[Item, Result]):
    """The result for one item, or the error."""

    def __init__(self, item: Item, result: Result | None, error: WheelrelayError | None) -> None:
        self.item = item
        self.result = result
        self.error = error

    def unwrap(self) -> Result:
        """Return the result; raise the error if there is one."""
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result


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
    """

    def __init__(
        self, jobs: int | ConcurrencyController, stopped: threading.Event, grace_period: float = GRACE_PERIOD
    ) -> None:
        self.controller = jobs if isinstance(jobs, ConcurrencyController) else ConcurrencyController(jobs)
        self.stopped = stopped
        self._grace_period = grace_period
        self._pool = ThreadPoolExecutor(self.controller.maximum, thread_name_prefix=THREAD_PREFIX)
        self._is_abandoned = False
        self._batch: _Batch[Any, Any] | None = None

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
        batch: _Batch[Item, Result] = _Batch(items, self.controller)
        self._batch = batch

        def work_on_items() -> None:
            while (item := batch.take()) is not _NOTHING:
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
            self._is_abandoned = True  # until the opposite is known, because Ctrl-C may come again
            batch.close()
            self.stopped.set()
            self._is_abandoned = not batch.has_ended(within=self._grace_period)
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


class _Batch(Generic[Item, Result]):
    """The items of one `Workers.run_all`: those that remain, the running ones, and the results.

    A thread holds a slot from its request until it leaves, so the slots in use show whether all is done.
    """

    def __init__(self, items: Iterable[Item], controller: ConcurrencyController) -> None:
        self._changed = threading.Condition()
        self._controller = controller
        self._remaining = deque(items)
        self._results: list[Done[Item, Result]] = []
        self.slots_in_use = 0
        self._workers: list[Future[None]] = []
        self._helpers: set[Future[Any]] = set()
        self._failed: list[Future[None]] = []

    @property
    def remaining(self) -> int:
        """The number of items that no thread has taken."""
        return len(self._remaining)

    def reserve_slots(self) -> int:
        """Return how many more threads may take part; their slots are in use from now on."""
        with self._changed:
            more = max(0, min(self._controller.limit - self.slots_in_use, len(self._remaining)))
            self.slots_in_use += more
            return more

    def release_slots(self, slots: int) -> int:
        """Release the slots of threads that could not be started; return how many are in use."""
        with self._changed:
            self.slots_in_use -= slots
            self._changed.notify_all()
            return self.slots_in_use

    def needs_caller(self) -> bool:
        """Return whether items remain and no thread works on them; the caller has a slot then."""
        with self._changed:
            is_needed = bool(self._remaining) and not self.slots_in_use
            self.slots_in_use += is_needed
            return is_needed

    def track_worker(self, future: "Future[None]") -> None:
        """Track a worker thread; `results` raises the error that ends it, if there is one."""
        self._workers.append(future)
        future.add_done_callback(self._on_worker_end)

    def track_helper(self, future: "Future[Any]") -> None:
        """Track a part of a transfer until it ends; it is forgotten then, because its result may be large."""
        self._helpers.add(future)
        future.add_done_callback(self._helpers.discard)

    def take(self) -> Any:
        """Return the next item; `_NOTHING` if none remains or too many threads run: the caller leaves."""
        with self._changed:
            if self._remaining and self.slots_in_use <= self._controller.limit:
                return self._remaining.popleft()
            self._leave()
            return _NOTHING

    def put(self, done: Done[Item, Result], *, ends_batch: bool) -> None:
        """Add the result of an item; no item is started after one that ends the batch."""
        with self._changed:
            self._results.append(done)
            if ends_batch:
                self._remaining.clear()

    def is_idle(self, *, within: float) -> bool:
        """Wait for at most some seconds until no thread runs; return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.slots_in_use, within)

    def results(self) -> list[Done[Item, Result]]:
        """Wait until no thread runs, and return all results."""
        with self._changed:
            self._changed.wait_for(lambda: not self.slots_in_use)
        for future in self._failed:
            future.result()
        return self._results

    def close(self) -> None:
        """Start no further item."""
        with self._changed:
            self._remaining.clear()

    def has_ended(self, *, within: float) -> bool:
        """Wait for at most some seconds until all threads have ended; return whether they have.

        This looks at futures instead of slots: Ctrl-C may have come after a slot was reserved and before its
        thread was started.
        """
        deadline = monotonic() + within
        while running := [future for future in (*self._workers, *self._helpers) if not future.done()]:
            if monotonic() > deadline:
                return False
            wait(running, deadline - monotonic())
        return True

    def _on_worker_end(self, future: "Future[None]") -> None:
        if future.cancelled():  # its thread could not be started; the slot was released, or the batch closed
            return
        if future.exception() is not None:
            with self._changed:
                self._failed.append(future)
                self._remaining.clear()
                self._leave()

    def _leave(self) -> None:
        self.slots_in_use -= 1
        self._changed.notify_all()


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
