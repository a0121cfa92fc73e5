"""Compare the files of the source with those of each sink: the action for every file at every sink."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from wheelrelay.engine.confirming import fetched_sha256
from wheelrelay.engine.context import ConnectedSink
from wheelrelay.engine.listing import Inventory
from wheelrelay.errors import WheelrelayError
from wheelrelay.expect import Expected
from wheelrelay.model import Companion, DistFile
from wheelrelay.protocols import (
    Source,
    SupportsCompanions,
    SupportsCompanionStorage,
    SupportsReplace,
)
from wheelrelay.records import NOT_PUBLISHED_YET, Action, Intent, Plan, PlannedFile
from wheelrelay.signing import PUBLISH_ATTESTATION
from wheelrelay.signing.companions import format_error
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.retry import Retrier
from wheelrelay.transfer.thread_pool import RunAll, run_sequentially

_SinkAndFilename = tuple[str, str]

_MAY_CHANGE = (Action.UNKNOWN, Action.UPLOAD)
"""Actions that may change when a file is staged: its digest and its valid companions are known then."""


def make_plan(
    source_name: str,
    files: Sequence[DistFile],
    sinks: Sequence[ConnectedSink],
    inventories: Mapping[str, Inventory | None],
    expected: Expected,
) -> Plan:
    """Return the action for each file at each sink, as far as the declared digests decide it.

    Args:
        source_name: The name of the source.
        files: The selected files, with all digests that are known.
        sinks: The sinks, in order.
        inventories: The files of each sink, by its name.
        expected: The files that the release must consist of.
    """
    planned = tuple(
        PlannedFile(file, {sink.name: _intent(file, sink, inventories[sink.name]) for sink in sinks})
        for file in files
    )
    return Plan(
        source_name,
        tuple(sink.name for sink in sinks),
        planned,
        missing=tuple(expected.missing_from(files)),
        unexpected=tuple(expected.unexpected_in(files)),
    )


def _intent(file: DistFile, sink: ConnectedSink, inventory: Inventory | None) -> Intent:
    if inventory is None:
        return Intent(Action.UPLOAD, "the sink is write-only")
    held = inventory.get(file.filename)
    if held is None:
        return Intent(Action.UPLOAD, NOT_PUBLISHED_YET)
    if file.sha256 is None:
        return Intent(Action.UNKNOWN, "the filename exists; the source declares no sha256", held)
    if held.sha256 is None:
        return Intent(Action.UNKNOWN, "the filename exists; the sink declares no sha256", held)
    return _compared(file, file.sha256, held, held.sha256, sink)


def _compared(file: DistFile, sha256: str, held: DistFile, held_sha256: str, sink: ConnectedSink) -> Intent:
    """Return the action for a filename that exists, once both digests are known."""
    if sha256 != held_sha256:
        return _conflict(_difference(file, held), held, sink)
    suffixes = dict.fromkeys((*file.companions, *sink.required_companions))
    missing = [suffix for suffix in suffixes if suffix not in held.companions]
    if missing and isinstance(sink.sink, SupportsCompanionStorage):
        return Intent(Action.UPLOAD, f"exists without its {', '.join(missing)}", held)
    return Intent(Action.SKIP, "the same bytes exist", held)


def _conflict(reason: str, held: DistFile, sink: ConnectedSink) -> Intent:
    return Intent(Action.CONFLICT, reason, held, can_replace=isinstance(sink.sink, SupportsReplace))


def _difference(file: DistFile, held: DistFile) -> str:
    if is_partial(file, held):
        return f"the filename exists with {held.size} of {file.size} bytes"
    return "the filename exists with other bytes"


def is_partial(file: DistFile, held: DistFile) -> bool:
    """Return whether the sink's file is shorter, as a full disk or an interrupted copy leaves it."""
    return file.size is not None and held.size is not None and held.size < file.size


def compare_companions(
    plan: Plan, source: Source, sinks: Sequence[ConnectedSink], retrier: Retrier, run_all: RunAll
) -> Plan:
    """Compare the content of signatures and attestations where both sides hold the same distribution file.

    A companion that differs is a conflict. One that cannot be read leaves the action unknown. A companion
    that only the sink holds does not matter.

    Args:
        plan: With the actions that the digests decide.
        source: The source of the files.
        sinks: The sinks, in order.
        retrier: Repeats reads that failed.
        run_all: Reads several companions at once.
    """
    if not isinstance(source, SupportsCompanions):
        return plan
    by_name = {sink.name: sink for sink in sinks}
    intents = {
        (sink, planned.file.filename): (planned.file, intent)
        for planned in plan.files
        for sink, intent in planned.sinks.items()
        if _shared_companions(planned.file, intent, by_name[sink])
    }

    def read(file: DistFile, suffix: str) -> bytes:
        return retrier.call(file.filename + suffix, lambda: source.read_companion(file, suffix))

    def compare(key: _SinkAndFilename) -> Intent:
        file, intent = intents[key]
        return _with_companions_compared(file, intent, by_name[key[0]], partial(read, file), retrier)

    compared = {
        done.item: done.result or _unreadable(intents[done.item][1], done.error)
        for done in (run_all(list(intents), compare) if intents else [])
    }
    return _with_intents(plan, compared)


def resolve_unknown(
    plan: Plan,
    staged: Mapping[str, StagedFile],
    sinks: Sequence[ConnectedSink],
    retrier: Retrier,
    *,
    run_all: RunAll = run_sequentially,
    on_error: Callable[[str, str, WheelrelayError], None] | None = None,
) -> Plan:
    """Decide the actions that the plan left open, now that the staged files have digests.

    Args:
        plan: With actions that are ``unknown``.
        staged: The staged files, by filename.
        sinks: The sinks, in order.
        retrier: Repeats reads that failed.
        run_all: Reads from several places at once, where a sink declares no digest.
        on_error: Called with the sink, the filename and the error of each file that cannot be read, whose
            action stays open; without it, the first error is raised.

    Raises:
        BackendError: A sink's file cannot be read to compare it.
    """
    by_name = {sink.name: sink for sink in sinks}
    open_intents = {
        (sink, planned.file.filename): intent
        for planned in plan.files
        for sink, intent in planned.sinks.items()
        if intent.action in _MAY_CHANGE and intent.existing and planned.file.filename in staged
    }

    def resolve(key: _SinkAndFilename) -> Intent:
        return _resolved(open_intents[key], staged[key[1]], by_name[key[0]], retrier)

    done = run_all(list(open_intents), resolve) if open_intents else []
    if on_error:
        for one in done:
            if one.error:
                on_error(*one.item, one.error)
        done = [one for one in done if one.error is None]
    return _with_intents(plan, {one.item: one.unwrap() for one in done})


def replacing(plan: Plan, sinks: Sequence[ConnectedSink]) -> Plan:
    """Turn conflicts into replacements at the sinks that can replace files: containers, never indexes."""
    can_replace = {sink.name for sink in sinks if isinstance(sink.sink, SupportsReplace)}
    return _with_intents(
        plan,
        {
            (sink, planned.file.filename): Intent(
                Action.UPLOAD, "it replaces other bytes", intent.existing, replaces=True
            )
            for planned in plan.files
            for sink, intent in planned.sinks.items()
            if intent.action is Action.CONFLICT and sink in can_replace
        },
    )


def _with_intents(plan: Plan, changed: Mapping[_SinkAndFilename, Intent]) -> Plan:
    """Return the plan with some intents exchanged."""
    if not changed:
        return plan
    files = (
        replace(
            planned,
            sinks={
                sink: changed.get((sink, planned.file.filename), intent)
                for sink, intent in planned.sinks.items()
            },
        )
        for planned in plan.files
    )
    return replace(plan, files=tuple(files))


def _resolved(intent: Intent, staged: StagedFile, sink: ConnectedSink, retrier: Retrier) -> Intent:
    held = intent.existing
    assert held is not None
    sha256 = held.sha256 or retrier.call(staged.filename, lambda: fetched_sha256(sink.sink, held))
    compared = _compared(staged.file, staged.sha256, held, sha256, sink)
    contents = {companion.suffix: companion.content for companion in staged.companions}
    return _with_companions_compared(staged.file, compared, sink, contents.__getitem__, retrier)


def _with_companions_compared(
    file: DistFile,
    intent: Intent,
    sink: ConnectedSink,
    read: Callable[[str], bytes],
    retrier: Retrier,
) -> Intent:
    """Return the intent, or a conflict if a companion of the file differs from the sink's.

    A malformed companion of the source is not published, so it cannot conflict.
    """
    backend, held = sink.sink, intent.existing
    for suffix in _shared_companions(file, intent, sink):
        assert isinstance(backend, SupportsCompanions)
        assert held is not None
        theirs = retrier.call(
            f"{file.filename}{suffix} at {sink.name}", partial(backend.read_companion, held, suffix)
        )
        ours = read(suffix)
        if ours != theirs and format_error(Companion(suffix, ours)) is None:
            return _conflict(f"exists with another {suffix}", held, sink)
    return intent


def _shared_companions(file: DistFile, intent: Intent, sink: ConnectedSink) -> list[str]:
    """Return the suffixes that both sides hold, if the bytes are equal, without those that are made anew."""
    backend, held = sink.sink, intent.existing
    if held is None or intent.action not in (Action.SKIP, Action.UPLOAD) or intent.replaces:
        return []
    if not (isinstance(backend, SupportsCompanions) and isinstance(backend, SupportsCompanionStorage)):
        return []
    made_anew = {PUBLISH_ATTESTATION} if sink.attest else set()
    return [suffix for suffix in file.companions if suffix in held.companions and suffix not in made_anew]


def _unreadable(intent: Intent, error: WheelrelayError | None) -> Intent:
    return Intent(
        Action.UNKNOWN, f"the filename exists; its companions cannot be compared: {error}", intent.existing
    )
