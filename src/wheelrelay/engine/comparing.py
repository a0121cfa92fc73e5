"""Compare what is meant with what is there: what would be done, file by file and sink by sink."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from packaging.utils import NormalizedName

from wheelrelay.expect import Expected
from wheelrelay.model import DistFile
from wheelrelay.protocols import Sink, SupportsCompanionStorage, SupportsInventory, SupportsReplace
from wheelrelay.records import NOT_PUBLISHED_YET, Action, Intent, Plan, PlannedFile

NOTHING_MADE: Mapping[str, Sequence[str]] = {}
"""No companions are made for any sink."""

_ABSENT = Intent(Action.UPLOAD, NOT_PUBLISHED_YET)

Inventory = Mapping[str, DistFile]
"""What a sink holds of the projects at hand, by filename."""


def read_inventory(sink: Sink, projects: Iterable[NormalizedName]) -> Inventory | None:
    """What a sink holds of some projects; ``None`` if it cannot tell.

    Raises:
        BackendError: it should be able to tell and fails; this is never taken for "nothing is there".
    """
    if not isinstance(sink, SupportsInventory):
        return None
    return {file.filename: file for project in projects for file in sink.inventory(project)}


def make_plan(
    source_name: str,
    files: Sequence[DistFile],
    inventories: Mapping[str, tuple[Sink, Inventory | None]],
    expected: Expected,
    *,
    making: Mapping[str, Sequence[str]] = NOTHING_MADE,
) -> Plan:
    """Decide for each file and sink what would be done.

    Args:
        source_name: what the source is called.
        files: the files that are meant, with digests where they can be known.
        inventories: each sink with what it holds, by the sink's name, in order.
        expected: what the release has to consist of.
        making: the suffixes of the companions that every file gets, by the names of sinks.
    """
    planned = []
    for file in files:
        intents = {
            name: intend(with_companions(file, making.get(name, ())), sink, inventory)
            for name, (sink, inventory) in inventories.items()
        }
        planned.append(PlannedFile(file, intents))
    return Plan(
        source_name,
        tuple(inventories),
        tuple(planned),
        missing=tuple(expected.missing_from(files)),
        unexpected=tuple(expected.unexpected_in(files)),
    )


def intend(file: DistFile, sink: Sink, inventory: Inventory | None) -> Intent:
    """The action for one file at one sink, as far as the digests on both sides tell."""
    if inventory is None:
        return Intent(Action.UPLOAD, "the sink cannot be asked what it has")
    there = inventory.get(file.filename)
    if there is None:
        return _ABSENT
    if file.sha256 is None:
        return Intent(Action.UNKNOWN, "the same name is there; the source gives no sha256", there)
    if there.sha256 is None:
        return Intent(Action.UNKNOWN, "the same name is there; the sink gives no sha256", there)
    return compare(file, file.sha256, there, there.sha256, sink)


def compare(file: DistFile, sha256: str, there: DistFile, there_sha256: str, sink: Sink) -> Intent:
    """The action for a name that is there, once both digests are known."""
    if sha256 != there_sha256:
        return Intent(
            Action.CONFLICT, _difference(file, there), there, can_replace=isinstance(sink, SupportsReplace)
        )
    missing = [suffix for suffix in file.companions if suffix not in there.companions]
    if missing and isinstance(sink, SupportsCompanionStorage):
        return Intent(Action.UPLOAD, f"there without its {', '.join(missing)}", there)
    return Intent(Action.SKIP, "the same bytes are there", there)


def _difference(file: DistFile, there: DistFile) -> str:
    if is_partial(file, there):
        return f"the same name is there with {there.size} of {file.size} bytes"
    return "the same name is there with other bytes"


def is_partial(file: DistFile, there: DistFile) -> bool:
    """Whether what is there is shorter, as a full disk or an interrupted copy leaves a file."""
    return file.size is not None and there.size is not None and there.size < file.size


def with_companions(file: DistFile, suffixes: Sequence[str]) -> DistFile:
    """The file as it will be with what is made for it beside it."""
    if not suffixes:
        return file
    return replace(file, companions=tuple(dict.fromkeys((*file.companions, *suffixes))))
