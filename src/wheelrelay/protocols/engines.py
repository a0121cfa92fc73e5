"""The protocol of engines, which run parts of a relay in other processes, possibly on other machines."""

from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Protocol, TypeVar

from wheelrelay.runtime_checks import runtime_checkable

Result = TypeVar("Result")

Report = Callable[[object], None]
"""Passes an object from a running task to the process that submitted it. It never raises."""

Task = Callable[[Report], Result]
"""A part of a relay: a function that can be pickled. Its argument reports progress while it runs."""


@runtime_checkable
class Engine(Protocol):
    """Runs tasks on workers: processes in which wheelrelay and the plugins of the remotes are installed.

    wheelrelay divides the relay into tasks, decides which worker runs each of them, and repeats the tasks of
    a worker that was lost. A task contains no secret: the worker resolves the references to secrets. One
    thread calls the methods.
    """

    @property
    def spans_machines(self) -> bool:
        """Whether workers may run on other machines, where a local path can be another directory."""
        ...

    def workers(self) -> Collection[str]:
        """Return the names of the workers that run now. A worker that starts again has another name.

        Raises:
            EngineFailed: The engine can no longer be used.
        """
        ...

    def submit(self, task: Task[Result], worker: str, report: Report) -> "Future[Result]":
        """Run a task on a worker, at once or as soon as an earlier task has ended there.

        Args:
            task: The task.
            worker: One of `workers`.
            report: Called in any thread with each object that the task reports, in order.

        Returns:
            The result of the task, or what it raised. It raises `WorkerLost` if the worker ends before the
            task, and `EngineFailed` if the engine can no longer be used. A task that is cancelled does not
            start; one that runs continues.
        """
        ...

    def call_everywhere(self, function: Callable[[], object]) -> None:
        """Call a function on every worker while tasks run there, and wait a few seconds at most.

        This is how running tasks are interrupted. It never fails: a worker that is not reached ends its
        tasks.

        Args:
            function: It returns at once.
        """
        ...
