"""Audit the published releases of many projects."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from packaging.utils import NormalizedName, canonicalize_name

from wheelrelay.api.connecting import opened_source
from wheelrelay.config import Remote, RemoteLike, as_remote
from wheelrelay.config.remotes import PRESETS
from wheelrelay.engine.auditing import (
    DEFAULT_RELEASES,
    UNREADABLE,
    AuditedProject,
    audited_files,
    by_project,
    issues_of,
)
from wheelrelay.engine.context import RelayOptions, Runtime, running
from wheelrelay.engine.listing import Unreadable, run_reads, source_reads
from wheelrelay.errors import ConfigError
from wheelrelay.events import Progress, ignore_events
from wheelrelay.model import DistFile
from wheelrelay.protocols import SupportsInventory
from wheelrelay.records import Receipt
from wheelrelay.reports import AuditedFile, AuditReport

Earlier = AuditReport | Receipt
"""What an audit compares with, to find files that have vanished."""


def audit(
    remote: RemoteLike,
    projects: Sequence[str] = (),
    *,
    against: RemoteLike | None = None,
    earlier: Earlier | None = None,
    releases: int = DEFAULT_RELEASES,
    jobs: int | None = None,
    progress: Progress = ignore_events,
) -> AuditReport:
    """Find what is wrong with the published releases of projects.

    Reports releases that lack wheels which their neighbours have, yanked files, and files without
    attestations where the release before had them. No file is downloaded, unless digests are compared and a
    remote declares none.

    Args:
        remote: The remote to audit.
        projects: The names of the projects. [default: all projects of the remote]
        against: Another index, whose digests are compared.
        earlier: An earlier audit of the remote, or the receipt of a relay to it: files that have vanished
            since then, or have other digests, are reported.
        releases: How many of the newest releases of each project to audit.
        jobs: How many pages to read in parallel. [default: adaptive]
        progress: Called with each event (`Event`).

    Raises:
        ConfigError: A remote cannot be read, or PyPI is to be audited as a whole.
        BackendError: Nothing of a remote can be read.
    """
    place = as_remote(remote)
    if releases < 1:
        raise ConfigError(f"`releases` is {releases}, but must be at least 1.")
    if not projects and place.config is not None and place.config.type in PRESETS:
        raise ConfigError(
            f"{place.name} has too many projects for one audit.",
            hint="Name projects, or a requirements file.",
        )
    options = RelayOptions(jobs, progress)
    names = tuple(dict.fromkeys(map(canonicalize_name, projects)))
    known = _earlier_files(earlier, place.name)
    with_digests = against is not None or earlier is not None
    files, errors = _read(place, names, options, with_digests=with_digests)
    names = names or tuple(sorted({*files, *errors, *known}))
    others: Mapping[NormalizedName, list[DistFile]] = {}
    unread: Mapping[NormalizedName, str] = {}
    if against is not None:
        other = as_remote(against)
        others, unread = _read(other, names, options, with_digests=True)
    issues = []
    for name in names:
        project = AuditedProject(
            name,
            files.get(name, ()),
            releases,
            "" if against is None else other.name,
            None if against is None or name in unread else others.get(name, ()),
            known.get(name, ()),
        )
        failed = filter(None, (errors.get(name), unread.get(name)))
        issues += [project.issue(UNREADABLE, error) for error in failed]
        if name not in errors:
            issues += issues_of(project)
    count = sum(len(AuditedProject(name, files.get(name, ()), releases).audited) for name in names)
    found = audited_files(file for name in names for file in files.get(name, ()))
    return AuditReport(place.name, datetime.now(UTC), names, count, tuple(found), tuple(issues))


def _read(
    remote: Remote, projects: Iterable[NormalizedName], options: RelayOptions, *, with_digests: bool
) -> tuple[Mapping[NormalizedName, list[DistFile]], Mapping[NormalizedName, str]]:
    """Return the files of each project, and the error of each project that cannot be read.

    With digests, files that have none on the pages of a container are read.
    """
    unreadable = Unreadable()
    with opened_source(remote) as source, running(options) as runtime:
        reads = source_reads(source, tuple(projects), runtime)
        files = run_reads(reads, runtime, unreadable).of(reads)
        if with_digests and isinstance(source.source, SupportsInventory):
            unhashed = sorted({file.project for file in files if file.sha256 is None})
            inventories = [_inventory(source.source, name, runtime) for name in unhashed]
            hashed = {file.filename: file for inventory in inventories for file in inventory}
            files = [hashed.get(file.filename, file) for file in files]
    errors = {project: str(error) for read, error in unreadable.errors.items() for project in read.projects}
    return by_project(files), errors


def _inventory(source: SupportsInventory, project: str, runtime: Runtime) -> list[DistFile]:
    return runtime.retrier.call(f"the files of {project}", lambda: list(source.inventory(project)))


def _earlier_files(earlier: Earlier | None, remote: str) -> Mapping[NormalizedName, list[AuditedFile]]:
    """Return the files that an earlier audit found, or that a relay put in place, by project."""
    files: Iterable[AuditedFile] = ()
    if isinstance(earlier, AuditReport):
        files = earlier.files
    elif isinstance(earlier, Receipt):
        sinks = [remote] if remote in earlier.sinks else list(earlier.sinks)
        files = [
            AuditedFile(file.filename, file.project, file.version, file.sha256)
            for file in earlier.files
            if any(file.sinks[sink].is_in_place for sink in sinks)
        ]
    grouped: dict[NormalizedName, list[AuditedFile]] = {}
    for file in files:
        grouped.setdefault(canonicalize_name(file.project), []).append(file)
    return grouped
