"""Map the errors of fsspec, and of the libraries that it uses, to ours."""

import asyncio
import errno
import ftplib
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from wheelrelay.config.fsspec_urls import may_contain_login, parts_of_chain
from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    BackendError,
    NotFound,
    PermissionDenied,
    SizeMismatch,
    TimedOut,
    Unavailable,
    WheelrelayError,
)
from wheelrelay.http import DEFAULT_TIMEOUT, display_url

_TRANSIENT_ERRNOS = {
    errno.EBUSY,
    errno.EAGAIN,
    errno.ETIMEDOUT,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.EPIPE,
}

# The classes of optional libraries are compared by name, so that the libraries need not be installed.

_CONNECTION_ERRORS = {
    *("ClientConnectionError", "ConnectTimeoutError", "EndpointConnectionError"),
    *("ServiceRequestError", "ServiceResponseError"),  # Azure
    *("ChannelException", "NoValidConnectionsError", "ProxyCommandFailure", "SSHException"),  # SFTP
}

_REQUESTS_ERRORS = {"ConnectionError", "Timeout", "ChunkedEncodingError"}
"""Connection errors of requests (WebHDFS, GitHub), which are not built-in ones in spite of their names."""

_TIMEOUTS = {"ReadTimeout", "ReadTimeoutError"}
"""Timeouts of requests and botocore, which do not inherit from Python's."""

_TIMEOUT_CLASSES = (TimeoutError, asyncio.TimeoutError)

_LOGIN_ERRORS = {"AuthenticationException", "ClientAuthenticationError", "NoAuthenticationError"}

_IDENTITY_ERRORS = {"BadHostKeyException", "SSLCertVerificationError"}

_TRUNCATION_ERRORS = {"ClientPayloadError", "IncompleteReadError", "IncompleteRead"}

_QUERY = re.compile(r"(\w+://[^\s?'\"]*)\?[^\s'\"]*")
"""A URL with a query, which may contain a signature."""

_REPEATING_LIBRARIES = {"aiobotocore", "azure", "botocore"}
"""Libraries that repeat a request without an answer once."""

_HINT_FOR_NETWORK = "Check the URL and the network."

_HINT_FOR_PERMISSIONS = "Check the permissions of these credentials."

_WHILE_CONNECTING = (ConnectionRefusedError, socket.gaierror)
"""Errors that only occur before there is a connection."""


def display_chain(url: str) -> str:
    """Return an fsspec URL (which may be a chain, such as ``zip::sftp://...``) without secrets."""
    parts = parts_of_chain(url)
    return "::".join(
        display_url(part) if "://" in part and may_contain_login(part) else part for part in parts
    )


@contextmanager
def map_errors(address: str) -> Iterator[None]:
    """Map all errors to ours; ``address`` is the URL for their messages."""
    began = monotonic()
    try:
        yield
    except WheelrelayError:
        raise
    except Exception as error:
        mapped = _mapped(error, address)
        if isinstance(mapped, TimedOut):
            # The context may be a long upload, of which the server was silent only at the end.
            mapped.waited = min((monotonic() - began) / mapped.requests, DEFAULT_TIMEOUT)
        raise mapped from error


def _mapped(error: Exception, address: str) -> WheelrelayError:
    if isinstance(error, FileNotFoundError) and (concealed := concealed_error(error)):
        return _mapped(concealed, address)
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        return _mapped(error.__cause__, address)  # adlfs wraps all errors of writing
    match error:
        case FileNotFoundError():
            return NotFound(f"{address} does not exist.")
        case FileExistsError():
            return AlreadyExists(f"{address} already exists.")
        case PermissionError():
            return PermissionDenied(f"{address}: permission denied.", hint=_HINT_FOR_PERMISSIONS)
    if _is_one_of(_TRUNCATION_ERRORS, error):
        return SizeMismatch(
            f"{address} ended early.", hint="If this persists, the server's copy is truncated."
        )
    return _by_status(error, address)


def _by_status(error: Exception, address: str) -> WheelrelayError:
    status, message = _status_of(error), f"{address}: {_reason(error)}."
    if _is_one_of(_IDENTITY_ERRORS, error):
        return BackendError(message, hint="Check that this is the right server.")
    if status in (404, 410):
        return NotFound(message)
    if status in (401, 530) or _is_one_of(_LOGIN_ERRORS, error):
        return AuthenticationFailed(message, hint="Check the credentials in options.")
    if status == 403:
        return PermissionDenied(message, hint=_HINT_FOR_PERMISSIONS)
    if status in (408, 429) or 500 <= status < 530:
        return Unavailable(message)
    if is_transient(error):
        return _connection_failed(error, address)
    return BackendError(message)


def _connection_failed(error: Exception, address: str) -> Unavailable:
    """Return the error for a connection that could not be made, or that broke."""
    chain = [*_chain(error)]
    reason = next(filter(None, map(_system_reason, chain)), None) or _reason(error)
    if any(isinstance(inner, _WHILE_CONNECTING) for inner in chain):
        return Unavailable(f"Cannot connect to {address}: {reason}.", hint=_HINT_FOR_NETWORK)
    if _is_one_of(_TIMEOUTS, error) or any(isinstance(inner, _TIMEOUT_CLASSES) for inner in chain):
        return TimedOut(
            f"{address} did not respond in time.",
            waited=0.0,
            requests=max(map(_requests_of, chain)),
            hint="If the server needs longer, raise the timeout.",
        )
    if _is_one_of(_CONNECTION_ERRORS, error):
        return Unavailable(f"Cannot connect to {address}: {reason}.", hint=_HINT_FOR_NETWORK)
    if any(isinstance(inner, ConnectionError | EOFError) for inner in chain):
        return Unavailable(f"The connection to {address} broke: {reason}.")
    return Unavailable(f"{address}: {reason}.")


def _requests_of(error: BaseException) -> int:
    """Return how many requests the library of an error has sent; `connection` limits its retries."""
    return 2 if type(error).__module__.split(".")[0] in _REPEATING_LIBRARIES else 1


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and the errors that it wraps, as aiohttp, paramiko and requests do."""
    seen: set[int] = set()
    pending: list[object] = [error]
    while pending:
        inner = pending.pop(0)
        if not isinstance(inner, BaseException) or id(inner) in seen:
            continue
        yield inner
        seen.add(id(inner))
        addresses = getattr(inner, "errors", None)  # of paramiko: one error for each address of the host
        pending += [getattr(inner, "os_error", None), getattr(inner, "reason", None), *inner.args]
        pending += [inner.__cause__, *(addresses.values() if isinstance(addresses, dict) else ())]


def _system_reason(error: BaseException) -> str | None:
    """Return the operating system's text for an error, if it is one of its errors."""
    if isinstance(error, EOFError) and not str(error):
        return "the server closed it"
    if isinstance(error, socket.gaierror):
        return error.strerror or "the host name cannot be resolved"
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return None


def _status_of(error: Exception) -> int:
    """Return the status of a response of HTTP, or of a login that FTP rejected; 0 if there is none.

    FTP's 500 to 504 mean an unknown command, and 550 to 553 do not distinguish causes.
    """
    if isinstance(error, ftplib.error_perm):
        return 530 if str(error).startswith("530") else 0
    values = (getattr(error, name, None) for name in ("status", "status_code", "code"))
    return next((status for status in values if isinstance(status, int)), 0)


def _is_one_of(names: set[str], error: BaseException) -> bool:
    return any(cls.__name__ in names for cls in type(error).__mro__)


def concealed_error(error: FileNotFoundError) -> Exception | None:
    """Return the error behind a "not found" that fsspec inferred from any failure, as it does over HTTP.

    Unknown must not be taken for absent.
    """
    cause = error.__cause__
    if isinstance(cause, FileNotFoundError):
        return concealed_error(cause)
    if isinstance(cause, Exception) and (hasattr(cause, "status") or is_transient(cause)):
        return cause
    return None


def is_transient(error: BaseException) -> bool:
    """Return whether an error is about the connection or temporary, so that a retry may help."""
    if _is_one_of(_CONNECTION_ERRORS, error):
        return not _is_one_of(_LOGIN_ERRORS | _IDENTITY_ERRORS, error)
    if isinstance(error, (ConnectionError, *_TIMEOUT_CLASSES, EOFError, socket.gaierror)):
        return True
    if isinstance(error, ftplib.error_temp | ftplib.error_reply | ftplib.error_proto):
        return True
    if isinstance(error, OSError) and error.errno in _TRANSIENT_ERRNOS:
        return True
    return _is_one_of(_REQUESTS_ERRORS, error)


def _reason(error: Exception) -> str:
    """Return the message of an error on one line, without queries of URLs; its class if it has none."""
    text = " ".join(_QUERY.sub(r"\1", str(error)).split()).rstrip(".")
    return text or type(error).__name__
