"""Retry operations that failed with ``retryable`` errors: the only module that retries."""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import field
from typing import TypeVar

from wheelrelay.durations import parse_duration
from wheelrelay.errors import ConfigError, TimedOut, Unavailable, WheelrelayError
from wheelrelay.events import Progress, Waiting
from wheelrelay.lazy_dataclass import dataclass

_log = logging.getLogger(__name__)

Result = TypeVar("Result")

MAX_PAUSE = 60.0
"""The longest pause in seconds, by default."""

MAX_PAUSE_VARIABLE = "WHEELRELAY_MAX_RETRY_WAIT"
"""The environment variable that sets the longest pause, as a duration."""


class _Override:
    """The longest pause that the command line sets for the process."""

    seconds: float | None = None


def override_longest_pause(seconds: float | None) -> None:
    """Limit all pauses of this process to ``seconds``; ``None`` restores the environment or the default."""
    _Override.seconds = seconds


def longest_pause_override() -> float | None:
    """Return what `override_longest_pause` set, for other processes that take part in the work."""
    return _Override.seconds


def longest_pause() -> float:
    """Return the longest pause in seconds: of the command line, the environment, or the default.

    Raises:
        ConfigError: The environment variable is not a duration.
    """
    if _Override.seconds is not None:
        return _Override.seconds
    if not (text := os.environ.get(MAX_PAUSE_VARIABLE)):
        return MAX_PAUSE
    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise ConfigError(f"{MAX_PAUSE_VARIABLE}: {error}.") from None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to retry.

    Attributes:
        attempts: The maximum number of attempts.
        first_pause: Seconds before the second attempt; each further pause doubles.
        longest_pause: The longest pause in seconds, also if a server requests a longer one.
        max_silence: Seconds without an answer, over all attempts, after which no further attempt is made; a
            read is requested twice in any case, by this policy or by the library of the remote.
        look_after_silence: Seconds for the one read that follows an upload without an answer.
    """

    attempts: int = 5
    first_pause: float = 0.5
    longest_pause: float = field(default_factory=longest_pause)
    max_silence: float = 90.0
    look_after_silence: float = 20.0

    def is_last(self, attempt: int, error: WheelrelayError) -> bool:
        """Return whether the attempt of this number, counted from 1, was the last one."""
        if isinstance(error, TimedOut) and attempt * error.requests > 1:
            return attempt >= self.attempts or attempt * error.silence >= self.max_silence
        return attempt >= self.attempts

    def has_waited_long(self, error: WheelrelayError) -> bool:
        """Return whether an error is a time-out after which an upload is not worth repeating."""
        return isinstance(error, TimedOut) and error.silence >= self.max_silence

    def pause_after(self, attempt: int, error: WheelrelayError) -> float:
        """Return the seconds to wait after the attempt of this number, counted from 1.

        A server's ``Retry-After`` is honoured. Otherwise the pause doubles, with a random part, so that
        parallel transfers do not return at the same time.
        """
        import random  # takes its time to import, and few runs need it

        requested = error.retry_after if isinstance(error, Unavailable) else None
        doubled: float = self.first_pause * 2 ** (attempt - 1)
        pause = requested if requested is not None else doubled * random.uniform(0.5, 1.5)  # noqa: S311
        return min(pause, self.longest_pause)


class Retrier:
    """Retries operations of one relay; safe for threads.

    Args:
        policy: How often and how long.
        progress: Called with an event before each pause.
        stopped: Set when the relay is to end: pauses end, and nothing is retried.
        on_failure: Called after each ``retryable`` failure.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        progress: Progress,
        stopped: threading.Event,
        *,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self.policy = policy
        self.stopped = stopped
        self._progress = progress
        self._on_failure = on_failure

    def call(self, subject: str, operation: Callable[[], Result]) -> Result:
        """Call an operation until it succeeds, or fails for good; then raise its last error.

        Args:
            subject: The file or page, for progress and the log.
            operation: The operation.
        """
        attempt = 1
        while True:
            try:
                return operation()
            except WheelrelayError as error:
                if not self.pause_before_retry(subject, attempt, error):
                    raise
            attempt += 1

    def pause_before_retry(self, subject: str, attempt: int, error: WheelrelayError) -> bool:
        """Pause after a failed attempt, counted from 1; return whether there is to be another."""
        if error.retryable:
            self._on_failure()
        if not error.retryable or self.policy.is_last(attempt, error) or self.stopped.is_set():
            return False
        pause = self.policy.pause_after(attempt, error)
        self._progress(Waiting(subject, f"{error}{_longer_request(error, pause)}", pause))
        _log.info("%s: %s Retrying in %.1f s.", subject, error, pause)
        return not self.stopped.wait(pause)


def _longer_request(error: WheelrelayError, pause: float) -> str:
    """Return a sentence if the server requests a longer pause."""
    requested = error.retry_after if isinstance(error, Unavailable) else None
    return (
        f" The server requests a pause of {requested:.0f} s."
        if requested is not None and requested > pause
        else ""
    )
