"""Select files by requirement, tag pattern, kind, local version and lock file.

Requirements follow PEP 508 without extras, markers and URLs; versions compare as PEP 440 defines.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from wheelrelay.errors import ConfigError, NothingMatched, SeveralVersions
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.lock_matching import Narrowing, locked_files, missing_from
from wheelrelay.model import DistFile, Kind, Release, Shard
from wheelrelay.records import Finding
from wheelrelay.tags import TagPattern

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    from wheelrelay.lock_files import Lock

MAX_LISTED_NAMES = 8
"""Maximum number of available names or versions that a hint lists."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a source to take.

    Attributes:
        requirements: Projects and versions; empty means all projects.
        wheels: Patterns, of which a wheel must match one; ``None`` means all wheels, empty means no wheel.
        sdist: Whether to take sdists.
        lock: The lock that names the files; the other attributes choose among them.
        local: The local version that files must have, such as ``cu129``; empty means files without one.
        only: The projects to which it is narrowed; ``None`` means all. See `within`.
        shard: The part of the projects to take; ``None`` means all.
        files: Exactly these files, which an earlier selection chose: the source is not listed, and
            ``requirements``, ``wheels``, ``sdist`` and ``local`` do not apply.
    """

    requirements: "tuple[Requirement, ...]" = ()
    wheels: tuple[TagPattern, ...] | None = None
    sdist: bool = True
    lock: "Lock | None" = None
    local: str | None = None
    only: frozenset[NormalizedName] | None = None
    shard: Shard | None = None
    files: tuple[DistFile, ...] | None = None

    def within(self, projects: Iterable[str]) -> Self:
        """Return the same selection, narrowed to some projects; their names may have any spelling."""
        names = frozenset(map(canonicalize_name, projects))
        return replace(self, only=names if self.only is None else names & self.only)

    def projects(self) -> tuple[NormalizedName, ...]:
        """Return the normalized names of the selected projects.

        The result is empty if all projects are selected, and if none is (`is_empty`).
        """
        if self.files is not None:
            names: Iterable[NormalizedName] = sorted({file.project for file in self.files})
        elif self.requirements:
            names = dict.fromkeys(canonicalize_name(required.name) for required in self.requirements)
        elif self.lock is not None:
            names = self.lock.projects()
        else:
            names = sorted(self.only or ())
        return tuple(name for name in names if self.accepts_project(name))

    @property
    def names_projects(self) -> bool:
        """Whether requirements, a lock or given files name the projects."""
        return bool(self.requirements) or self.lock is not None or self.files is not None

    @property
    def is_empty(self) -> bool:
        """Whether no project is selected, for example because none is in the shard."""
        return (self.names_projects or self.only is not None) and not self.projects()

    def accepts_project(self, project: NormalizedName) -> bool:
        """Return whether a project is in the shard and among those to which the selection is narrowed."""
        is_in_shard = self.shard is None or self.shard.includes(project)
        return is_in_shard and (self.only is None or project in self.only)

    def accepts(self, file: DistFile) -> bool:
        """Return whether kind, tags and local version of a file are selected, whatever its project."""
        return self._accepts_kind(file) and self._accepts_local(file.version)

    def pick(self, files: Sequence[DistFile]) -> list[DistFile]:
        """Return the selected files, sorted by name.

        A locked file gets the sha256 of the lock, if it has none.

        Raises:
            NothingMatched: No file is selected. The hint lists the available versions or projects.
        """
        if self.only is not None or self.shard is not None:
            files = [file for file in files if self.accepts_project(file.project)]
        if self.files is not None:
            return sorted(files, key=lambda file: file.filename)
        accepted = [file for file in files if self.accepts(file)]
        if self.lock is None:
            accepted = self._without_unused_lists(accepted)
        else:
            accepted = locked_files(self.lock, accepted)
        if self.requirements:
            picked = self._satisfying(accepted)
        else:
            picked = [file for file in accepted if self.lock or file.yanked is None]
        unique = {file.filename: file for file in picked}
        if not unique:
            raise _nothing_matched(self, files)
        return [unique[name] for name in sorted(unique)]

    def missing(self, files: Sequence[DistFile]) -> tuple[Finding, ...]:
        """Return an error for everything that the lock names, as far as it is selected, and a source lacks.

        Args:
            files: All files that the source has of the selected projects.
        """
        if self.lock is None or self.files is not None:
            return ()
        narrowing = Narrowing(
            self._accepts_version, self._accepts_kind, has_all_kinds=self.wheels is None and self.sdist
        )
        return tuple(missing_from(self.lock, files, narrowing))

    def _satisfying(self, files: Iterable[DistFile]) -> list[DistFile]:
        groups: dict[NormalizedName, list[DistFile]] = {}
        for file in files:
            groups.setdefault(file.project, []).append(file)
        is_locked = self.lock is not None
        return [
            file
            for required in self.requirements
            for file in _satisfying(required, groups, is_locked=is_locked)
        ]

    def _accepts_version(self, project: NormalizedName, version: Version) -> bool:
        """Return whether a version of a project is selected."""
        return (
            self.accepts_project(project)
            and self._accepts_local(version)
            and self._satisfies_any(project, version)
        )

    def _satisfies_any(self, project: NormalizedName, version: Version) -> bool:
        return not self.requirements or any(
            canonicalize_name(required.name) == project
            and required.specifier.contains(version, prereleases=True)
            for required in self.requirements
        )

    def _accepts_local(self, version: Version) -> bool:
        return self.local is None or self.local == (version.local or "")

    def _without_unused_lists(self, files: list[DistFile]) -> list[DistFile]:
        """Drop lists of variants (PEP 825) of releases without a selected variant wheel."""
        if self.wheels is None:
            return files
        needed = {(file.project, file.version) for file in files if file.variant}
        return [
            file for file in files if file.kind is not Kind.VARIANTS or (file.project, file.version) in needed
        ]

    def _accepts_kind(self, file: DistFile) -> bool:
        if file.kind is Kind.VARIANTS:
            return True
        if file.kind is Kind.SDIST:
            return self.sdist
        return self.wheels is None or any(pattern.matches(file.tags) for pattern in self.wheels)


@lru_cache(maxsize=1 << 14)
def parse_requirement(text: str) -> "Requirement":
    """Parse a requirement that consists of a project name and optional version specifiers.

    The results are cached, because the requirements of a large mirror are validated before they are used.

    Raises:
        ConfigError: The text is not a requirement, or has extras, a marker or a URL.
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
        raise ConfigError(f"{text!r} has extras, a marker or a URL.", hint="Write only a name and versions.")
    return requirement


def releases_of(files: Iterable[DistFile]) -> list[Release]:
    """Group files into releases, sorted by project and version."""
    groups: dict[tuple[NormalizedName, Version], list[DistFile]] = {}
    for file in files:
        groups.setdefault((file.project, file.version), []).append(file)
    return [Release(project, version, tuple(groups[project, version])) for project, version in sorted(groups)]


def refuse_several_versions(files: Iterable[DistFile]) -> None:
    """Ensure that each project has exactly one version.

    Raises:
        SeveralVersions: A project has several versions. The message lists them.
    """
    versions: dict[NormalizedName, list[str]] = {}
    for release in releases_of(files):
        versions.setdefault(release.project, []).append(str(release.version))
    several = {project: found for project, found in versions.items() if len(found) > 1}
    if several:
        listed = "; ".join(f"{project} has {', '.join(found)}" for project, found in several.items())
        project, found = next(iter(several.items()))
        # PEP 440: "==1.0" also matches 1.0+local, only "===1.0" does not.
        has_local = any(version.startswith(f"{found[0]}+") for version in found)
        example = f"{project}==={found[0]}" if has_local else f"{project}=={found[-1]}"
        raise SeveralVersions(
            f"A release has one version of each project, but {listed}.",
            hint=f"Select one version, such as '{example}', or use mode 'mirror' to copy all of them.",
        )


def did_you_mean(names: Sequence[str], available: Iterable[str]) -> str:
    """Return a hint with the available names that are most similar to unknown ones.

    >>> did_you_mean(["astopy"], ["numpy", "astropy"])
    'Did you mean: astropy?'
    """
    import difflib

    known = sorted(set(available))
    close = [match for name in names for match in difflib.get_close_matches(name, known, n=3)]
    if close:
        return f"Did you mean: {', '.join(dict.fromkeys(close))}?"
    return f"Available: {', '.join(known[:MAX_LISTED_NAMES]) or 'none'}."


def _satisfying(
    required: "Requirement", by_project: Mapping[NormalizedName, Sequence[DistFile]], *, is_locked: bool
) -> Iterator[DistFile]:
    """Return the files that satisfy a requirement.

    Yanked files (PEP 592) need a pinned version. A lock pins versions too, also pre-releases.
    """
    files = by_project.get(canonicalize_name(required.name), ())
    pinned = is_locked or _is_pinned(required.specifier)
    candidates = [file for file in files if pinned or file.yanked is None]
    versions = {file.version for file in candidates}
    accepted = set(required.specifier.filter(versions, prereleases=True if is_locked else None))
    return (file for file in candidates if file.version in accepted)


def _is_pinned(specifier: "SpecifierSet") -> bool:
    return any(part.operator in ("==", "===") and not part.version.endswith(".*") for part in specifier)


def _nothing_matched(selection: Selection, files: Sequence[DistFile]) -> NothingMatched:
    """Return the error for an empty selection, with the most similar available files as its hint."""
    if not files:
        projects = " or ".join(selection.projects())
        kind = f"files of {projects}" if projects else "distribution files"
        return NothingMatched(f"No {kind} found.")
    required = ", ".join(map(str, selection.requirements)) or (
        "the lock" if selection.lock else "the selection"
    )
    if selection.local is not None:
        required += (
            f" with the local version {selection.local!r}" if selection.local else " without a local version"
        )
    releases = releases_of(files)
    same_project = [release for release in releases if release.project in selection.projects()]
    if same_project:
        versions = ", ".join(str(release.version) for release in same_project[-MAX_LISTED_NAMES:])
        yanked = all(file.yanked is not None for release in same_project for file in release.files)
        note = " (all yanked: pin one with ==)" if yanked else ""
        hint = f"Available versions of {same_project[-1].project}: {versions}{note}."
    else:
        hint = did_you_mean(selection.projects(), [release.project for release in releases])
    return NothingMatched(f"No file matches {required}.", hint=hint)
