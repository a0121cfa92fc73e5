"""Read what an API token of PyPI permits from the token itself, without a request.

A token is a macaroon, in version 2 of libmacaroons' binary format. Its caveats are readable, but only PyPI
can verify its signature.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from wheelrelay.lazy_dataclass import dataclass

PREFIX = "pypi-"
"""The prefix of all tokens of PyPI and TestPyPI."""

_VERSION = 2
_END, _LOCATION, _IDENTIFIER = 0, 1, 2  # types of fields

_EXPIRATION, _PROJECT_NAMES = 0, 1  # tags of caveats


@dataclass(frozen=True, slots=True)
class TokenScope:
    """What a token permits, as far as its caveats can be read.

    Attributes:
        host: the index that issued it, such as ``pypi.org``.
        projects: the normalized names of the projects that it is for; ``None`` for any project of its user.
        not_before: when it becomes valid, in seconds since the epoch; ``None`` for at once.
        expires: when it expires, likewise; ``None`` for never.
    """

    host: str
    projects: frozenset[str] | None = None
    not_before: float | None = None
    expires: float | None = None


def read_scope(token: str) -> TokenScope | None:
    """Return what a token permits; ``None`` if it has another format.

    >>> read_scope("pypi-AgEIcHlwaS5vcmcCAWEAAg9bMSwgWyJzYW1wbGUiXV0AAA").projects
    frozenset({'sample'})
    """
    if not token.startswith(PREFIX):
        return None
    encoded = token.removeprefix(PREFIX)
    try:
        packed = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        sections = _sections(packed)
        header = next(sections)
        host = header[_LOCATION].decode()
        caveats = [section[_IDENTIFIER] for section in sections]
    except (binascii.Error, ValueError, LookupError, StopIteration):
        return None
    scope = TokenScope(host)
    for caveat in caveats:
        with suppress(ValueError, TypeError, LookupError, AttributeError):  # of an unknown kind
            scope = _narrowed(scope, json.loads(caveat))
    return scope


def _narrowed(scope: TokenScope, caveat: Any) -> TokenScope:
    """Return a scope with one more caveat: a list that begins with its kind, or an older mapping."""
    names: Any = None
    times: tuple[float, float] | None = None
    if isinstance(caveat, list):
        if caveat[0] == _PROJECT_NAMES:
            names = caveat[1]
        elif caveat[0] == _EXPIRATION:
            times = (float(caveat[2]), float(caveat[1]))
    elif "exp" in caveat:
        times = (float(caveat["nbf"]), float(caveat["exp"]))
    elif isinstance(caveat.get("permissions"), dict):
        names = caveat["permissions"]["projects"]
    if names is not None:
        projects = frozenset(map(str, names))
        projects = projects if scope.projects is None else projects & scope.projects
        return TokenScope(scope.host, projects, scope.not_before, scope.expires)
    if times is not None:
        start = max(times[0], scope.not_before or times[0])
        end = min(times[1], scope.expires or times[1])
        return TokenScope(scope.host, scope.projects, start, end)
    return scope


def _sections(packed: bytes) -> Iterator[dict[int, bytes]]:
    """Yield the fields of the header and of each caveat, by their type.

    Raises:
        ValueError: the bytes are not a macaroon.
        IndexError: the bytes end early.
    """
    if packed[0] != _VERSION:
        raise ValueError("unknown version")
    position = 1
    fields: dict[int, bytes] = {}
    while True:
        kind, position = _number(packed, position)
        if kind == _END:
            if not fields:
                return  # the signature follows
            yield fields
            fields = {}
            continue
        size, position = _number(packed, position)
        if position + size > len(packed):
            raise ValueError("a field is longer than the token")
        fields[kind] = packed[position : position + size]
        position += size


def _number(packed: bytes, position: int) -> tuple[int, int]:
    """Return an unsigned number in LEB128, and the position after it."""
    result = shift = 0
    while True:
        byte = packed[position]
        position += 1
        result |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return result, position
