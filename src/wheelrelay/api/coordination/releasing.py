"""Release on the workers of an engine: they stage, check and publish, and one gate decides over all files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import wait
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from uuid import uuid4

from wheelrelay.api.coordination.access import EngineAccess
from wheelrelay.api.coordination.batches import Batches, BatchLimits
from wheelrelay.api.coordination.dispatching import Dispatcher, Job, WorkerPool
from wheelrelay.api.coordination.interrupting import not_read
from wheelrelay.api.coordination.messages import receiver
from wheelrelay.api.coordination.release_tasks import DropFiles, PublishFiles, SignFiles, StageFiles
from wheelrelay.api.coordination.sharing import refuse_checks_with_installers
from wheelrelay.api.coordination.tasks import Circumstances
from wheelrelay.api.options import PublishOptions
from wheelrelay.config import Route
from wheelrelay.engine.context import ConnectedSink, RelayRequest, Runtime
from wheelrelay.engine.gate import CheckedFile
from wheelrelay.engine.publishing import Publisher
from wheelrelay.engine.recording import ReceiptRecorder
from wheelrelay.engine.release_files import ReleaseFiles
from wheelrelay.engine.run import release
from wheelrelay.engine.signing import NewCompanions
from wheelrelay.engine.staging import raise_first
from wheelrelay.engine.upload import RemoteState, look
from wheelrelay.errors import DigestMismatch, WheelrelayError, WorkerLost
from wheelrelay.events import Step, StepBegan, StepEnded
from wheelrelay.model import Companion
from wheelrelay.protocols import Task
from wheelrelay.records import Delivery, Outcome, Plan, PlannedFile, Receipt
from wheelrelay.staged import StagedFile

MAX_RESTAGED = 3
"""How often a file is staged again for one sink after its worker was lost."""

GROUP = 4
"""Files that one task publishes: after a failure, fewer others are on their way."""

DROP_TIMEOUT = 5.0
"""Seconds to wait at the end until workers have removed their files."""

Group = Sequence[PlannedFile]


def release_on(
    access: EngineAccess,
    route: Route,
    options: PublishOptions,
    request: RelayRequest,
    recorder: ReceiptRecorder,
) -> Receipt:
    """Release on the workers of an engine; see `wheelrelay.engine.run.release`.

    Raises:
        ReleaseRefused: A check failed, or the release was not approved; nothing was published.
        RelayFailed: Publishing began and did not succeed; has the receipt.
        WheelrelayError: Any other error before publishing began.
    """
    refuse_checks_with_installers(request)
    handle_files = partial(_files_of_workers, access, route, options, recorder)
    return release(request, recorder, handle_files=handle_files)


@contextmanager
def _files_of_workers(
    access: EngineAccess,
    route: Route,
    options: PublishOptions,
    recorder: ReceiptRecorder,
    request: RelayRequest,
    runtime: Runtime,
) -> Iterator[ReleaseFiles]:
    with ExitStack() as stack:
        yield WorkerFiles(access, route, options, recorder, request, runtime, stack)


class WorkerFiles:
    """The files of a release that workers stage, hold and publish.

    Args:
        access: The engine.
        route: The route.
        options: What to publish besides the files.
        recorder: Records what is sent before it is.
        request: The source, the sinks and the options.
        runtime: Retries and progress.
        stack: Closes the engine.
    """

    uses_credentials_here = False

    def __init__(
        self,
        access: EngineAccess,
        route: Route,
        options: PublishOptions,
        recorder: ReceiptRecorder,
        request: RelayRequest,
        runtime: Runtime,
        stack: ExitStack,
    ) -> None:
        self._access = access
        self._route = route
        self._options = options
        self._recorder = recorder
        self._request = request
        self._runtime = runtime
        self._stack = stack
        self._release = uuid4().hex
        self._holders: dict[str, str] = {}
        self._pool: WorkerPool | None = None
        self._shared: Circumstances | None = None

    def prepare(self, _: Plan) -> None:
        """Do nothing: each worker proves that it can sign before it gets files."""

    def stage_all(self, plan: Plan) -> Mapping[str, CheckedFile]:
        """Stage and check every file that any sink needs, each on the worker that publishes it later.

        Raises:
            IntegrityError: Files are not what the source declared; the message names all of them.
            ConfigError: A worker cannot be used, or workers cannot reach a remote.
            BackendError: The source failed.
            EngineFailed: The engine failed.
        """
        needed = [planned for planned in plan.files if planned.needs_staging]
        if not needed:
            return {}
        self._open()
        size = sum(planned.file.size or 0 for planned in needed)
        self._runtime.report(StepBegan(Step.STAGE, self._request.source.name, len(needed), size))
        staged = self._stage(needed)
        self._runtime.report(StepEnded(Step.STAGE, self._request.source.name))
        raise_first({name: one for name, one in staged.items() if isinstance(one, WheelrelayError)})
        return {name: one for name, one in staged.items() if isinstance(one, CheckedFile)}

    def make_companions(self, plan: Plan, checked: Mapping[str, CheckedFile]) -> NewCompanions:
        """Make the missing signatures where the bytes are.

        Raises:
            WheelrelayError: Signing failed.
        """
        required = {suffix for sink in self._request.sinks for suffix in sink.required_companions}
        if not required or not checked:
            return {}
        made: dict[str, tuple[Companion, ...]] = {}
        for _ in range(MAX_RESTAGED):
            missing = [
                planned for planned in plan.files if planned.file.filename in checked.keys() - made.keys()
            ]
            if not missing:
                return made
            self._restage_lost(missing, {name: file.staged for name, file in checked.items()})
            task_of = partial(self._sign_task)
            for _job, result, error in self._run_on_holders(missing, task_of):
                if isinstance(error, WorkerLost):
                    continue
                if error is not None:
                    raise error
                made |= result
        raise WorkerLost("Workers were lost again and again while they made signatures.")

    def send_all(self, plan: Plan, _: Publisher, sink: ConnectedSink, files: Sequence[StagedFile], /) -> None:
        """Send files to a sink, each from the worker that holds it, and record the outcomes.

        After a worker was lost, the sink is asked first. A file that it does not have is staged again by
        another worker, and must have the digest that the gate accepted.
        """
        accepted = {staged.filename: staged for staged in files}
        open_files = {
            planned.file.filename: planned for planned in plan.files if planned.file.filename in accepted
        }
        for _round in range(1 + MAX_RESTAGED):
            failed = self._restage_lost(list(open_files.values()), accepted)
            for name, error in failed.items():
                self._record(sink, open_files.pop(name), Delivery(Outcome.FAILED, reason=str(error)))
            if failed or not self._send(sink, open_files, accepted):
                return
            if not open_files:
                return
        for planned in open_files.values():
            reason = "Its workers were lost one after the other."
            self._record(sink, planned, Delivery(Outcome.FAILED, reason=reason))

    def _open(self) -> None:
        """Connect to the workers, and remove their files at the end."""
        self._pool, self._shared = self._access.admitted(
            self._stack,
            self._route,
            self._request,
            sign=self._options.sign,
            confirm_timeout=self._options.confirm_timeout,
        )
        self._stack.callback(self._drop_files)

    def _stage(self, files: Group) -> dict[str, CheckedFile | WheelrelayError]:
        """Stage files on any workers, and remember which worker holds each."""
        batches = Batches([(planned.file, planned) for planned in files], self._access.limits)
        staged: dict[str, CheckedFile | WheelrelayError] = {}

        def task_of(job: Job[Group]) -> StageFiles:
            assert self._shared is not None
            return StageFiles(self._shared, self._held_by(job.worker), tuple(job.part), job.jobs)

        take: Callable[[int, str], Group | None] = lambda slots, _: batches.take(slots) or None  # noqa: E731
        for job, result, error in self._dispatcher().run(take, task_of):
            for planned in job.part:
                name = planned.file.filename
                staged[name] = error or result.get(name) or not_read(name)
                if isinstance(staged[name], CheckedFile):
                    self._holders[name] = job.worker
        return staged

    def _restage_lost(self, files: Group, accepted: Mapping[str, StagedFile]) -> dict[str, WheelrelayError]:
        """Stage the files of lost workers again, and return the errors by filename."""
        assert self._pool is not None
        usable = self._pool.refresh()
        lost = [planned for planned in files if self._holders.get(planned.file.filename) not in usable]
        errors: dict[str, WheelrelayError] = {}
        for name, result in self._stage(lost).items() if lost else ():
            if isinstance(result, WheelrelayError):
                errors[name] = result
            elif result.staged.sha256 != accepted[name].sha256:
                errors[name] = DigestMismatch(
                    f"{name} has sha256 {result.staged.sha256} at the source now; the gate accepted "
                    f"{accepted[name].sha256}.",
                    hint="Find out who changed it at the source.",
                )
        return errors

    def _send(
        self, sink: ConnectedSink, open_files: dict[str, PlannedFile], accepted: Mapping[str, StagedFile]
    ) -> bool:
        """Send files from their holders, and return whether to go on; those in place are removed."""

        def task_of(job: Job[Group]) -> PublishFiles:
            assert self._shared is not None
            names = [planned.file.filename for planned in job.part]
            for name in names:
                self._recorder.record_sending(sink.name, name)
            is_last = sink is self._request.sinks[-1]
            of_part = {name: accepted[name] for name in names}
            return PublishFiles(
                self._shared,
                self._held_by(job.worker),
                sink.name,
                tuple(job.part),
                of_part,
                job.jobs,
                is_last,
            )

        goes_on = True
        runs = self._run_on_holders(list(open_files.values()), task_of, goes_on=lambda: goes_on)
        for job, result, error in runs:
            for planned in job.part:
                name = planned.file.filename
                if isinstance(error, WorkerLost):
                    delivery = self._delivery_after_loss(sink, accepted[name])
                elif error is not None:
                    delivery = Delivery(Outcome.UNCONFIRMED, 1, reason=str(error))
                else:
                    delivery = result.get(name, Delivery(Outcome.PENDING))
                    if name not in result:
                        self._holders.pop(name, None)  # staged again, because the worker has removed it
                self._record(sink, planned, delivery)
                if delivery.outcome is not Outcome.PENDING:
                    del open_files[name]
                    goes_on = goes_on and delivery.is_in_place
        return goes_on

    def _delivery_after_loss(self, sink: ConnectedSink, staged: StagedFile) -> Delivery:
        """Ask the sink for a file that a lost worker was sending; ``pending`` if it must be sent again."""
        state = look(sink.sink, staged, self._runtime.retrier)
        if state is RemoteState.SAME:
            return Delivery(Outcome.PUBLISHED, 1, reason="its worker was lost after it had arrived")
        is_replaced = self._recorder.replaces(sink.name, staged.filename)
        if state in (RemoteState.ABSENT, RemoteState.INCOMPLETE) or (
            is_replaced and state is not RemoteState.UNKNOWN
        ):
            return Delivery(Outcome.PENDING)
        if state is RemoteState.UNKNOWN:
            reason = "Its worker was lost, and the sink cannot be read."
            return Delivery(Outcome.UNCONFIRMED, 1, reason=reason)
        return Delivery(Outcome.FAILED, 1, reason="Another upload took the filename.", lasting=True)

    def _run_on_holders(
        self,
        files: Group,
        task_of: Callable[[Job[Group]], Task[Any]],
        *,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> Iterator[tuple[Job[Group], Any, WheelrelayError | None]]:
        """Run tasks for files on the workers that hold them, in small groups."""
        limits = BatchLimits(min(GROUP, self._access.limits.files), self._access.limits.size)
        by_worker: dict[str, list[PlannedFile]] = {}
        for planned in files:
            by_worker.setdefault(self._holders[planned.file.filename], []).append(planned)
        batches = {
            worker: Batches([(planned.file, planned) for planned in held], limits)
            for worker, held in by_worker.items()
        }

        def take(slots: int, worker: str) -> Group | None:
            return (batches[worker].take(slots) or None) if worker in batches and goes_on() else None

        return self._dispatcher().run(take, task_of, repeats_lost=False)

    def _sign_task(self, job: Job[Group]) -> SignFiles:
        assert self._shared is not None
        return SignFiles(self._shared, self._held_by(job.worker), tuple(job.part))

    def _dispatcher(self) -> Dispatcher[Group]:
        assert self._pool is not None
        return Dispatcher(
            self._pool,
            receiver(self._runtime.report),
            jobs=self._request.options.jobs,
            host_limit=self._access.config.host_limit,
        )

    def _held_by(self, worker: str) -> str:
        """Return the identity of what a worker holds; several workers may be threads of one process."""
        return f"{self._release} {worker}"

    def _record(self, sink: ConnectedSink, planned: PlannedFile, delivery: Delivery) -> None:
        self._recorder.record(sink.name, planned.file.filename, delivery)

    def _drop_files(self) -> None:
        """Remove the files of this release from the workers; those that are lost remove them later."""
        assert self._pool is not None
        engine = self._pool.engine
        try:
            present = sorted(engine.workers())
        except WheelrelayError:
            return
        drops = [engine.submit(DropFiles(self._held_by(one)), one, lambda _: None) for one in present]
        wait(drops, DROP_TIMEOUT)
