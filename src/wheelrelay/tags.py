"""Tag patterns, and the compatibility of stable ABIs.

A tag pattern is ``python-abi-platform``, such as ``cp312-*-manylinux*``, with ``*``, ``?``, ``[...]`` and
braces. A ``*`` as the ABI never matches a free-threaded ABI (``cp313t``), which must be named explicitly.
"""

import itertools
import math
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from packaging.tags import Tag

from wheelrelay.errors import ConfigError
from wheelrelay.lazy_dataclass import dataclass

MAX_COMBINATIONS = 1_000
"""Maximum number of patterns that the braces of one pattern may expand to."""

CPYTHON = re.compile(r"cp3(\d+)")
FREE_THREADED_ABI = re.compile(r"(cp3\d+|abi3)t")
"""ABI tags that only free-threaded Pythons have."""


@dataclass(frozen=True, slots=True)
class StableABI:
    """Which builds of CPython load an extension that was built for a stable ABI."""

    with_gil: bool
    free_threaded: bool


STABLE_ABIS = {
    "abi3": StableABI(with_gil=True, free_threaded=False),
    "abi3t": StableABI(with_gil=False, free_threaded=True),
    "abi2026": StableABI(with_gil=True, free_threaded=True),
}
"""Stable ABIs by tag: ``abi3`` (PEP 384), ``abi3t`` (PEP 803) and ``abi2026`` (PEP 809, a draft).

A wheel for several lists all of them: ``cp315-abi3.abi3t-win_amd64``.
"""


@dataclass(frozen=True, slots=True)
class TagPattern:
    """One ``python-abi-platform`` pattern with its braces expanded."""

    python: str
    abi: str
    platform: str

    @classmethod
    def parse(cls, text: str) -> tuple["TagPattern", ...]:
        """Parse a pattern into one `TagPattern` for each combination of its braces.

        Raises:
            ConfigError: The text does not have three parts, or its braces do not match.
        """
        patterns = []
        for expanded in expand_braces(text):
            parts = expanded.split("-")
            if len(parts) != 3 or not all(parts):
                raise ConfigError(
                    f"{text!r} is not a tag pattern.",
                    hint="Write python-abi-platform, such as 'cp312-*-manylinux*_x86_64'.",
                )
            patterns.append(cls(*parts))
        return tuple(patterns)

    def matches(self, tags: Iterable[Tag]) -> bool:
        """Return whether the pattern matches one of the tags of a wheel."""
        return any(
            fnmatchcase(tag.interpreter, self.python)
            and self._matches_abi(tag.abi)
            and fnmatchcase(tag.platform, self.platform)
            for tag in tags
        )

    def is_met_by(self, tags: Iterable[Tag]) -> bool:
        """Return whether a wheel with these tags runs wherever a wheel that matches would run.

        Besides wheels that match, these are wheels for a stable ABI, built for the same or an older CPython,
        and pure Python wheels.
        """
        tags = list(tags)
        return self.matches(tags) or any(self._is_covered_by(tag) for tag in tags)

    def _matches_abi(self, abi: str) -> bool:
        if FREE_THREADED_ABI.fullmatch(abi) and not is_free_threaded(self.abi):
            return False
        return fnmatchcase(abi, self.abi)

    def _is_covered_by(self, tag: Tag) -> bool:
        if tag.platform != "any" and not fnmatchcase(tag.platform, self.platform):
            return False
        if tag.interpreter == "py3" and tag.abi == "none":
            return True
        return runs_on(tag.interpreter, tag.abi, self.python, free_threaded=is_free_threaded(self.abi))

    def __str__(self) -> str:
        return f"{self.python}-{self.abi}-{self.platform}"


def expand_braces(text: str) -> list[str]:
    """Return every combination of the comma-separated choices in braces, from left to right.

    >>> expand_braces("cp{311,312}-*-win*")
    ['cp311-*-win*', 'cp312-*-win*']

    Raises:
        ConfigError: A brace is not opened or not closed, or there are more than `MAX_COMBINATIONS`.
    """
    parts: list[list[str]] = []
    rest = text
    while rest:
        head, opened, rest = rest.partition("{")
        choices, closed, rest = rest.partition("}")
        if "}" in head or bool(opened) != bool(closed) or "{" in choices:
            raise ConfigError(f"The braces in {text!r} do not match.", hint="Write choices as {311,312}.")
        parts += [[head], [choice.strip() for choice in choices.split(",")]]
    if math.prod(map(len, parts)) > MAX_COMBINATIONS:
        raise ConfigError(
            f"The braces in {text[:80]!r} have more than {MAX_COMBINATIONS} combinations.",
            hint="Use *, or several patterns.",
        )
    return ["".join(combination) for combination in itertools.product(*parts)]


def is_free_threaded(abi: str) -> bool:
    """Return whether an ABI tag, or a pattern of ABI tags, is for free-threaded Pythons.

    >>> [is_free_threaded(abi) for abi in ("cp313t", "cp313t*", "*t", "cp313", "*")]
    [True, True, True, False, False]
    """
    return re.sub(r"\[(.)\]", r"\1", abi).rstrip("*?").endswith("t")


def runs_on(interpreter: str, abi: str, python: str, *, free_threaded: bool) -> bool:
    """Return whether a wheel for a stable ABI runs on a CPython.

    Args:
        interpreter: The Python tag of the wheel.
        abi: The ABI tag of the wheel.
        python: The tag of the CPython to run on, such as ``cp313``.
        free_threaded: Whether that CPython is a free-threaded build.

    >>> runs_on("cp39", "abi3", "cp313", free_threaded=False)
    True
    >>> runs_on("cp39", "abi3", "cp313", free_threaded=True)
    False
    """
    stable = STABLE_ABIS.get(abi)
    built, target = CPYTHON.fullmatch(interpreter), CPYTHON.fullmatch(python)
    if stable is None or built is None or target is None or int(target[1]) < int(built[1]):
        return False
    return stable.free_threaded if free_threaded else stable.with_gil
