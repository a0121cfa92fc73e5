"""What Swift's statuses and libcloud's exceptions mean: the one place where they become our errors."""

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

_PASSING = (408, 409, 425, 429, 498)
"""Beyond 5xx. Swift answers 409 to two writers at once, Rackspace 498 to too many requests."""

_KINDS: dict[int, tuple[type[WheelrelayError], str | None]] = {
    401: (AuthenticationFailed, "Check the credentials of this remote."),
    403: (PermissionDenied, "Check what these credentials may do there."),
    404: (NotFound, None),
    410: (NotFound, None),
    412: (AlreadyExists, "The name is taken, and nothing was changed."),
    422: (DigestMismatch, "The bytes were changed on their way; nothing was written."),
}

_NOT_AS_EXPECTED = (KeyError, TypeError, ValueError, AttributeError)

_HINTS = {413: "The account's quota, or the cluster's limit for one object, is exceeded."}

_RATE = re.compile(r"\brate|over[- ]?limit|too many requests", re.IGNORECASE)
"""What clusters older than status 429 say with a 413 that means too many requests, and not too many bytes."""


def error_for(status: int, told: str, *, wait: float | None = None) -> WheelrelayError:
    """The error that an HTTP status of Swift, of its identity service or of Rackspace's CDN stands for.

    Args:
        status: the status, not one of success.
        told: what happened, as a sentence, with the server's words.
        wait: seconds that the server asks to wait; a 413 that asks for it will pass (RFC 9110, section
            15.5.14).
    """
    limited = status == 413 and (wait is not None or _RATE.search(told))
    if status in _PASSING or status >= 500 or limited:
        return Unavailable(told, retry_after=wait)
    if status in _KINDS:
        kind, hint = _KINDS[status]
        return kind(told, hint=hint)
    return Rejected(told, status=status, hint=_HINTS.get(status))


def raise_for(answer: Response) -> None:
    """Raise the error that the status of an answer stands for; nothing for success."""
    status = answer.status_code
    if not 200 <= status < 300:
        told = f"{answer.method} {display_url(answer.url)} answered {status}: {_words_of(answer)}."
        raise error_for(status, told, wait=retry_after(answer))


@contextmanager
def libcloud_errors(url: str) -> Iterator[None]:
    """Turn what libcloud raises while it speaks to ``url`` into our errors."""
    with map_errors(url):
        try:
            yield
        except requests.TooManyRedirects as error:
            raise ConfigError(
                f"{display_url(url)} redirects to another address.", hint="Give the address that is meant."
            ) from error
        except requests.RequestException as error:
            raise connection_error(url, error) from error
        except InvalidCredsError as error:
            raise error_for(401, f"{display_url(url)} does not accept the credentials.") from error
        except BaseHTTPError as error:
            told = f"{display_url(url)} answered {error.code}: {sanitized(str(error.message))}."
            raise error_for(error.code, told, wait=_seconds(error.headers or {})) from error
        except LibcloudError as error:
            if "code: 5" in str(error):
                raise Unavailable(f"{display_url(url)} failed.") from error
            raise unexpected(url) from error
        except _NOT_AS_EXPECTED as error:
            raise unexpected(url) from error


@contextmanager
def parsing(url: str) -> Iterator[None]:
    """Turn what a part of an answer raises that is missing, or of another kind, into our error."""
    try:
        yield
    except _NOT_AS_EXPECTED as error:
        raise unexpected(url) from error


def unexpected(url: str) -> BackendError:
    """The error for an answer that no Swift gives, from a proxy or another server for instance."""
    return BackendError(
        f"{display_url(url)} does not answer as expected.",
        hint="Check that this is the address of a Swift service.",
    )


def _seconds(headers: Mapping[str, str]) -> float | None:
    """The wait that a server asks for; libcloud has made seconds of a date."""
    value = headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None


def _words_of(answer: Response) -> str:
    """What the server says of its refusal; the reason phrase where the text is a page for people."""
    said = ""
    if answer.headers.get("Content-Type", "").startswith("text/plain"):
        said = " ".join(answer.text[:MAX_QUOTED].split())
    return (said or answer.reason or "no reason").rstrip(".")
