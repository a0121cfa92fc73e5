"""Select files of a source."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName

from wheelrelay.errors import BackendError, ConfigError, NothingMatched
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile
from wheelrelay.protocols import (
    Source,
    SupportsBulkListing,
    SupportsInventory,
    SupportsLocalPath,
    SupportsProjects,
)
from wheelrelay.records import Finding
from wheelrelay.select import Selection, did_you_mean, refuse_several_versions

if TYPE_CHECKING:
    from wheelrelay.lock_files import Lock


@dataclass(frozen=True, slots=True)
class Selected:
    """The selected files of a source.

    Attributes:
        files: The files, sorted by name.
        findings: An error for everything that the lock names and the source lacks.
    """

    files: list[DistFile] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()


def select_from(source: Source, selection: Selection, *, one_version: bool) -> Selected:
    """Return the files of a source that a selection matches.

    Args:
        source: the source to list.
        selection: which files.
        one_version: whether there must be exactly one version of each project.

    Raises:
        NothingMatched: no file matches, and no finding explains why; the hint lists similar names.
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
) -> Selected:
    """Return the listed files of a source that a selection matches.

    Args:
        files: All files of the selected projects.
        source: The source of the files. It is read again only to suggest other projects if there are none,
            and for the digests of local files if a lock names only digests.
        selection: Which files.
        one_version: Whether there must be exactly one version of each project.

    Raises:
        NothingMatched: No file matches, and no finding explains why; the hint lists similar names.
        SeveralVersions: A project has more than one version, and only one is allowed.
    """
    if selection.lock is not None and selection.files is None:
        files = _with_needed_digests(source, files, selection.lock)
    findings = selection.missing(files)
    if not files and selection.requirements and not findings:
        raise NothingMatched(
            f"No files of {' or '.join(selection.projects())} found.",
            hint=_nearest_projects(source, selection.projects()),
        )
    try:
        selected = selection.pick(files)
    except NothingMatched:
        if not findings:
            raise
        return Selected(findings=findings)
    if one_version:
        refuse_several_versions(selected)
    return Selected(selected, findings)


def _with_needed_digests(source: Source, files: Sequence[DistFile], lock: "Lock") -> Sequence[DistFile]:
    """Return the files with the digests that a local source computes, where the lock names only digests."""
    needed = {release.project for release in lock.releases if release.digests}
    projects = {file.project for file in files if file.sha256 is None and file.project in needed}
    if not (projects and isinstance(source, SupportsLocalPath) and isinstance(source, SupportsInventory)):
        return files
    others = [file for file in files if file.project not in projects]
    return others + [file for project in sorted(projects) for file in source.inventory(project)]


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
