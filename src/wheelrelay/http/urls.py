"""What an address tells: where it leads, who can read along, how it is written and how it is shown."""

import re
from ipaddress import ip_address
from urllib.parse import quote, urlsplit, urlunsplit

from wheelrelay.errors import ConfigError
from wheelrelay.redaction import redacted

_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SAFE = "!#$%&'()*+,/:;=?@[]~"

LONGEST_SHOWN = 500
"""Characters of an address that are shown."""


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what credentials are bound to."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def is_same_host(url: str, other: str) -> bool:
    """Whether ``other`` is on the host of ``url``, by the same port or by TLS instead of plain HTTP."""
    here, there = origin_of(url), origin_of(other)
    return here == there or ((here[0], there[0]) == ("http", "https") and here[1] == there[1])


def is_private(url: str) -> bool:
    """Whether nobody on the way can read along: TLS, or a connection within this machine."""
    return urlsplit(url).scheme == "https" or is_local(url)


def is_local(url: str) -> bool:
    """Whether an address is within this machine, by its name or number."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def shown(url: str) -> str:
    """``url`` without what may be secret in it: user, password, query and fragment.

    Of a very long one, the start; a server chooses where it redirects to.
    """
    parts = urlsplit(url)
    plain = redacted(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")))
    return plain if len(plain) <= LONGEST_SHOWN else f"{plain[:LONGEST_SHOWN]}..."


def shown_origin(url: str) -> str:
    """Scheme, host and port of ``url``, as people write them.

    >>> shown_origin("https://user:secret@example.org:8443/simple/?token=1")
    'https://example.org:8443'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def requoted(url: str) -> str:
    """``url`` in one spelling: what has to be percent-encoded is, and what need not be is not (RFC 3986).

    >>> requoted("https://example.org/a b%2d%2F")
    'https://example.org/a%20b-%2F'
    >>> requoted("https://example.org/100%")
    'https://example.org/100%25'
    """
    plain = _ESCAPE.sub(_unescaped, url)
    whole = re.fullmatch(r"(?:[^%]|%[0-9A-Fa-f]{2})*", plain) is not None
    return quote(plain if whole else url, safe=_SAFE if whole else _SAFE.replace("%", ""))


def checked(url: str) -> str:
    """``url`` as it is requested: in one spelling, without user and fragment.

    A ``+`` in the path goes out as ``%2B``, as pip sends it: S3 and some CDNs read a raw one as a blank.

    >>> checked("https://me@example.org/a+b?c=d+e")
    'https://example.org/a%2Bb?c=d+e'

    Raises:
        ConfigError: it cannot be asked for.
    """
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:
        raise ConfigError(f"{redacted(url)[:LONGEST_SHOWN]!r} is not a usable address: {error}.") from error
    if not usable or (parts.hostname or "").startswith(("*", ".")):
        raise ConfigError(f"{shown(url)} is not a usable address: http or https and a host are needed.")
    place = parts.netloc.rpartition("@")[2]
    address, mark, query = requoted(
        urlunsplit((parts.scheme, place, parts.path or "/", parts.query, ""))
    ).partition("?")
    return address.replace("+", "%2B") + mark + query


def _unescaped(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0]
