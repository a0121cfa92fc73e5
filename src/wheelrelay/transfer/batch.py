"""The items that threads work on together, and their results."""

import threading
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, wait
from time import monotonic
from typing import Any, Generic, TypeVar

from wheelrelay.errors import WheelrelayError
from wheelrelay.transfer.concurrency import ConcurrencyController

NOTHING = object()
"""What `Batch.take` returns if a thread is to leave."""

Item = TypeVar("Item")
Result = TypeVar("Result")


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


class Batch(Generic[Item, Result]):
    """The items of one batch: those that remain, the running ones, and the results.

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
        """Return the next item; `NOTHING` if none remains or too many threads run: the caller leaves."""
        with self._changed:
            if self._remaining and self.slots_in_use <= self._controller.limit:
                return self._remaining.popleft()
            self._leave()
            return NOTHING

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
