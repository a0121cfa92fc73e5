"""The one loop that tries again: bounded, with growing pauses, for errors whose class says that it helps."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from wheelrelay.errors import Unavailable, WheelrelayError

if TYPE_CHECKING:
    from wheelrelay.steps.events import Progress

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to insist.

    Attributes:
        attempts: how often to try at most.
        first_pause: seconds before the second attempt; each further pause doubles.
        longest_pause: seconds that no pause exceeds, whatever a server asks for.
    """

    attempts: int = 5
    first_pause: float = 0.5
    longest_pause: float = 60.0

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


class Persistence:
    """Tries again on behalf of one relay.

    Args:
        patience: how long to insist.
        progress: told of each pause.
        stopped: set when the relay is to end: pauses end, and nothing is tried again.
        troubled: called after each failure that may pass.
    """

    def __init__(
        self,
        patience: Patience,
        progress: "Progress",
        stopped: threading.Event,
        *,
        troubled: Callable[[], None] = lambda: None,
    ) -> None:
        self.patience = patience
        self.stopped = stopped
        self._progress = progress
        self._troubled = troubled

    def insist(self, what: str, operation: Callable[[], Result]) -> Result:
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
        if not error.retryable or attempt >= self.patience.attempts or self.stopped.is_set():
            return False
        from wheelrelay.steps.events import Waiting

        pause = self.patience.pause_after(attempt, error)
        self._progress(Waiting(what, str(error), pause))
        return not self.stopped.wait(pause)
