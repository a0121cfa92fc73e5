"""Interpreters that the tags of wheels are for, and the tags that each accepts."""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, generic_tags

from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.tags import STABLE_ABIS

NEWEST_CPYTHON = 15
"""The minor version of the newest CPython that is taken into account even if no wheel names it."""

OLDEST_CPYTHON = 6
"""The minor version of the oldest CPython that a ``py3`` wheel is taken to be for."""

FIRST_FREE_THREADED = 13
"""The minor version of the first CPython that can be built without the GIL."""

_OLDEST_MACOS = {14: (10, 15), 12: (10, 13)}
"""The oldest macOS that CPython itself runs on, by the minor version with which that began."""

_IMPLEMENTATIONS = {"cp": "CPython", "pp": "PyPy", "graalpy": "GraalPy", "ip": "IronPython", "jy": "Jython"}
_INTERPRETER = re.compile(r"([a-z]+)(\d)(\d+)")
_PYTHON = re.compile(r"py(\d)(\d*)")
_ABI_VERSION = re.compile(r"pp\d+|graalpy\d+")
_PLATFORM = "platform"
"""A placeholder for any platform: which Python and ABI tags are accepted does not depend on it."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter.

    Attributes:
        tag: Its Python tag, such as ``cp313``.
        abi: The ABI tag of extension modules built for it, such as ``cp313t``.
    """

    tag: str
    abi: str

    @property
    def implementation(self) -> str:
        """The implementation, as in the Python tag: ``cp``, ``pp`` or another."""
        return _match(self.tag)[1]

    @property
    def version(self) -> tuple[int, int]:
        """The version of Python, such as ``(3, 13)``."""
        match = _match(self.tag)
        return int(match[2]), int(match[3])

    @property
    def is_free_threaded(self) -> bool:
        """Whether it is a build of CPython without the GIL."""
        return self.implementation == "cp" and self.abi == f"{self.tag}t"

    @property
    def oldest_macos(self) -> tuple[int, int]:
        """The oldest macOS that it runs on, as far as known: wheels cannot run on older ones."""
        return next((macos for first, macos in _OLDEST_MACOS.items() if (3, first) <= self.version), (10, 0))

    @property
    def label(self) -> str:
        """Its name, such as ``CPython 3.13t``; with the version of its ABI where Python's is not enough.

        >>> Interpreter("pp311", "pypy311_pp73").label
        'PyPy 3.11 (pp73)'
        """
        name = _IMPLEMENTATIONS.get(self.implementation, self.implementation)
        release = _ABI_VERSION.search(self.abi)
        note = f" ({release[0]})" if release and self.implementation != "cp" else ""
        return f"{name} {'.'.join(map(str, self.version))}{'t' if self.is_free_threaded else ''}{note}"

    @property
    def kind(self) -> tuple[str, bool]:
        """What it shares with older and newer interpreters: implementation, and whether free-threaded."""
        return self.implementation, self.is_free_threaded

    @property
    def sort_key(self) -> tuple[int, str, tuple[int, int], str]:
        """Sorts CPython first, then by version; the free-threaded build of a version comes last."""
        return self.implementation != "cp", self.implementation, self.version, self.abi

    def accepts(self, tag: Tag) -> bool:
        """Return whether it loads a wheel with this tag on the platforms that the tag names."""
        pairs = _accepted_anywhere(self) if tag.platform == "any" else _accepted_on_platform(self)
        return (tag.interpreter, tag.abi) in pairs

    def satisfies(self, requires_python: str | None) -> bool:
        """Return whether some patch release of this Python satisfies a ``Requires-Python`` specifier.

        Args:
            requires_python: The specifier; ``None``, or one that is invalid, accepts all Pythons, as
                installers do.

        >>> Interpreter("cp39", "cp39").satisfies("!=3.9.0,!=3.9.1,>=3.9")
        True
        """
        return not requires_python or _satisfies(self.version, requires_python)


def interpreters_of(tags: Iterable[Tag]) -> list[Interpreter]:
    """Return the interpreters that tags name, older ones first.

    A stable ABI names the CPythons from its own version to the newest; ``py3`` names all CPythons since
    3.6. With ``py3`` or free-threaded tags, these include free-threaded builds.

    >>> from wheelrelay.model import expanded_tags
    >>> [python.label for python in interpreters_of(expanded_tags("cp313-abi3-win_amd64"))]
    ['CPython 3.13', 'CPython 3.14', 'CPython 3.15']
    """
    return [*_interpreters_of(frozenset(tags))]


@lru_cache(maxsize=1024)
def _interpreters_of(tags: frozenset[Tag]) -> tuple[Interpreter, ...]:
    exact = {python for tag in tags if (python := _exact(tag)) is not None}
    minors = [python.version[1] for python in exact if python.version[0] == 3]
    newest = max([NEWEST_CPYTHON, *minors])
    ranges = {python for tag in tags for python in _range(tag, newest)}
    return tuple(sorted(exact | ranges, key=lambda python: python.sort_key))


def _exact(tag: Tag) -> Interpreter | None:
    """Return the one interpreter that a tag is for; ``None`` if it is for several."""
    match = _INTERPRETER.fullmatch(tag.interpreter)
    if match is None or match[1] == "py" or tag.abi in STABLE_ABIS:
        return None
    if match[1] != "cp":
        return Interpreter(tag.interpreter, tag.abi)
    if tag.abi == "none":
        return _cpython(int(match[2]), int(match[3]))
    return Interpreter(tag.interpreter, tag.abi) if re.match(rf"{tag.interpreter}\D*$", tag.abi) else None


def _range(tag: Tag, newest: int) -> Iterator[Interpreter]:
    """Yield the CPythons that a tag is for, if it is for several."""
    python, stable = _PYTHON.fullmatch(tag.interpreter), STABLE_ABIS.get(tag.abi)
    if python is not None and tag.abi == "none":
        if python[1] != "3":
            yield _cpython(2, 7)
            return
        for minor in range(int(python[2] or OLDEST_CPYTHON), newest + 1):
            yield _cpython(3, minor)
            if minor >= FIRST_FREE_THREADED:
                yield Interpreter(f"cp3{minor}", f"cp3{minor}t")
    elif stable is not None and (match := re.fullmatch(r"cp3(\d+)", tag.interpreter)):
        for minor in range(int(match[1]), newest + 1):
            if stable.with_gil:
                yield _cpython(3, minor)
            if stable.free_threaded and minor > FIRST_FREE_THREADED + 1:  # PEP 803 begins with 3.15
                yield Interpreter(f"cp3{minor}", f"cp3{minor}t")


def _cpython(major: int, minor: int) -> Interpreter:
    tag = f"cp{major}{minor}"
    suffix = "mu" if major == 2 else "m" if minor < 8 else ""
    return Interpreter(tag, tag + suffix)


def _match(tag: str) -> re.Match[str]:
    match = _INTERPRETER.fullmatch(tag)
    if match is None:
        raise ValueError(f"{tag!r} is not the Python tag of an interpreter")
    return match


@cache
def _accepted_on_platform(python: Interpreter) -> frozenset[tuple[str, str]]:
    """Return the pairs of Python tag and ABI tag that an interpreter accepts for its platform."""
    platforms = [_PLATFORM]
    if python.implementation == "cp":
        own = cpython_tags(python.version, [python.abi], platforms)
    else:
        own = generic_tags(python.tag, [python.abi], platforms)
    everywhere = compatible_tags(python.version, python.tag, platforms)
    return frozenset(
        (tag.interpreter, tag.abi) for tags in (own, everywhere) for tag in tags if tag.platform == _PLATFORM
    )


@cache
def _accepted_anywhere(python: Interpreter) -> frozenset[tuple[str, str]]:
    """Return the pairs of Python tag and ABI tag that an interpreter accepts for the platform ``any``."""
    tags = compatible_tags(python.version, python.tag, [_PLATFORM])
    return frozenset((tag.interpreter, tag.abi) for tag in tags if tag.platform == "any")


@cache
def _satisfies(version: tuple[int, int], requires_python: str) -> bool:
    try:
        specifier = SpecifierSet(requires_python)
    except ValueError:
        return True
    major, minor = version
    return any(specifier.contains(f"{major}.{minor}.{patch}", prereleases=True) for patch in (99, *range(30)))
