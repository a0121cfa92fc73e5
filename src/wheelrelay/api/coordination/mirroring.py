"""Mirror on the workers of an engine: batches that any worker moves, and one writer of index pages."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from wheelrelay.api.coordination.access import EngineAccess
from wheelrelay.api.coordination.batches import Batches
from wheelrelay.api.coordination.dispatching import Dispatcher, Job, WorkerPool
from wheelrelay.api.coordination.messages import receiver
from wheelrelay.api.coordination.tasks import Circumstances, MirrorBatch
from wheelrelay.api.options import PublishOptions
from wheelrelay.config import Route
from wheelrelay.engine.context import RelayRequest, Runtime
from wheelrelay.engine.listing import Inventory
from wheelrelay.engine.planning import PlannedRelay
from wheelrelay.engine.recording import ReceiptRecorder
from wheelrelay.engine.run import mirror
from wheelrelay.errors import WheelrelayError
from wheelrelay.events import Step, StepBegan, StepEnded
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile
from wheelrelay.records import Action, Delivery, Outcome, PlannedFile, Receipt

Batch = Sequence[PlannedFile]


def mirror_on(
    access: EngineAccess,
    route: Route,
    options: PublishOptions,
    request: RelayRequest,
    recorder: ReceiptRecorder,
) -> Receipt:
    """Mirror on the workers of an engine; see `wheelrelay.engine.run.mirror`.

    Raises:
        RelayFailed: Some files are not in place; has the receipt.
        WheelrelayError: Any other error before the first file.
    """
    return mirror(request, recorder, move=_MirrorRun(access, route, options, request, recorder).move)


@dataclass(frozen=True, slots=True)
class _MirrorRun:
    """Moves the planned files of one mirror on workers."""

    access: EngineAccess
    route: Route
    options: PublishOptions
    request: RelayRequest
    recorder: ReceiptRecorder

    def move(self, planned: PlannedRelay, runtime: Runtime) -> None:
        """Move all files that any sink needs, and record the outcomes.

        Raises:
            ConfigError: A worker cannot be used, or workers cannot reach a remote.
            EngineFailed: The engine failed.
        """
        plan = planned.plan
        needed = [file for file in plan.files if file.needs_staging]
        if not needed:
            return
        with ExitStack() as stack:
            pool, shared = self.access.admitted(
                stack,
                self.route,
                self.request,
                sign=self.options.sign,
                confirm_timeout=self.options.confirm_timeout,
            )
            names = ", ".join(plan.sinks)
            size = sum(file.file.size or 0 for file in needed)
            runtime.report(StepBegan(Step.PUBLISH, names, len(needed), size))
            self._dispatch(pool, shared, needed, planned.inventories, runtime)
            runtime.report(StepEnded(Step.PUBLISH, names))

    def _dispatch(
        self,
        pool: WorkerPool,
        shared: Circumstances,
        needed: Sequence[PlannedFile],
        inventories: Mapping[str, Inventory | None],
        runtime: Runtime,
    ) -> None:
        batches = Batches([(file.file, file) for file in needed], self.access.limits)
        dispatcher: Dispatcher[Batch] = Dispatcher(
            pool,
            receiver(runtime.report),
            jobs=self.request.options.jobs,
            host_limit=self.access.config.host_limit,
        )

        def task_of(job: Job[Batch]) -> MirrorBatch:
            self._record_sending(job.part)
            held = {sink: _of_projects(job.part, inventory) for sink, inventory in inventories.items()}
            return MirrorBatch(shared, tuple(job.part), held, job.jobs, reads_sinks=job.losses > 0)

        for job, receipt, error in dispatcher.run(lambda slots, _: batches.take(slots) or None, task_of):
            if error is None:
                self.recorder.record_part(receipt)
            else:
                self._record_failure(job, error)

    def _record_sending(self, batch: Batch) -> None:
        """Record that a worker may send these files from now on."""
        for planned in batch:
            for sink, intent in planned.sinks.items():
                if intent.action in (Action.UPLOAD, Action.UNKNOWN):
                    self.recorder.record_sending(sink, planned.file.filename)

    def _record_failure(self, job: Job[Batch], error: WheelrelayError) -> None:
        """Record that a batch failed; after lost workers, its files may have arrived."""
        outcome = Outcome.UNCONFIRMED if job.losses else Outcome.FAILED
        for planned in job.part:
            for sink, intent in planned.sinks.items():
                if intent.action in (Action.UPLOAD, Action.UNKNOWN):
                    delivery = Delivery(outcome, reason=str(error), lasting=not error.retryable)
                    self.recorder.record(sink, planned.file.filename, delivery)


def _of_projects(batch: Batch, inventory: Inventory | None) -> tuple[DistFile, ...] | None:
    if inventory is None:
        return None
    projects = {planned.file.project for planned in batch}
    return tuple(held for project in sorted(projects) for held in inventory.of_project(project))
