"""Publish one staged file to one sink, and settle what became of it when that is not clear."""

from collections.abc import Callable
from enum import Enum, auto
from time import monotonic

from wheelrelay.errors import AlreadyExists, WheelrelayError
from wheelrelay.protocols import (
    Sink,
    Source,
    SupportsInventory,
    SupportsReplace,
    SupportsServerSideCopy,
)
from wheelrelay.records import Delivery, Outcome
from wheelrelay.staged import StagedFile
from wheelrelay.steps.confirm import fetched_sha256
from wheelrelay.steps.retry import Persistence


class Seen(Enum):
    """What a sink has under a filename."""

    SAME = auto()
    OTHER = auto()
    ABSENT = auto()
    UNTOLD = auto()


def deliver(
    sink: Sink,
    staged: StagedFile,
    persistence: Persistence,
    *,
    source: Source | None = None,
    replacing: bool = False,
    begin: Callable[[], None] = lambda: None,
) -> Delivery:
    """Publish a file, trying again while that makes sense.

    A failure may leave open whether the sink took the file: the connection broke after the last byte, or
    the answer was 503. Then the sink is asked, by name and sha256, before anything is sent again.

    Args:
        sink: where to.
        staged: the file.
        persistence: tries again and pauses.
        source: where the file came from: a sink of the same server may copy it from there.
        replacing: put the file in the place of other bytes; the sink can do that.
        begin: called before each attempt.

    Returns:
        What became of the file: every error of the sink ends up here.
    """
    began = monotonic()
    attempt = 1
    while True:
        begin()
        outcome, reason = _attempt(sink, source, staged, persistence, attempt, replacing=replacing)
        if outcome is not None:
            return Delivery(outcome, attempt, monotonic() - began, reason)
        attempt += 1
        source = None  # whatever is wrong with a copy, the staged bytes are at hand


def _attempt(
    sink: Sink,
    source: Source | None,
    staged: StagedFile,
    persistence: Persistence,
    attempt: int,
    *,
    replacing: bool,
) -> tuple[Outcome | None, str | None]:
    """Send once: what became of the file and why, or nothing if it should be sent again."""
    try:
        _send(sink, source, staged, replacing=replacing)
    except AlreadyExists as error:
        return _settle_taken_name(sink, staged, persistence, error, first=attempt == 1)
    except WheelrelayError as error:
        if not error.retryable and attempt == 1:
            return Outcome.FAILED, str(error)
        paused = persistence.again(staged.filename, attempt, error)
        seen = look(sink, staged, persistence)
        if seen is Seen.SAME:
            return Outcome.PUBLISHED, None
        if seen is Seen.OTHER and not replacing:
            return Outcome.FAILED, "The name was taken by other bytes meanwhile."
        if paused:
            return None, None
        return (Outcome.UNCONFIRMED if seen is Seen.UNTOLD else Outcome.FAILED), str(error)
    return Outcome.PUBLISHED, "it replaced other bytes" if replacing else None


def _send(sink: Sink, source: Source | None, staged: StagedFile, *, replacing: bool) -> None:
    if replacing and isinstance(sink, SupportsReplace):
        sink.replace(staged)
    elif source is not None and isinstance(sink, SupportsServerSideCopy):
        sink.put_from(source, staged)
    else:
        sink.put(staged)


def look(sink: Sink, staged: StagedFile, persistence: Persistence) -> Seen:
    """Ask a sink whether it holds the file."""
    if not isinstance(sink, SupportsInventory):
        return Seen.UNTOLD
    project = staged.file.project
    try:
        there = persistence.insist(f"the inventory of {project}", lambda: list(sink.inventory(project)))
        found = next((file for file in there if file.filename == staged.filename), None)
        if found is None:
            return Seen.ABSENT
        sha256 = found.sha256 or persistence.insist(staged.filename, lambda: fetched_sha256(sink, found))
    except WheelrelayError:
        return Seen.UNTOLD
    return Seen.SAME if sha256 == staged.sha256 else Seen.OTHER


def _settle_taken_name(
    sink: Sink, staged: StagedFile, persistence: Persistence, error: AlreadyExists, *, first: bool
) -> tuple[Outcome, str | None]:
    seen = look(sink, staged, persistence)
    if seen is Seen.SAME:
        # A later attempt that meets the very bytes meets those of an earlier one whose answer was lost.
        return (Outcome.SKIPPED, "the same bytes are there") if first else (Outcome.PUBLISHED, None)
    if seen is Seen.UNTOLD and not isinstance(sink, SupportsInventory):
        return Outcome.SKIPPED, "the sink says that it is there; it cannot be compared"
    return (Outcome.FAILED if seen is Seen.OTHER else Outcome.UNCONFIRMED), str(error)
