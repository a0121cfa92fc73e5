"""Compare afterwards: does a sink give out what its source has, does a place hold what it declares."""

from collections.abc import Iterator, Mapping
from functools import partial

from wheelrelay.engine.context import ConnectedSink, RelayContext
from wheelrelay.engine.gate import resolve_unknown
from wheelrelay.engine.planning import plan_of
from wheelrelay.engine.staging import fetched, stage_all
from wheelrelay.errors import IntegrityError, NotFound, WheelrelayError
from wheelrelay.events import FileEnded, Step, StepBegan, StepEnded
from wheelrelay.model import DistFile
from wheelrelay.records import Action, Finding, Intent, Plan, PlannedFile, Severity
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.staging_area import StagingArea
from wheelrelay.transfer.thread_pool import Done

MISSING, DIFFERS, DAMAGED = "verify-missing", "verify-differs", "verify-damaged"


def verify_sinks(context: RelayContext, staging_area: StagingArea, *, download: bool) -> list[Finding]:
    """Compare the files of the source with those of each sink.

    Args:
        context: both sides, connected.
        staging_area: for the files of a source that declares no digests.
        download: fetch and hash every file of the sinks; otherwise the digests that they declare are taken.

    Returns:
        A finding for each file that a sink lacks, or has with other bytes.

    Raises:
        NothingMatched: no file is meant.
        BackendError: a side cannot be read.
    """
    plan = plan_of(context, one_version=False)
    unknown = [planned for planned in plan.files if _is_open(planned)]
    checked = stage_all(context, _only(plan, unknown), staging_area)
    staged = {name: file.staged for name, file in checked.items()}
    settled = resolve_unknown(
        plan,
        staged,
        context.sinks,
        context.fetched_sha256,
        making=context.making,
        each=context.workers.each,
    )
    findings = [finding for planned in settled.files for finding in _differences(planned)]
    if download:
        for destination in context.destinations:
            findings += _fetch_and_compare(context, settled, destination, staged)
    return findings


def verify_place(context: RelayContext, staging_area: StagingArea) -> list[Finding]:
    """Fetch every file of the source that is meant, and compare it with what the source declares of it.

    Returns:
        A finding for each file that is damaged or gone.

    Raises:
        NothingMatched: no file is meant.
        BackendError: the source cannot be read.
    """
    plan = plan_of(context, one_version=False)
    files = [planned.file for planned in plan.files]
    context.tell(
        StepBegan(Step.CONFIRM, context.origin.name, len(files), sum(file.size or 0 for file in files))
    )
    done = context.workers.each(files, lambda file: _fetch_one(context, file, staging_area))
    context.tell(StepEnded(Step.CONFIRM, context.origin.name))
    return [
        Finding(DAMAGED, Severity.ERROR, str(one.error), filename=one.item.filename)
        for one in done
        if _is_damage(one)
    ]


def _is_open(planned: PlannedFile) -> bool:
    return any(intent.action is Action.UNKNOWN for intent in planned.sinks.values())


def _only(plan: Plan, files: list[PlannedFile]) -> Plan:
    return Plan(plan.source, plan.sinks, tuple(files))


def _differences(planned: PlannedFile) -> Iterator[Finding]:
    name = planned.file.filename
    for sink, intent in planned.sinks.items():
        if intent.action is Action.UPLOAD:
            told = (
                "does not have it"
                if intent.existing is None
                else f"has it {intent.reason.removeprefix('there ')}"
            )
            yield Finding(MISSING, Severity.ERROR, f"{sink} {told}.", name, hint="Relay it.")
        elif intent.action is Action.CONFLICT:
            yield Finding(DIFFERS, Severity.ERROR, f"{sink} has it with other bytes.", name)


def _fetch_and_compare(
    context: RelayContext, plan: Plan, destination: ConnectedSink, staged: Mapping[str, StagedFile]
) -> list[Finding]:
    """Fetch what a sink has and says to be the same, and compare it with the source's digests.

    Where the source declares none, the digests are those of its bytes, which were staged for that.
    """
    there: Mapping[str, Intent] = {
        planned.file.filename: planned.sinks[destination.name]
        for planned in plan.files
        if planned.sinks[destination.name].action is Action.SKIP
    }
    declared = {planned.file.filename: planned.file.sha256 for planned in plan.files}
    expected = declared | {name: file.sha256 for name, file in staged.items()}
    files = [intent.existing for intent in there.values() if intent.existing is not None]
    context.tell(StepBegan(Step.CONFIRM, destination.name, len(files), 0))
    done = context.workers.each(files, partial(context.fetched_sha256, destination.sink))
    context.tell(StepEnded(Step.CONFIRM, destination.name))
    return [
        Finding(DAMAGED, Severity.ERROR, f"{destination.name} gives out other bytes.", one.item.filename)
        for one in done
        if one.unwrap() != (expected[one.item.filename] or one.item.sha256)
    ]


def _fetch_one(context: RelayContext, file: DistFile, staging_area: StagingArea) -> None:
    try:
        staged = fetched(context, file, staging_area, Step.CONFIRM, proven=True)
    except WheelrelayError as error:
        context.tell(FileEnded(Step.CONFIRM, file.filename, error=str(error)))
        raise
    staging_area.drop(staged)
    context.tell(FileEnded(Step.CONFIRM, file.filename))


def _is_damage(done: Done[DistFile, None]) -> bool:
    """Whether an error speaks of the file; any other is raised, for it speaks of the place."""
    if done.error is None:
        return False
    if isinstance(done.error, IntegrityError | NotFound):
        return True
    raise done.error
