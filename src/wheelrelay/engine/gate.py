"""Decide whether anything may be published: the last step before the first byte."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from wheelrelay.engine.comparing import NOTHING_MADE, compare, is_partial, with_companions
from wheelrelay.engine.confirming import fetched_sha256
from wheelrelay.errors import CheckFailed, Conflict, Incomplete
from wheelrelay.model import DistFile
from wheelrelay.protocols import Sink, SupportsReplace
from wheelrelay.records import Action, Finding, Intent, Plan, Severity
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.thread_pool import Done, one_by_one

_Place = tuple[str, str]
"""The name of a sink and a filename."""

Each = Callable[[Sequence[_Place], Callable[[_Place], str]], list[Done[_Place, str]]]
"""Fetches many files: `one_by_one`, or `Workers.each`, which takes several at once."""

CONFLICT, MISSING, UNEXPECTED = "conflict", "missing", "unexpected"

_OPEN = (Action.UNKNOWN, Action.UPLOAD)
"""What may change once a file is staged: its digest is known, and some of its companions may stay behind."""


def resolve_unknown(
    plan: Plan,
    staged: Mapping[str, StagedFile],
    sinks: Mapping[str, Sink],
    fetch: Callable[[Sink, DistFile], str] = fetched_sha256,
    *,
    making: Mapping[str, Sequence[str]] = NOTHING_MADE,
    each: Each = one_by_one,
) -> Plan:
    """Decide what the plan had to leave open, now that the digests of all staged files are known.

    Args:
        plan: with actions ``unknown``.
        staged: by filename.
        sinks: by name.
        fetch: gives the sha256 of a file at a sink that declares none.
        making: the suffixes of the companions that every file gets, by the names of sinks.
        each: fetches the files that have to be.

    Raises:
        BackendError: a sink's file cannot be fetched to compare.
    """
    sha256s = _sha256s_there(plan, staged, sinks, fetch, each)
    files = [
        replace(
            planned,
            sinks={
                name: _settled(
                    intent,
                    staged.get(planned.file.filename),
                    sinks[name],
                    sha256s.get((name, planned.file.filename)),
                    making=making.get(name, ()),
                )
                for name, intent in planned.sinks.items()
            },
        )
        for planned in plan.files
    ]
    return replace(plan, files=tuple(files))


def replacing(plan: Plan, sinks: Mapping[str, Sink]) -> Plan:
    """Turn conflicts into replacements, at those sinks where that can be: containers, never indexes."""
    files = [
        replace(
            planned,
            sinks={name: _replacement(intent, sinks[name]) for name, intent in planned.sinks.items()},
        )
        for planned in plan.files
    ]
    return replace(plan, files=tuple(files))


def blocking_findings(plan: Plan, *, allow_unexpected: bool = False) -> list[Finding]:
    """Everything in a plan that keeps it from being carried out.

    Args:
        plan: settled as far as it can be.
        allow_unexpected: whether files that meet no expectation are let through.
    """
    missing = [
        Finding(
            MISSING,
            Severity.ERROR,
            f"{expectation} is expected and not there.",
            hint="Have it built, or expect it no longer.",
        )
        for expectation in plan.missing
    ]
    names = {planned.file.filename for planned in plan.files}
    unexpected = [
        Finding(
            UNEXPECTED,
            Severity.ERROR,
            "The file meets no expectation." if told in names else f"There are {told}.",
            filename=told if told in names else None,
            hint="Expect it, leave it out, or let it through with --allow-unexpected.",
        )
        for told in ([] if allow_unexpected else plan.unexpected)
    ]
    conflicts = [
        _conflict(sink, planned.file, intent)
        for planned in plan.files
        for sink, intent in planned.sinks.items()
        if intent.action is Action.CONFLICT
    ]
    return [*missing, *unexpected, *conflicts, *plan.findings]


def refuse(findings: Sequence[Finding]) -> None:
    """Shut the gate if any finding is an error; warnings pass.

    Raises:
        Conflict: names are taken by other bytes, and that is all.
        Incomplete: the release is not what is expected, and that is all.
        CheckFailed: rules are broken, and perhaps there is more.
    """
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if not errors:
        return
    ids = {finding.check for finding in errors}
    number = "1 finding" if len(errors) == 1 else f"{len(errors)} findings"
    if ids == {CONFLICT}:
        files = len({finding.filename for finding in errors})
        told = "1 file is" if files == 1 else f"{files} files are"
        raise Conflict(f"{told} published already with other bytes; nothing was moved.", findings=findings)
    if ids <= {MISSING, UNEXPECTED}:
        raise Incomplete(
            f"This is not the expected release ({number}); nothing was moved.", findings=findings
        )
    raise CheckFailed(f"The gate stays shut ({number}); nothing was published.", findings=findings)


def _sha256s_there(
    plan: Plan,
    staged: Mapping[str, StagedFile],
    sinks: Mapping[str, Sink],
    fetch: Callable[[Sink, DistFile], str],
    each: Each,
) -> dict[_Place, str]:
    """What the sinks have under names that the plan left open; files of unknown digests are fetched."""
    there = {
        (name, planned.file.filename): intent.existing
        for planned in plan.files
        for name, intent in planned.sinks.items()
        if intent.action in _OPEN and intent.existing and planned.file.filename in staged
    }
    declared = {place: file.sha256 for place, file in there.items() if file.sha256}
    unknown = [place for place in there if place not in declared]
    fetched = each(unknown, lambda place: fetch(sinks[place[0]], there[place])) if unknown else []
    return declared | {one.item: one.unwrap() for one in fetched}


def _settled(
    intent: Intent, staged: StagedFile | None, sink: Sink, sha256: str | None, *, making: Sequence[str]
) -> Intent:
    if sha256 is None or staged is None or intent.existing is None:
        return intent
    return compare(with_companions(staged.file, making), staged.sha256, intent.existing, sha256, sink)


def _replacement(intent: Intent, sink: Sink) -> Intent:
    if intent.action is not Action.CONFLICT or not isinstance(sink, SupportsReplace):
        return intent
    return Intent(Action.UPLOAD, "it replaces other bytes", intent.existing, replaces=True)


def _conflict(sink: str, file: DistFile, intent: Intent) -> Finding:
    """A file whose name is taken, with advice that fits the sink and what is there."""
    partial = intent.existing is not None and is_partial(file, intent.existing)
    what = f"has {intent.existing.size} of its {file.size} bytes" if intent.existing and partial else ""
    message = f"{sink} {what or 'has the name with other bytes'}{_digests(file, intent)}."
    if not intent.can_replace:
        hint = "An index never takes a filename twice: build a new version, or a new build tag."
    elif partial:
        hint = (
            "A full disk or an interrupted copy may have left it. If so, remove it and run the same command "
            f"again: wheelrelay remove {sink} {file.filename}"
        )
    else:
        hint = "To replace it on purpose, use `wheelrelay push --replace`; otherwise build a new version."
    return Finding(CONFLICT, Severity.ERROR, message, filename=file.filename, hint=hint)


def _digests(file: DistFile, intent: Intent) -> str:
    ours, theirs = file.sha256, intent.existing.sha256 if intent.existing else None
    return f" (sha256 {theirs[:12]}..., here {ours[:12]}...)" if ours and theirs else ""
