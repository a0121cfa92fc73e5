"""Limits on answers: how long a server may take, how slow it may be, and how much it may send.

A server that sends nothing for ``timeout`` seconds is given up, and so is one that sends fewer than
`LEAST_SPEED` bytes a second on average over that time. The headers of an answer, and a body that is known to
be small, have to arrive completely within it.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from wheelrelay.errors import ConfigError

DEFAULT_TIMEOUT = 50.0
"""Seconds; two attempts that time out end within two minutes."""

TIMEOUT_VARIABLE = "WHEELRELAY_TIMEOUT"
"""The environment variable that changes the default, in seconds."""

CONNECT_TIMEOUT = 15.0
"""Seconds to wait for a connection, if the timeout is not shorter."""

READ_TIMEOUT = 120.0
"""Seconds to wait for the next bytes, for libraries that have one timeout for uploads and all else."""

LEAST_SPEED = 1000
"""Bytes a second below which a transfer is given up, on average over the timeout."""

MAX_HEADERS = 1 << 20
"""Bytes that may come before the body, interim answers (``100 Continue``) included; as many after it."""

MAX_SMALL = 4 << 20
"""Bytes of a body that is expected to be short: an answer to an upload, a token, an error."""


class TooSlow(TimeoutError):
    """A server did not send enough in time.

    Args:
        message: what it failed to do.
        waited: seconds that it was waited for.
    """

    def __init__(self, message: str, waited: float) -> None:
        super().__init__(message)
        self.waited = waited


class HeadersTooLong(OSError):
    """The headers before or after the body of an answer do not end."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long one remote may take, in seconds.

    Attributes:
        timeout: until the next bytes, until all headers, and for all of a small body.
    """

    timeout: float

    @property
    def connect(self) -> float:
        """Until a connection is made."""
        return min(CONNECT_TIMEOUT, self.timeout)

    @property
    def after_upload(self) -> float:
        """Until an upload is answered: an index unpacks and stores the file before it answers."""
        return 2.4 * self.timeout

    @property
    def page(self) -> float:
        """For all of a page, however many bytes it has."""
        return 10 * self.timeout


class _Override:
    """The timeout that the command line asks for, which counts for all remotes of a process."""

    seconds: float | None = None


def override_timeout(seconds: float | None) -> None:
    """Use one timeout for all remotes, whatever their configuration says.

    Args:
        seconds: the timeout; ``None`` to go by the configuration again.
    """
    _Override.seconds = seconds


def time_limits(configured: float | None) -> TimeLimits:
    """The limits for a remote: by the command line, its configuration, the environment, or the default.

    Args:
        configured: seconds that the remote's configuration gives, if it does.

    Raises:
        ConfigError: the environment variable is not a positive number.
    """
    for seconds in (_Override.seconds, configured):
        if seconds is not None:
            return TimeLimits(seconds)
    if not (text := os.environ.get(TIMEOUT_VARIABLE)):
        return TimeLimits(DEFAULT_TIMEOUT)
    try:
        return TimeLimits(usable_timeout(float(text)))
    except ValueError:
        raise ConfigError(
            f"{TIMEOUT_VARIABLE} is not a usable number of seconds: {text!r}.",
            hint="Give one between 0.1 and 86400.",
        ) from None


def usable_timeout(seconds: float) -> float:
    """``seconds``, if a server can be given that long.

    Raises:
        ValueError: it is not a number between 0.1 and 86400.
    """
    if not (math.isfinite(seconds) and 0.1 <= seconds <= 86_400):
        raise ValueError("a timeout is between 0.1 and 86400 seconds")
    return seconds


class Watch:
    """Bounds the time in which the bytes of one answer arrive.

    Only time spent waiting for the network counts: a reader that pauses is not held against the server.

    Args:
        timeout: seconds until the headers have arrived, and see the module.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._ends: float | None = monotonic() + timeout
        self._allowed = timeout
        self._came = 0
        self._waited = 0.0
        self._in_headers = True

    def headers_arrived(self) -> None:
        """The headers are complete: from now on a least speed is demanded."""
        self._ends, self._in_headers, self._came = None, False, 0

    @contextmanager
    def in_trailer(self) -> Iterator[None]:
        """Hold the header lines that follow a body to the limits of those before it."""
        before, self._allowed = self._allowed, self._timeout
        ends, self._ends = self._ends, monotonic() + self._timeout
        self._in_headers, self._came = True, 0
        try:
            yield
        finally:
            self._allowed, self._ends, self._in_headers = before, ends, False

    @contextmanager
    def all_within(self, seconds: float | None = None) -> Iterator[None]:
        """Demand that all that is read in the context arrives within a time; by default, the timeout."""
        self._allowed = self._timeout if seconds is None else seconds
        self._ends = monotonic() + self._allowed
        try:
            yield
        finally:
            self._ends = None

    def retry_policy(self) -> float:
        """Seconds to wait for the next bytes.

        Raises:
            TooSlow: there is no time left.
        """
        if self._ends is None:
            return self._timeout
        left = self._ends - monotonic()
        if left <= 0:
            what = "its headers" if self._in_headers else "its answer"
            raise TooSlow(f"did not send {what} within {self._allowed:g} s", self._allowed)
        return min(left, self._timeout)

    def note(self, size: int, waited: float) -> None:
        """Count bytes that arrived after so many seconds of waiting.

        Raises:
            TooSlow: they come too slowly.
            HeadersTooLong: the headers do not end.
        """
        self._came += size
        self._waited += waited
        if self._in_headers:
            if self._came > MAX_HEADERS:
                raise HeadersTooLong(f"its headers have more than {MAX_HEADERS >> 20} MiB")
        elif self._waited >= self._timeout:
            if self._came < LEAST_SPEED * self._waited:
                speed = f"{self._came / self._waited:.0f} bytes a second for {self._timeout:g} s"
                raise TooSlow(f"sent only {speed}", self._waited)
            self._came, self._waited = 0, 0.0

    def silent(self) -> TooSlow:
        """The error for a server that sent nothing for as long as `retry_policy` allowed."""
        if self._ends is not None:
            what = "its headers" if self._in_headers else "its answer"
            return TooSlow(f"did not send {what} within {self._allowed:g} s", self._allowed)
        return TooSlow(f"sent nothing for {self._timeout:g} s", self._timeout)
