"""Stage and check the files of a plan, many at once: while some are fetched, others are looked through."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from wheelrelay.engine.context import RelayContext
from wheelrelay.engine.findings import CheckedFile
from wheelrelay.errors import IntegrityError, NotFound, WheelrelayError
from wheelrelay.events import FileBegan, FileEnded, Step, StepBegan, StepEnded
from wheelrelay.model import DistFile
from wheelrelay.protocols import SupportsLocalPath, SupportsProvenance
from wheelrelay.records import Finding, Plan, PlannedFile, Severity
from wheelrelay.signing import (
    SIGNATURE_SUFFIX,
    attestation_findings,
    attestations_of,
    drop_malformed_companions,
)
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.download import stage
from wheelrelay.transfer.staging_area import StagingArea

if TYPE_CHECKING:
    from wheelrelay.checks import Inspection

OF_ONE_FILE = (IntegrityError, NotFound)
"""Errors that speak of one file and not of the place that it comes from."""

TOLD = 10
"""How many further errors are told in the words of the first."""


def stage_all(context: RelayContext, plan: Plan, staging_area: StagingArea) -> dict[str, CheckedFile]:
    """Stage every file that any sink needs, and read it through.

    A damaged file does not keep the others from being looked at, so that one run tells all that is wrong;
    a source that fails ends the step.

    Returns:
        The staged files by name, with what their checks found.

    Raises:
        IntegrityError: files are not what the source promised; tells of all of them.
        BackendError: the source failed.
    """
    needed = [planned for planned in plan.files if planned.needs_staging]
    if not needed:
        return {}
    size = sum(planned.file.size or 0 for planned in needed)
    context.tell(StepBegan(Step.STAGE, context.origin.name, len(needed), size))
    done = context.workers.each(
        needed,
        lambda planned: stage_one(context, planned, staging_area),
        enough=lambda one: one.error is not None and not isinstance(one.error, OF_ONE_FILE),
        moved=lambda one: one.result.staged.size if one.result else 0,
    )
    context.tell(StepEnded(Step.STAGE, context.origin.name))
    _raise_first({one.item.file.filename: one.error for one in done if one.error is not None})
    return {one.item.file.filename: one.unwrap() for one in done}


def import_checks_meanwhile(context: RelayContext) -> None:
    """Import the checks while a source that is far away is listed: it takes a while, and so does that."""
    if not isinstance(context.origin.source, SupportsLocalPath):
        context.workers.aside(_import_checks)


def _import_checks() -> None:
    from wheelrelay.checks.registry import file_checks

    file_checks()


def stage_one(context: RelayContext, planned: PlannedFile, staging_area: StagingArea) -> CheckedFile:
    """Stage one file, trying again while that makes sense, and read it through.

    Raises:
        IntegrityError: the file is not what the source promised.
        BackendError: the source failed.
    """
    file = planned.file
    try:
        staged = fetched(context, file, staging_area, Step.STAGE, proven=False)
        from wheelrelay.checks import inspect  # with all checks; those of other files come meanwhile

        inspection = inspect(staged, policies=context.policies(), map_function=context.workers.map)
        _refuse_damaged(context, file, inspection)
        vouched = _with_provenance(context, staged)
    except WheelrelayError as error:
        error.at(f"source {context.origin.name!r}")
        context.tell(FileEnded(Step.STAGE, file.filename, error=str(error)))
        raise
    staged = replace(staged, metadata=inspection.metadata or b"")  # the one reading: see `StagedFile`
    distrust = _distrust(context, vouched)
    if not any(finding.severity is Severity.ERROR for finding in distrust):
        staged, malformed = drop_malformed_companions(staged)
        distrust += malformed
    checked = CheckedFile(staged, inspection, (*distrust, *staged.companion_findings))
    context.tell(FileEnded(Step.STAGE, file.filename))
    return checked


def fetched(
    context: RelayContext, file: DistFile, staging_area: StagingArea, step: Step, *, proven: bool
) -> StagedFile:
    """Bring a file of the source to local disk, and let those who watch see it as a part of a step.

    Args:
        context: both sides, connected.
        file: as the source lists it.
        staging_area: where it is put.
        step: what it is done for.
        proven: verify the archive's checksums where the source declares no digest.

    Raises:
        IntegrityError: the file is not what the source promised.
        BackendError: the source failed.
    """
    return stage(
        context.origin.source,
        file,
        staging_area,
        watcher=context.counter(step, file.filename),
        stopped=context.stopped,
        retrier=context.retrier,
        begin=lambda: context.tell(FileBegan(step, file.filename, file.size)),
        proven=proven,
        crew=context.workers,
    )


def _refuse_damaged(context: RelayContext, file: DistFile, inspection: "Inspection") -> None:
    """Refuse a fetched file that does not unpack, where the source declares no digest that would have told.

    Raises:
        IntegrityError: it is damaged.
    """
    told = file.digests.known() or isinstance(context.origin.source, SupportsLocalPath)
    if inspection.damage and not told:
        raise IntegrityError(
            f"{file.filename} came damaged: {inspection.damage.rstrip('.')}.",
            hint="Look at what lies there, and have it put there again.",
        )


def _with_provenance(context: RelayContext, staged: StagedFile) -> StagedFile:
    """The file as it is judged: with the attestations that its source tells of, where it needs some.

    They do not travel: they say who has published it at the source.
    """
    trust, source = context.demands.trust, context.origin.source
    if not (trust and trust.uses_attestations and isinstance(source, SupportsProvenance)):
        return staged
    if attestations_of(staged):
        return staged
    told = context.retrier.call(
        f"the attestations of {staged.filename}", lambda: source.read_provenance(staged.file)
    )
    return replace(staged, companions=(*staged.companions, *told))


def _distrust(context: RelayContext, staged: StagedFile) -> list[Finding]:
    """What is wrong with what came with a file to vouch for it, if the route or a sink cares for it."""
    found = list(attestation_findings(staged))
    if context.demands.trust:
        return found + context.demands.trust.findings(staged)
    signed = any(SIGNATURE_SUFFIX in suffixes for suffixes in context.making.values())
    return found + (context.settings.signer.findings(staged) if signed else [])


def _raise_first(errors: Mapping[str, WheelrelayError]) -> None:
    """Raise the first error, telling of the others too."""
    if not errors:
        return
    first, *others = (errors[name] for name in sorted(errors))
    if others:
        told = " ".join(error.message for error in others[:TOLD])
        more = f" And {len(others) - TOLD} more." if len(others) > TOLD else ""
        first.message += f" Likewise: {told}{more}"
    raise first
