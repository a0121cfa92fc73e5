"""Upload a file by the legacy upload API in one pass over its bytes, and interpret the response."""

import logging
import re
from functools import cache
from typing import Any

from wheelrelay.backends.index.upload_form import FormBody, form_fields
from wheelrelay.errors import AlreadyExists, BackendError, Rejected
from wheelrelay.http import (
    HttpClient,
    Response,
    display_url,
    raise_for_status,
    redirect_target,
    server_message,
)
from wheelrelay.staged import StagedFile

logger = logging.getLogger(__name__)

PEEK_SIZE = 200
"""Bytes of a response that show whether it is a web page."""

_HTML_PAGE = re.compile(rb"\s*<(?:!doctype html|html)\b", re.IGNORECASE)

_SUCCESS_PAGE = re.compile(rb"<title>\s*20\d\b", re.IGNORECASE)
"""PyPI responds to an accepted upload with a page whose title is ``200 OK``."""

_RESERVED = re.compile(r"\bnamespaces?\b|\breserv(?:ed|es|ation)\b", re.IGNORECASE)
"""Words with which an index rejects a project in a reserved namespace (PEP 752)."""


def upload(http: HttpClient, url: str, staged: StagedFile) -> bool:
    """Upload one file with its companions.

    Returns:
        Whether the response is one of an upload API, and not a web page.

    Raises:
        AlreadyExists: the index returned 409. Some return 400 or 403 instead, which also have other meanings.
        ChangedWhileReading: the local file was modified.
        Rejected: the index rejects the file, also for a name in a reserved namespace (409, PEP 752); or the
            file is not a valid distribution.
        BackendError: see `wheelrelay.http.status_error`.
        Unavailable: also if no response arrived; the index may have stored the file anyway.
    """
    with staged.open():  # detects a modified file, which would look like invalid metadata below
        fields = form_fields(staged)
    response = _send(http, url, fields, staged)
    # PyPI returns 403 for an expired token.
    if response.status_code in (401, 403) and http.renew_credentials(response):
        response = _send(http, url, fields, staged)
    return _accepts_upload(response, staged.filename)


def _send(http: HttpClient, url: str, fields: list[tuple[str, Any]], staged: StagedFile) -> Response:
    with staged.open() as stream:
        body = FormBody(fields, staged.filename, stream)
        return http.post(url, body=body, headers={"Content-Type": body.content_type})


def _accepts_upload(response: Response, filename: str) -> bool:
    if response.status_code == 409:
        raise _conflict(display_url(response.url), filename, server_message(response))
    if response.is_redirect:
        raise Rejected(
            f"{display_url(response.url)} redirects uploads to {display_url(redirect_target(response))}.",
            status=response.status_code,
            hint="Set upload_url to that URL if you trust it.",
        )
    raise_for_status(response)
    start = response.peek(PEEK_SIZE)
    if not _HTML_PAGE.match(start) or _SUCCESS_PAGE.search(start):
        return True
    _warn_of_web_page(display_url(response.url))
    return False


def _conflict(url: str, filename: str, message: str) -> BackendError:
    """Return the error for a 409: the filename exists, or the namespace is reserved (PEP 752).

    Only the message distinguishes them if the index cannot be read. A refusal must not be mistaken for an
    existing file, because the upload would then count as done.
    """
    if _RESERVED.search(message):
        return Rejected(
            f"{url} rejected {filename} with 409{message}",
            status=409,
            hint="The project's name is in a reserved namespace (PEP 752). Choose another name, or use the "
            "credentials of the namespace's owner.",
        )
    return AlreadyExists(f"{url} already has a file {filename}, or one that conflicts: 409{message}")


@cache
def _warn_of_web_page(url: str) -> None:
    logger.warning(
        "%s responded to an upload with a web page. If no file appears, this is not the URL of the upload "
        "API: check upload_url.",
        url,
    )
