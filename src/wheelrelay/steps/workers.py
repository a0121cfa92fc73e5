"""The threads of a relay: the only ones there are."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from typing import Generic, TypeVar

from wheelrelay.errors import BackendError, WheelrelayError

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
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix="wheelrelay")

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
            KeyboardInterrupt: on Ctrl-C; nothing more was begun, and what was under way has ended.
        """
        futures: list[Future[Done[Item, Result] | None]] = []
        ended = threading.Event()

        def work_unless_ended(item: Item) -> Done[Item, Result] | None:
            if ended.is_set():
                return None
            done = _tried(item, work)
            if enough(done):  # asked here, so that this very thread begins nothing more
                ended.set()
            return done

        try:
            futures.extend(self._pool.submit(work_unless_ended, item) for item in items)
            return [done for future in as_completed(futures) if (done := future.result()) is not None]
        except KeyboardInterrupt:
            ended.set()
            self.stopped.set()
            wait(futures)
            raise

    def close(self) -> None:
        """Wait for what is under way, begin nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)


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
