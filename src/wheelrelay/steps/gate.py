"""Decide whether anything may be published: the last step before the first byte."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from wheelrelay.errors import Conflict
from wheelrelay.protocols import Sink
from wheelrelay.records import Action, Finding, Intent, Plan, PlannedFile, Severity
from wheelrelay.staged import StagedFile
from wheelrelay.steps.confirm import fetched_sha256
from wheelrelay.steps.plan import compare

CONFLICT = "conflict"


def settle(plan: Plan, staged: Mapping[str, StagedFile], sinks: Mapping[str, Sink]) -> Plan:
    """Decide what the plan had to leave open, now that the digests of all staged files are known.

    Args:
        plan: with actions ``unknown``.
        staged: by filename.
        sinks: by name; one that gave no digest is read to compare.

    Raises:
        BackendError: a sink's file cannot be fetched to compare.
    """
    files = [
        replace(
            planned,
            sinks={
                name: _settled(intent, staged.get(planned.file.filename), sinks[name])
                for name, intent in planned.sinks.items()
            },
        )
        for planned in plan.files
    ]
    return replace(plan, files=tuple(files))


def conflicts(plan: Plan) -> list[Finding]:
    """A finding for each file and sink where the same name is there with other bytes."""
    return [
        Finding(
            check=CONFLICT,
            severity=Severity.ERROR,
            message=f"{sink} has {planned.file.filename} with other bytes{_digests(planned, intent)}.",
            filename=planned.file.filename,
            hint="An index never takes a filename twice: build a new version, or a new build tag.",
        )
        for planned in plan.files
        for sink, intent in planned.sinks.items()
        if intent.action is Action.CONFLICT
    ]


def refuse_conflicts(plan: Plan) -> None:
    """Shut the gate if a sink holds other bytes under a name that is to be published.

    Raises:
        Conflict: with a finding for each.
    """
    findings = conflicts(plan)
    if findings:
        raise Conflict(
            f"{_count(findings)} in conflict with what is already published; nothing was published.",
            findings=findings,
        )


def _settled(intent: Intent, staged: StagedFile | None, sink: Sink) -> Intent:
    if intent.action is not Action.UNKNOWN or staged is None or intent.there is None:
        return intent
    sha256 = intent.there.sha256 or fetched_sha256(sink, intent.there)
    return compare(staged.file, staged.sha256, intent.there, sha256, sink)


def _digests(planned: PlannedFile, intent: Intent) -> str:
    ours, theirs = planned.file.sha256, intent.there.sha256 if intent.there else None
    return f" (sha256 {theirs[:12]}..., here {ours[:12]}...)" if ours and theirs else ""


def _count(findings: Iterable[Finding]) -> str:
    number = len({finding.filename for finding in findings})
    return "1 file is" if number == 1 else f"{number} files are"
