"""Which environments a release has a wheel for, and how that differs between two releases."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Self

from packaging.tags import Tag
from packaging.version import Version

from wheelrelay.environments.interpreters import Interpreter, interpreters_of
from wheelrelay.environments.platforms import ANY_PLATFORM, OTHER_PLATFORMS, Platform, platforms_of
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile, Kind, Release

Environment = tuple[Interpreter, str]
"""An interpreter, and the name of a platform without its version."""


class Choice(StrEnum):
    """What an installer takes of a release: a wheel, the sdist, nothing, or nothing by Requires-Python.

    Where it takes nothing, it chooses an older release instead.
    """

    WHEEL = "wheel"
    SDIST = "sdist"
    NOTHING = "nothing"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Support:
    """What installers take of a release on one platform, whose version may differ.

    Attributes:
        choice: What they take on systems of the newest version.
        oldest: The platform with the oldest version on which they take a wheel; ``None`` without a wheel.
        otherwise: What they take where there is no wheel.
    """

    choice: Choice
    oldest: Platform | None = None
    otherwise: Choice = Choice.NOTHING

    @property
    def minimum(self) -> str:
        """The version that systems must have for a wheel, such as ``glibc 2.17``; empty if any."""
        return self.oldest.requirement if self.oldest else ""


@dataclass(frozen=True, slots=True)
class CoverageChange:
    """One interpreter on one platform, for which two releases differ.

    Attributes:
        interpreter: The interpreter.
        platform: The name of the platform, without its version.
        before: What installers take of the earlier release.
        after: What they take of the later release.
    """

    interpreter: Interpreter
    platform: str
    before: Support
    after: Support


@dataclass(frozen=True)
class CoverageComparison:
    """How the environments with a wheel differ between two releases.

    Attributes:
        before: The environments that the earlier release has a wheel for.
        after: The environments that the later release has a wheel for.
        changes: Environments for which they differ, sorted by interpreter and platform.
        oldest_python: The oldest Python that the Requires-Python of the later release accepts, as far as
            environments are known; ``None`` if it accepts none of them.
    """

    before: frozenset[Environment]
    after: frozenset[Environment]
    changes: tuple[CoverageChange, ...]
    oldest_python: tuple[int, int] | None

    @cached_property
    def lost(self) -> tuple[CoverageChange, ...]:
        """Environments whose Python is still accepted, and that have no wheel any more."""
        return tuple(
            change
            for change in self.changes
            if change.before.choice is Choice.WHEEL and change.after.choice in (Choice.SDIST, Choice.NOTHING)
        )

    @cached_property
    def retired(self) -> frozenset[Interpreter]:
        """Interpreters that lost all wheels, that Requires-Python cannot exclude, and that are outdated.

        These are free-threaded CPythons and PyPys where a newer one has wheels. A release drops them on
        purpose, as it excludes old CPythons with Requires-Python.
        """
        kept = {python for python, _ in self.after}
        gone = {change.interpreter for change in self.lost} - kept
        return frozenset(
            python
            for python in gone
            if python.kind != ("cp", False)
            and any(other.kind == python.kind and other.sort_key > python.sort_key for other in kept)
        )

    @cached_property
    def excluded(self) -> tuple[CoverageChange, ...]:
        """Environments whose Python is not accepted any more: installers choose an older release there."""
        return tuple(
            change
            for change in self.changes
            if change.after.choice is Choice.EXCLUDED and change.before.choice is Choice.WHEEL
        )

    @cached_property
    def excluded_newer(self) -> tuple[CoverageChange, ...]:
        """Excluded environments whose Python is not older than all that the later release accepts.

        A release drops old Pythons on purpose; newer ones, hardly ever.
        """
        oldest = self.oldest_python
        return tuple(
            change for change in self.excluded if oldest is None or change.interpreter.version > oldest
        )

    @cached_property
    def raised(self) -> tuple[CoverageChange, ...]:
        """Environments whose wheels need a later glibc, musl, macOS, iOS or Android than before."""
        return tuple(
            change for change in self.changes if _is_raised(change.interpreter, change.before, change.after)
        )

    @cached_property
    def lowered(self) -> tuple[CoverageChange, ...]:
        """Environments whose wheels also run on older systems than before."""
        return tuple(
            change for change in self.changes if _is_raised(change.interpreter, change.after, change.before)
        )

    @cached_property
    def gained(self) -> tuple[CoverageChange, ...]:
        """Environments that have a wheel for the first time."""
        return tuple(
            change
            for change in self.changes
            if change.after.choice is Choice.WHEEL and change.before.choice is not Choice.WHEEL
        )


def compare_coverage(before: Iterable[DistFile], after: Iterable[DistFile]) -> CoverageComparison:
    """Compare the environments that two releases have a wheel for.

    The environments are those that the tags of both releases name. Yanked files count; leave them out if
    installers should.

    Args:
        before: All files of the earlier release.
        after: All files of the later release.
    """
    return _compare(_ReleaseFiles.of(before), _ReleaseFiles.of(after))


@lru_cache(maxsize=256)
def _compare(earlier: "_ReleaseFiles", later: "_ReleaseFiles") -> CoverageComparison:
    """Compare two releases; most releases of one project, and of many others, have equal tags."""
    tags = earlier.tags | later.tags
    interpreters, platforms = interpreters_of(tags), _platforms(tags)
    old, new = earlier.supports(interpreters, platforms), later.supports(interpreters, platforms)
    accepted = [python.version for python in interpreters if not later.excludes(python)]
    return CoverageComparison(
        before=frozenset(_with_wheel(old)),
        after=frozenset(_with_wheel(new)),
        changes=tuple(CoverageChange(*key, old[key], new[key]) for key in old if old[key] != new[key]),
        oldest_python=min(accepted, default=None),
    )


def coverage_of(files: Iterable[DistFile]) -> dict[Environment, Support]:
    """Return the environments that a release has a wheel for.

    Args:
        files: All files of the release.
    """
    release = _ReleaseFiles.of(files)
    return _with_wheel(release.supports(interpreters_of(release.tags), _platforms(release.tags)))


def earlier_release(releases: Iterable[Release], version: Version) -> Release | None:
    """Return the newest release before a version, without its yanked files; ``None`` if there is none.

    A final release is compared with final releases, if there are any; a pre-release with all.

    Args:
        releases: Releases of one project.
        version: The version of the later release.
    """
    kept = [
        Release(release.project, release.version, files)
        for release in releases
        if release.version < version
        and (files := tuple(file for file in release.files if file.yanked is None))
    ]
    finals = [release for release in kept if not release.version.is_prerelease]
    candidates = kept if version.is_prerelease or not finals else finals
    return max(candidates, key=lambda release: release.version, default=None)


@dataclass(frozen=True)
class _ReleaseFiles:
    """The files of one release, as an installer sees them. It ignores variant wheels (PEP 825).

    Attributes:
        wheels: The tags and the Requires-Python of each wheel.
        sdists: The Requires-Python of each sdist.
    """

    wheels: frozenset[tuple[frozenset[Tag], str | None]]
    sdists: frozenset[str | None]

    @classmethod
    def of(cls, files: Iterable[DistFile]) -> Self:
        """Return what installers see of these files."""
        files = tuple(files)
        wheels = [file for file in files if file.kind is Kind.WHEEL and not file.variant]
        return cls(
            frozenset((file.tags, file.requires_python) for file in wheels),
            frozenset(file.requires_python for file in files if file.kind is Kind.SDIST),
        )

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """The tags of all wheels."""
        return frozenset().union(*(tags for tags, _ in self.wheels))

    def excludes(self, python: Interpreter) -> bool:
        """Return whether the Requires-Python of all files excludes an interpreter."""
        specifiers = {*(requires_python for _, requires_python in self.wheels), *self.sdists}
        return not any(python.satisfies(requires_python) for requires_python in specifiers)

    def supports(
        self, interpreters: Iterable[Interpreter], platforms: Mapping[str, Sequence[Platform]]
    ) -> dict[Environment, Support]:
        """Return what installers take, for all interpreters on all platforms.

        Args:
            interpreters: The interpreters.
            platforms: The versions of each platform that tags name, older ones first, by its name.
        """
        supports: dict[Environment, Support] = {}
        for python in interpreters:
            otherwise, tags = self._without_wheel(python), self._platform_tags(python)
            for name, versions in platforms.items():
                oldest = next((platform for platform in versions if platform.accepts_any(tags)), None)
                choice = Choice.WHEEL if oldest else otherwise
                supports[python, name] = Support(choice, oldest, otherwise)
        return supports

    def _platform_tags(self, python: Interpreter) -> set[str]:
        """Return the platform tags of all wheels that an interpreter accepts on some platform."""
        return {
            tag.platform
            for tags, requires_python in self.wheels
            if python.satisfies(requires_python)
            for tag in tags
            if python.accepts(tag)
        }

    def _without_wheel(self, python: Interpreter) -> Choice:
        if any(python.satisfies(requires_python) for requires_python in self.sdists):
            return Choice.SDIST
        return Choice.EXCLUDED if self.excludes(python) else Choice.NOTHING


def _platforms(tags: Iterable[Tag]) -> dict[str, list[Platform]]:
    """Return the platforms that tags name, by name; the versions of a platform are together, older first."""
    platforms = platforms_of(tag.platform for tag in tags)
    named = {name: list(group) for name, group in groupby(platforms, key=lambda platform: platform.name)}
    if len(named) > 1 and ANY_PLATFORM in named:
        named[OTHER_PLATFORMS] = named.pop(ANY_PLATFORM)
    return named


def _with_wheel(supports: Mapping[Environment, Support]) -> dict[Environment, Support]:
    return {key: support for key, support in supports.items() if support.choice is Choice.WHEEL}


def _is_raised(python: Interpreter, before: Support, after: Support) -> bool:
    """Return whether both have a wheel, and the later one needs a later version of the platform.

    A macOS that is older than the interpreter allows does not count.
    """
    if before.oldest is None or after.oldest is None:
        return False
    least = python.oldest_macos if before.oldest.family == "macosx" else (0, 0)
    return max(before.oldest.version or least, least) < max(after.oldest.version or least, least)
