"""The protocols of backends: `Source`, `Sink` and `Store`, and optional capabilities of one method each.

A connected backend is called from several threads at once. It raises only errors of `wheelrelay.errors`,
does not retry, and prints nothing. The engine detects capabilities with `isinstance`.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from packaging.utils import NormalizedName

from wheelrelay.model import Companion, DistFile
from wheelrelay.staged import StagedFile

__all__ = [
    "ByteStream",
    "Sink",
    "Source",
    "Store",
    "SupportsAttestations",
    "SupportsCacheStatus",
    "SupportsCompanionStorage",
    "SupportsCompanions",
    "SupportsDelete",
    "SupportsFinalize",
    "SupportsInventory",
    "SupportsLocalPath",
    "SupportsPages",
    "SupportsProjects",
    "SupportsProvenance",
    "SupportsRange",
    "SupportsReadiness",
    "SupportsReplace",
    "SupportsServerSideCopy",
    "SupportsStatus",
    "SupportsUploadForm",
]


class ByteStream(Protocol):
    """A stream of bytes that is read once, in order."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; empty at the end."""
        ...


@runtime_checkable
class Source(Protocol):
    """A remote that distribution files are read from."""

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """Return the distribution files of a project, or of all projects.

        Other files are ignored. A project that does not exist has no files.

        Args:
            project: The name in any spelling; ``None`` for all projects.

        Raises:
            BackendError: The remote cannot be read. A failure is never reported as an empty result.
        """
        ...

    def open(self, file: DistFile) -> AbstractContextManager[ByteStream]:
        """Open a file that `iter_files` returned.

        Raises:
            NotFound: The file no longer exists.
            SizeMismatch: The stream ends early; raised while reading.
            BackendError: The file cannot be read.
        """
        ...


@runtime_checkable
class Sink(Protocol):
    """A remote that distribution files are published to."""

    def put(self, staged: StagedFile) -> None:
        """Publish a file with its companions, completely or not at all.

        If the sink has the same bytes already, this returns or raises `AlreadyExists`; indexes differ.

        Raises:
            AlreadyExists: The name is taken by other bytes; nothing was changed.
            ChangedWhileReading: The local file was modified; nothing was published.
            BackendError: The sink refused the file or failed.
        """
        ...


@runtime_checkable
class Store(Source, Sink, Protocol):
    """A remote that is both source and sink: published files can be listed and opened."""


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
class SupportsCompanionStorage(Protocol):
    """A sink that stores companions as files: a file is complete only with its companions."""

    keeps_companions: Literal[True]


@runtime_checkable
class SupportsProvenance(Protocol):
    """A source that serves attestations in provenance objects instead of files (PEP 740)."""

    def read_provenance(self, file: DistFile) -> Sequence[Companion]:
        """Return the unverified attestations of a file, with the suffixes that they have as companions.

        Raises:
            BackendError: They cannot be read, or the response is not a provenance object.
        """
        ...


@runtime_checkable
class SupportsStatus(Protocol):
    """A remote that reports the status of projects (PEP 792)."""

    def project_status(self, project: str) -> str | None:
        """Return ``active``, ``archived``, ``quarantined`` or ``deprecated``; ``None`` without a project.

        Raises:
            BackendError: The status cannot be read.
        """
        ...


@runtime_checkable
class SupportsUploadForm(Protocol):
    """An index whose uploads are forms with fields from the core metadata."""

    def validate_form(self, staged: StagedFile) -> None:
        """Build the form for a file without sending it.

        Raises:
            Rejected: The file has no metadata, or a required field is missing.
        """
        ...


@runtime_checkable
class SupportsReadiness(Protocol):
    """A sink that can check before publishing whether it is ready, for example has credentials."""

    def make_ready(self) -> None:
        """Resolve the credentials.

        Raises:
            MissingSecret: A referenced secret does not exist.
            BackendError: A service that issues credentials refused or failed.
        """
        ...


@runtime_checkable
class SupportsAttestations(Protocol):
    """A sink that accepts attestations (PEP 740) only from the uploading identity."""

    def ensure_accepts_attestations(self) -> None:
        """Ensure that the sink will accept an attestation made with the identity of this job.

        Raises:
            ConfigError: The sink would refuse it.
            BackendError: A service refused or failed, so that this is unknown.
        """
        ...


@runtime_checkable
class SupportsFinalize(Protocol):
    """A sink that needs a step after the last file, such as writing index pages."""

    def finalize(self, projects: Collection[str]) -> None:
        """Complete publishing; called after all files, also if all of them were skipped.

        Args:
            projects: The projects of the files.

        Raises:
            BackendError: It failed. The files are published, and a re-run repeats this step.
        """
        ...


@runtime_checkable
class SupportsReplace(Protocol):
    """A store that can replace a file on request, for example after a CI re-run; indexes never can."""

    def replace(self, staged: StagedFile) -> None:
        """Publish a file in place of the one of the same name, and remove the old companions.

        Raises:
            ChangedWhileReading: The local file was modified; the old file is unchanged.
            BackendError: The store refused the file or failed.
        """
        ...


@runtime_checkable
class SupportsServerSideCopy(Protocol):
    """A sink that can copy a file from a source on the same server, without an upload."""

    def put_from(self, source: Source, staged: StagedFile) -> None:
        """Publish like `Sink.put`, but copy within the server where that is as safe.

        It is as safe if the server proves that the source still has the staged bytes, and refuses to
        overwrite. In all other cases the staged bytes are uploaded.

        Raises:
            AlreadyExists: The name is taken by other bytes; nothing was changed.
            ChangedWhileReading: The local file was modified; nothing was published.
            BackendError: The sink refused the file or failed.
        """
        ...


@runtime_checkable
class SupportsDelete(Protocol):
    """A store that can delete files."""

    def delete(self, files: Collection[DistFile]) -> None:
        """Delete files with their companions, from the index pages first; missing files are no error.

        Raises:
            BackendError: Deleting failed part-way; a re-run completes it.
        """
        ...


@runtime_checkable
class SupportsPages(Protocol):
    """A store that can serve as an index, with pages next to the files."""

    def rebuild_pages(self) -> None:
        """Write all pages again from the stored files.

        Raises:
            BackendError: Files or pages cannot be read or written.
        """
        ...

    def check_pages(self) -> Collection[str]:
        """Return the names of pages and metadata files that are missing or out of date.

        Raises:
            BackendError: Files or pages cannot be read.
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


Backend = Source | Sink
"""What the configuration of a remote opens as."""
