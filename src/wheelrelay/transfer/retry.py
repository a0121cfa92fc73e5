"""The one loop that tries again: bounded, with growing pauses, for errors whose class says that it helps."""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from wheelrelay.durations import parse_duration
from wheelrelay.errors import ConfigError, TimedOut, Unavailable, WheelrelayError

if TYPE_CHECKING:
    from wheelrelay.events import Progress

_log = logging.getLogger(__name__)

Result = TypeVar("Result")

LONGEST_PAUSE = 60.0
"""Seconds that no pause exceeds, unless it is said otherwise."""

PAUSE_VARIABLE = "WHEELRELAY_MAX_RETRY_WAIT"
"""The environment variable that changes this, as a duration."""


class _Override:
    """The longest pause that the command line asks for."""

    seconds: float | None = None


def override_longest_pause(seconds: float | None) -> None:
    """Let no pause of this process be longer than ``seconds``; ``None`` to use the environment or default."""
    _Override.seconds = seconds


def longest_pause() -> float:
    """Seconds that no pause exceeds: by the command line, the environment, or the default.

    Raises:
        ConfigError: the environment variable is not a duration.
    """
    if _Override.seconds is not None:
        return _Override.seconds
    if not (text := os.environ.get(PAUSE_VARIABLE)):
        return LONGEST_PAUSE
    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise ConfigError(f"{PAUSE_VARIABLE}: {error}.") from None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to insist.

    Attributes:
        attempts: how often to try at most.
        first_pause: seconds before the second attempt; each further pause doubles.
        longest_pause: seconds that no pause exceeds, whatever a server asks for.
        silence: seconds without an answer, over all attempts, after which a remote is given up; it is asked
            twice in any case.
    """

    attempts: int = 5
    first_pause: float = 0.5
    longest_pause: float = field(default_factory=longest_pause)
    silence: float = 90.0

    def is_over(self, attempt: int, error: WheelrelayError) -> bool:
        """Whether the attempt of this number, which is 1 for the first, was the last one."""
        silent = isinstance(error, TimedOut) and attempt > 1 and attempt * error.waited >= self.silence
        return silent or attempt >= self.attempts

    def pause_after(self, attempt: int, error: WheelrelayError) -> float:
        """Seconds to wait after the attempt of this number, which is 1 for the first.

        What a server asks for is honoured; else the pause doubles, and a random part keeps eight threads
        from coming back all at once.
        """
        import random

        asked = error.retry_after if isinstance(error, Unavailable) else None
        doubled: float = self.first_pause * 2 ** (attempt - 1)
        pause = asked if asked is not None else doubled * random.uniform(0.5, 1.5)  # noqa: S311
        return min(pause, self.longest_pause)


class Retrier:
    """Tries again on behalf of one relay.

    Args:
        retry_policy: how long to insist.
        progress: told of each pause.
        stopped: set when the relay is to end: pauses end, and nothing is tried again.
        on_failure: called after each failure that may pass.
    """

    def __init__(
        self,
        retry_policy: RetryPolicy,
        progress: "Progress",
        stopped: threading.Event,
        *,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self.retry_policy = retry_policy
        self.stopped = stopped
        self._progress = progress
        self._troubled = on_failure

    def call(self, what: str, operation: Callable[[], Result]) -> Result:
        """Call ``operation`` until it succeeds, fails for good, or patience ends; what it raised last."""
        attempt = 1
        while True:
            try:
                return operation()
            except WheelrelayError as error:
                if not self.again(what, attempt, error):
                    raise
            attempt += 1

    def again(self, what: str, attempt: int, error: WheelrelayError) -> bool:
        """Wait after a failed attempt; whether to try again."""
        if error.retryable:
            self._troubled()
        if not error.retryable or self.retry_policy.is_over(attempt, error) or self.stopped.is_set():
            return False
        from wheelrelay.events import Waiting

        pause = self.retry_policy.pause_after(attempt, error)
        self._progress(Waiting(what, f"{error}{_longer_wish(error, pause)}", pause))
        _log.info("%s: %s Trying again in %.1f s.", what, error, pause)
        return not self.stopped.wait(pause)


def _longer_wish(error: WheelrelayError, pause: float) -> str:
    """That the server asked for a longer pause than is made, if it did."""
    asked = error.retry_after if isinstance(error, Unavailable) else None
    return f" The server asks to wait {asked:.0f} s." if asked is not None and asked > pause else ""
