"""Turn what fsspec and the libraries beneath it raise into our errors."""

import asyncio
import errno
import ftplib
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
from wheelrelay.http import display_url

_MAY_PASS = {errno.EBUSY, errno.EAGAIN, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EPIPE}

_NO_CONNECTION = {
    *("ClientConnectionError", "ConnectTimeoutError", "EndpointConnectionError"),
    *("ServiceRequestError", "ServiceResponseError"),  # Azure
    *("ChannelException", "NoValidConnectionsError", "ProxyCommandFailure", "SSHException"),  # SFTP
}
"""What libraries that need not be installed call a connection that failed."""

_NO_LOGIN = {"AuthenticationException", "ClientAuthenticationError", "NoAuthenticationError"}
"""What they call credentials that are not accepted."""

_NOT_PROVED = {"BadHostKeyException", "SSLCertVerificationError"}
"""What they call a server that is not the one that is meant."""

_QUERY = re.compile(r"(\w+://[^\s?'\"]*)\?[^\s'\"]*")
"""An address with a query, which may hold a signature."""

_CUT = {"ClientPayloadError", "IncompleteReadError", "IncompleteRead"}
"""What they call a body that ends early."""

_CHECK_RIGHTS = "Check what these credentials may do there."


def shown_chain(url: str) -> str:
    """An fsspec URL, each part of it without what may be secret there."""
    return "::".join(display_url(part) if "://" in part else part for part in url.split("::"))


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
    if isinstance(error, FileNotFoundError) and (hidden := hidden_by(error)):
        return _ours(hidden, address)
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        return _ours(error.__cause__, address)  # adlfs wraps whatever fails while it writes
    match error:
        case FileNotFoundError():
            return NotFound(f"{address} is not there.")
        case FileExistsError():
            return AlreadyExists(f"{address} is there already.")
        case PermissionError():
            return PermissionDenied(
                f"{address}: permission denied.", hint="Check what these credentials may do."
            )
    if _is_one_of(_CUT, error):
        return SizeMismatch(f"{address} ended before all of the promised bytes had come.")
    return _by_status(error, f"{address}: {_words_of(error)}.")


def _by_status(error: Exception, told: str) -> WheelrelayError:
    status = _status_of(error)
    if _is_one_of(_NOT_PROVED, error):
        return BackendError(told, hint="Check that this is the server that is meant.")
    if status in (404, 410):
        return NotFound(told)
    if status in (401, 530) or _is_one_of(_NO_LOGIN, error):
        return AuthenticationFailed(told, hint="Check the credentials under options.")
    if status == 403:
        return PermissionDenied(told, hint=_CHECK_RIGHTS)
    if status in (408, 429) or 500 <= status < 530 or may_pass(error):
        return Unavailable(told)
    return BackendError(told)


def _status_of(error: Exception) -> int:
    """The status of an answer, of HTTP or of FTP's refusals; 0 if there is none.

    FTP's 500 to 504 are commands that a server does not know, and 550 to 553 leave open what was refused.
    """
    if isinstance(error, ftplib.error_perm):
        return 530 if str(error).startswith("530") else 0
    found = (getattr(error, name, None) for name in ("status", "status_code", "code"))
    return next((status for status in found if isinstance(status, int)), 0)


def _is_one_of(names: set[str], error: Exception) -> bool:
    return any(cls.__name__ in names for cls in type(error).__mro__)


def hidden_by(error: FileNotFoundError) -> Exception | None:
    """What "not found" was only concluded from, as over HTTP from any failure: unknown is not absent."""
    cause = error.__cause__
    if isinstance(cause, FileNotFoundError):
        return hidden_by(cause)
    if isinstance(cause, Exception) and (hasattr(cause, "status") or may_pass(cause)):
        return cause
    return None


def may_pass(error: BaseException) -> bool:
    """Whether an error is one of the connection or of the moment, so that trying again may help."""
    if any(cls.__name__ in _NO_CONNECTION for cls in type(error).__mro__):
        return not any(cls.__name__ in _NO_LOGIN | _NOT_PROVED for cls in type(error).__mro__)
    if isinstance(error, ConnectionError | TimeoutError | asyncio.TimeoutError | EOFError | socket.gaierror):
        return True
    if isinstance(error, ftplib.error_temp | ftplib.error_reply | ftplib.error_proto):
        return True
    return isinstance(error, OSError) and error.errno in _MAY_PASS


def _words_of(error: Exception) -> str:
    said = _QUERY.sub(r"\1", str(error)).strip().rstrip(".")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
