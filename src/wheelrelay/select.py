"""Select files by requirement, tag pattern and kind.

Requirements follow PEP 508 without extras, markers and URLs; versions compare as PEP 440 defines.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from wheelrelay.errors import BackendError, ConfigError, NothingMatched, SeveralVersions
from wheelrelay.model import DistFile, Kind, Release
from wheelrelay.protocols import Source, SupportsBulkListing, SupportsProjects
from wheelrelay.tags import TagPattern

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

MAX_LISTED_NAMES = 8
"""Maximum number of available names or versions that a hint lists."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a source to take.

    Attributes:
        requirements: Projects and versions; empty means all projects.
        wheels: Patterns, of which a wheel must match one; ``None`` means all wheels, empty means no wheel.
        sdist: Whether to take sdists.
    """

    requirements: "tuple[Requirement, ...]" = ()
    wheels: tuple[TagPattern, ...] | None = None
    sdist: bool = True

    def projects(self) -> tuple[NormalizedName, ...]:
        """Return the normalized names of the required projects; empty means all projects."""
        return tuple(dict.fromkeys(canonicalize_name(required.name) for required in self.requirements))

    def pick(self, files: Sequence[DistFile]) -> list[DistFile]:
        """Return the selected files, sorted by name.

        Raises:
            NothingMatched: No file is selected. The hint lists the available versions or projects.
        """
        candidates = self._without_unused_lists([file for file in files if self._accepts_kind(file)])
        if self.requirements:
            groups: dict[NormalizedName, list[DistFile]] = {}
            for file in candidates:
                groups.setdefault(file.project, []).append(file)
            picked = [file for required in self.requirements for file in _satisfying(required, groups)]
        else:
            picked = [file for file in candidates if file.yanked is None]
        unique = {file.filename: file for file in picked}
        if not unique:
            raise _nothing_matched(self, files)
        return [unique[name] for name in sorted(unique)]

    def _without_unused_lists(self, files: Sequence[DistFile]) -> Sequence[DistFile]:
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


def parse_requirement(text: str) -> "Requirement":
    """Parse a requirement that consists of a project name and optional version specifiers.

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
    required: "Requirement", by_project: Mapping[NormalizedName, Sequence[DistFile]]
) -> Iterator[DistFile]:
    """Return the files that satisfy a requirement; yanked files only for pinned versions (PEP 592)."""
    files = by_project.get(canonicalize_name(required.name), ())
    pinned = _is_pinned(required.specifier)
    candidates = [file for file in files if pinned or file.yanked is None]
    accepted = set(required.specifier.filter({file.version for file in candidates}))
    return (file for file in candidates if file.version in accepted)


def _is_pinned(specifier: "SpecifierSet") -> bool:
    return any(part.operator in ("==", "===") and not part.version.endswith(".*") for part in specifier)


def _nothing_matched(selection: Selection, files: Sequence[DistFile]) -> NothingMatched:
    """Return the error for an empty selection, with the most similar available files as its hint."""
    if not files:
        projects = " or ".join(selection.projects())
        kind = f"files of {projects}" if projects else "distribution files"
        return NothingMatched(f"No {kind} found.")
    required = ", ".join(map(str, selection.requirements)) or "the selection"
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


def select_from(source: Source, selection: Selection, *, one_version: bool) -> list[DistFile]:
    """Return the files of a source that a selection matches.

    Args:
        source: the source to list.
        selection: which files.
        one_version: whether there must be exactly one version of each project.

    Raises:
        NothingMatched: no file matches; the hint names what comes close.
        SeveralVersions: a project has more than one version, and only one is allowed.
        BackendError: the source cannot be read.
    """
    projects = selection.projects()
    if len(projects) > 1 and isinstance(source, SupportsBulkListing):
        files = list(source.iter_files_of(projects))
    else:
        files = [file for project in projects or (None,) for file in source.iter_files(project)]
    return select_listed(files, source, selection, one_version=one_version)


def select_listed(
    files: Sequence[DistFile], source: Source, selection: Selection, *, one_version: bool
) -> list[DistFile]:
    """Return the listed files of a source that a selection matches.

    Args:
        files: All files of the selected projects.
        source: The source of the files. It is read again only to suggest other projects if there are none.
        selection: Which files.
        one_version: Whether there must be exactly one version of each project.

    Raises:
        NothingMatched: No file matches; the hint names what comes close.
        SeveralVersions: A project has more than one version, and only one is allowed.
    """
    if not files and selection.requirements:
        raise NothingMatched(
            f"No files of {' or '.join(selection.projects())} found.",
            hint=_nearest_projects(source, selection.projects()),
        )
    selected = selection.pick(files)
    if one_version:
        refuse_several_versions(selected)
    return selected


def _nearest_projects(source: Source, projects: Sequence[str]) -> str | None:
    """Return a sentence that names similar projects, if the source can list its projects."""
    listing: Callable[[], Iterator[NormalizedName]]
    if isinstance(source, SupportsProjects):
        listing = source.projects
    else:
        listing = lambda: (file.project for file in source.iter_files(None))  # noqa: E731
    try:
        return did_you_mean(projects, listing())
    except (BackendError, ConfigError):  # some sources do not allow to list everything
        return None
