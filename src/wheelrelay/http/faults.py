"""What goes wrong on the way to a server and back, turned into our errors: the one border with urllib3."""

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
from wheelrelay.http.decoding import Undecodable
from wheelrelay.http.limits import CONNECT_TIMEOUT, HeadersTooLong, TooSlow
from wheelrelay.http.urls import shown

_UNUSABLE = (LocationValueError, URLSchemeUnknown, InvalidURL, UnicodeError)
"""What an address, or what is to be sent as a header, can be wrong in."""

_WHILE_READING = (HTTPError, HTTPException, OSError, ValueError, AttributeError)
"""What reading a body raises; urllib3 and http.client let the last two through where a connection is gone."""


@contextmanager
def mapped_errors(url: str) -> Iterator[None]:
    """Turn what a connection to ``url`` raises into our errors.

    Raises:
        ConfigError: it is not a usable address.
        SizeMismatch: the body ended early.
        BackendError: the server could not prove who it is.
        Unavailable: it cannot be reached, or hung up.
    """
    try:
        yield
    except _UNUSABLE as error:
        raise ConfigError(f"{shown(url)} is not a usable address: {error}.") from error
    except (HTTPError, HTTPException, OSError) as error:
        raise fault_for(url, error) from error


@contextmanager
def body_errors(url: str) -> Iterator[None]:
    """Turn whatever is raised while the body of an answer is read into our errors, all of them retryable.

    Raises:
        SizeMismatch: the body ended early.
        Unavailable: the connection broke, the server is too slow, or the body is malformed.
    """
    try:
        yield
    except _WHILE_READING as error:
        raise fault_for(url, error, while_reading=True) from error


def fault_for(url: str, error: BaseException, *, while_reading: bool = False) -> WheelrelayError:
    """The error that a failed connection stands for, whichever library has wrapped it how often.

    Args:
        url: what was asked for.
        error: what was raised.
        while_reading: whether the headers of the answer had arrived.
    """
    chain = list(_chain(error))
    if isinstance(chain[-1], SSLCertVerificationError):
        return BackendError(
            f"{shown(url)} could not prove who it is: {_cause(error)}.",
            hint="If it has a private certificate authority, name its bundle with ca_cert.",
        )
    if any(isinstance(inner, IncompleteRead) for inner in chain):
        return SizeMismatch(
            f"{shown(url)} ended before all of the promised bytes had come.",
            hint="If it stays so, what lies there is not whole.",
        )
    slow = next((inner for inner in chain if isinstance(inner, TooSlow)), None)
    if slow:
        return TimedOut(f"{shown(url)} {slow}.", waited=slow.waited, hint=_HINT_FOR_SLOW)
    if any(map(_is_timeout, chain)):
        return TimedOut(
            f"{shown(url)} cannot be reached: {_cause(error)}.",
            waited=CONNECT_TIMEOUT,
            hint="Check the address and the network.",
        )
    return _broken(url, error, chain, while_reading=while_reading)


def _is_timeout(error: BaseException) -> bool:
    """Whether an error is a timeout; urllib3 derives all failed connections from `ConnectTimeoutError`."""
    if isinstance(error, NewConnectionError):
        return False
    return isinstance(error, ConnectTimeoutError | ReadTimeoutError | TimeoutError)


_HINT_FOR_SLOW = "If the server needs longer, raise the timeout."


def _broken(
    url: str, error: BaseException, chain: list[BaseException], *, while_reading: bool
) -> Unavailable:
    """The error for a connection that failed, or an answer that is not valid HTTP."""
    undecodable = next((inner for inner in chain if isinstance(inner, Undecodable)), None)
    if undecodable:
        return Unavailable(f"The body that {shown(url)} sent cannot be decoded: {undecodable}.")
    innermost = chain[-1]
    if isinstance(innermost, HeadersTooLong):
        return Unavailable(f"{shown(url)} did not answer in HTTP: {innermost}.")
    if while_reading:
        return Unavailable(f"The connection to {shown(url)} broke off: {_cause(error)}.")
    if isinstance(innermost, HTTPException) and not isinstance(innermost, OSError):
        return Unavailable(f"{shown(url)} did not answer in HTTP: {_cause(error)}.")
    return Unavailable(
        f"{shown(url)} cannot be reached: {_cause(error)}.", hint="Check the address and the network."
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it wraps, the innermost last; urllib3 wraps, and requests wraps again."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        yield current
        seen.add(id(current))
        wrapped = [getattr(current, "reason", None), *current.args, current.__cause__]
        current = next((inner for inner in wrapped if isinstance(inner, BaseException)), None)


def _cause(error: BaseException) -> str:
    """The reason that a wrapped network error gives, without addresses of objects."""
    *_, error = _chain(error)
    said = str(error.strerror if isinstance(error, OSError) and error.strerror else error)
    said = said.rpartition("object at 0x")[2].partition("): ")[2] or said
    plain = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in said
    )
    return plain[:200].rstrip(".") or type(error).__name__
