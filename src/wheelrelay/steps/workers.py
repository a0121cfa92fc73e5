"""The threads of a relay: the only ones there are."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Generic, TypeVar

from wheelrelay.errors import BackendError, WheelrelayError

THREADS = "wheelrelay"
"""How the names of the threads begin."""

GRACE = 5.0
"""Seconds that work under way has to come to its end after Ctrl-C."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Done(Generic[Item, Result]):
    """What came of one item: a result or an error."""

    def __init__(self, item: Item, result: Result | None, error: WheelrelayError | None) -> None:
        self.item = item
        self.result = result
        self.error = error

    def unwrap(self) -> Result:
        """The result; raises the error if there was one."""
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result


class Workers:
    """A pool of threads that ends tidily when it is interrupted.

    Args:
        jobs: how many work at once.
        stopped: set when the relay is to end; work under way may look at it and give up.
    """

    def __init__(self, jobs: int, stopped: threading.Event) -> None:
        self.stopped = stopped
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix=THREADS)
        self._given_up = False

    def each(
        self,
        items: Sequence[Item],
        work: Callable[[Item], Result],
        *,
        enough: Callable[[Done[Item, Result]], bool] = lambda _: False,
    ) -> list[Done[Item, Result]]:
        """Work on every item and collect what came of it, in the order of ending.

        Args:
            items: what to work on; begun in this order.
            work: called in a thread. What it raises belongs to the item, whatever it is: a foreign
                backend's slip must not cost the record of the others.
            enough: asked after each item; once it says yes, items that were not begun are left out.
                Those under way end by themselves.

        Raises:
            KeyboardInterrupt: on Ctrl-C; nothing more is begun, and what was under way has ended, or was
                given up after some seconds: nobody knows what comes of it.
        """
        batch = _Batch()

        def work_in_batch(item: Item) -> Done[Item, Result] | None:
            if not batch.begin():
                return None
            try:
                done = _tried(item, work)
                if enough(done):  # asked here, so that this very thread begins nothing more
                    batch.close()
                return done
            finally:
                batch.end()

        try:
            futures = [self._pool.submit(work_in_batch, item) for item in items]
            return [done for future in as_completed(futures) if (done := future.result()) is not None]
        except KeyboardInterrupt:
            self._given_up = True  # as long as nothing else is known, for Ctrl-C may come again
            batch.close()
            self.stopped.set()
            self._given_up = not batch.wait(GRACE)
            raise

    def close(self) -> None:
        """Begin nothing more, and wait for what is under way, unless that was given up."""
        self._pool.shutdown(wait=not self._given_up, cancel_futures=True)


def one_by_one(items: Iterable[Item], work: Callable[[Item], Result]) -> list[Done[Item, Result]]:
    """What `Workers.each` does, in the thread that asks, as one does that is a worker itself."""
    return [_tried(item, work) for item in items]


class _Batch:
    """What is under way of some work, and whether more of it may begin."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open = True
        self._under_way = 0

    def begin(self) -> bool:
        """Whether one more may begin; it counts as under way then."""
        with self._changed:
            self._under_way += self._open
            return self._open

    def end(self) -> None:
        """Note that one has ended."""
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let nothing more begin."""
        with self._changed:
            self._open = False

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is under way any more; whether it came to that in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, seconds)


def _tried(item: Item, work: Callable[[Item], Result]) -> Done[Item, Result]:
    try:
        return Done(item, work(item), None)
    except WheelrelayError as error:
        return Done(item, None, error)
    except BaseException as error:  # noqa: BLE001  (whatever a foreign backend raises belongs to its item)
        unforeseen = BackendError(
            f"Unforeseen {type(error).__name__}: {error}.", hint="This is a bug; --debug shows more."
        )
        unforeseen.__cause__ = error
        return Done(item, None, unforeseen)
