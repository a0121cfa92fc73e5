"""Limits for responses: how long a server may take, how slow it may be, and how much it may send.

A transfer fails if the server sends nothing for ``timeout`` seconds, or fewer than `MIN_SPEED` bytes a second
on average over that time. The headers of a response, and bodies that are known to be small, must arrive
completely within it.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from wheelrelay.errors import ConfigError
from wheelrelay.lazy_dataclass import dataclass

DEFAULT_TIMEOUT = 50.0
"""Seconds; two attempts that time out end within two minutes."""

TIMEOUT_VARIABLE = "WHEELRELAY_TIMEOUT"
"""The environment variable that overrides the default, in seconds."""

CONNECT_TIMEOUT = 15.0
"""Seconds to wait for a connection, unless the timeout is shorter."""

READ_TIMEOUT = 120.0
"""Seconds to wait for data, for libraries that have one timeout for uploads and everything else."""

MIN_SPEED = 1000
"""Bytes a second; a transfer that is slower on average over the timeout fails."""

MAX_HEADERS = 1 << 20
"""Bytes of headers, including those of interim responses (``100 Continue``); the same again for trailers."""

MAX_SMALL_BODY = 4 << 20
"""Bytes of a body that is expected to be small: the response to an upload, a token, an error."""


class TooSlow(TimeoutError):
    """A server did not send enough data in time.

    Args:
        message: what happened, without a subject.
        waited: seconds.
    """

    def __init__(self, message: str, waited: float) -> None:
        super().__init__(message)
        self.waited = waited


class HeadersTooLong(OSError):
    """The headers or trailers of a response exceed `MAX_HEADERS`."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long the server of one remote may take, in seconds.

    Attributes:
        timeout: until the next data, until all headers, and for the whole of a small body.
    """

    timeout: float

    @property
    def connect(self) -> float:
        """Until a connection is established."""
        return min(CONNECT_TIMEOUT, self.timeout)

    @property
    def after_upload(self) -> float:
        """Until an upload is answered: an index unpacks and stores the file first."""
        return 2 * self.timeout

    @property
    def page(self) -> float:
        """For the whole of a page, whatever its size."""
        return 10 * self.timeout


class _Override:
    """The timeout from the command line, which applies to all remotes of the process."""

    seconds: float | None = None


def override_timeout(seconds: float | None) -> None:
    """Use one timeout for all remotes, whatever their configuration.

    Args:
        seconds: the timeout, or ``None`` to use the configuration again.
    """
    _Override.seconds = seconds


def timeout_override() -> float | None:
    """Return the timeout that `override_timeout` set, for other processes that take part in the work."""
    return _Override.seconds


def time_limits(configured: float | None) -> TimeLimits:
    """Return the limits for a remote.

    They come from the command line, its configuration, the environment or the default, in this order.

    Args:
        configured: the timeout in the remote's configuration, in seconds.

    Raises:
        ConfigError: the environment variable is not a valid timeout.
    """
    for seconds in (_Override.seconds, configured):
        if seconds is not None:
            return TimeLimits(seconds)
    if not (text := os.environ.get(TIMEOUT_VARIABLE)):
        return TimeLimits(DEFAULT_TIMEOUT)
    try:
        return TimeLimits(validate_timeout(float(text)))
    except ValueError:
        raise ConfigError(
            f"{TIMEOUT_VARIABLE} is not a valid timeout: {text!r}.",
            hint="Set it to a number of seconds from 0.1 to 86400.",
        ) from None


def validate_timeout(seconds: float) -> float:
    """Return ``seconds`` if it is a valid timeout.

    Raises:
        ValueError: it is not a number from 0.1 to 86400.
    """
    if not (math.isfinite(seconds) and 0.1 <= seconds <= 86_400):
        raise ValueError("a timeout must be from 0.1 to 86400 seconds")
    return seconds


class ResponseTimer:
    """Limits the time in which the data of one response arrives.

    Only the time spent waiting for the network counts, so a slow reader does not make the server look slow.

    Args:
        timeout: seconds until the headers have arrived, and as described in this module.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._deadline: float | None = monotonic() + timeout
        self._allowed = timeout
        self._received = 0
        self._waited = 0.0
        self._in_headers = True

    def headers_complete(self) -> None:
        """Start to require the minimum speed: the headers have arrived."""
        self._deadline, self._in_headers, self._received = None, False, 0

    @contextmanager
    def reading_trailers(self) -> Iterator[None]:
        """Apply the limits of headers to the trailers of a chunked body."""
        allowed, self._allowed = self._allowed, self._timeout
        deadline, self._deadline = self._deadline, monotonic() + self._timeout
        self._in_headers, self._received = True, 0
        try:
            yield
        finally:
            self._allowed, self._deadline, self._in_headers = allowed, deadline, False

    @contextmanager
    def deadline(self, seconds: float | None = None) -> Iterator[None]:
        """Require that everything read in the context arrives within a time; by default, the timeout."""
        self._allowed = self._timeout if seconds is None else seconds
        self._deadline = monotonic() + self._allowed
        try:
            yield
        finally:
            self._deadline = None

    def remaining(self) -> float:
        """Return the seconds to wait for the next data.

        Raises:
            TooSlow: no time is left.
        """
        if self._deadline is None:
            return self._timeout
        left = self._deadline - monotonic()
        if left <= 0:
            raise self._missed_deadline()
        return min(left, self._timeout)

    def record(self, size: int, waited: float) -> None:
        """Count bytes that arrived after some seconds of waiting.

        Raises:
            TooSlow: the average speed is too low.
            HeadersTooLong: the headers are too long.
        """
        self._received += size
        self._waited += waited
        if self._in_headers:
            if self._received > MAX_HEADERS:
                raise HeadersTooLong(f"its headers are larger than {MAX_HEADERS >> 20} MiB")
        elif self._waited >= self._timeout:
            if self._received < MIN_SPEED * self._waited:
                speed = f"{self._received / self._waited:.0f} bytes a second for {self._timeout:g} s"
                raise TooSlow(f"sent only {speed}", self._waited)
            self._received, self._waited = 0, 0.0

    def timed_out(self) -> TooSlow:
        """Return the error for a server that sent nothing within the `remaining` time."""
        if self._deadline is not None:
            return self._missed_deadline()
        return TooSlow(f"sent nothing for {self._timeout:g} s", self._timeout)

    def _missed_deadline(self) -> TooSlow:
        part = "its headers" if self._in_headers else "its response"
        return TooSlow(f"did not send {part} within {self._allowed:g} s", self._allowed)
