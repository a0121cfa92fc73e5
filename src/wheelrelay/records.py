"""The results of commands: findings, plans and receipts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from wheelrelay.errors import ConfigError
from wheelrelay.findings import Finding, Severity
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile, Shard

__all__ = [
    "Action",
    "Delivery",
    "Finding",
    "Intent",
    "Outcome",
    "Plan",
    "PlannedFile",
    "Receipt",
    "ReceiptFile",
    "Severity",
]


class Action(StrEnum):
    """What a relay would do with a file at a sink."""

    UPLOAD = "upload"
    UPDATE = "update"
    SKIP = "skip"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


NOT_PUBLISHED_YET = "not there yet"
"""The reason to upload a file that the sink does not have."""


@dataclass(frozen=True, slots=True)
class Intent:
    """The planned action for a file at a sink, and its reason.

    Attributes:
        action: The planned action.
        reason: The reason, in a few words.
        existing: The file of the same name at the sink, if there is one.
        replaces: Whether the upload replaces other bytes, as requested.
        can_replace: Whether the sink can replace files; containers can, indexes cannot.
    """

    action: Action
    reason: str
    existing: DistFile | None = field(default=None, repr=False)
    replaces: bool = False
    can_replace: bool = False


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file of a plan, with an intent for each sink, by sink name in the order of the route."""

    file: DistFile
    sinks: Mapping[str, Intent]

    @property
    def needs_staging(self) -> bool:
        """Whether the file must be staged, because a sink needs it or must be compared with it."""
        return any(intent.action in (Action.UPLOAD, Action.UNKNOWN) for intent in self.sinks.values())


@dataclass(frozen=True, slots=True)
class Plan:
    """What a relay would do; computed without writing anything.

    Attributes:
        source: The name of the source.
        sinks: The names of the sinks, in order.
        files: The files, sorted by name.
        missing: Expectations that no file meets.
        unexpected: Filenames that meet no expectation.
        findings: Problems found while planning.
        unchanged: Files of a mirror that were not compared, because neither side has changed since the last
            run: all sinks have them.
    """

    source: str
    sinks: tuple[str, ...]
    files: tuple[PlannedFile, ...]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    unchanged: "tuple[ReceiptFile, ...]" = ()

    def count(self, sink: str, action: Action) -> int:
        """Return how many files have an action at a sink."""
        count = sum(planned.sinks[sink].action is action for planned in self.files)
        return count + (len(self.unchanged) if action is Action.SKIP else 0)

    @property
    def total(self) -> int:
        """How many files there are."""
        return len(self.files) + len(self.unchanged)

    @property
    def size(self) -> int:
        """The bytes of all files, as far as they are known."""
        return sum(planned.file.size or 0 for planned in self.files) + sum(
            file.size or 0 for file in self.unchanged
        )

    @property
    def has_work(self) -> bool:
        """Whether a relay would publish or update any file."""
        actions = (Action.UPLOAD, Action.UPDATE, Action.UNKNOWN)
        return any(intent.action in actions for planned in self.files for intent in planned.sinks.values())


class Outcome(StrEnum):
    """The outcome of one file at one sink."""

    PUBLISHED = "published"
    UPDATED = "updated"
    SKIPPED = "skipped"
    FAILED = "failed"
    PENDING = "pending"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result for one file at one sink.

    Attributes:
        outcome: ``published``, ``updated`` and ``skipped`` mean that the sink has the file; ``unconfirmed``
            that it may have it, but did not list it in time; ``failed`` that it does not have it; ``pending``
            that no upload was attempted.
        attempts: How often the file was sent.
        seconds: Seconds from the first attempt to the outcome.
        reason: Why the file was skipped or failed.
        lasting: Whether another attempt cannot help until something else has changed.
    """

    outcome: Outcome
    attempts: int = 0
    seconds: float = 0.0
    reason: str | None = None
    lasting: bool = False

    @property
    def is_in_place(self) -> bool:
        """Whether the sink is known to have the staged bytes."""
        return self.outcome in (Outcome.PUBLISHED, Outcome.UPDATED, Outcome.SKIPPED)


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """One file of a receipt, with its delivery to each sink, by sink name."""

    filename: str
    project: str
    version: str
    size: int | None
    sha256: str | None
    source_url: str | None
    sinks: Mapping[str, Delivery]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The record of one relay.

    Attributes:
        source: The name of the source.
        sinks: The names of the sinks, in order.
        mode: ``release`` or ``mirror``.
        started: When the relay began, in UTC.
        finished: When the relay ended, in UTC.
        files: The selected files.
        findings: All findings, including warnings.
        versions: Versions of wheelrelay and of the distributions that provided backends, by name. A merged
            receipt may have several of one distribution, separated by commas.
        shards: The parts of a mirror that it covers; empty if the mirror was not divided.
        error: Why the relay ended before it published anything; the files may be unknown then.
    """

    source: str
    sinks: tuple[str, ...]
    mode: str
    started: datetime
    finished: datetime
    files: tuple[ReceiptFile, ...]
    findings: tuple[Finding, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    shards: tuple[Shard, ...] = ()
    error: str | None = None

    @classmethod
    def merged(cls, receipts: Iterable["Receipt"]) -> Self:
        """Merge the receipts of relays between the same remotes, such as those of the shards of a mirror.

        Of a file in several receipts, the best delivery to each sink counts. If the receipts have different
        digests for it, the last one counts, and a finding names the conflict. All findings are kept.

        Args:
            receipts: The receipts, in any order.

        Raises:
            ConfigError: There are none; or they differ in source, sinks, mode or number of shards.
        """
        ordered = sorted(receipts, key=lambda receipt: receipt.finished)
        if not ordered:
            raise ConfigError("There are no receipts to merge.")
        _refuse_differences(ordered)
        files, conflicts = _merged_files(ordered)
        findings = [finding for receipt in ordered for finding in receipt.findings]
        return cls(
            source=ordered[0].source,
            sinks=ordered[0].sinks,
            mode=ordered[0].mode,
            started=min(receipt.started for receipt in ordered),
            finished=ordered[-1].finished,
            files=files,
            findings=tuple(dict.fromkeys([*findings, *conflicts])),
            versions=_merged_versions(ordered),
            shards=tuple(sorted({shard for receipt in ordered for shard in receipt.shards})),
            error=next((receipt.error for receipt in ordered if receipt.error), None),
        )

    @property
    def missing_shards(self) -> tuple[Shard, ...]:
        """The parts of a divided mirror that this receipt does not cover."""
        count = self.shards[0].count if self.shards else 0
        parts = (Shard(number + 1, count) for number in range(count))
        return tuple(shard for shard in parts if shard not in self.shards)

    @property
    def is_complete(self) -> bool:
        """Whether every sink has every file."""
        return self.error is None and all(delivery.is_in_place for delivery in self._deliveries())

    @property
    def has_changes(self) -> bool:
        """Whether a sink was or may have been changed."""
        changed = (Outcome.PUBLISHED, Outcome.UPDATED, Outcome.UNCONFIRMED)
        return any(delivery.outcome in changed for delivery in self._deliveries())

    def count(self, outcome: Outcome, sink: str | None = None) -> int:
        """Return how many deliveries have an outcome, at one sink or at all sinks."""
        return sum(delivery.outcome is outcome for delivery in self._deliveries(sink))

    def projects(self, sink: str) -> tuple[str, ...]:
        """Return the projects of which a sink has or may have files, sorted, for `wheelrelay.index`."""
        absent = (Outcome.FAILED, Outcome.PENDING)
        return tuple(sorted({file.project for file in self.files if file.sinks[sink].outcome not in absent}))

    def _deliveries(self, sink: str | None = None) -> Iterable[Delivery]:
        for file in self.files:
            for name, delivery in file.sinks.items():
                if sink is None or name == sink:
                    yield delivery


RECEIPT_CONFLICT = "receipt-conflict"
"""The id of findings about files that merged receipts describe differently."""

_BEST_FIRST = tuple(map(Outcome, ("published", "updated", "skipped", "unconfirmed", "failed", "pending")))


def _refuse_differences(receipts: Sequence[Receipt]) -> None:
    """Ensure that receipts are of one relay or of the parts of one.

    Raises:
        ConfigError: They are not.
    """
    first, hint = receipts[0], "Merge only receipts of the same route."
    for receipt in receipts[1:]:
        for name in ("source", "sinks", "mode"):
            values = [getattr(first, name), getattr(receipt, name)]
            if values[0] != values[1]:
                listed = " and ".join(
                    value if isinstance(value, str) else ", ".join(value) for value in values
                )
                raise ConfigError(f"The receipts differ in their {name}: {listed}.", hint=hint)
    counts = sorted({shard.count for receipt in receipts for shard in receipt.shards})
    if len(counts) > 1:
        raise ConfigError(
            f"The receipts differ in their number of shards: {' and '.join(map(str, counts))}.", hint=hint
        )


def _merged_files(receipts: Iterable[Receipt]) -> tuple[tuple[ReceiptFile, ...], list[Finding]]:
    """Return the files of all receipts, sorted by name, and a finding for each conflict."""
    files: dict[str, ReceiptFile] = {}
    conflicts = []
    for file in (file for receipt in receipts for file in receipt.files):
        earlier = files.get(file.filename)
        if earlier is None:
            files[file.filename] = file
        elif earlier.sha256 and file.sha256 and earlier.sha256 != file.sha256:
            conflicts.append(_digest_conflict(earlier, file))
            files[file.filename] = file
        else:
            files[file.filename] = _merged_file(earlier, file)
    return tuple(files[name] for name in sorted(files)), conflicts


def _merged_file(earlier: ReceiptFile, later: ReceiptFile) -> ReceiptFile:
    best = {
        sink: min(earlier.sinks[sink], delivery, key=lambda choice: _BEST_FIRST.index(choice.outcome))
        for sink, delivery in later.sinks.items()
    }
    return replace(
        later,
        size=earlier.size if later.size is None else later.size,
        sha256=later.sha256 or earlier.sha256,
        source_url=later.source_url or earlier.source_url,
        sinks=best,
    )


def _digest_conflict(earlier: ReceiptFile, later: ReceiptFile) -> Finding:
    digests = " and ".join(f"{file.sha256 or '':.12}..." for file in (earlier, later))
    return Finding(
        RECEIPT_CONFLICT,
        Severity.ERROR,
        f"The receipts have different sha256 digests: {digests}.",
        later.filename,
        hint="Verify the route: the source changed the file between the relays.",
    )


def _merged_versions(receipts: Iterable[Receipt]) -> dict[str, str]:
    versions: dict[str, set[str]] = {}
    for receipt in receipts:
        for name, listed in receipt.versions.items():
            versions.setdefault(name, set()).update(listed.split(", "))
    return {name: ", ".join(sorted(found)) for name, found in sorted(versions.items())}
