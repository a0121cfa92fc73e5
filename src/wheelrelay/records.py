"""What a run says: findings, the plan before it and the receipt after it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from wheelrelay.model import DistFile


class Severity(StrEnum):
    """How bad a finding is: an error shuts the gate, a warning is said."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a file or with a release.

    Attributes:
        check: the stable id of the rule.
        severity: whether it shuts the gate.
        message: one sentence that says what is wrong.
        filename: the file, if it is about one.
        hint: what to do about it.
        demoted: whether it is a warning that matters to stricter remotes than this one.
    """

    check: str
    severity: Severity
    message: str
    filename: str | None = None
    hint: str | None = None
    demoted: bool = False


class Action(StrEnum):
    """What a relay would do with one file at one sink."""

    UPLOAD = "upload"
    SKIP = "skip"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


NOT_PUBLISHED_YET = "not there yet"
"""The usual reason to upload a file."""


@dataclass(frozen=True, slots=True)
class Intent:
    """The action for one file at one sink, and why.

    Attributes:
        action: what would be done.
        reason: why, in a few words.
        existing: the file of the same name at the sink, where there is one.
        replaces: whether the other bytes there are deliberately replaced.
        can_replace: whether the sink can replace them, as containers can and indexes cannot.
    """

    action: Action
    reason: str
    existing: DistFile | None = field(default=None, repr=False)
    replaces: bool = False
    can_replace: bool = False


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file of the plan, with the intent for each sink by the sink's name, in the route's order."""

    file: DistFile
    sinks: Mapping[str, Intent]

    @property
    def needs_staging(self) -> bool:
        """Whether its bytes are needed: it goes somewhere, or must be compared."""
        return any(intent.action in (Action.UPLOAD, Action.UNKNOWN) for intent in self.sinks.values())


@dataclass(frozen=True, slots=True)
class Plan:
    """What a relay would do, computed without writing anything.

    Attributes:
        source: the source's name.
        sinks: the sinks' names, in order.
        files: every file, sorted by name.
        missing: expectations that no file meets.
        unexpected: filenames that meet no expectation.
        findings: what is wrong already.
    """

    source: str
    sinks: tuple[str, ...]
    files: tuple[PlannedFile, ...]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def count(self, sink: str, action: Action) -> int:
        """How many files have this action at this sink."""
        return sum(planned.sinks[sink].action is action for planned in self.files)

    @property
    def has_work(self) -> bool:
        """Whether any file would be moved, or must be looked at to know."""
        return any(planned.needs_staging for planned in self.files)


class Outcome(StrEnum):
    """What became of one file at one sink."""

    PUBLISHED = "published"
    SKIPPED = "skipped"
    FAILED = "failed"
    PENDING = "pending"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one file at one sink.

    Attributes:
        outcome: ``published`` and ``skipped`` are good; ``unconfirmed`` was, or may have been, taken by
            the sink, which did not show it in time; ``failed`` is known not to be there; ``pending`` was
            not tried.
        attempts: how often it was sent.
        seconds: from the first attempt to the outcome.
        reason: why it was skipped or failed.
        lasting: whether sending it again cannot help before something else has changed.
    """

    outcome: Outcome
    attempts: int = 0
    seconds: float = 0.0
    reason: str | None = None
    lasting: bool = False

    @property
    def is_in_place(self) -> bool:
        """Whether the sink is known to hold the very bytes."""
        return self.outcome in (Outcome.PUBLISHED, Outcome.SKIPPED)


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """One file of the receipt: what it is, and what became of it at each sink, by the sink's name."""

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
        source: the source's name.
        sinks: the sinks' names, in order.
        mode: ``release`` or ``mirror``.
        started: when the relay began, in UTC.
        finished: when it ended, in UTC.
        files: every file that was selected.
        findings: everything that was found wrong, warnings too.
        versions: of wheelrelay and of the distributions whose backends took part, by name.
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
        """Whether every file is in place at every sink."""
        return all(delivery.is_in_place for delivery in self._deliveries())

    @property
    def has_changes(self) -> bool:
        """Whether any sink was, or may have been, changed."""
        changed = (Outcome.PUBLISHED, Outcome.UNCONFIRMED)
        return any(delivery.outcome in changed for delivery in self._deliveries())

    def count(self, outcome: Outcome, sink: str | None = None) -> int:
        """How many deliveries ended so, at one sink or at all."""
        return sum(delivery.outcome is outcome for delivery in self._deliveries(sink))

    def _deliveries(self, sink: str | None = None) -> Iterable[Delivery]:
        for file in self.files:
            for name, delivery in file.sinks.items():
                if sink is None or name == sink:
                    yield delivery
