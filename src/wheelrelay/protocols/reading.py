"""Optional capabilities of remotes that are read."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from packaging.utils import NormalizedName

from wheelrelay.model import DistFile, ProjectStatus
from wheelrelay.protocols.remotes import ByteStream
from wheelrelay.runtime_checks import runtime_checkable


@runtime_checkable
class SupportsInventory(Protocol):
    """A remote that can list the files of a project with digests, so that planning needs no upload."""

    def inventory(self, project: str) -> Iterator[DistFile]:
        """Return all current distribution files of a project, bypassing caches.

        Raises:
            BackendError: The remote cannot be read. A failure is never reported as an empty result.
        """
        ...


@runtime_checkable
class SupportsBulkInventory(Protocol):
    """A remote that can list the files of many projects at once, for example from one listing."""

    def inventory_of(self, projects: Collection[str]) -> Iterator[DistFile]:
        """Return what `SupportsInventory.inventory` returns for each of the projects.

        Args:
            projects: The names in any spelling.

        Raises:
            BackendError: The remote cannot be read. A failure is never reported as an empty result.
        """
        ...


@runtime_checkable
class SupportsLook(Protocol):
    """A remote that can read the state of one file without listing others, for example with one request."""

    def look(self, file: DistFile) -> DistFile | None:
        """Return the remote's current file of the same name, bypassing caches; ``None`` if it has none.

        The result is described as by `SupportsInventory.inventory`, but its companions are only those of
        ``file`` that the remote has. Other companions are not searched.

        Args:
            file: The file to look for, with the companions to look for.

        Raises:
            BackendError: The remote cannot be read. A failure is never reported as a missing file.
        """
        ...


@runtime_checkable
class SupportsBulkLook(Protocol):
    """A remote that can read the state of many files at once, for example from one listing."""

    def look_at_many(self, files: Collection[DistFile]) -> Mapping[str, DistFile]:
        """Return the remote's current files of the same names, as `SupportsLook.look` does, by name.

        The result is incomplete: it lacks files whose state needs a separate request, and is empty if a look
        at each file costs less.

        Raises:
            BackendError: The remote cannot be read.
        """
        ...


@runtime_checkable
class SupportsBulkListing(Protocol):
    """A source that can list the files of some projects at once, for example from one listing."""

    def iter_files_of(self, projects: Collection[str]) -> Iterator[DistFile]:
        """Return what `Source.iter_files` returns for each of the projects.

        Args:
            projects: The names in any spelling.

        Raises:
            BackendError: The remote cannot be read. A failure is never reported as an empty result.
        """
        ...


@runtime_checkable
class SupportsProjects(Protocol):
    """A source that can list its projects without listing their files."""

    def projects(self) -> Iterator[NormalizedName]:
        """Return the normalized names of all projects.

        Raises:
            BackendError: The list cannot be read.
        """
        ...


@runtime_checkable
class SupportsReuse(Protocol):
    """A source that can keep what it reads, so that later runs need not read unchanged pages again."""

    def reuse_pages(self, projects: Collection[str]) -> None:
        """Reuse what earlier runs read, if the source declares it unchanged, and keep what is read now.

        It is called once, before `Source.iter_files` is called for each of very many projects. What cannot be
        kept or reused is read, so this raises nothing.

        Args:
            projects: The names in any spelling.
        """
        ...


@runtime_checkable
class SupportsAnonymousReading(Protocol):
    """A remote that may be readable without the secret that publishing to it needs."""

    def read_without_secrets(self) -> None:
        """Read without credentials from now on if a secret does not exist; a server may still require it."""
        ...


@runtime_checkable
class SupportsCacheStatus(Protocol):
    """A remote that can detect caches in front of it, which may return outdated listings."""

    def is_cached(self) -> bool:
        """Return whether the last response came from a cache, for example with an ``Age`` header."""
        ...


@runtime_checkable
class SupportsRange(Protocol):
    """A source that can read a part of a file, so that a broken transfer can resume."""

    def open_range(self, file: DistFile, start: int, stop: int | None) -> AbstractContextManager[ByteStream]:
        """Open a part of a file that `Source.iter_files` returned.

        Args:
            file: The file.
            start: Offset of the first byte, less than the size of the file.
            stop: Offset after the last byte; ``None`` for the end of the file.

        Raises:
            Rejected: The source does not support ranges for this file.
            NotFound: The file no longer exists.
            SizeMismatch: The stream ends early; raised while reading.
            BackendError: The file cannot be read.
        """
        ...


@runtime_checkable
class LimitsParallelRanges(Protocol):
    """A source that may support ranges for resuming only, and not several of one file at once."""

    def allows_parallel_ranges(self) -> bool:
        """Return whether ranges of one file can be read at once without reading bytes twice."""
        ...


@runtime_checkable
class SupportsLocalPath(Protocol):
    """A source whose files are on a local disk: they are hashed in place and not copied."""

    def local_path(self, file: DistFile) -> Path:
        """Return the path of a file that `Source.iter_files` returned."""
        ...


@runtime_checkable
class SupportsCompanions(Protocol):
    """A remote that stores companion files next to distribution files."""

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """Return the content of a companion file.

        Args:
            file: The distribution file.
            suffix: One of ``file.companions``.

        Raises:
            NotFound: The companion does not exist.
            Rejected: The remote redirects to another host (``status`` is 3xx).
            BackendError: The companion cannot be read, or is too large.
        """
        ...


@runtime_checkable
class SupportsProvenance(Protocol):
    """A source that serves attestations in provenance objects instead of files (PEP 740)."""

    def read_provenance(self, file: DistFile) -> bytes | None:
        """Return the provenance object at ``file.provenance``, whatever it contains; ``None`` without one.

        Raises:
            BackendError: It cannot be read.
        """
        ...


@runtime_checkable
class SupportsStatus(Protocol):
    """A remote that reports the status of projects (PEP 792)."""

    def project_status(self, project: str) -> ProjectStatus | None:
        """Return the status of a project; ``None`` if the remote does not have the project.

        Raises:
            BackendError: The status cannot be read.
        """
        ...


@runtime_checkable
class SupportsServerTime(Protocol):
    """A remote whose responses contain the time of its server."""

    def clock_offset(self) -> float | None:
        """Return the seconds by which the local clock is ahead of the server's, negative if it is behind.

        The result is ``None`` before the first response, and if responses do not contain a time.
        """
        ...
