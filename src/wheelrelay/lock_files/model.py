"""The releases that lock files name, and their files or digests."""

import re
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property

from packaging.utils import NormalizedName
from packaging.version import Version

from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


def is_sha256(text: str) -> bool:
    """Return whether a text is a hexadecimal sha256."""
    return _SHA256.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class LockedRelease:
    """One version of a project, and the files that the lock allows.

    Attributes:
        project: the normalised name.
        version: the version.
        files: the sha256 of each file by its name, where the lock names files.
        digests: the sha256 digests that files may have, where the lock names no files.
        index: the address of the index that the lock names for the project, if any.
    """

    project: NormalizedName
    version: Version
    files: Mapping[str, str] = field(default_factory=dict)
    digests: frozenset[str] = frozenset()
    index: str | None = None

    def __str__(self) -> str:
        return f"{self.project}=={self.version}"

    def accepts(self, file: DistFile) -> bool:
        """Whether a file belongs to the release, by its name or, if it is known, by its digest."""
        if (file.project, file.version) != (self.project, self.version):
            return False
        if self.files:
            return file.filename in self.files
        return file.sha256 is None or file.sha256 in self.digests


@dataclass(frozen=True)
class Lock:
    """The releases of one or more lock files.

    Attributes:
        releases: in the order of the files.
        skipped: packages that no index has, such as the locked project itself, with the reason.
    """

    releases: tuple[LockedRelease, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)

    def __add__(self, other: "Lock") -> "Lock":
        return Lock(self.releases + other.releases, {**self.skipped, **other.skipped})

    @cached_property
    def _by_version(self) -> dict[tuple[NormalizedName, Version], list[LockedRelease]]:
        """The releases of each version; two files may lock different files of one version."""
        releases: dict[tuple[NormalizedName, Version], list[LockedRelease]] = {}
        for release in self.releases:
            releases.setdefault((release.project, release.version), []).append(release)
        return releases

    def projects(self) -> tuple[NormalizedName, ...]:
        """Return the names of the locked projects, each once."""
        return tuple(dict.fromkeys(release.project for release in self.releases))

    def accepts(self, file: DistFile) -> bool:
        """Return whether a release of the lock accepts the file, see `LockedRelease.accepts`."""
        return any(release.accepts(file) for release in self._releases_of(file))

    def digests_for(self, file: DistFile) -> frozenset[str]:
        """Return the sha256 digests that the lock allows for a file."""
        releases = self._releases_of(file)
        named = {release.files[file.filename] for release in releases if file.filename in release.files}
        return frozenset(named.union(*(release.digests for release in releases)))

    def index_of(self, file: DistFile) -> str | None:
        """Return the address of the index that the lock names for the project of a file, if any."""
        return next((release.index for release in self._releases_of(file) if release.index), None)

    def _releases_of(self, file: DistFile) -> list[LockedRelease]:
        return self._by_version.get((file.project, file.version), [])
