"""Publish one staged file to one sink, and settle what became of it when that is not clear."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from time import monotonic

from wheelrelay.engine.confirming import fetched_sha256, is_cached, lacking_companions
from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    ChangedWhileReading,
    ConfigError,
    PermissionDenied,
    Rejected,
    WheelrelayError,
)
from wheelrelay.protocols import (
    Sink,
    Source,
    SupportsInventory,
    SupportsReplace,
    SupportsServerSideCopy,
)
from wheelrelay.records import Delivery, Outcome
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.retry import Retrier
from wheelrelay.transfer.thread_pool import unforeseen

REFUSALS = (AuthenticationFailed, ChangedWhileReading, ConfigError, PermissionDenied, Rejected)
"""Errors by which a sink that cannot be read says that it did not take a file."""


class RemoteState(Enum):
    """What a sink has under a filename."""

    SAME = auto()
    INCOMPLETE = auto()
    """The very bytes, without all of their companions."""
    OTHER = auto()
    ABSENT = auto()
    UNTOLD = auto()


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of one attempt; ``outcome`` is empty if the file should be sent again."""

    outcome: Outcome | None
    reason: str | None = None
    lasting: bool = False


_AGAIN = _Result(None)


def deliver(
    sink: Sink,
    staged: StagedFile,
    retrier: Retrier,
    *,
    source: Source | None = None,
    replacing: bool = False,
    begin: Callable[[], None] = lambda: None,
) -> Delivery:
    """Publish a file, trying again while that makes sense.

    A failure may leave open whether the sink took the file: the connection broke after the last byte, the
    answer was 503, or something failed after the file had got its name. So whatever the error was, the sink
    is asked, by name and sha256, before anything is sent again and before a failure is reported.

    Args:
        sink: where to.
        staged: the file.
        retrier: tries again and pauses.
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
        result = _attempt(sink, source, staged, retrier, attempt, replacing=replacing)
        if result.outcome is not None:
            seconds = monotonic() - began
            return Delivery(result.outcome, attempt, seconds, result.reason, lasting=result.lasting)
        attempt += 1
        source = None  # whatever is wrong with a copy, the staged bytes are at hand


def _attempt(
    sink: Sink,
    source: Source | None,
    staged: StagedFile,
    retrier: Retrier,
    attempt: int,
    *,
    replacing: bool,
) -> _Result:
    """Send once."""
    try:
        _send(sink, source, staged, replacing=replacing)
    except AlreadyExists as error:
        return _settle_taken_name(sink, staged, retrier, error, first=attempt == 1)
    except WheelrelayError as error:
        return _settle_failure(sink, staged, retrier, error, attempt, replacing=replacing)
    except Exception as error:  # noqa: BLE001  (a foreign backend's slip, which may come after the last byte)
        return _settle_failure(sink, staged, retrier, unforeseen(error), attempt, replacing=replacing)
    return _Result(Outcome.PUBLISHED, "it replaced other bytes" if replacing else None)


def _send(sink: Sink, source: Source | None, staged: StagedFile, *, replacing: bool) -> None:
    if replacing and isinstance(sink, SupportsReplace):
        sink.replace(staged)
    elif source is not None and isinstance(sink, SupportsServerSideCopy):
        sink.put_from(source, staged)
    else:
        sink.put(staged)


def _settle_failure(
    sink: Sink,
    staged: StagedFile,
    retrier: Retrier,
    error: WheelrelayError,
    attempt: int,
    *,
    replacing: bool,
) -> _Result:
    """Ask the sink what became of a file whose sending failed."""
    again = retrier.again(staged.filename, attempt, error)
    seen = look(sink, staged, retrier)
    if seen is RemoteState.SAME:
        return _Result(Outcome.PUBLISHED)
    if seen is RemoteState.OTHER and not replacing:
        return _Result(Outcome.FAILED, "The name was taken by other bytes meanwhile.", lasting=True)
    if again or (seen is RemoteState.INCOMPLETE and attempt < retrier.retry_policy.attempts):
        return _AGAIN
    if seen is RemoteState.INCOMPLETE:
        return _Result(Outcome.UNCONFIRMED, f"It is there without all of its companions: {error}")
    if seen is RemoteState.UNTOLD:
        known = attempt == 1 and isinstance(error, REFUSALS) and not isinstance(sink, SupportsInventory)
    else:  # a cache may show what was there before the file
        known = not (error.retryable and is_cached(sink))
    outcome = Outcome.FAILED if known else Outcome.UNCONFIRMED
    return _Result(outcome, str(error), lasting=not error.retryable)


def look(sink: Sink, staged: StagedFile, retrier: Retrier) -> RemoteState:
    """Ask a sink whether it holds the file, with its companions where these are files."""
    if not isinstance(sink, SupportsInventory):
        return RemoteState.UNTOLD
    project = staged.file.project
    try:
        there = retrier.call(f"the inventory of {project}", lambda: list(sink.inventory(project)))
        found = next((file for file in there if file.filename == staged.filename), None)
        if found is None:
            return RemoteState.ABSENT
        sha256 = found.sha256 or retrier.call(staged.filename, lambda: fetched_sha256(sink, found))
    except Exception:  # noqa: BLE001  (a foreign backend's slip tells no more than an error)
        return RemoteState.UNTOLD
    if sha256 != staged.sha256:
        return RemoteState.OTHER
    return RemoteState.INCOMPLETE if lacking_companions(sink, staged, found) else RemoteState.SAME


def _settle_taken_name(
    sink: Sink, staged: StagedFile, retrier: Retrier, error: AlreadyExists, *, first: bool
) -> _Result:
    seen = look(sink, staged, retrier)
    if seen is RemoteState.SAME:
        # A later attempt that meets the very bytes meets those of an earlier one whose answer was lost.
        return _Result(Outcome.SKIPPED, "the same bytes are there") if first else _Result(Outcome.PUBLISHED)
    if seen is RemoteState.UNTOLD and not isinstance(sink, SupportsInventory):
        return _Result(Outcome.SKIPPED, "the sink says that it is there; it cannot be compared")
    if seen is RemoteState.OTHER:
        return _Result(Outcome.FAILED, str(error), lasting=True)
    return _Result(Outcome.UNCONFIRMED, str(error))
