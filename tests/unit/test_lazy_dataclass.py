import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, field, replace

import pytest

from wheelrelay.lazy_dataclass import lazy_dataclass


def shapes(decorator):
    """Return classes of all shapes that the library uses, made by a decorator."""

    @decorator(frozen=True, slots=True)
    class Frozen:
        """A file."""

        name: str
        sizes: tuple[int, ...] = ()
        tags: list[str] = field(default_factory=list)
        note: str | None = field(default=None, repr=False, compare=False)

        def __post_init__(self):
            if not self.name:
                raise ValueError("empty name")

        @property
        def total(self):
            return sum(self.sizes)

    @decorator(frozen=True)
    class WithoutSlots:
        """A page."""

        name: str
        version: int = 1

    @decorator(slots=True)
    class Mutable:
        """A state."""

        done: int = 0
        seen: set[str] = field(default_factory=set, init=False)
        limit: int = field(default=3, init=False)

    @decorator(frozen=True, slots=True, kw_only=True)
    class Keywords:
        """Options."""

        first: int
        second: int = 2

    @decorator(frozen=True, slots=True, order=True)
    class Ordered:
        """A version."""

        major: int
        minor: int = 0

    @decorator(frozen=True, eq=False)
    class ByIdentity:
        """A read."""

        name: str = ""

    @decorator(frozen=True, slots=True)
    class OwnEquality:
        """A name."""

        name: str

        def __eq__(self, other):
            return isinstance(other, OwnEquality) and self.name.lower() == other.name.lower()

        def __hash__(self):
            return hash(self.name.lower())

    @decorator
    class Empty:
        """Nothing."""

    @decorator(frozen=True, slots=True)
    class Derived(Frozen):
        """A file with a digest."""

        digest: str = ""

    names = (Frozen, WithoutSlots, Mutable, Keywords, Ordered, ByIdentity, OwnEquality, Empty, Derived)
    return {cls.__name__: cls for cls in names}


LAZY = shapes(lazy_dataclass)
STANDARD = shapes(dataclasses.dataclass)
CALLS = {
    "Frozen": [
        (("a",), {}),
        (("a", (1, 2)), {"tags": ["x"]}),
        (("a",), {"note": "b"}),
        ((), {}),
        (("",), {}),
    ],
    "WithoutSlots": [(("a",), {}), ((), {"name": "a", "version": 2}), (("a", 1, 2), {})],
    "Mutable": [((), {}), ((4,), {}), ((), {"seen": set()})],
    "Keywords": [((), {"first": 1}), ((1,), {}), ((), {"first": 1, "second": 3})],
    "Ordered": [((1,), {}), ((1, 2), {}), ((0, 9), {})],
    "ByIdentity": [((), {}), (("a",), {})],
    "OwnEquality": [(("a",), {}), (("A",), {})],
    "Empty": [((), {}), ((1,), {})],
    "Derived": [(("a",), {}), (("a",), {"digest": "0"})],
}


def outcome(function, *arguments, **keywords):
    """Return the result of a call as text, or the type and text of its error."""
    try:
        return repr(function(*arguments, **keywords))
    except (TypeError, ValueError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"


def created(cls):
    for arguments, keywords in CALLS[cls.__name__]:
        try:
            yield cls(*arguments, **keywords)
        except (TypeError, ValueError):
            continue


@pytest.mark.parametrize("name", CALLS)
class TestLikeTheStandardLibrary:
    def test_creates_the_same_instances_and_errors(self, name):
        for arguments, keywords in CALLS[name]:
            assert outcome(LAZY[name], *arguments, **keywords) == outcome(
                STANDARD[name], *arguments, **keywords
            )

    def test_compares_and_hashes_alike(self, name):
        ours, theirs = list(created(LAZY[name])), list(created(STANDARD[name]))
        assert [[a == b for a in ours] for b in ours] == [[a == b for a in theirs] for b in theirs]
        assert [outcome(lambda a=a, b=b: a < b).split("'")[0] for a in ours for b in ours] == [
            outcome(lambda a=a, b=b: a < b).split("'")[0] for a in theirs for b in theirs
        ]
        hashable = [outcome(lambda a=a, b=b: hash(a) == hash(b)) for a in ours for b in ours]
        assert hashable == [outcome(lambda a=a, b=b: hash(a) == hash(b)) for a in theirs for b in theirs]

    def test_refuses_the_same_assignments(self, name):
        for ours, theirs in zip(created(LAZY[name]), created(STANDARD[name]), strict=True):
            for attribute in [item.name for item in dataclasses.fields(ours)]:
                assert outcome(setattr, ours, attribute, 1) == outcome(setattr, theirs, attribute, 1)
                assert outcome(delattr, ours, attribute) == outcome(delattr, theirs, attribute)

    def test_has_the_same_signature_and_fields(self, name):
        ours, theirs = inspect.signature(LAZY[name]), inspect.signature(STANDARD[name])
        assert str(ours) == str(theirs).removesuffix(" -> None")
        assert [item.name for item in dataclasses.fields(LAZY[name])] == [
            item.name for item in dataclasses.fields(STANDARD[name])
        ]
        assert getattr(LAZY[name], "__slots__", None) == getattr(STANDARD[name], "__slots__", None)
        assert LAZY[name].__match_args__ == STANDARD[name].__match_args__

    def test_copies_and_replaces(self, name):
        for instance in created(LAZY[name]):
            assert repr(copy.copy(instance)) == repr(copy.deepcopy(instance)) == repr(instance)
            assert repr(replace(instance)) == repr(instance)


@lazy_dataclass(frozen=True, slots=True)
class Pickled:
    """A class that `pickle` finds."""

    name: str
    size: int = 0


def test_pickles_frozen_instances():
    assert pickle.loads(pickle.dumps(Pickled("a", 1))) == Pickled("a", 1)


def test_a_pickle_is_loaded_before_the_class_has_made_an_instance():
    pickled = pickle.dumps(Pickled("a", 1))
    code = (
        f"import pickle, sys; sys.path.insert(0, {str(__file__).rpartition('/')[0]!r});"
        f"import test_lazy_dataclass as module; sys.modules[{__name__!r}] = module;"
        f"print(pickle.loads({pickled!r}))"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout == "Pickled(name='a', size=1)\n"


def test_an_ordinary_subclass_may_have_attributes_of_its_own():
    class Cached(LAZY["WithoutSlots"]):
        """A class that is not a data class itself."""

    cached = Cached("a")
    cached.text = "b"
    assert cached.text == "b"
    with pytest.raises(FrozenInstanceError):
        cached.name = "c"


def test_an_instance_that_contains_itself_is_shown():
    mutable = LAZY["Mutable"]()
    mutable.done = mutable
    assert "done=..." in repr(mutable)


def test_default_values_are_not_shared():
    first, second = LAZY["Frozen"]("a"), LAZY["Frozen"]("b")
    first.tags.append("x")
    assert second.tags == []
