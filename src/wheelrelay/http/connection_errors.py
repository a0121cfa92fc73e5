"""Map the errors of urllib3 and the standard library to ours.

`Unavailable`, `TimedOut` and `SizeMismatch` are retryable; the others are not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, IncompleteRead, InvalidURL
from ssl import SSLCertVerificationError

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ReadTimeoutError,
    URLSchemeUnknown,
)

from wheelrelay.errors import BackendError, ConfigError, SizeMismatch, TimedOut, Unavailable, WheelrelayError
from wheelrelay.http.limits import CONNECT_TIMEOUT, DEFAULT_TIMEOUT, HeadersTooLong, TooSlow
from wheelrelay.http.urls import display_url

_UNUSABLE_URL = (LocationValueError, URLSchemeUnknown, InvalidURL, UnicodeError)
"""Errors about the URL or a header value."""

_READ_ERRORS = (HTTPError, HTTPException, OSError, ValueError, AttributeError)
"""Errors while a body is read; urllib3 and http.client raise the last two on a closed connection."""

_HINT_FOR_TIMEOUT = "If the server needs longer, raise the timeout."

_HINT_FOR_NETWORK = "Check the URL and the network."


class Undecodable(OSError):
    """A body is not compressed as its headers declare, or with an encoding that was not requested."""


@contextmanager
def map_errors(url: str) -> Iterator[None]:
    """Map the errors of a request to ``url``.

    Raises:
        ConfigError: the URL cannot be used.
        SizeMismatch: the body ended early.
        BackendError: the server's certificate is not valid.
        Unavailable: the server cannot be reached, or closed the connection.
    """
    try:
        yield
    except _UNUSABLE_URL as error:
        raise ConfigError(f"{display_url(url)} is not a usable URL: {error}.") from error
    except (HTTPError, HTTPException, OSError) as error:
        raise connection_error(url, error) from error


@contextmanager
def map_body_errors(url: str) -> Iterator[None]:
    """Map the errors of reading a response body; the resulting errors are all retryable.

    Raises:
        SizeMismatch: the body ended early.
        Unavailable: the connection broke, the server is too slow, or the body is malformed.
    """
    try:
        yield
    except _READ_ERRORS as error:
        raise connection_error(url, error, while_reading=True) from error


def connection_error(url: str, error: BaseException, *, while_reading: bool = False) -> WheelrelayError:
    """Return our error for a failed request.

    Args:
        url: the URL that was requested.
        error: the exception, which may wrap others several times.
        while_reading: whether the response's headers had arrived.
    """
    chain = list(_chain(error))
    if isinstance(chain[-1], SSLCertVerificationError):
        return BackendError(
            f"The TLS certificate of {display_url(url)} is not valid: {_cause(error)}.",
            hint="If it has a private certificate authority, set ca_cert to the CA bundle.",
        )
    if any(isinstance(inner, IncompleteRead) for inner in chain):
        return SizeMismatch(
            f"The response of {display_url(url)} ended early.",
            hint="If this persists, the server's copy is truncated.",
        )
    slow = next((inner for inner in chain if isinstance(inner, TooSlow)), None)
    if slow:
        return TimedOut(f"{display_url(url)} {slow}.", waited=slow.waited, hint=_HINT_FOR_TIMEOUT)
    if any(isinstance(inner, ReadTimeoutError) for inner in chain):  # of another client, such as requests
        message = f"{display_url(url)} did not respond in time."
        return TimedOut(message, waited=DEFAULT_TIMEOUT, hint=_HINT_FOR_TIMEOUT)
    if any(map(_is_timeout, chain)):
        message = f"Cannot connect to {display_url(url)}: {_cause(error)}."
        return TimedOut(message, waited=CONNECT_TIMEOUT, hint=_HINT_FOR_NETWORK)
    return _unavailable(url, error, chain, while_reading=while_reading)


def _is_timeout(error: BaseException) -> bool:
    """Return whether an error is a timeout; urllib3 derives `NewConnectionError` from one, wrongly."""
    if isinstance(error, NewConnectionError):
        return False
    return isinstance(error, ConnectTimeoutError | TimeoutError)


def _unavailable(
    url: str, error: BaseException, chain: list[BaseException], *, while_reading: bool
) -> Unavailable:
    """Return the error for a failed connection or a response that is not valid HTTP."""
    undecodable = next((inner for inner in chain if isinstance(inner, Undecodable)), None)
    if undecodable:
        return Unavailable(f"Cannot decode the response of {display_url(url)}: {undecodable}.")
    innermost = chain[-1]
    if isinstance(innermost, HeadersTooLong):
        return Unavailable(f"The response of {display_url(url)} is not valid HTTP: {innermost}.")
    if while_reading:
        return Unavailable(f"The connection to {display_url(url)} broke: {_cause(error)}.")
    if isinstance(innermost, HTTPException) and not isinstance(innermost, OSError):
        return Unavailable(f"The response of {display_url(url)} is not valid HTTP: {_cause(error)}.")
    message = f"Cannot connect to {display_url(url)}: {_cause(error)}."
    return Unavailable(message, hint=_HINT_FOR_NETWORK)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all errors that it wraps, the innermost last; urllib3 wraps, and requests too."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        yield current
        seen.add(id(current))
        wrapped = [getattr(current, "reason", None), *current.args, current.__cause__]
        current = next((inner for inner in wrapped if isinstance(inner, BaseException)), None)


def _cause(error: BaseException) -> str:
    """Return the message of the innermost error, without addresses of Python objects."""
    *_, innermost = _chain(error)
    is_system_error = isinstance(innermost, OSError) and innermost.strerror
    message = str(innermost.strerror if is_system_error else innermost)  # type: ignore[attr-defined]
    message = message.rpartition("object at 0x")[2].partition("): ")[2] or message
    plain = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in message
    )
    return plain[:200].rstrip(".") or type(innermost).__name__
