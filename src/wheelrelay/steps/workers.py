"""The threads of a relay: the only ones there are."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
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
        """
        futures: dict[Future[Result], Item] = {}
        done = []
        with self._stopping_on_interrupt(futures):
            for item in items:
                futures[self._pool.submit(work, item)] = item
            for future in as_completed(futures):
                if future.cancelled():
                    continue
                done.append(_outcome(futures[future], future))
                if enough(done[-1]):
                    _cancel(futures)
        return done

    def close(self) -> None:
        """Wait for what is under way, begin nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    @contextmanager
    def _stopping_on_interrupt(self, futures: dict[Future[Result], Item]) -> Iterator[None]:
        """On Ctrl-C: begin nothing more, let what is under way end, then pass it on."""
        try:
            yield
        except KeyboardInterrupt:
            _cancel(futures)
            self.stopped.set()
            for future in futures:
                if not future.cancelled():
                    future.exception()
            raise


def _cancel(futures: dict[Future[Result], Item]) -> None:
    for future in futures:
        future.cancel()


def _outcome(item: Item, future: Future[Result]) -> Done[Item, Result]:
    error = future.exception()
    if error is None:
        return Done(item, future.result(), None)
    if not isinstance(error, WheelrelayError):
        unforeseen = BackendError(
            f"Unforeseen {type(error).__name__}: {error}.", hint="This is a bug; --debug shows more."
        )
        unforeseen.__cause__ = error
        return Done(item, None, unforeseen)
    return Done(item, None, error)
