"""Checks of protocols are remembered for each class, and right for objects that differ from their class."""

from typing import Protocol

import pytest

from wheelrelay.runtime_checks import checkable


def protocol():
    @checkable
    class SupportsLook(Protocol):
        calls = 0

        def look(self): ...

    return SupportsLook


class Looking:
    calls = 0

    def look(self):
        return 1


class Plain:
    pass


class Delegating:
    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)


def test_result_depends_on_the_members():
    supports = protocol()
    for _ in range(2):
        assert isinstance(Looking(), supports)
        assert not isinstance(Plain(), supports)
        assert not isinstance(None, supports)


@pytest.mark.parametrize("first", [Looking, Plain])
def test_subclass_has_its_own_result(first):
    supports = protocol()
    isinstance(first(), supports)
    assert isinstance(type("Sub", (Looking,), {})(), supports)
    assert not isinstance(type("Sub", (Plain,), {})(), supports)


def test_members_of_one_object_do_not_count_for_others():
    supports = protocol()
    own = Plain()
    own.look, own.calls = (lambda: 2), 0
    assert isinstance(own, supports)
    assert not isinstance(Plain(), supports)
    assert isinstance(own, supports)


def test_members_of_another_object_do_not_count():
    supports = protocol()
    assert not isinstance(Delegating(Plain()), supports)
    assert isinstance(Delegating(Looking()), supports)
    assert not isinstance(Delegating(Plain()), supports)


def test_protocol_that_extends_another_needs_both():
    base = protocol()

    @checkable
    class SupportsBoth(base, Protocol):
        def close(self): ...

    assert not isinstance(Looking(), SupportsBoth)
    assert isinstance(type("Closing", (Looking,), {"close": print})(), SupportsBoth)
    assert not issubclass(SupportsBoth, Looking)


def test_class_that_inherits_from_a_protocol_is_checked_by_name():
    class Explicit(protocol()):
        def look(self):
            return super().look()

    assert isinstance(Explicit(), Explicit)
    assert not isinstance(Looking(), Explicit)


def test_members_are_looked_up_once_for_each_class():
    lookups = []

    class Watched:
        @property
        def look(self):
            lookups.append("look")

        calls = 0

    supports = protocol()
    for _ in range(10):
        isinstance(Watched(), supports)
    first = len(lookups)
    for _ in range(100):
        isinstance(Watched(), supports)
    assert len(lookups) == first
