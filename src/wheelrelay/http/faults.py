"""What goes wrong on the way to a server and back, turned into our errors: the one border with urllib3."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, IncompleteRead, InvalidURL
from ssl import SSLCertVerificationError

from urllib3.exceptions import HTTPError, LocationValueError, URLSchemeUnknown

from wheelrelay.errors import BackendError, ConfigError, SizeMismatch, Unavailable, WheelrelayError
from wheelrelay.http.urls import shown

_UNUSABLE = (LocationValueError, URLSchemeUnknown, InvalidURL, UnicodeError)
"""What an address, or what is to be sent as a header, can be wrong in."""


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


def fault_for(url: str, error: BaseException) -> WheelrelayError:
    """The error that a failed connection stands for, whichever library has wrapped it how often."""
    if isinstance(_innermost(error), SSLCertVerificationError):
        return BackendError(
            f"{shown(url)} could not prove who it is: {_cause(error)}.",
            hint="If it has a private certificate authority, name its bundle with ca_cert.",
        )
    if _was_cut(error):
        return SizeMismatch(
            f"{shown(url)} ended before all of the promised bytes had come.",
            hint="If it stays so, what lies there is not whole.",
        )
    return Unavailable(
        f"{shown(url)} cannot be reached: {_cause(error)}.", hint="Check the address and the network."
    )


def _was_cut(error: BaseException) -> bool:
    """Whether the body ended early; urllib3 wraps this, and requests wraps it again."""
    return isinstance(error, IncompleteRead) or any(
        isinstance(inner, BaseException) and _was_cut(inner) for inner in error.args
    )


def _innermost(error: BaseException) -> BaseException:
    """What went wrong in the first place."""
    while True:
        inners = [getattr(error, "reason", None), *error.args]
        inner = next((inner for inner in inners if isinstance(inner, BaseException)), None)
        if inner is None:
            return error
        error = inner


def _cause(error: BaseException) -> str:
    """The reason that a wrapped network error gives, without addresses of objects."""
    error = _innermost(error)
    said = str(error.strerror if isinstance(error, OSError) and error.strerror else error)
    return said.rpartition("object at 0x")[2].partition("): ")[2] or said.rstrip(".") or type(error).__name__
