"""Compare, normalize and display URLs."""

import re
from ipaddress import ip_address
from urllib.parse import quote, urlsplit, urlunsplit

from wheelrelay.errors import ConfigError
from wheelrelay.redaction import redact

Origin = tuple[str, str, int | None]
"""Scheme, host and port."""

MAX_DISPLAYED = 500
"""Characters of a URL that are displayed."""

_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SAFE = "!#$%&'()*+,/:;=?@[]~"


def origin_of(url: str) -> Origin:
    """Return the scheme, host and port of ``url``, which credentials are bound to."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def is_same_host(url: str, other: str) -> bool:
    """Return whether ``other`` has the origin of ``url``, or its host with TLS in place of plain HTTP."""
    origin, other_origin = origin_of(url), origin_of(other)
    upgraded = (origin[0], other_origin[0]) == ("http", "https") and origin[1] == other_origin[1]
    return origin == other_origin or upgraded


def is_secure(url: str) -> bool:
    """Return whether requests to ``url`` cannot be overheard: TLS, or a loopback address."""
    return urlsplit(url).scheme == "https" or is_loopback(url)


def is_loopback(url: str) -> bool:
    """Return whether the host of ``url`` is this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def display_url(url: str) -> str:
    """Return ``url`` without user, password, query and fragment, which may be secret.

    A long URL is cut at `MAX_DISPLAYED` characters, because a server chooses where it redirects to.
    """
    plain = url
    if any(mark in url for mark in "@?#"):
        parts = urlsplit(url)
        plain = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    plain = redact(plain)
    return plain if len(plain) <= MAX_DISPLAYED else f"{plain[:MAX_DISPLAYED]}..."


def display_origin(url: str) -> str:
    """Return the scheme, host and port of ``url`` as text.

    >>> display_origin("https://user:secret@example.org:8443/simple/?token=1")
    'https://example.org:8443'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def normalize_url(url: str) -> str:
    """Return ``url`` percent-encoded where RFC 3986 requires it, and only there.

    >>> normalize_url("https://example.org/a b%2d%2F")
    'https://example.org/a%20b-%2F'
    >>> normalize_url("https://example.org/100%")
    'https://example.org/100%25'
    """
    plain = _ESCAPE.sub(_decode_unreserved, url)
    is_valid = re.fullmatch(r"(?:[^%]|%[0-9A-Fa-f]{2})*", plain) is not None
    return quote(plain if is_valid else url, safe=_SAFE if is_valid else _SAFE.replace("%", ""))


def request_url(url: str) -> str:
    """Return ``url`` in the form that is requested: normalized, without user and fragment.

    A ``+`` in the path is sent as ``%2B``, as pip does: S3 and some CDNs decode a plain one as a space.

    >>> request_url("https://me@example.org/a+b?c=d+e")
    'https://example.org/a%2Bb?c=d+e'

    Raises:
        ConfigError: it is not an http or https URL with a host.
    """
    try:
        parts = urlsplit(url.strip())
        is_usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:
        raise ConfigError(f"{redact(url)[:MAX_DISPLAYED]!r} is not a usable URL: {error}.") from error
    if not is_usable or (parts.hostname or "").startswith(("*", ".")):
        raise ConfigError(f"{display_url(url)} is not a usable URL: http or https and a host are required.")
    host = parts.netloc.rpartition("@")[2]
    whole = normalize_url(urlunsplit((parts.scheme, host, parts.path or "/", parts.query, "")))
    path, mark, query = whole.partition("?")
    return path.replace("+", "%2B") + mark + query


def _decode_unreserved(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0]
