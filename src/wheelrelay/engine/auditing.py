"""Find what is wrong with published releases: missing wheels, other digests, yanked and vanished files.

Each check is a function that yields issues of one project. Yanked files do not count as published.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from packaging.utils import NormalizedName
from packaging.version import Version

from wheelrelay.environments import (
    CoverageChange,
    Environment,
    compare_coverage,
    describe_environments,
    earlier_release,
)
from wheelrelay.findings import Severity
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import PROVENANCE_SUFFIX, DistFile, Kind, Release
from wheelrelay.printable import join_names
from wheelrelay.reports import AuditedFile, AuditIssue
from wheelrelay.select import releases_of
from wheelrelay.signing import ATTESTATION_SUFFIXES

ABSENT, UNREADABLE, INCOMPLETE, YANKED, UNATTESTED = (
    *("absent", "unreadable", "incomplete", "yanked", "unattested"),
)
DIFFERS, MISSING, VANISHED, CHANGED = "differs", "missing", "vanished", "changed"

DEFAULT_RELEASES = 10
"""How many of the newest releases of each project are audited."""


@dataclass(frozen=True)
class AuditedProject:
    """A project, and what it is compared with.

    Attributes:
        name: The normalized name.
        files: All files at the remote.
        newest: How many of the newest releases are audited.
        other_name: The name of another index to compare with.
        other_files: The files of the other index; ``None`` if there is none.
        earlier: What the remote had at an earlier time.
    """

    name: str
    files: Sequence[DistFile]
    newest: int = DEFAULT_RELEASES
    other_name: str = ""
    other_files: Sequence[DistFile] | None = None
    earlier: Sequence[AuditedFile] = field(default=())

    @property
    def releases(self) -> list[Release]:
        """All releases, older ones first."""
        return releases_of(self.files)

    @property
    def audited(self) -> list[Release]:
        """The newest releases, older ones first."""
        return self.releases[-self.newest :]

    def issue(
        self,
        check: str,
        message: str,
        *,
        version: Version | str | None = None,
        files: Iterable[str] = (),
        severity: Severity = Severity.ERROR,
    ) -> AuditIssue:
        """Return an issue of this project."""
        text = None if version is None else str(version)
        return AuditIssue(check, severity, self.name, text, message, tuple(sorted(files)))


def issues_of(project: AuditedProject) -> list[AuditIssue]:
    """Return all issues of a project, newest releases first."""
    if not project.files and not project.earlier:
        return [project.issue(ABSENT, "The remote has no files of this project.")]
    checks = (find_incomplete, find_yanked, find_unattested, find_differing, find_vanished)
    issues = [issue for check in checks for issue in check(project)]
    return sorted(issues, key=lambda issue: Version(issue.version or "0"), reverse=True)


def find_incomplete(project: AuditedProject) -> Iterator[AuditIssue]:
    """Find final releases without wheels that their neighbours have.

    A release is incomplete where it has no wheel for an environment that the releases before and after it
    have one for. What no later release has was dropped on purpose. The newest release has no later one:
    there, everything that it does not have any more is reported.
    """
    finals = [release for release in map(_installable, project.releases) if release]
    finals = [release for release in finals if not release.version.is_prerelease]
    newest = {release.version for release in project.audited}
    for index, release in enumerate(finals):
        before = earlier_release(finals, release.version)
        if before is None or release.version not in newest:
            continue
        after = finals[index + 1] if index + 1 < len(finals) else None
        lost, known = _lost(before, release, after)
        without_sdist = _has_sdist(before) and not _has_sdist(release) and (not after or _has_sdist(after))
        if lost or without_sdist:
            parts = [f"No wheel for {describe_environments(lost, known)}"] if lost else []
            parts += ["No sdist"] if without_sdist else []
            neighbours = f"{before.version} and {after.version} have" if after else f"{before.version} has"
            message = f"{'. '.join(parts)}. {neighbours} {'them' if len(parts) > 1 or lost else 'one'}."
            severity = Severity.ERROR if after else Severity.WARNING
            yield project.issue(INCOMPLETE, message, version=release.version, severity=severity)


def _lost(
    before: Release, release: Release, after: Release | None
) -> tuple[list[Environment], frozenset[Environment]]:
    """Return the environments that a release lost, as far as its successor has them, and all known ones."""
    coverage = compare_coverage(before.files, release.files)
    lost = [_environment(change) for change in coverage.lost if change.interpreter not in coverage.retired]
    if after is not None and lost:
        later = {_environment(change) for change in compare_coverage(release.files, after.files).gained}
        lost = [environment for environment in lost if environment in later]
    return lost, coverage.before


def _environment(change: CoverageChange) -> Environment:
    return change.interpreter, change.platform


def _installable(release: Release) -> Release | None:
    """Return a release without yanked files; ``None`` if all are yanked."""
    files = tuple(file for file in release.files if file.yanked is None)
    return Release(release.project, release.version, files) if files else None


def _has_sdist(release: Release) -> bool:
    return any(file.kind is Kind.SDIST for file in release.files)


def find_yanked(project: AuditedProject) -> Iterator[AuditIssue]:
    """Find yanked files (PEP 592), as a warning, with the reasons."""
    for release in project.audited:
        yanked = [file for file in release.files if file.yanked is not None]
        if not yanked:
            continue
        reasons = join_names([*dict.fromkeys(file.yanked for file in yanked if file.yanked)])
        is_whole = len(yanked) == len(release.files)
        subject = "All files are" if is_whole else f"{len(yanked)} of {len(release.files)} files are"
        message = f"{subject} yanked" + (f": {reasons.rstrip('.')}." if reasons else ".")
        files = () if is_whole else [file.filename for file in yanked]
        yield project.issue(YANKED, message, version=release.version, files=files, severity=Severity.WARNING)


def find_unattested(project: AuditedProject) -> Iterator[AuditIssue]:
    """Find releases in which fewer files have attestations (PEP 740) than in the release before."""
    for release in map(_installable, project.audited):
        before = earlier_release(project.releases, release.version) if release else None
        if release is None or before is None:
            continue
        without = [file.filename for file in release.files if not is_attested(file)]
        share, share_before = _attested_share(release), _attested_share(before)
        if without and share < share_before:
            earlier = "all" if share_before == 1 else "more"
            message = (
                f"{len(without)} of {len(release.files)} files have no attestation; {before.version} has "
                f"attestations of {earlier} of its files."
            )
            files = without if share else ()
            yield project.issue(
                UNATTESTED, message, version=release.version, files=files, severity=Severity.WARNING
            )


def is_attested(file: DistFile) -> bool:
    """Return whether a remote has attestations of a file."""
    suffixes = {*ATTESTATION_SUFFIXES, PROVENANCE_SUFFIX}
    return file.provenance is not None or not suffixes.isdisjoint(file.companions)


def _attested_share(release: Release) -> float:
    return sum(map(is_attested, release.files)) / len(release.files)


def find_differing(project: AuditedProject) -> Iterator[AuditIssue]:
    """Compare with another index: files with other digests, and releases that have fewer files here."""
    if project.other_files is None:
        return
    others = {file.filename: file for file in project.other_files}
    for release in project.audited:
        own = {file.filename: file for file in release.files}
        differing = [
            name
            for name, file in own.items()
            if name in others and _differs(file.sha256, others[name].sha256)
        ]
        if differing:
            message = f"{_counted(differing)} at {project.other_name} with another sha256."
            yield project.issue(DIFFERS, message, version=release.version, files=differing)
        missing = [
            name for name, file in others.items() if file.version == release.version and name not in own
        ]
        if missing:
            message = f"{_counted(missing)} at {project.other_name} and not here."
            yield project.issue(
                MISSING, message, version=release.version, files=missing, severity=Severity.WARNING
            )


def find_vanished(project: AuditedProject) -> Iterator[AuditIssue]:
    """Compare with an earlier audit or a receipt: files that have vanished, or have other digests now."""
    own = {file.filename: file for file in project.files}
    vanished = [file for file in project.earlier if file.filename not in own]
    changed = [
        file
        for file in project.earlier
        if file.filename in own and _differs(file.sha256, own[file.filename].sha256)
    ]
    for check, files, state in ((VANISHED, vanished, "vanished"), (CHANGED, changed, "another sha256 now")):
        for version, count in Counter(file.version for file in files).items():
            names = [file.filename for file in files if file.version == version]
            verb = "has" if count == 1 else "have"
            subject = "1 file" if count == 1 else f"{count} files"
            yield project.issue(check, f"{subject} {verb} {state}.", version=version, files=names)


def _differs(sha256: str | None, other: str | None) -> bool:
    return sha256 is not None and other is not None and sha256 != other


def _counted(names: Sequence[str]) -> str:
    return "1 file is" if len(names) == 1 else f"{len(names)} files are"


def audited_files(files: Iterable[DistFile]) -> list[AuditedFile]:
    """Return what later audits compare, sorted by filename."""
    ordered = sorted(files, key=lambda file: file.filename)
    return [AuditedFile(file.filename, file.project, str(file.version), file.sha256) for file in ordered]


def by_project(files: Iterable[DistFile]) -> Mapping[NormalizedName, list[DistFile]]:
    """Return the files of each project."""
    grouped: dict[NormalizedName, list[DistFile]] = {}
    for file in files:
        grouped.setdefault(file.project, []).append(file)
    return grouped
