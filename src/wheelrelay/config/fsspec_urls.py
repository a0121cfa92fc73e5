"""URLs in the notation of fsspec, which can be chains: ``zip://wheels::https://example.org/wheels.zip``."""

import re

_PROTOCOL = re.compile(r"[A-Za-z][A-Za-z0-9_+.-]*")
_IPV6_HOST = re.compile(r"\[[0-9A-Fa-f:.%]*\]")

_AT_SIGN_IS_A_REVISION = frozenset({"git", "github"})
"""Protocols with URLs such as ``github://owner:repository@revision/path``."""


def parts_of_chain(text: str) -> list[str]:
    """Return the URLs of a chain, the outermost first; a single URL is a chain of one.

    >>> parts_of_chain("simplecache::zip://wheels::sftp://host/wheels.zip")
    ['simplecache', 'zip://wheels', 'sftp://host/wheels.zip']
    >>> parts_of_chain("https://[::1]:8080/")
    ['https://[::1]:8080/']
    """
    without_hosts = _IPV6_HOST.sub(lambda host: "h" * len(host[0]), text)
    parts, start = [], 0
    for separator in re.finditer("::", without_hosts):
        parts.append(text[start : separator.start()])
        start = separator.end()
    return [*parts, text[start:]]


def is_chain(text: str) -> bool:
    """Return whether an address is a chain.

    >>> is_chain("simplecache::s3://bucket/wheels"), is_chain("./odd::name")
    (True, False)
    """
    first, *others = parts_of_chain(text)
    return bool(others) and "://" in text and _PROTOCOL.fullmatch(first.partition("://")[0]) is not None


def may_contain_login(url: str) -> bool:
    """Return whether the text before ``@`` in a single URL is a login, as it is for most protocols."""
    return url.partition("://")[0] not in _AT_SIGN_IS_A_REVISION
