"""Send a file by the legacy upload API, in one pass over its bytes, and tell what the answer means."""

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

KEPT_OF_PAGE = 200
"""Bytes of an answer that show whether it is a web page."""

_PAGE = re.compile(rb"\s*<(?:!doctype html|html)\b", re.IGNORECASE)
_PAGE_OF_SUCCESS = re.compile(rb"<title>\s*20\d\b", re.IGNORECASE)
"""PyPI answers an accepted upload with a page whose title is ``200 OK``."""

_RESERVED = re.compile(r"\bnamespaces?\b|\breserv(?:ed|es|ation)\b", re.IGNORECASE)
"""Words by which an index refuses a project whose name begins as a reserved namespace does (PEP 752)."""


def upload(http: HttpClient, url: str, staged: StagedFile) -> None:
    """Send one file with its signature to an index.

    Raises:
        AlreadyExists: the index says so by its status (409); others answer 400 or 403, and mean many things.
        ChangedWhileReading: the local file was touched.
        Rejected: the index refuses the file, in its own words, also for a name in a reserved namespace (409,
            PEP 752); or the file is no distribution.
        BackendError: as `wheelrelay.http.raise_for` maps the answer.
        Unavailable: also when no answer came; the index may have taken the file all the same.
    """
    with staged.open():  # a file that was touched must not be taken for one that was built badly
        fields = form_fields(staged)
    answer = _send(http, url, fields, staged)
    if answer.status_code in (401, 403) and http.renew_credentials(answer):  # PyPI: 403 if one has expired
        answer = _send(http, url, fields, staged)
    _raise_for_upload(answer, staged.filename)


def _send(http: HttpClient, url: str, fields: list[tuple[str, Any]], staged: StagedFile) -> Response:
    with staged.open() as stream:
        body = FormBody(fields, staged.filename, stream)
        return http.post(url, body=body, headers={"Content-Type": body.content_type})


def _raise_for_upload(answer: Response, filename: str) -> None:
    if answer.status_code == 409:
        raise _conflict(display_url(answer.url), filename, server_message(answer))
    if answer.is_redirect:
        raise Rejected(
            f"{display_url(answer.url)} redirects uploads to {display_url(redirect_target(answer))}.",
            status=answer.status_code,
            hint="Give that address as upload_url if you trust it.",
        )
    raise_for_status(answer)
    beginning = answer.peek(KEPT_OF_PAGE)
    if _PAGE.match(beginning) and not _PAGE_OF_SUCCESS.search(beginning):
        _say_that_a_page_answered(display_url(answer.url))


def _conflict(url: str, filename: str, words: str) -> BackendError:
    """The error that a 409 stands for: PEP 752 gives it a second meaning beside that of a taken name.

    Only the words tell them apart where an index cannot be read. A refusal that were taken for a file that is
    there would have the upload pass for done.
    """
    if _RESERVED.search(words):
        return Rejected(
            f"{url} refuses {filename}: it answered 409{words}",
            status=409,
            hint="The project's name is in a reserved namespace (PEP 752). Choose another name, or upload "
            "with the credentials of the namespace's owner.",
        )
    return AlreadyExists(f"{url} says that {filename} conflicts with what is there: it answered 409{words}")


@cache
def _say_that_a_page_answered(url: str) -> None:
    logger.warning(
        "%s answered an upload with a web page. If no file appears, this is not the address of the upload "
        "API: check upload_url.",
        url,
    )
