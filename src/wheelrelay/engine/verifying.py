"""Verify published files: compare sinks with their source, or a remote with the digests it declares."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from wheelrelay.engine.comparing import resolve_unknown
from wheelrelay.engine.confirming import fetched_sha256
from wheelrelay.engine.context import ConnectedSink, RelayRequest, Runtime, running
from wheelrelay.engine.planning import plan_relay
from wheelrelay.engine.staging import InspectionRules, Stager, fetch
from wheelrelay.errors import IntegrityError, NotFound, WheelrelayError
from wheelrelay.events import FileEnded, Step, StepBegan, StepEnded
from wheelrelay.lock_matching import LOCK_DIFFERS, LOCK_MISSING, verify_locked
from wheelrelay.model import DistFile
from wheelrelay.records import Action, Finding, Plan, PlannedFile, Severity
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.staging_area import StagingArea
from wheelrelay.transfer.thread_pool import Done

MISSING, DIFFERS, DAMAGED = "verify-missing", "verify-differs", "verify-damaged"


def verify_sinks(request: RelayRequest, staging_area: StagingArea, *, download: bool) -> list[Finding]:
    """Compare the files of the source with those of each sink.

    Args:
        request: Both sides and the selection.
        staging_area: For the files of a source that declares no digests.
        download: Download and hash every file of the sinks, instead of trusting the digests they declare.

    Returns:
        A finding for each file that is missing at a sink, or differs, and for each locked file that the
        source lacks.

    Raises:
        NothingMatched: No file is selected.
        BackendError: A side cannot be read.
    """
    with running(request.options) as runtime:
        plan = plan_relay(request, runtime, one_version=False).plan
        unknown = tuple(planned for planned in plan.files if _is_unknown(planned))
        stager = Stager(request.source, staging_area, InspectionRules.of(request), runtime)
        checked = stager.stage_all(replace(plan, files=unknown))
        staged = {name: file.staged for name, file in checked.items()}
        run_all = runtime.workers.run_all
        plan = resolve_unknown(plan, staged, request.sinks, runtime.retrier, run_all=run_all)
        findings = [
            *_lock_findings(plan),
            *(found for planned in plan.files for found in _differences(planned)),
        ]
        if download:
            for sink in request.sinks:
                findings += _download_and_compare(plan, sink, staged, runtime)
        return findings


def verify_remote(request: RelayRequest, staging_area: StagingArea) -> list[Finding]:
    """Download the selected files of the source, and compare them with the digests it declares.

    Returns:
        A finding for each file that is damaged or missing, or differs from the lock.

    Raises:
        NothingMatched: No file is selected.
        BackendError: The source cannot be read.
    """
    source = request.source
    with running(request.options) as runtime:
        plan = plan_relay(request, runtime, one_version=False).plan
        files = [planned.file for planned in plan.files]
        size = sum(file.size or 0 for file in files)
        runtime.report(StepBegan(Step.CONFIRM, source.name, len(files), size))
        done = runtime.workers.run_all(files, lambda file: _verify_one(request, file, staging_area, runtime))
        runtime.report(StepEnded(Step.CONFIRM, source.name))
    damaged = (
        Finding(DAMAGED, Severity.ERROR, str(one.error), filename=one.item.filename)
        for one in done
        if _is_damage(one)
    )
    return [*_lock_findings(plan), *damaged]


def _lock_findings(plan: Plan) -> Iterator[Finding]:
    return (finding for finding in plan.findings if finding.check in (LOCK_MISSING, LOCK_DIFFERS))


def _is_unknown(planned: PlannedFile) -> bool:
    return any(intent.action is Action.UNKNOWN for intent in planned.sinks.values())


def _differences(planned: PlannedFile) -> Iterator[Finding]:
    name = planned.file.filename
    for sink, intent in planned.sinks.items():
        if intent.action is Action.UPLOAD:
            problem = "Missing" if intent.existing is None else f"It {intent.reason}"
            yield Finding(
                MISSING, Severity.ERROR, f"{problem} at {sink}.", name, hint="Relay it to that sink."
            )
        elif intent.action is Action.CONFLICT:
            difference = intent.reason.removeprefix("the filename ")
            yield Finding(DIFFERS, Severity.ERROR, f"It {difference} at {sink}.", name)


def _download_and_compare(
    plan: Plan, sink: ConnectedSink, staged: Mapping[str, StagedFile], runtime: Runtime
) -> list[Finding]:
    """Download the files that a sink declares to be the same, and compare them with the source's digests.

    Where the source declares none, the digests are those of its staged bytes.
    """
    intents = {planned.file.filename: planned.sinks[sink.name] for planned in plan.files}
    declared = {planned.file.filename: planned.file.sha256 for planned in plan.files}
    expected = declared | {name: file.sha256 for name, file in staged.items()}
    files = [
        intent.existing for intent in intents.values() if intent.action is Action.SKIP and intent.existing
    ]

    def download(file: DistFile) -> str:
        return runtime.retrier.call(file.filename, lambda: fetched_sha256(sink.sink, file))

    runtime.report(StepBegan(Step.CONFIRM, sink.name, len(files), 0))
    done = runtime.workers.run_all(files, download)
    runtime.report(StepEnded(Step.CONFIRM, sink.name))
    return [
        Finding(DAMAGED, Severity.ERROR, f"{sink.name} serves other bytes.", one.item.filename)
        for one in done
        if one.unwrap() != (expected[one.item.filename] or one.item.sha256)
    ]


def _verify_one(request: RelayRequest, file: DistFile, staging_area: StagingArea, runtime: Runtime) -> None:
    try:
        staged = fetch(request.source, file, staging_area, runtime, Step.CONFIRM, verify_archive=True)
        verify_locked(request.selection.lock, staged.file)
    except WheelrelayError as error:
        runtime.report(FileEnded(Step.CONFIRM, file.filename, error=str(error)))
        raise
    staging_area.drop(staged)
    runtime.report(FileEnded(Step.CONFIRM, file.filename))


def _is_damage(done: Done[DistFile, None]) -> bool:
    """Return whether a file is damaged or missing; raise any other error, which concerns the remote."""
    if done.error is None:
        return False
    if isinstance(done.error, IntegrityError | NotFound):
        return True
    raise done.error
