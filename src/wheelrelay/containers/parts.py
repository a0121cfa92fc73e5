"""Send the parts of a large object: a part that fails is sent again on its own.

A file of 10 GiB takes more than a thousand requests, too many to expect all of them to succeed.
"""

import random
from collections.abc import Callable
from typing import TypeVar

from wheelrelay.errors import TimedOut, Unavailable
from wheelrelay.staged import StagedFile

MAX_ATTEMPTS = 5
"""How often a part is sent at most; the pauses double, starting at half a second."""

MAX_SILENCE = 90.0
"""Seconds without an answer, over all attempts, after which no further attempt is made."""

MAX_PAUSE = 20.0
"""Longest pause in seconds, even if the server requests more."""

Result = TypeVar("Result")


def send_part(staged: StagedFile, request: Callable[[], Result]) -> Result:
    """Send an idempotent request about a part, again after a temporary failure unless the run is interrupted.

    A server that was silent for long is probably dead, so its failure is reported at once.

    Args:
        staged: The file that the part belongs to.
        request: Sends the request.

    Raises:
        Unavailable: The last attempt failed too.
    """
    for attempt in range(1, MAX_ATTEMPTS):
        try:
            return request()
        except Unavailable as error:
            if isinstance(error, TimedOut) and attempt * error.silence >= MAX_SILENCE:
                raise
            doubled = 2 ** (attempt - 2) * random.uniform(0.5, 1.5)  # noqa: S311
            pause = doubled if error.retry_after is None else error.retry_after
            if not staged.pause(min(MAX_PAUSE, pause)):
                raise
    return request()
