"""Map the statuses of Google Cloud Storage to wheelrelay's errors."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    BackendError,
    DigestMismatch,
    NotFound,
    PermissionDenied,
    Rejected,
    Unavailable,
    WheelrelayError,
)
from wheelrelay.http import Response, display_url, retry_after, sanitized

RESUME = 308
"""The status of an upload in parts that is not complete."""

_RETRYABLE = (408, 409, 410, 425, 429)
"""Temporary failures besides 5xx: 409 reports a concurrent change, 410 an upload that has to start again."""

_RATE_LIMITS = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "retryLater"}
"""Reasons of a 403 that mean too many requests."""

_CHECKSUM = re.compile(r"crc32c|md5|checksum", re.IGNORECASE)

_PERMISSIONS_HINT = (
    "Check the permissions: reading requires storage.objects.list and storage.objects.get, writing also "
    "storage.objects.create."
)

_BUCKET_HINT = "Check the name of the bucket, or create it."


def raise_for(answer: Response) -> None:
    """Raise the error for the status of an answer, unless it is a success or `RESUME`."""
    status = answer.status_code
    if 200 <= status < 300 or status == RESUME:
        return
    details = _details(answer)
    reason = sanitized(str(details.get("message") or answer.reason or "")) or "no reason"
    message = f"{display_url(answer.url)} returned {status}: {reason}."
    raise _error(answer, message, _reasons(details))


def _error(answer: Response, message: str, reasons: set[str]) -> WheelrelayError:
    status = answer.status_code
    if (
        status in _RETRYABLE
        or (status >= 500 and status != 501)
        or (status == 403 and reasons & _RATE_LIMITS)
    ):
        return Unavailable(message, retry_after=retry_after(answer))
    if status == 400 and _CHECKSUM.search(message):
        return DigestMismatch(f"{message} Nothing was written.")
    if status == 401:
        return AuthenticationFailed(message, hint="Check the credentials, and the clock of this machine.")
    if status == 403:
        return PermissionDenied(message, hint=_PERMISSIONS_HINT)
    if status == 404:
        return NotFound(message, hint=_BUCKET_HINT if "bucket does not exist" in message else None)
    if status == 412:
        return AlreadyExists(message)
    return Rejected(message, status=status, hint="Check endpoint_url." if status < 400 else None)


@contextmanager
def parsing(url: str) -> Iterator[None]:
    """Map exceptions about missing or malformed parts of an answer to an error of ours."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BackendError(
            f"{display_url(url)}: this is not the answer of Google Cloud Storage.", hint="Check endpoint_url."
        ) from error


def _details(answer: Response) -> Mapping[str, Any]:
    """Return the ``error`` of a JSON answer; a text without JSON is its message."""
    text = answer.peek(1 << 14).decode("utf-8", "replace")
    try:
        error = json.loads(text)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {"message": text if answer.headers.get("Content-Type", "").startswith("text/plain") else ""}
    return error if isinstance(error, dict) else {"message": error}


def _reasons(details: Mapping[str, Any]) -> set[str]:
    errors = details.get("errors")
    entries = errors if isinstance(errors, list) else []
    return {str(entry.get("reason")) for entry in entries if isinstance(entry, dict)}
