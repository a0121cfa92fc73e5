"""Run tasks on the workers of a cluster, and notice at once when a worker or the scheduler is lost."""

import pickle
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar
from uuid import uuid4

from distributed import Client
from distributed import Future as DaskFuture

from wheelrelay.errors import EngineFailed, WheelrelayError, WorkerLost
from wheelrelay.protocols import Report, Task
from wheelrelay_dask.remote import run_task

Result = TypeVar("Result")

EVENTS_OF_WORKERS = "all"
"""The topic to which the scheduler reports that workers join and leave."""

COLLECTORS = 4
"""Threads that fetch results from workers."""

CALL_TIMEOUT = 5.0
"""Seconds to wait for a function on all workers; one of them may not answer."""

RESULT_INTERVAL = 1.0
"""Seconds after which a thread that fetches a result looks whether the worker was lost."""


@dataclass(frozen=True, slots=True)
class _Submitted:
    """A task that has not ended yet."""

    future: "Future[Any]"
    remote: DaskFuture[Any]
    worker: str
    report: Report


class DaskEngine:
    """The workers of a cluster.

    Each task is bound to one worker, so that the loss of the worker ends the task: the scheduler would wait
    for a worker of the same name, or repeat the task unnoticed.

    Args:
        client: Connected to the scheduler.
        where: The scheduler, for messages, such as ``at tls://scheduler:8786``.
        spans_machines: Whether workers may run on other machines.

    Attributes:
        spans_machines: As above.
    """

    def __init__(self, client: Client, where: str, *, spans_machines: bool) -> None:
        self.spans_machines = spans_machines
        self._client = client
        self._where = where
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._run = uuid4().hex
        self._submitted: dict[int, _Submitted] = {}
        self._lost: set[str] = set()
        self._collectors = ThreadPoolExecutor(COLLECTORS, thread_name_prefix="wheelrelay-dask")
        # The scheduler forgets the events of this topic when the client leaves.
        self._topic = client.id
        client.subscribe_topic(self._topic, self._on_report)
        client.subscribe_topic(EVENTS_OF_WORKERS, self._on_worker_event)

    def workers(self) -> Collection[str]:
        """Return the addresses of the workers.

        Raises:
            EngineFailed: The connection to the scheduler is lost.
        """
        if self._client.status != "running":
            raise self._failure()
        try:
            present = set(self._client.nthreads())
        except Exception as error:
            raise self._failure() from error
        with self._lock:
            absent = {submitted.worker for submitted in self._submitted.values()} - present
        for worker in absent:
            self._lose(worker)
        return present - self._lost

    def submit(self, task: Task[Result], worker: str, report: Report) -> "Future[Result]":
        """Run a task on a worker; see `wheelrelay.protocols.Engine`."""
        future: Future[Result] = Future()
        number = next(self._numbers)
        if worker in self._lost:
            future.set_exception(_lost(worker))
            return future
        if self._client.status != "running":
            future.set_exception(self._failure())
            return future
        try:
            remote = self._client.submit(
                run_task,
                pickle.dumps(task),
                self._topic,
                number,
                key=f"wheelrelay-{self._run}-{number}",
                workers=[worker],
                allow_other_workers=False,
                pure=False,
                retries=0,
            )
        except Exception as error:  # noqa: BLE001  (whatever the client raises, it cannot be used)
            future.set_exception(error if isinstance(error, WheelrelayError) else self._failure())
            return future
        with self._lock:
            self._submitted[number] = _Submitted(future, remote, worker, report)
        remote.add_done_callback(lambda done: self._on_done(number, done))
        future.add_done_callback(lambda done: self._cancel(number) if done.cancelled() else None)
        return future

    def call_everywhere(self, function: Callable[[], object]) -> None:
        """Call a function on every worker; see `wheelrelay.protocols.Engine`.

        Dask calls it in the event loop of the worker, so it does not wait for a free thread.
        """
        with suppress(RuntimeError):  # the engine is closed
            call = self._collectors.submit(self._client.run, function, on_error="ignore")
            wait([call], CALL_TIMEOUT)

    def close(self) -> None:
        """Cancel what has not started, and forget the rest."""
        for number in list(self._submitted):
            self._cancel(number)
        for topic in (self._topic, EVENTS_OF_WORKERS):
            with suppress(Exception):  # the scheduler may be lost
                self._client.unsubscribe_topic(topic)
        self._collectors.shutdown(wait=False, cancel_futures=True)

    def _on_report(self, event: tuple[float, Any]) -> None:
        """Pass a message of a task on; other events of this topic are those of the scheduler."""
        content = event[1]
        if isinstance(content, bytes):
            number, message = pickle.loads(content)  # noqa: S301  (of a worker, to which code is sent)
            with self._lock:
                submitted = self._submitted.get(number)
            if submitted is not None:
                submitted.report(message)

    def _on_worker_event(self, event: tuple[float, Any]) -> None:
        message = event[1]
        if isinstance(message, dict) and message.get("action") == "remove-worker":
            self._lose(str(message.get("worker")))

    def _lose(self, worker: str) -> None:
        with self._lock:
            self._lost.add(worker)
            numbers = [number for number, one in self._submitted.items() if one.worker == worker]
        for number in numbers:
            if submitted := self._take(number):
                _end(submitted.future, _lost(worker))
                submitted.remote.release()

    def _on_done(self, number: int, remote: DaskFuture[Any]) -> None:
        """Pass the result of a task on. The client has one thread for all calls, so it must not wait."""
        with suppress(RuntimeError):  # the engine is closed
            self._collectors.submit(self._collect, number, remote)

    def _collect(self, number: int, remote: DaskFuture[Any]) -> None:
        status = remote.status
        if status not in ("finished", "error"):  # cancelled, or lost with the scheduler
            if submitted := self._take(number):
                _end(submitted.future, self._failure())
            return
        try:
            succeeded, value = self._result(number, remote)
        except Exception as error:  # noqa: BLE001  (of the cluster; those of the task are its result)
            succeeded, value = False, self._explained(number, error)
        if submitted := self._take(number):
            if succeeded:
                if submitted.future.set_running_or_notify_cancel():
                    submitted.future.set_result(value)
            else:
                _end(submitted.future, value)
            remote.release()

    def _result(self, number: int, remote: DaskFuture[Any]) -> tuple[bool, Any]:
        """Return the result of a task; the worker that has it may be lost in the meantime.

        Raises:
            WorkerLost: It was lost.
        """
        while True:
            try:
                succeeded, value = remote.result(timeout=RESULT_INTERVAL)
            except TimeoutError:
                with self._lock:
                    if number not in self._submitted:
                        raise WorkerLost("The worker was lost with its result.") from None
            else:
                return succeeded, value

    def _explained(self, number: int, error: Exception) -> WheelrelayError:
        """Return the error for one that the cluster raised instead of the task."""
        with self._lock:
            submitted = self._submitted.get(number)
        worker = submitted.worker if submitted else "unknown"
        if type(error).__name__ == "KilledWorker":
            return _lost(worker)
        if self._client.status != "running":
            return self._failure()
        return EngineFailed(
            f"The worker {worker} cannot run tasks: {type(error).__name__}: {error}.",
            hint="Install wheelrelay, wheelrelay-dask and the plugins of the remotes on every worker.",
        )

    def _cancel(self, number: int) -> None:
        if submitted := self._take(number):
            submitted.remote.release()  # the scheduler forgets a task without a client that waits

    def _take(self, number: int) -> _Submitted | None:
        """Return a task whose end is to be reported; ``None`` if that was done."""
        with self._lock:
            return self._submitted.pop(number, None)

    def _failure(self) -> EngineFailed:
        return EngineFailed(
            f"The connection to the scheduler {self._where} was lost.",
            hint="Start the cluster again if it ended, and run the same command again to complete it.",
        )


def _end(future: "Future[Any]", error: BaseException) -> None:
    if future.set_running_or_notify_cancel():
        future.set_exception(error)


def _lost(worker: str) -> WorkerLost:
    return WorkerLost(f"The worker {worker} was lost.", hint="Another worker repeats its tasks.")
