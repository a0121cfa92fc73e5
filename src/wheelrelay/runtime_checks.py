"""Protocols that ``isinstance`` checks quickly.

A check of `typing.runtime_checkable` looks for each member of a protocol, which takes 20 to 80 microseconds
in Python 3.11. The engine checks capabilities several times for each file. What a backend can do depends on
its class, so the result is remembered for each class.
"""

import typing
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

__all__ = ["runtime_checkable"]

Checkable = TypeVar("Checkable", bound=type)

_ProtocolMeta: Any = type(Protocol)

_members: dict[type, frozenset[str]] = {}
_results: dict[tuple[type, type], bool] = {}


class _RememberingMeta(_ProtocolMeta):  # type: ignore[misc]
    """The class of protocols whose checks are remembered."""

    def __instancecheck__(cls, instance: Any) -> bool:  # noqa: N805  (of a metaclass)
        key = (cls, type(instance))
        result = _results.get(key)
        members = _members.get(cls)
        if result is None or members is None or _has_own(instance, members):
            result = bool(super().__instancecheck__(instance))
            if members is not None and not _is_dynamic(key[1]) and not _has_own(instance, members):
                _results[key] = result
        return result


def _has_own(instance: Any, members: frozenset[str]) -> bool:
    """Return whether an object has members of a protocol that others of its class may not have."""
    return not members.isdisjoint(getattr(instance, "__dict__", ()))


def _is_dynamic(kind: type) -> bool:
    """Return whether a class computes the attributes of its objects."""
    lookup: Any = kind.__getattribute__
    return hasattr(kind, "__getattr__") or lookup is not object.__getattribute__


def checkable(protocol: Checkable) -> Checkable:
    """Make a protocol checkable, and remember the results.

    Args:
        protocol: A class that inherits from `typing.Protocol`.

    Example:
        >>> from wheelrelay.runtime_checks import runtime_checkable
        >>> @runtime_checkable
        ... class SupportsClose(Protocol):
        ...     def close(self) -> None: ...
        >>> from io import BytesIO
        >>> isinstance(BytesIO(), SupportsClose), isinstance(1, SupportsClose)
        (True, False)
    """
    remembering: Any = typing.runtime_checkable(protocol)
    names = (
        name
        for base in protocol.__mro__
        if getattr(base, "_is_protocol", False)
        for name in (*vars(base), *vars(base).get("__annotations__", ()))
    )
    _members[protocol] = frozenset(names)
    remembering.__class__ = _RememberingMeta
    return remembering  # type: ignore[no-any-return]


if TYPE_CHECKING:
    from typing import runtime_checkable as runtime_checkable
else:
    runtime_checkable = checkable
