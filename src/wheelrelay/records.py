"""The results of commands: findings, plans and receipts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from wheelrelay.model import DistFile

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


class Severity(StrEnum):
    """The severity of a finding: errors block publishing, warnings are only reported."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of a file or a release.

    Attributes:
        check: The stable id of the violated check.
        severity: Whether it blocks publishing.
        message: The problem, as one sentence.
        filename: The file, if the finding concerns one.
        hint: What to do about it.
        demoted: Whether it is a warning here but an error for remotes with a stricter profile.
    """

    check: str
    severity: Severity
    message: str
    filename: str | None = None
    hint: str | None = None
    demoted: bool = False


class Action(StrEnum):
    """What a relay would do with a file at a sink."""

    UPLOAD = "upload"
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
    """

    source: str
    sinks: tuple[str, ...]
    files: tuple[PlannedFile, ...]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def count(self, sink: str, action: Action) -> int:
        """Return how many files have an action at a sink."""
        return sum(planned.sinks[sink].action is action for planned in self.files)

    @property
    def has_work(self) -> bool:
        """Whether a relay would stage any file."""
        return any(planned.needs_staging for planned in self.files)


class Outcome(StrEnum):
    """The outcome of one file at one sink."""

    PUBLISHED = "published"
    SKIPPED = "skipped"
    FAILED = "failed"
    PENDING = "pending"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result for one file at one sink.

    Attributes:
        outcome: ``published`` and ``skipped`` mean that the sink has the file; ``unconfirmed`` that it may
            have it, but did not list it in time; ``failed`` that it does not have it; ``pending`` that no
            upload was attempted.
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
        return self.outcome in (Outcome.PUBLISHED, Outcome.SKIPPED)


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
        versions: Versions of wheelrelay and of the distributions that provided backends, by name.
    """

    source: str
    sinks: tuple[str, ...]
    mode: str
    started: datetime
    finished: datetime
    files: tuple[ReceiptFile, ...]
    findings: tuple[Finding, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether every sink has every file."""
        return all(delivery.is_in_place for delivery in self._deliveries())

    @property
    def has_changes(self) -> bool:
        """Whether a sink was or may have been changed."""
        changed = (Outcome.PUBLISHED, Outcome.UNCONFIRMED)
        return any(delivery.outcome in changed for delivery in self._deliveries())

    def count(self, outcome: Outcome, sink: str | None = None) -> int:
        """Return how many deliveries have an outcome, at one sink or at all sinks."""
        return sum(delivery.outcome is outcome for delivery in self._deliveries(sink))

    def _deliveries(self, sink: str | None = None) -> Iterable[Delivery]:
        for file in self.files:
            for name, delivery in file.sinks.items():
                if sink is None or name == sink:
                    yield delivery
