"""Publish one staged file to one sink, and determine the outcome where an error leaves it open."""

from collections.abc import Callable
from enum import Enum, auto
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from wheelrelay.engine.confirming import (
    different_companions,
    fetched_sha256,
    is_cached,
    missing_companions,
    read_back,
)
from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    ChangedWhileReading,
    ConfigError,
    PermissionDenied,
    Rejected,
    WheelrelayError,
)
from wheelrelay.lazy_dataclass import dataclass
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
from wheelrelay.transfer.thread_pool import unexpected_error

REFUSALS = (AuthenticationFailed, ChangedWhileReading, ConfigError, PermissionDenied, Rejected)
"""Errors that prove that a write-only sink did not accept a file."""


class RemoteState(Enum):
    """The content that a sink holds under a filename."""

    SAME = auto()
    INCOMPLETE = auto()
    """The same bytes, without all of their companions."""
    OTHER = auto()
    OTHER_COMPANIONS = auto()
    """The same bytes, with another signature or attestation."""
    ABSENT = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class _Result:
    """The result of one attempt; without an outcome the file is sent again."""

    outcome: Outcome | None
    reason: str | None = None
    lasting: bool = False


_SEND_AGAIN = _Result(None)


def deliver(
    sink: Sink,
    staged: StagedFile,
    retrier: Retrier,
    *,
    source: Source | None = None,
    replacing: bool = False,
    begin: Callable[[], None] = lambda: None,
) -> Delivery:
    """Publish a file, with retries.

    An error can leave open whether the sink accepted the file: the connection broke after the last byte, or
    the answer was 503. So the sink is read before the file is sent again, and before a failure is reported.

    Args:
        sink: The sink.
        staged: The file.
        retrier: Decides about further attempts, and pauses.
        source: The source of the file: a sink on the same server may copy it from there.
        replacing: Replace the bytes that the sink holds under this filename.
        begin: Called before each attempt.

    Returns:
        The outcome; errors of the sink are part of it and are not raised.
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
        source = None  # a copy failed; the staged bytes do not depend on the source


def _attempt(
    sink: Sink,
    source: Source | None,
    staged: StagedFile,
    retrier: Retrier,
    attempt: int,
    *,
    replacing: bool,
) -> _Result:
    try:
        _send(sink, source, staged, replacing=replacing)
    except AlreadyExists as error:
        return _after_taken_name(sink, staged, retrier, error, is_first=attempt == 1)
    except WheelrelayError as error:
        return _after_failure(sink, staged, retrier, error, attempt, replacing=replacing)
    except Exception as error:  # noqa: BLE001  (a bug of a plugin may surface after the last byte was sent)
        return _after_failure(sink, staged, retrier, unexpected_error(error), attempt, replacing=replacing)
    return _Result(Outcome.PUBLISHED, "it replaced other bytes" if replacing else None)


def _send(sink: Sink, source: Source | None, staged: StagedFile, *, replacing: bool) -> None:
    if replacing and isinstance(sink, SupportsReplace):
        sink.replace(staged)
    elif source is not None and isinstance(sink, SupportsServerSideCopy):
        sink.put_from(source, staged)
    else:
        sink.put(staged)


def _after_failure(
    sink: Sink,
    staged: StagedFile,
    retrier: Retrier,
    error: WheelrelayError,
    attempt: int,
    *,
    replacing: bool,
) -> _Result:
    """Read the sink to find out whether it accepted a file, and decide whether to send it again.

    A sink that was silent for long is read once, for a short time, and the file is not sent again: a second
    upload would wait as long, while the server may still be storing the first.
    """
    was_silent = retrier.policy.has_waited_long(error)
    is_retried = not was_silent and retrier.pause_before_retry(staged.filename, attempt, error)
    if was_silent:
        state = _look_briefly(sink, staged, retrier.policy.look_after_silence)
    else:
        state = look(sink, staged, retrier)
    if state is RemoteState.SAME:
        return _Result(Outcome.PUBLISHED)
    if state is RemoteState.OTHER and not replacing:
        return _Result(Outcome.FAILED, "Another upload took the filename, with other bytes.", lasting=True)
    if state is RemoteState.OTHER_COMPANIONS and not replacing:
        return _Result(Outcome.FAILED, "The sink has the file with other companions.", lasting=True)
    if is_retried or (
        state is RemoteState.INCOMPLETE and attempt < retrier.policy.attempts and not was_silent
    ):
        return _SEND_AGAIN
    if state is RemoteState.INCOMPLETE:
        return _Result(Outcome.UNCONFIRMED, f"The sink has the file without all of its companions: {error}")
    if state is RemoteState.UNKNOWN:
        is_absent = attempt == 1 and isinstance(error, REFUSALS) and not isinstance(sink, SupportsInventory)
    else:  # a cache may show the state before the upload, and a slow server may still be storing the file
        is_absent = not (was_silent or (error.retryable and is_cached(sink)))
    outcome = Outcome.FAILED if is_absent else Outcome.UNCONFIRMED
    return _Result(outcome, str(error), lasting=not error.retryable)


def _after_taken_name(
    sink: Sink, staged: StagedFile, retrier: Retrier, error: AlreadyExists, *, is_first: bool
) -> _Result:
    """Read the sink to find out which bytes it holds under the filename."""
    state = look(sink, staged, retrier)
    if state is RemoteState.SAME:
        # At a later attempt, the same bytes are those of an earlier attempt whose answer was lost.
        outcome, reason = (Outcome.SKIPPED, "the same bytes exist") if is_first else (Outcome.PUBLISHED, None)
        return _Result(outcome, reason)
    if state is RemoteState.UNKNOWN and not isinstance(sink, SupportsInventory):
        return _Result(Outcome.SKIPPED, "the sink reports that the filename exists; it cannot be compared")
    if state in (RemoteState.OTHER, RemoteState.OTHER_COMPANIONS):
        return _Result(Outcome.FAILED, str(error), lasting=True)
    # Without a cache, a name that is taken and not shown is refused again: it was deleted, or is reserved.
    is_refused = state is RemoteState.ABSENT and not is_cached(sink)
    return _Result(Outcome.UNCONFIRMED, str(error), lasting=is_refused)


def _look_briefly(sink: Sink, staged: StagedFile, seconds: float) -> RemoteState:
    """Read a sink once, and return ``UNKNOWN`` if that takes longer than ``seconds``.

    A sink has one timeout for all reads, which allows for slow pages. The read that exceeds the time is left
    to its own timeout in a thread that does not keep the process alive.
    """
    states: SimpleQueue[RemoteState] = SimpleQueue()
    thread = Thread(target=lambda: states.put(look(sink, staged, None)), daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the limit of threads is reached
        return look(sink, staged, None)
    try:
        return states.get(timeout=seconds)
    except Empty:
        return RemoteState.UNKNOWN


def look(sink: Sink, staged: StagedFile, retrier: Retrier | None) -> RemoteState:
    """Return the state of a file at a sink, including its companions if the sink stores these as files.

    Args:
        sink: The sink to read.
        staged: The file.
        retrier: Repeats reads that failed; each is tried once without it.
    """
    if not isinstance(sink, SupportsInventory):
        return RemoteState.UNKNOWN
    try:
        if retrier is None:
            return _read_state(sink, staged)
        return retrier.call(f"the state of {staged.filename}", lambda: _read_state(sink, staged))
    except Exception:  # noqa: BLE001  (a bug of a plugin proves no more than an error)
        return RemoteState.UNKNOWN


def _read_state(sink: SupportsInventory, staged: StagedFile) -> RemoteState:
    held = read_back(sink, staged)
    if held is None:
        return RemoteState.ABSENT
    if (held.sha256 or fetched_sha256(sink, held)) != staged.sha256:
        return RemoteState.OTHER
    if missing_companions(sink, staged, held):
        return RemoteState.INCOMPLETE
    return RemoteState.OTHER_COMPANIONS if different_companions(sink, staged, held) else RemoteState.SAME
