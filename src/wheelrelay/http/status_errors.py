"""Errors for HTTP status codes, with the server's message in a form that is safe to print."""

import re
from base64 import b64decode
from html import unescape
from urllib.parse import quote, quote_plus

from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    NotFound,
    PermissionDenied,
    Rejected,
    Unavailable,
)
from wheelrelay.http.headers import parse_retry_after
from wheelrelay.http.response import Response
from wheelrelay.http.urls import display_url
from wheelrelay.redaction import redact

MAX_QUOTED = 300
"""Characters of a server's message that an error quotes."""

MAX_MESSAGE_BODY = 1 << 14
"""Bytes of a response that are searched for a message."""

_INVISIBLE = re.compile(r"<(script|style)\b.*?(?:</\1[^>]*>|$)|<!--.*?(?:-->|$)", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*(?:>|$)")

_HINT_WITH_CREDENTIALS = "Check the permissions of these credentials."

_HINT_WITHOUT_CREDENTIALS = (
    "No credentials were sent. Check the URL, and whether this remote needs credentials."
)

_HINT_FOR_REDIRECT = "Unexpected status. Check the URL, and any proxy on the way."

_HINT_FOR_OTHERS = "Retrying does not help. Fix the problem that the server reports."

_HINTS = {
    405: "The server does not support this request at this URL. Check the URL.",
    409: "It conflicts with an existing file or a concurrent change. List the remote.",
    413: "The server does not accept files of this size. Make the file smaller, or ask the operators.",
}
"""Hints for statuses that have a known cause."""


def raise_for_status(response: Response) -> None:
    """Raise the error for the status of a response, unless it is a success; see `status_error`."""
    if error := status_error(response):
        raise error


def status_error(response: Response) -> BackendError | None:
    """Return the error for the status of a response, with the server's message; ``None`` for success.

    `AuthenticationFailed` for 401, `PermissionDenied` for 403, `NotFound` for 404 and 410, `Unavailable` for
    408, 425, 429 and 5xx, and `Rejected` for all others, including redirects that were not followed.
    """
    status = response.status_code
    if 200 <= status < 300:
        return None
    message = f"{display_url(response.url)} returned {status}{server_message(response)}"
    if status == 401:
        return AuthenticationFailed(message, hint="Check the credentials of this remote.")
    if status == 403:
        has_credentials = "Authorization" in response.request_headers
        hint = _HINT_WITH_CREDENTIALS if has_credentials else _HINT_WITHOUT_CREDENTIALS
        return PermissionDenied(message, hint=hint)
    if status in (404, 410):
        return NotFound(message, hint="Check the URL.")
    if status in (408, 425, 429) or status >= 500:
        return Unavailable(message, retry_after=retry_after(response))
    hint = _HINT_FOR_REDIRECT if status < 400 else _HINTS.get(status, _HINT_FOR_OTHERS)
    return Rejected(message, status=status, hint=hint)


def retry_after(response: Response) -> float | None:
    """Return the seconds that the server requests to wait (RFC 9110, section 10.2.3), if any."""
    return parse_retry_after(response.headers.get("Retry-After", ""))


def sanitized(message: str, *secrets: str) -> str:
    r"""Return a server's message in a form that is safe to print: short, one line, without secrets.

    Args:
        message: the server's text.
        secrets: values that were sent to the server; some servers echo them.

    >>> sanitized("No such\ntoken: hunter2.", "hunter2")
    'No such token: ***'
    """
    for secret in filter(None, secrets):
        message = message.replace(secret, "***")
    message = redact(message)
    plain = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in " ".join(message.split())
    )
    return plain[:MAX_QUOTED].rstrip(".")


def server_message(response: Response) -> str:
    """Return the server's explanation of a status: a colon, the text and a full stop; or a full stop only.

    It is the start of a text body, or the text of an HTML page that comes with a 4xx status. HTML pages of
    5xx statuses are generic, so the reason phrase is used.
    """
    message = response.reason
    # The body is read in any case: a connection can only be reused after that.
    body = response.peek(MAX_MESSAGE_BODY).decode("utf-8", "replace")
    if "html" not in response.headers.get("Content-Type", "html").lower():
        message = body.strip() or message
    elif 400 <= response.status_code < 500:
        message = html_text(body) or message
    message = sanitized(_without_status(message, response), *_request_secrets(response))
    return f": {message}." if message else "."


def _without_status(message: str, response: Response) -> str:
    """Return the message without status code and reason phrase at its start, if more text follows.

    Many error pages have the status in their title, and our message has it already.
    """
    without_code = _without_prefix(message, str(response.status_code)) or message.strip()
    return _without_prefix(without_code, response.reason) or without_code


def _without_prefix(message: str, prefix: str) -> str:
    """Return the text after ``prefix``, unless the prefix ends within a word or number."""
    message, prefix = message.strip(), prefix.strip()
    rest = message[len(prefix) :]
    is_within_word = rest[:1].isalnum() or (rest[:1] in ".," and rest[1:2].isdigit())
    if is_within_word or not message.lower().startswith(prefix.lower()):
        return message
    return rest.lstrip(" \t\r\n:.,;-\N{EN DASH}\N{EM DASH}")


def html_text(page: str) -> str:
    """Return the visible text of an HTML page: its title, and its body without a repeated title.

    >>> html_text("<title>400 Bad</title><h1>400 Bad</h1><p>The name is &lt;taken&gt;.</p>")
    '400 Bad: The name is <taken>.'
    """
    visible = _INVISIBLE.sub(" ", page)
    match = _TITLE.search(visible)
    title, body = (match[1], visible[match.end() :]) if match else ("", visible)
    texts = [" ".join(unescape(_TAG.sub(" ", part)).split()) for part in (title, body)]
    texts[1] = texts[1].removeprefix(texts[0]).strip()
    return ": ".join(filter(None, texts))


def _request_secrets(response: Response) -> tuple[str, ...]:
    """Return the credentials of the request: encoded as in its header, plain, and percent-encoded."""
    scheme, _, value = response.request_headers.get("Authorization", "").partition(" ")
    secrets = [value]
    if scheme == "Basic":
        secrets.append(b64decode(value).decode("utf-8", "replace").partition(":")[2])
    spellings = {spell(secret) for secret in secrets for spell in (str, quote, quote_plus, _quote_all)}
    return tuple(sorted(spellings, key=len, reverse=True))


def _quote_all(secret: str) -> str:
    return quote(secret, safe="")
