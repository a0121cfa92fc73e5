"""Compare the files of a source with a lock: the locked ones, those that differ, and those that are missing.

A file that a lock names must have the digest of the lock. Where the source declares no digest, the file gets
that of the lock, so that it is verified when it is downloaded.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName
from packaging.version import Version

from wheelrelay.errors import DigestMismatch, InvalidFilename
from wheelrelay.filenames import dist_file
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile
from wheelrelay.records import Finding, Severity

if TYPE_CHECKING:  # reading lock files needs more modules, and most relays have none
    from wheelrelay.lock_files import Lock, LockedRelease

LOCK_MISSING, LOCK_DIFFERS = "lock-missing", "lock-differs"

MAX_LISTED_DIGESTS = 4
"""Maximum number of missing digests that a message lists."""


def locked_files(lock: "Lock", files: Iterable[DistFile]) -> list[DistFile]:
    """Return the files that a lock accepts, with its digest where the source declares no sha256."""
    return [_with_digest(lock, file) for file in files if lock.accepts(file)]


def _with_digest(lock: "Lock", file: DistFile) -> DistFile:
    digests = lock.digests_for(file)
    if file.sha256 is not None or len(digests) != 1:
        return file
    return replace(file, digests=replace(file.digests, sha256=next(iter(digests))))


def split_differing(lock: "Lock", files: Sequence[DistFile]) -> tuple[list[DistFile], list[Finding]]:
    """Return the files without those whose declared digest is not the locked one, and a finding for each."""
    same: list[DistFile] = []
    findings: list[Finding] = []
    for file in files:
        digests = lock.digests_for(file)
        if file.sha256 is None or file.sha256.lower() in digests:
            same.append(file)
            continue
        findings.append(
            Finding(
                LOCK_DIFFERS,
                Severity.ERROR,
                f"The lock has {_listed(digests)}, but the source has sha256 {file.sha256}.",
                filename=file.filename,
                hint=_hint(lock.index_of(file), otherwise="The file was replaced, or another index has it."),
            )
        )
    return same, findings


def verify_locked(lock: "Lock | None", file: DistFile) -> None:
    """Compare the digest of a staged file with its lock.

    Args:
        lock: The lock; without one, every file is accepted.
        file: With the digest of its bytes.

    Raises:
        DigestMismatch: The lock does not allow this digest.
    """
    if lock is None or file.sha256 in lock.digests_for(file):
        return
    raise DigestMismatch(
        f"{file.filename}: the lock has {_listed(lock.digests_for(file))}, but the bytes have {file.sha256}.",
        hint="The file is damaged, was replaced, or is not part of the lock.",
    )


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which part of a lock a selection takes.

    Attributes:
        has_version: Whether a version belongs to the selection.
        has_file: Whether a file belongs to the selection.
        has_all_kinds: Whether the selection takes wheels of all tags, and sdists.
    """

    has_version: Callable[[NormalizedName, Version], bool]
    has_file: Callable[[DistFile], bool]
    has_all_kinds: bool

    def has_filename(self, filename: str) -> bool:
        """Return whether the file of this name belongs to the selection."""
        try:
            return self.has_file(dist_file(filename))
        except InvalidFilename:  # no source lists such a file, so it is missing
            return True


def missing_from(lock: "Lock", listed: Iterable[DistFile], narrowing: Narrowing) -> Iterator[Finding]:
    """Yield an error for everything that a lock names and a source does not have.

    Args:
        lock: The lock.
        listed: All files that the source has of the locked projects.
        narrowing: The part of the lock that is needed.
    """
    by_version: dict[tuple[NormalizedName, Version], list[DistFile]] = {}
    for file in listed:
        by_version.setdefault((file.project, file.version), []).append(file)
    for release in lock.releases:
        if narrowing.has_version(release.project, release.version):
            files = by_version.get((release.project, release.version), [])
            find = _missing_names if release.files else _missing_digests
            yield from find(release, files, narrowing)


def _missing_names(
    release: "LockedRelease", files: Sequence[DistFile], narrowing: Narrowing
) -> Iterator[Finding]:
    listed = {file.filename for file in files}
    for name in release.files:
        if name not in listed and narrowing.has_filename(name):
            message = "The lock names this file, but the source does not have it."
            yield Finding(LOCK_MISSING, Severity.ERROR, message, name, _hint(release.index))


def _missing_digests(
    release: "LockedRelease", files: Sequence[DistFile], narrowing: Narrowing
) -> Iterator[Finding]:
    """Yield an error if the source has no file of a release, or lacks files that only their digests name.

    A missing file that only its digest names may be one that the selection leaves out. So a narrower
    selection requires only one file with a locked digest, if it matches any file of the release.
    """
    selected = [file for file in files if narrowing.has_file(file)]
    missing = release.digests - {file.sha256.lower() for file in files if file.sha256}
    if not files:
        message = f"The lock names {release}, but the source has no file of it."
    elif selected and not any(map(release.accepts, selected)):
        message = f"No file of {release} at the source has a locked digest."
    elif missing and narrowing.has_all_kinds and all(file.sha256 for file in files):
        digests = _listed(f"{digest[:12]}..." for digest in missing)
        total = f"{len(missing)} of {len(release.digests)} locked files"
        message = f"The source lacks {total} of {release}: {digests}."
    else:
        return
    yield Finding(LOCK_MISSING, Severity.ERROR, message, hint=_hint(release.index))


def _listed(digests: Iterable[str]) -> str:
    """Return digests as a list that begins with the algorithm.

    >>> _listed(["bb", "aa"])
    'sha256 aa, bb'
    """
    first = sorted(digests)
    more = len(first) - MAX_LISTED_DIGESTS
    return f"sha256 {', '.join(first[:MAX_LISTED_DIGESTS])}{f' and {more} more' if more > 0 else ''}"


def _hint(index: str | None, otherwise: str = "Lock again, or relay from a source that has it.") -> str:
    return f"It was locked from {index}; relay it from that index." if index else otherwise
