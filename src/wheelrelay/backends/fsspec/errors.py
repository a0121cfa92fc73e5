"""Turn what fsspec and the libraries beneath it raise into our errors."""

import asyncio
import errno
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    BackendError,
    NotFound,
    PermissionDenied,
    SizeMismatch,
    Unavailable,
    WheelrelayError,
)
from wheelrelay.http import shown

_MAY_PASS = {errno.EBUSY, errno.EAGAIN, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EPIPE}

_NO_CONNECTION = {"ClientConnectionError", "ConnectTimeoutError", "EndpointConnectionError"}
"""What libraries that need not be installed call a connection that failed."""

_QUERY = re.compile(r"(\w+://[^\s?'\"]*)\?[^\s'\"]*")
"""An address with a query, which may hold a signature."""

_CUT = {"ClientPayloadError", "IncompleteReadError", "IncompleteRead"}
"""What they call a body that ends early."""

_CHECK_RIGHTS = "Check what these credentials may do there."


def shown_chain(url: str) -> str:
    """An fsspec URL, each part of it without what may be secret there."""
    return "::".join(shown(part) if "://" in part else part for part in url.split("::"))


@contextmanager
def mapped(address: str) -> Iterator[None]:
    """Let nothing but our errors out; ``address`` is what they speak of."""
    try:
        yield
    except WheelrelayError:
        raise
    except Exception as error:
        raise _ours(error, address) from error


def _ours(error: Exception, address: str) -> WheelrelayError:
    if isinstance(error, FileNotFoundError) and (hidden := _hidden_by(error)):
        return _ours(hidden, address)
    match error:
        case FileNotFoundError():
            return NotFound(f"{address} is not there.")
        case FileExistsError():
            return AlreadyExists(f"{address} is there already.")
        case PermissionError():
            return PermissionDenied(
                f"{address}: permission denied.", hint="Check what these credentials may do."
            )
    if type(error).__name__ in _CUT:
        return SizeMismatch(f"{address} ended before all of the promised bytes had come.")
    told = f"{address}: {_words_of(error)}."
    status = getattr(error, "status", None)
    if status in (404, 410):
        return NotFound(told)
    if status == 401:
        return AuthenticationFailed(told, hint="Check the credentials under options.")
    if status == 403:
        return PermissionDenied(told, hint=_CHECK_RIGHTS)
    if status in (408, 429) or (isinstance(status, int) and status >= 500) or _may_pass(error):
        return Unavailable(told)
    return BackendError(told)


def _hidden_by(error: FileNotFoundError) -> Exception | None:
    """What "not found" was only concluded from, as over HTTP from any failure: unknown is not absent."""
    cause = error.__cause__
    if isinstance(cause, FileNotFoundError):
        return _hidden_by(cause)
    if isinstance(cause, Exception) and (hasattr(cause, "status") or _may_pass(cause)):
        return cause
    return None


def _may_pass(error: Exception) -> bool:
    if any(cls.__name__ in _NO_CONNECTION for cls in type(error).__mro__):
        return True
    if isinstance(error, ConnectionError | TimeoutError | asyncio.TimeoutError | EOFError | socket.gaierror):
        return True
    return isinstance(error, OSError) and error.errno in _MAY_PASS


def _words_of(error: Exception) -> str:
    said = _QUERY.sub(r"\1", str(error)).strip().rstrip(".")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
