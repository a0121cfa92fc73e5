"""Give parts of a relay to the workers of an engine, and repeat those of workers that were lost."""

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import field
from time import monotonic, sleep
from typing import Any, Generic, TypeVar

from wheelrelay.errors import EngineFailed, WheelrelayError, WorkerLost
from wheelrelay.events import Interrupting
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.protocols import Engine, Report, Task
from wheelrelay.transfer.thread_pool import GRACE_PERIOD, unexpected_error

IN_FLIGHT = 2
"""Parts that a worker has at once: while one ends, the next one runs."""

MAX_LOSSES = 3
"""Workers that a part may lose; it probably makes them crash."""

POLL_INTERVAL = 1.0
"""Seconds until the engine is asked again which workers there are."""

TIME_OF_RESULT = 2.0
"""Seconds after the grace period of an interrupt in which results of workers may still arrive."""

WAIT_FOR_WORKERS = 120.0
"""Seconds to wait until there is a worker again after all were lost."""

Part = TypeVar("Part")

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Job(Generic[Part]):
    """A part of a relay that a worker runs.

    Attributes:
        part: The part.
        worker: The worker.
        jobs: The number of parallel transfers that it may use; ``None`` if that is not limited.
        losses: The number of workers that were lost with this part before.
    """

    part: Part
    worker: str = ""
    jobs: int | None = None
    losses: int = 0


class WorkerPool:
    """The workers of an engine that were found to be usable.

    Args:
        engine: The engine.
        admission: The task that a worker must complete before it gets others; it returns the versions there.
        accept: Called with a worker and the result of that task; raises an error if it cannot be used.
        wait_for_workers: Seconds to wait for a worker while there is none.
        interrupt: Called on each worker after Ctrl-C: running tasks start nothing more.
    """

    def __init__(
        self,
        engine: Engine,
        admission: Task[Any],
        accept: Callable[[str, Any], None],
        *,
        wait_for_workers: float = WAIT_FOR_WORKERS,
        interrupt: Callable[[], object] | None = None,
    ) -> None:
        self.engine = engine
        self._interrupt = interrupt
        self._admission = admission
        self._accept = accept
        self._wait = wait_for_workers
        self._joining: dict[str, Future[Any]] = {}
        self._usable: set[str] = set()
        self._refused: set[str] = set()
        self._alone_since: float | None = None
        self._is_begun = False

    def begin(self) -> None:
        """Admit the workers that there are.

        Raises:
            ConfigError: A worker cannot be used, for example because it has other versions.
            EngineFailed: There is no worker.
        """
        deadline = monotonic() + self._wait
        while not self._usable:
            self._invite()
            if self._joining:
                wait(self._joining.values())
            if not self.refresh():
                if monotonic() > deadline:
                    raise EngineFailed(
                        "The engine has no workers.", hint="Start workers, and run the same command again."
                    )
                sleep(POLL_INTERVAL)
        self._is_begun = True

    def refresh(self) -> Collection[str]:
        """Return the usable workers; those that have joined are invited first.

        Raises:
            EngineFailed: There has been no worker for some time.
        """
        present = self._invite()
        for worker, future in list(self._joining.items()):
            if future.done():
                del self._joining[worker]
                self._admit(worker, future)
        self._usable &= present
        if self._usable:
            self._alone_since = None
        elif self._is_begun and not self._joining:
            self._alone_since = self._alone_since or monotonic()
            if monotonic() - self._alone_since > self._wait:
                raise EngineFailed(
                    "All workers of the engine were lost.",
                    hint="Start workers, and run the same command again to complete it.",
                )
        return self._usable

    def remove(self, worker: str) -> None:
        """Use a worker no more."""
        self._usable.discard(worker)
        self._refused.add(worker)

    def interrupt(self) -> None:
        """Let the running tasks start nothing more."""
        if self._interrupt is not None:
            self.engine.call_everywhere(self._interrupt)

    def has(self, worker: str) -> bool:
        """Return whether a worker is usable, as far as known."""
        return worker in self._usable

    def _invite(self) -> set[str]:
        present = set(self.engine.workers())
        for worker in present - self._usable - self._refused - self._joining.keys():
            self._joining[worker] = self.engine.submit(self._admission, worker, lambda _: None)
        return present

    def _admit(self, worker: str, future: "Future[Any]") -> None:
        try:
            self._accept(worker, future.result())
        except WorkerLost:
            return
        except Exception as error:
            self._refused.add(worker)
            problem = error if isinstance(error, WheelrelayError) else unexpected_error(error)
            problem.at(f"worker {worker}")
            if not self._is_begun:
                raise problem from error
            _log.warning("A worker that joined is not used: %s", problem)
        else:
            self._usable.add(worker)


@dataclass(slots=True)
class _Running(Generic[Part]):
    """The jobs that workers have."""

    jobs: dict["Future[Any]", Job[Part]] = field(default_factory=dict)

    def count(self, worker: str) -> int:
        return sum(job.worker == worker for job in self.jobs.values())

    def connections(self) -> int:
        return sum(job.jobs or 0 for job in self.jobs.values())


class Dispatcher(Generic[Part]):
    """Runs parts on all workers of a pool, with a limit of connections over all of them.

    Args:
        pool: The workers.
        receive: Called with each object that a task reports.
        jobs: The number of parallel transfers of each part. [default: adaptive]
        host_limit: The number of parallel transfers of all parts together. [default: no limit]
    """

    def __init__(
        self,
        pool: WorkerPool,
        receive: Report,
        *,
        jobs: int | None = None,
        host_limit: int | None = None,
    ) -> None:
        self._pool = pool
        self._receive = receive
        self._jobs = jobs
        self._host_limit = host_limit

    def run(
        self,
        take: Callable[[int, str], Part | None],
        task_of: Callable[[Job[Part]], Task[Any]],
        *,
        repeats_lost: bool = True,
    ) -> Iterator[tuple[Job[Part], Any, WheelrelayError | None]]:
        """Run parts until none is left, and yield each with its result or its error.

        Args:
            take: Returns the next part for a worker that can take one; ``None`` if it has none for it. Its
                arguments are the number of parts that can be with workers at once, and the worker.
            task_of: Returns the task for a part; called when it is dispatched.
            repeats_lost: Whether another worker repeats the part of one that was lost. If not, the part is
                yielded with a `WorkerLost`.

        Raises:
            EngineFailed: The engine failed, or has had no workers for some time.
        """
        running: _Running[Part] = _Running()
        repeated: deque[Job[Part]] = deque()
        try:
            while True:
                has_workers = self._fill(running, repeated, take, task_of)
                if not running.jobs:
                    if has_workers:
                        return
                    sleep(POLL_INTERVAL)  # until there is a worker again
                    continue
                for future in wait(running.jobs, POLL_INTERVAL, FIRST_COMPLETED).done:
                    job = running.jobs.pop(future)
                    yield from self._ended(job, future, repeated if repeats_lost else None)
        except GeneratorExit:  # the caller ends early
            self._pool.interrupt()
            raise
        except KeyboardInterrupt:
            yield from self._end_after_interrupt(running)
            raise
        finally:
            for future in running.jobs:
                future.cancel()

    def _end_after_interrupt(
        self, running: _Running[Part]
    ) -> Iterator[tuple[Job[Part], Any, WheelrelayError | None]]:
        """Interrupt the tasks on the workers, and yield what those have done that end in time.

        A second Ctrl-C ends the wait.
        """
        self._receive((Interrupting(GRACE_PERIOD),))
        self._pool.interrupt()
        deadline = monotonic() + GRACE_PERIOD + TIME_OF_RESULT
        while running.jobs and (left := deadline - monotonic()) > 0:
            for future in wait(running.jobs, left, FIRST_COMPLETED).done:
                job = running.jobs.pop(future)
                yield from self._ended(job, future, None)

    def _ended(
        self, job: Job[Part], future: "Future[Any]", repeated: "deque[Job[Part]] | None"
    ) -> Iterator[tuple[Job[Part], Any, WheelrelayError | None]]:
        try:
            result = future.result()
        except WorkerLost as error:
            _log.info("%s", error)
            self._pool.remove(job.worker)
            job.losses += 1
            if repeated is None:
                yield job, None, error
                return
            if job.losses < MAX_LOSSES:
                repeated.append(job)
                return
            yield (
                job,
                None,
                EngineFailed(
                    f"{job.losses} workers were lost one after the other with these files.",
                    hint="Look into the logs of the workers, for example for a lack of memory or disk space.",
                ),
            )
        except EngineFailed:
            raise
        except Exception as error:  # noqa: BLE001  (whatever a worker raised concerns this part)
            yield job, None, error if isinstance(error, WheelrelayError) else unexpected_error(error)
        else:
            yield job, result, None

    def _fill(
        self,
        running: _Running[Part],
        repeated: "deque[Job[Part]]",
        take: Callable[[int, str], Part | None],
        task_of: Callable[[Job[Part]], Task[Any]],
    ) -> bool:
        """Give parts to all workers that have fewer than `IN_FLIGHT`; return whether there is a worker."""
        workers = sorted(self._pool.refresh())
        slots = len(workers) * IN_FLIGHT
        for round_number in range(IN_FLIGHT):
            for worker in workers:
                if running.count(worker) > round_number:
                    continue
                jobs = self._share(running, slots)
                if jobs == 0:
                    return True
                if repeated:
                    job = repeated.popleft()
                else:
                    part = take(min(slots, self._host_limit or slots), worker)
                    if part is None:
                        continue
                    job = Job(part)
                job.worker, job.jobs = worker, jobs
                future = self._pool.engine.submit(task_of(job), worker, self._receive)
                running.jobs[future] = job
        return bool(workers)

    def _share(self, running: _Running[Part], slots: int) -> int | None:
        """Return the number of parallel transfers of the next part; 0 if all are in use."""
        if self._host_limit is None:
            return self._jobs
        free = self._host_limit - running.connections()
        share = max(1, self._host_limit // slots)
        return min(free, share, self._jobs or share)
