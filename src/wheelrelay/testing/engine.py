"""An engine whose workers are threads of this process, to test relays without a cluster."""

import pickle
import threading
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Any, TypeVar

from wheelrelay.errors import EngineFailed, WorkerLost
from wheelrelay.protocols import Report, Task

Result = TypeVar("Result")

_Job = tuple["Future[Any]", bytes, Report]


class ThreadEngine:
    """Runs each task in the thread of its worker, one after the other, from its pickled bytes.

    Args:
        workers: The number of workers.
        spans_machines: Whether the engine pretends that its workers run on other machines.

    Attributes:
        spans_machines: As above.
        tasks: The pickled tasks, in the order of submission.
        on_submit: Called with the worker and the task before a task is submitted, for example to `lose` the
            worker.

    >>> with ThreadEngine(2) as engine:
    ...     sorted(engine.workers())
    ['worker-1', 'worker-2']
    """

    def __init__(self, workers: int = 2, *, spans_machines: bool = False) -> None:
        self.spans_machines = spans_machines
        self.tasks: list[bytes] = []
        self.on_submit: Callable[[str, Any], object] = lambda _, __: None
        self._failure: str | None = None
        self._count = workers
        self._queues: dict[str, deque[_Job]] = {}
        self._running: dict[str, Future[Any]] = {}
        self._changed = threading.Condition()

    def __enter__(self) -> "ThreadEngine":
        for number in range(self._count):
            self.add(f"worker-{number + 1}")
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._queues.clear()
            self._changed.notify_all()

    def add(self, worker: str) -> None:
        """Start one more worker."""
        self._queues[worker] = deque()
        threading.Thread(target=self._work, args=(worker,), name=worker, daemon=True).start()

    def lose(self, worker: str) -> None:
        """End a worker: its tasks fail. A running one goes on unnoticed, as on a machine without network."""
        with self._changed:
            jobs = self._queues.pop(worker, deque())
            lost = [self._running.pop(worker, None), *(job[0] for job in jobs)]
            self._changed.notify_all()
        for future in filter(None, lost):
            future.set_exception(_lost(worker))

    def fail(self, message: str) -> None:
        """Make the engine unusable, as if its scheduler had ended."""
        self._failure = message
        for worker in list(self._queues):
            with self._changed:
                jobs = self._queues.pop(worker)
                lost = [self._running.pop(worker, None), *(job[0] for job in jobs)]
                self._changed.notify_all()
            for future in filter(None, lost):
                future.set_exception(_failed(message))

    def workers(self) -> Collection[str]:
        """Return the names of the workers."""
        if self._failure:
            raise _failed(self._failure)
        with self._changed:
            return list(self._queues)

    def submit(self, task: Task[Result], worker: str, report: Report) -> "Future[Result]":
        """Run a task; see `wheelrelay.protocols.Engine`."""
        self.on_submit(worker, task)
        future: Future[Result] = Future()
        content = pickle.dumps(task)
        self.tasks.append(content)
        with self._changed:
            if worker not in self._queues:
                future.set_exception(_failed(self._failure) if self._failure else _lost(worker))
                return future
            self._queues[worker].append((future, content, report))
            self._changed.notify_all()
        return future

    def call_everywhere(self, function: Callable[[], object]) -> None:
        """Call a function, once for all workers."""
        pickle.loads(pickle.dumps(function))()  # noqa: S301  (written here)

    def _work(self, worker: str) -> None:
        while (job := self._next(worker)) is not None:
            future, content, report = job
            try:
                result, error = pickle.loads(content)(report), None  # noqa: S301  (written by `submit`)
                result = pickle.loads(pickle.dumps(result))  # noqa: S301
            except BaseException as raised:  # noqa: BLE001  (it is the result)
                result, error = None, raised
            with self._changed:
                if self._running.pop(worker, None) is not future:
                    continue  # the worker was lost
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def _next(self, worker: str) -> _Job | None:
        """Return the next job that was not cancelled; ``None`` once the worker was ended."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._queues.get(worker) or worker not in self._queues)
                if worker not in self._queues:
                    return None
                job = self._queues[worker].popleft()
                if job[0].set_running_or_notify_cancel():
                    self._running[worker] = job[0]
                    return job


def _lost(worker: str) -> WorkerLost:
    return WorkerLost(f"The worker {worker} was lost.", hint="Another worker repeats its tasks.")


def _failed(message: str) -> EngineFailed:
    return EngineFailed(message, hint="Run the same command again to complete it.")
