"""Map Swift's statuses and libcloud's exceptions to wheelrelay's errors."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import InvalidCredsError, LibcloudError

from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    BackendError,
    ConfigError,
    DigestMismatch,
    NotFound,
    PermissionDenied,
    Rejected,
    Unavailable,
    WheelrelayError,
)
from wheelrelay.http import (
    MAX_QUOTED,
    Response,
    connection_error,
    display_url,
    map_errors,
    retry_after,
    sanitized,
)

_RETRYABLE = (408, 409, 425, 429, 498)
"""Temporary failures besides 5xx: Swift answers 409 to concurrent writers, Rackspace 498 as a rate limit."""

_BY_STATUS: dict[int, tuple[type[WheelrelayError], str | None]] = {
    401: (AuthenticationFailed, "Check the credentials of this remote."),
    403: (PermissionDenied, "Check the permissions of these credentials."),
    404: (NotFound, None),
    410: (NotFound, None),
    412: (AlreadyExists, "The name is taken; nothing was changed."),
    422: (DigestMismatch, "The bytes were corrupted in transit; nothing was written."),
}

_PARSE_ERRORS = (KeyError, TypeError, ValueError, AttributeError)

_HINTS = {413: "This exceeds the quota of the account or the size limit of the cluster."}

_RATE_LIMIT = re.compile(r"\brate|over[- ]?limit|too many requests", re.IGNORECASE)
"""Marks a 413 that means too many requests, not too many bytes: clusters older than status 429 send it."""


def error_for(status: int, message: str, *, wait: float | None = None) -> WheelrelayError:
    """Return the error for an HTTP status of Swift, of its identity service or of Rackspace's CDN.

    Args:
        status: The status; not one of success.
        message: A sentence with the server's reason.
        wait: Seconds that the server requests to wait. A 413 with such a request is temporary (RFC 9110,
            section 15.5.14).
    """
    limited = status == 413 and (wait is not None or _RATE_LIMIT.search(message))
    if status in _RETRYABLE or status >= 500 or limited:
        return Unavailable(message, retry_after=wait)
    if status in _BY_STATUS:
        kind, hint = _BY_STATUS[status]
        return kind(message, hint=hint)
    return Rejected(message, status=status, hint=_HINTS.get(status))


def raise_for(answer: Response) -> None:
    """Raise the error for the status of an answer, unless it is a success."""
    status = answer.status_code
    if not 200 <= status < 300:
        message = f"{answer.method} {display_url(answer.url)} answered {status}: {_reason(answer)}."
        raise error_for(status, message, wait=retry_after(answer))


@contextmanager
def libcloud_errors(url: str) -> Iterator[None]:
    """Map exceptions that libcloud raises during requests to ``url`` to wheelrelay's errors."""
    with map_errors(url):
        try:
            yield
        except requests.TooManyRedirects as error:
            raise ConfigError(
                f"{display_url(url)} redirects to another address.",
                hint="Configure the final address.",
            ) from error
        except requests.RequestException as error:
            raise connection_error(url, error) from error
        except InvalidCredsError as error:
            raise error_for(401, f"{display_url(url)} does not accept the credentials.") from error
        except BaseHTTPError as error:
            message = f"{display_url(url)} answered {error.code}: {sanitized(str(error.message))}."
            raise error_for(error.code, message, wait=_seconds(error.headers or {})) from error
        except LibcloudError as error:
            if "code: 5" in str(error):
                raise Unavailable(f"{display_url(url)} failed.") from error
            raise unexpected(url) from error
        except _PARSE_ERRORS as error:
            raise unexpected(url) from error


@contextmanager
def parsing(url: str) -> Iterator[None]:
    """Map exceptions about missing or malformed parts of an answer to an error of ours."""
    try:
        yield
    except _PARSE_ERRORS as error:
        raise unexpected(url) from error


def unexpected(url: str) -> BackendError:
    """Return the error for an answer that does not come from Swift, but from a proxy or another server."""
    return BackendError(
        f"{display_url(url)} did not answer like a Swift service.",
        hint="Check that this is the address of a Swift service.",
    )


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Return the wait that a server requests; libcloud has converted dates to seconds."""
    value = headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None


def _reason(answer: Response) -> str:
    """Return the server's explanation; the reason phrase if the body is a web page."""
    text = answer.text[:MAX_QUOTED] if _is_plain_text(answer) else ""
    return sanitized(text or answer.reason or "") or "no reason"


def _is_plain_text(answer: Response) -> bool:
    return answer.headers.get("Content-Type", "").startswith("text/plain")
