"""What the status of an answer means, and what the server says of it, fit to be repeated."""

import math
import re
from base64 import b64decode
from email.utils import parsedate_to_datetime
from html import unescape
from time import time
from urllib.parse import quote, quote_plus

from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    NotFound,
    PermissionDenied,
    Rejected,
    Unavailable,
)
from wheelrelay.http.response import Response
from wheelrelay.http.urls import shown
from wheelrelay.redaction import redacted

SAID_BY_SERVER = 300
"""Characters of an answer that are repeated in an error."""

LONGEST_WAIT = 1e9
"""Seconds that stand for any longer wait that a server asks for."""

READ_FOR_WORDS = 1 << 14
"""Bytes of an answer that are searched for words."""

_CODE = re.compile(r"<(script|style)\b.*?(?:</\1[^>]*>|$)|<!--.*?(?:-->|$)", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*(?:>|$)")

_RIGHTS = "Check what these credentials may do there."

_NO_CREDENTIALS = "No credentials were sent: check the address, and whether this remote needs some."

_HINTS = {
    405: "This address does not take what was asked of it: check that it is the right one.",
    409: "Something else is there, or was done, at the same time: look what is there.",
    413: "The server takes nothing of this size: ask those who run it, or make it smaller.",
}
"""What to do about a status where more can be said than that it would come again."""


def raise_for(response: Response) -> None:
    """Raise the error that the status of an answer stands for; nothing for success. See `error_for`."""
    if error := error_for(response):
        raise error


def error_for(response: Response) -> BackendError | None:
    """The error that the status of an answer stands for, with the server's own words; none for success.

    `AuthenticationFailed` is 401, `PermissionDenied` 403, `NotFound` 404 and 410, `Unavailable` 408, 425, 429
    and 5xx, `Rejected` any other status that is not success; redirects too, if they were not followed.
    """
    status = response.status_code
    if 200 <= status < 300:
        return None
    told = f"{shown(response.url)} answered {status}{words_of(response)}"
    if status == 401:
        return AuthenticationFailed(told, hint="Check the credentials of this remote.")
    if status == 403:
        return PermissionDenied(told, hint=_RIGHTS if "Authorization" in response.sent else _NO_CREDENTIALS)
    if status in (404, 410):
        return NotFound(told, hint="Check the address.")
    if status in (408, 425, 429) or status >= 500:
        return Unavailable(told, retry_after=retry_after(response))
    return Rejected(told, status=status, hint=_what_to_do_about(status))


def _what_to_do_about(status: int) -> str:
    if status < 400:
        return (
            "That is no answer to what was asked: check the address, and what stands between here and there."
        )
    return _HINTS.get(status, "It would be refused again: change what it complains of.")


def repeated(said: str, *secrets: str) -> str:
    r"""What a server said, fit to be repeated: short, on one line, and without what was entrusted to it.

    Args:
        said: its words.
        secrets: what was sent to it; some servers repeat that in their answers.

    >>> repeated("No such\ntoken: hunter2.", "hunter2")
    'No such token: ***'
    """
    for secret in filter(None, secrets):
        said = said.replace(secret, "***")
    said = redacted(said)
    plain = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in " ".join(said.split())
    )
    return plain[:SAID_BY_SERVER].rstrip(".")


def retry_after(response: Response) -> float | None:
    """Seconds that the server asks to wait (RFC 9110, section 10.2.3), if it does; see `seconds_to_wait`."""
    return seconds_to_wait(response.headers.get("Retry-After", ""))


def seconds_to_wait(value: str) -> float | None:
    """Seconds that a ``Retry-After`` header asks to wait: a number, or a date that is compared with now.

    What cannot be understood is ignored. The result is finite and not negative, however long the header is.

    >>> seconds_to_wait("120"), seconds_to_wait("1.5"), seconds_to_wait("nan"), seconds_to_wait("soon")
    (120.0, 1.5, None, None)
    """
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    if math.isnan(seconds) or seconds < 0:
        return None
    return min(seconds, LONGEST_WAIT)


def _seconds_until(date: str) -> float:
    """Seconds until a date of HTTP, none if it is over; not a number if it is no date."""
    try:
        return max(0.0, parsedate_to_datetime(date.strip()).timestamp() - time())
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return math.nan


def words_of(response: Response) -> str:
    """What the server says of its refusal, with a colon before and a full stop behind it.

    That is the start of the body, if it is text, or the text of an HTML page that refuses a request. Pages
    about failures of the server (5xx) say no more than the reason phrase.
    """
    said = response.reason
    # Read in any case: with an answer that is read to its end, the connection can be used again.
    body = response.beginning(READ_FOR_WORDS).decode("utf-8", "replace")
    if "html" not in response.headers.get("Content-Type", "html").lower():
        said = body.strip() or said
    elif 400 <= response.status_code < 500:
        said = text_of_html(body) or said
    said = repeated(_without_status(said, response), *_sent_secrets(response))
    return f": {said}." if said else "."


def _without_status(said: str, response: Response) -> str:
    """The words without the status and the reason phrase at their start, if more follows these.

    Many servers begin the title of an error page with the status, and the message names it already.
    """
    without_code = _after(said, str(response.status_code)) or said.strip()
    return _after(without_code, response.reason) or without_code


def _after(said: str, start: str) -> str:
    """What follows ``start``, if the words begin with it and do not go on in the same word or number."""
    said, start = said.strip(), start.strip()
    rest = said[len(start) :]
    goes_on = rest[:1].isalnum() or (rest[:1] in ".," and rest[1:2].isdigit())
    if goes_on or not said.lower().startswith(start.lower()):
        return said
    return rest.lstrip(" \t\r\n:.,;-\N{EN DASH}\N{EM DASH}")


def text_of_html(page: str) -> str:
    """The text of the beginning of a page of HTML: its title, then what is not in the title.

    >>> text_of_html("<title>400 Bad</title><h1>400 Bad</h1><p>The name is &lt;taken&gt;.</p>")
    '400 Bad: The name is <taken>.'
    """
    without_code = _CODE.sub(" ", page)
    found = _TITLE.search(without_code)
    title, body = (found[1], without_code[found.end() :]) if found else ("", without_code)
    texts = [" ".join(unescape(_TAG.sub(" ", part)).split()) for part in (title, body)]
    texts[1] = texts[1].removeprefix(texts[0]).strip()
    return ": ".join(filter(None, texts))


def _sent_secrets(response: Response) -> tuple[str, ...]:
    """The credentials that went with a request: as in its header, in plain text, and percent-encoded."""
    scheme, _, value = response.sent.get("Authorization", "").partition(" ")
    secrets = [value]
    if scheme == "Basic":
        secrets.append(b64decode(value).decode("utf-8", "replace").partition(":")[2])
    spelled = {spell(secret) for secret in secrets for spell in (str, quote, quote_plus, _quoted_whole)}
    return tuple(sorted(spelled, key=len, reverse=True))


def _quoted_whole(secret: str) -> str:
    return quote(secret, safe="")
