"""The threads of a relay: the only ones there are."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from time import monotonic
from typing import Any, Generic, TypeVar

from wheelrelay.errors import BackendError, WheelrelayError
from wheelrelay.transfer.concurrency import INSTANT, ConcurrencyController

THREADS = "wheelrelay"
"""How the names of the threads begin."""

GRACE = 5.0
"""Seconds that work under way has to come to its end after Ctrl-C."""

MAX_HELPERS = 8
"""How many threads share one large piece of work at most, for each needs some memory."""

_NOTHING = object()

Item = TypeVar("Item")
Result = TypeVar("Result")


def _unnoted(_: "Future[Any]") -> None:
    """Keep no note of work: its caller waits for it, or does not care."""


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
        jobs: how many work at once, or a pace that finds it out.
        stopped: set when the relay is to end; work under way may look at it and give up.
    """

    def __init__(self, jobs: int | ConcurrencyController, stopped: threading.Event) -> None:
        self.pace = jobs if isinstance(jobs, ConcurrencyController) else ConcurrencyController(jobs)
        self.stopped = stopped
        self._pool = ThreadPoolExecutor(self.pace.most, thread_name_prefix=THREADS)
        self._given_up = False
        self._batch: _Batch[Any, Any] | None = None

    def each(
        self,
        items: Iterable[Item],
        work: Callable[[Item], Result],
        *,
        enough: Callable[[Done[Item, Result]], bool] = lambda _: False,
        moved: Callable[[Done[Item, Result]], int] = lambda _: 1,
    ) -> list[Done[Item, Result]]:
        """Work on every item and collect what came of it, in the order of ending.

        Args:
            items: what to work on; begun in this order.
            work: called in a thread. What it raises belongs to the item, whatever it is: a foreign
                backend's slip must not cost the record of the others.
            enough: asked after each item; once it says yes, items that were not begun are left out.
                Those under way end by themselves.
            moved: the bytes that were moved for an item, by which the pace is found.

        Where the system gives no more threads, those that there are do all of it; the calling thread does
        if there is none.

        Raises:
            BaseException: whatever ends the caller's wait, Ctrl-C above all. Nothing more is begun then, and
                what was under way has ended, or was given up after some seconds: its outcome is unknown.
        """
        self.pace.begin()
        batch: _Batch[Item, Result] = _Batch(items, self.pace)
        self._batch = batch

        def work_on() -> None:
            while (item := batch.take()) is not _NOTHING:
                done = _tried(item, work)
                last = enough(done)  # asked here, so that this very thread begins nothing more
                batch.put(done, last=last)
                self.pace.ended(moved(done), batch.left)
                call_others()

        def call_others() -> None:
            slots = batch.wanted()
            try:
                while slots and self._start(work_on, batch.promise):
                    slots -= 1
            finally:
                if slots:
                    self.pace.cap(batch.give_back(slots))

        try:
            call_others()
            while self.pace.begins and not batch.has_results(within=INSTANT):
                self.pace.sample()
                call_others()
            if batch.needs_caller():
                work_on()
            return batch.results()
        except BaseException:
            self._given_up = True  # as long as nothing else is known, for Ctrl-C may come again
            batch.close()
            self.stopped.set()
            self._given_up = not batch.has_ended(within=GRACE)
            raise

    def aside(self, work: Callable[[], object]) -> None:
        """Have something done meanwhile for which nobody waits, and which may fail."""
        self._start(work)

    def spare(self) -> int:
        """How many more transfers there may be for each that is under way; so often one may be divided."""
        at_work = self._batch.at_work if self._batch else 0
        return self.pace.limit // at_work - 1 if at_work else 0

    def begin(self, work: Callable[[], Result]) -> "Future[Result]":
        """Have a part of a transfer done; who waits for it must not rely on a thread becoming free.

        Returns:
            The part to come. It is cancelled already if the system gives no thread for it.
        """
        future: Future[Result] = Future()
        self._start(work, self._batch.helped_by if self._batch else _unnoted, future)
        return future

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """What ``map`` gives, for a thread that is a worker itself: others that are free lend a hand.

        It never waits for a thread to become free, so workers that ask for this cannot wait for each other.
        As many take part as there are processors, at most: it is for what keeps those busy.
        """
        waiting = deque(enumerate(items))
        results: dict[int, Result] = {}

        def take_part() -> None:
            while waiting:
                try:
                    number, item = waiting.popleft()
                except IndexError:  # another was faster
                    return
                results[number] = work(item)

        hands = min(len(waiting), os.cpu_count() or 1, MAX_HELPERS)
        helpers = [helper for _ in range(hands - 1) if (helper := self._start(take_part))]
        try:
            take_part()
        finally:
            waiting.clear()
            begun = [helper for helper in helpers if not helper.cancel()]
            wait(begun)
        for helper in begun:
            helper.result()
        return [results[number] for number in sorted(results)]

    def close(self) -> None:
        """Begin nothing more, and wait for what is under way, unless that was given up."""
        self._pool.shutdown(wait=not self._given_up, cancel_futures=True)

    def _start(
        self,
        work: Callable[[], Result],
        note: "Callable[[Future[Result]], None]" = _unnoted,
        future: "Future[Result] | None" = None,
    ) -> "Future[Result] | None":
        """Let a thread do ``work``; ``None`` if the system gives no thread for it.

        The pool queues work before it asks for a thread. The future is ours, so that work whose thread
        cannot be had is taken back, unless a thread that became free has begun it meanwhile; and it is noted
        before it can begin, so that an interrupt finds it.
        """
        promised: Future[Result] = Future() if future is None else future
        note(promised)
        try:
            self._pool.submit(_fulfil, promised, work)
        except BaseException as error:
            taken_back = promised.cancel()
            if not isinstance(error, RuntimeError):
                raise
            return None if taken_back else promised
        return promised


def one_by_one(items: Iterable[Item], work: Callable[[Item], Result]) -> list[Done[Item, Result]]:
    """What `Workers.each` does, in the thread that asks, as one does that is a worker itself."""
    return [_tried(item, work) for item in items]


class _Batch(Generic[Item, Result]):
    """Items that are worked on: what is left, how many are at it, and what came of the others."""

    def __init__(self, items: Iterable[Item], pace: ConcurrencyController) -> None:
        self._changed = threading.Condition()
        self._pace = pace
        self._left = deque(items)
        self._done: list[Done[Item, Result]] = []
        self._at_work = 0
        self._called: list[Future[None]] = []
        self._helping: set[Future[Any]] = set()
        self._failed: list[Future[None]] = []

    @property
    def at_work(self) -> int:
        """How many items are being worked on, or about to be."""
        return self._at_work

    @property
    def left(self) -> int:
        """How many items nobody has taken yet."""
        return len(self._left)

    def wanted(self) -> int:
        """How many more may take part; they count as being at work."""
        with self._changed:
            more = max(0, min(self._pace.limit - self._at_work, len(self._left)))
            self._at_work += more
            return more

    def give_back(self, slots: int) -> int:
        """Take back the slots of threads that cannot be had; how many threads take part."""
        with self._changed:
            self._at_work -= slots
            self._changed.notify_all()
            return self._at_work

    def needs_caller(self) -> bool:
        """Whether items are left and no thread works on them; the caller counts as being at work then."""
        with self._changed:
            needed = bool(self._left) and not self._at_work
            self._at_work += needed
            return needed

    def promise(self, future: "Future[None]") -> None:
        """Have a slip of ours known to whoever waits for the results."""
        self._called.append(future)
        future.add_done_callback(self._look_at)

    def helped_by(self, future: "Future[Any]") -> None:
        """Note whom an interrupt has to wait for; forgotten at its end, for its result may be large."""
        self._helping.add(future)
        future.add_done_callback(self._helping.discard)

    def take(self) -> Any:
        """The next item; `_NOTHING` if there is none, or too many are at work: who asked leaves then."""
        with self._changed:
            if self._left and self._at_work <= self._pace.limit:
                return self._left.popleft()
            self._leave()
            return _NOTHING

    def put(self, done: Done[Item, Result], *, last: bool) -> None:
        """Note what came of an item; nothing more is begun after the last one."""
        with self._changed:
            self._done.append(done)
            if last:
                self._left.clear()

    def has_results(self, *, within: float) -> bool:
        """Whether nobody is at work any more after so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._at_work, within)

    def results(self) -> list[Done[Item, Result]]:
        """What came of all, once nobody is at work any more."""
        with self._changed:
            self._changed.wait_for(lambda: not self._at_work)
        for future in self._failed:
            future.result()
        return self._done

    def close(self) -> None:
        """Let nothing more begin."""
        with self._changed:
            self._left.clear()

    def has_ended(self, *, within: float) -> bool:
        """Wait until nobody is at work any more; whether it came to that in time.

        Those who were really called count here: Ctrl-C may have come when others were about to be.
        """
        ends = monotonic() + within
        while running := [one for one in (*self._called, *self._helping) if not one.done()]:
            if monotonic() > ends:
                return False
            wait(running, ends - monotonic())
        return True

    def _look_at(self, future: "Future[None]") -> None:
        if future.cancelled():  # no thread could be had; its slot is given back, or the batch was closed
            return
        if future.exception() is not None:
            with self._changed:
                self._failed.append(future)
                self._left.clear()
                self._leave()

    def _leave(self) -> None:
        self._at_work -= 1
        self._changed.notify_all()


def _tried(item: Item, work: Callable[[Item], Result]) -> Done[Item, Result]:
    try:
        return Done(item, work(item), None)
    except WheelrelayError as error:
        return Done(item, None, error)
    except BaseException as error:  # whatever a foreign backend raises belongs to its item
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise  # Ctrl-C, which no other thread gets
        return Done(item, None, unforeseen(error))


def unforeseen(error: BaseException) -> BackendError:
    """An error of ours for what a foreign backend should not have raised."""
    ours = BackendError(
        f"Unforeseen {type(error).__name__}: {error}.", hint="This is a bug; --debug shows more."
    )
    ours.__cause__ = error
    return ours


def _fulfil(promised: "Future[Result]", work: Callable[[], Result]) -> None:
    if not promised.set_running_or_notify_cancel():
        return
    try:
        promised.set_result(work())
    except BaseException as error:  # noqa: BLE001  (raised again by the one who asks for the result)
        promised.set_exception(error)
