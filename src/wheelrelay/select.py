"""Which files are meant: by requirement, by tag pattern, by kind.

Requirements are PEP 508 without extras, markers and addresses; versions are compared as PEP 440 says.
A tag pattern is ``python-abi-platform``, as ``cp312-*-manylinux*``, with ``*``, ``?``, ``[...]`` and
braces. A ``*`` as ABI never stands for a free-threaded one (``cp313t``): that has to be written.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from packaging.tags import Tag
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from wheelrelay.errors import ConfigError, NothingMatched, SeveralVersions
from wheelrelay.model import DistFile, Kind, Release
from wheelrelay.stable_abis import FREE_THREADED, is_free_threaded

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

MAX_COMBINATIONS = 1_000
"""The most patterns that the braces of one pattern may stand for."""


@dataclass(frozen=True, slots=True)
class TagPattern:
    """One ``python-abi-platform`` pattern, braces expanded already."""

    python: str
    abi: str
    platform: str

    @classmethod
    def parse(cls, text: str) -> tuple["TagPattern", ...]:
        """The patterns that ``text`` stands for, one for each combination of its braces.

        Raises:
            ConfigError: it does not have three parts, or a brace is not closed.
        """
        patterns = []
        for expanded in expand_braces(text):
            parts = expanded.split("-")
            if len(parts) != 3 or not all(parts):
                raise ConfigError(
                    f"{text!r} is not a tag pattern.",
                    hint="Write python-abi-platform, as in 'cp312-*-manylinux*_x86_64'.",
                )
            patterns.append(cls(*parts))
        return tuple(patterns)

    def matches(self, tags: Iterable[Tag]) -> bool:
        """Whether one of the tags of a wheel fits."""
        return any(
            fnmatchcase(tag.interpreter, self.python)
            and self._abi_matches(tag.abi)
            and fnmatchcase(tag.platform, self.platform)
            for tag in tags
        )

    def _abi_matches(self, abi: str) -> bool:
        if FREE_THREADED.fullmatch(abi) and not is_free_threaded(self.abi):
            return False
        return fnmatchcase(abi, self.abi)

    def __str__(self) -> str:
        return f"{self.python}-{self.abi}-{self.platform}"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a source are meant.

    Attributes:
        requirements: projects and versions; none means all projects.
        wheels: a wheel is meant if one of these fits; ``None`` means all wheels, empty means no wheel.
        sdist: whether sdists are meant.
    """

    requirements: "tuple[Requirement, ...]" = ()
    wheels: tuple[TagPattern, ...] | None = None
    sdist: bool = True

    def projects(self) -> tuple[NormalizedName, ...]:
        """The normalised names of the projects that are asked for; none means all."""
        return tuple(dict.fromkeys(canonicalize_name(wanted.name) for wanted in self.requirements))

    def pick(self, files: Sequence[DistFile]) -> list[DistFile]:
        """The files that are meant, sorted by name.

        Raises:
            NothingMatched: there are none; says which versions or projects are there.
        """
        meant = self._with_lists([file for file in files if self._kind_is_meant(file)])
        if self.requirements:
            meant = [file for wanted in self.requirements for file in _fitting(wanted, meant)]
        else:
            meant = [file for file in meant if file.yanked is None]
        unique = {file.filename: file for file in meant}
        if not unique:
            raise _nothing_matched(self, files)
        return [unique[name] for name in sorted(unique)]

    def _with_lists(self, files: Sequence[DistFile]) -> Sequence[DistFile]:
        """The files; where wheels are picked, without the lists of variants (PEP 825) that none needs."""
        if self.wheels is None:
            return files
        needed = {(file.project, file.version) for file in files if file.variant}
        return [
            file for file in files if file.kind is not Kind.VARIANTS or (file.project, file.version) in needed
        ]

    def _kind_is_meant(self, file: DistFile) -> bool:
        if file.kind is Kind.VARIANTS:
            return True
        if file.kind is Kind.SDIST:
            return self.sdist
        return self.wheels is None or any(pattern.matches(file.tags) for pattern in self.wheels)


def parse_requirement(text: str) -> "Requirement":
    """Parse a requirement that may name a project and versions, and nothing else.

    Raises:
        ConfigError: it is not one, or it has extras, a marker or an address.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            f"{text!r} is not a requirement: {reason}.", hint="Write NAME or NAME==VERSION."
        ) from error
    if requirement.extras or requirement.marker or requirement.url:
        raise ConfigError(
            f"{text!r} has extras, a marker or an address.",
            hint="Only a name and versions choose files here.",
        )
    return requirement


def releases_of(files: Iterable[DistFile]) -> list[Release]:
    """Group files by project and version, in that order."""
    groups: dict[tuple[NormalizedName, Version], list[DistFile]] = {}
    for file in files:
        groups.setdefault((file.project, file.version), []).append(file)
    return [Release(project, version, tuple(groups[project, version])) for project, version in sorted(groups)]


def refuse_several_versions(files: Iterable[DistFile]) -> None:
    """Make sure that each project has exactly one version.

    Raises:
        SeveralVersions: lists the projects that have more, with their versions.
    """
    versions: dict[NormalizedName, list[str]] = {}
    for release in releases_of(files):
        versions.setdefault(release.project, []).append(str(release.version))
    several = {project: found for project, found in versions.items() if len(found) > 1}
    if several:
        told = "; ".join(f"{project} has {', '.join(found)}" for project, found in several.items())
        project, found = next(iter(several.items()))
        # To PEP 440, 1.0+local is 1.0 too: only === takes the one alone.
        equal = "===" if any(version.startswith(f"{found[0]}+") for version in found) else "=="
        wanted = found[0] if equal == "===" else found[-1]
        raise SeveralVersions(
            f"A release is one version of a project, but {told}.",
            hint=f"Ask for one, as in '{project}{equal}{wanted}', or take all of them with --mode mirror.",
        )


def expand_braces(text: str) -> list[str]:
    """Every combination of the comma-separated choices in braces, from left to right.

    >>> expand_braces("cp{311,312}-*-win*")
    ['cp311-*-win*', 'cp312-*-win*']

    Raises:
        ConfigError: a brace is not closed, or was not opened; or there are more than `MAX_COMBINATIONS`.
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
    return ["".join(chosen) for chosen in itertools.product(*parts)]


def _fitting(wanted: "Requirement", files: Iterable[DistFile]) -> Iterator[DistFile]:
    """The files that satisfy a requirement: pre-releases as PEP 440 treats them, yanked only if pinned."""
    project = canonicalize_name(wanted.name)
    pinned = _is_pinned(wanted.specifier)
    candidates = [file for file in files if file.project == project and (pinned or file.yanked is None)]
    accepted = set(wanted.specifier.filter({file.version for file in candidates}))
    return (file for file in candidates if file.version in accepted)


def _is_pinned(specifier: "SpecifierSet") -> bool:
    return any(part.operator in ("==", "===") and not part.version.endswith(".*") for part in specifier)


def _nothing_matched(selection: Selection, files: Sequence[DistFile]) -> NothingMatched:
    """Say what was asked for, and what is there that comes nearest."""
    if not files:
        asked = " or ".join(selection.projects())
        return NothingMatched(
            f"There is no file of {asked} there." if asked else "There is no distribution file there."
        )
    asked = ", ".join(str(wanted) for wanted in selection.requirements) or "the selection"
    there = releases_of(files)
    same = [release for release in there if release.project in selection.projects()]
    if same:
        versions = ", ".join(str(release.version) for release in same[-8:])
        yanked = all(file.yanked is not None for release in same for file in release.files)
        hint = (
            f"Of {same[-1].project} there is: {versions}{' (all yanked: pin one with ==)' if yanked else ''}."
        )
    else:
        hint = did_you_mean(selection.projects(), [release.project for release in there])
    return NothingMatched(f"No file matches {asked}.", hint=hint)


def did_you_mean(wanted: Sequence[str], known: Iterable[str]) -> str:
    """A sentence naming the known projects that come nearest to what was asked for."""
    import difflib

    names = sorted(set(known))
    close = [name for one in wanted for name in difflib.get_close_matches(one, names, n=3)]
    if not names:
        return "There is nothing else either."
    return f"The nearest there: {', '.join(dict.fromkeys(close) or names[:8])}."
