"""Map the statuses and error codes of Azure Blob Storage to wheelrelay's errors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

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

_TAKEN_CODES = {"BlobAlreadyExists", "ConditionNotMet", "UnauthorizedBlobOverwrite"}
"""The name is taken; the last one if the credentials permit creation only."""

_RETRYABLE_CODES = {
    "ContainerBeingDeleted",
    "InternalError",
    "InvalidBlockList",
    "OperationTimedOut",
    "ServerBusy",
}
"""Temporary failures with any status. Another writer's upload may have discarded blocks of this one."""

_CREDENTIAL_CODES = {"AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation"}

_PERMISSIONS_HINT = (
    "Check the permissions: reading requires the role Storage Blob Data Reader, writing Storage Blob Data "
    "Contributor."
)

_MISMATCH = re.compile(r"md5.*(mis|not |n't )match", re.IGNORECASE)
"""The message about a wrong digest; Azurite has another code for it than Azure."""

_CODE = re.compile(r"<Code>([^<]*)</Code>")
_MESSAGE = re.compile(r"<Message>([^<\n]*)")


def raise_for(answer: Response) -> None:
    """Raise the error for the status of an answer, unless it is a success."""
    if not 200 <= answer.status_code < 300:
        raise _error(answer)


def _error(answer: Response) -> WheelrelayError:
    status = answer.status_code
    text = answer.peek(1 << 14).decode("utf-8", "replace")
    code = answer.headers.get("x-ms-error-code") or _first(_CODE, text)
    reason = sanitized(_first(_MESSAGE, text) or code or answer.reason or "") or "no reason"
    message = f"{display_url(answer.url)} returned {status}: {reason}."
    if code in _RETRYABLE_CODES or status in (408, 425, 429) or (status >= 500 and status != 501):
        return Unavailable(message, retry_after=retry_after(answer))
    if code in _TAKEN_CODES:
        return AlreadyExists(message)
    if status == 400 and _MISMATCH.search(message):
        return DigestMismatch(f"{message} Nothing was written.")
    if code in _CREDENTIAL_CODES or status == 401 or "failed to authenticate" in message:
        return AuthenticationFailed(message, hint="Check the credentials, and the clock of this machine.")
    return _by_status(status, code, message)


def _by_status(status: int, code: str, message: str) -> WheelrelayError:
    if status == 404:
        is_container = code == "ContainerNotFound"
        return NotFound(message, hint="Check the container, or create it." if is_container else None)
    if status == 403 or code == "PublicAccessNotPermitted":
        return PermissionDenied(message, hint=_PERMISSIONS_HINT)
    return Rejected(message, status=status, hint="Check endpoint_url." if status < 400 else None)


@contextmanager
def parsing(url: str) -> Iterator[None]:
    """Map exceptions about missing or malformed parts of an answer to an error of ours."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, SyntaxError) as error:
        raise BackendError(
            f"{display_url(url)}: this is not the answer of Azure Blob Storage.",
            hint="Check account and endpoint_url.",
        ) from error


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
