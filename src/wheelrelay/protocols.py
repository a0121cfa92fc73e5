"""What a backend can be: the three roles, and the optional capabilities, one method each.

A connected backend is called from several threads at once. It raises the errors of
`wheelrelay.errors` and no others, retries nothing by itself, and prints nothing.
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
    """Bytes that are read once, in order."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; empty at the end."""
        ...


@runtime_checkable
class Source(Protocol):
    """A place that distribution files are read from."""

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """The distribution files of ``project`` (any spelling), or of all projects.

        Whatever else lies there is passed over. A project that is not there gives nothing.

        Raises:
            BackendError: the place cannot be read; never an empty answer instead.
        """
        ...

    def open(self, file: DistFile) -> AbstractContextManager[ByteStream]:
        """Open a file that `iter_files` gave.

        Raises:
            NotFound: it is not there any more.
            SizeMismatch: while reading, if the stream ends early.
            BackendError: it cannot be read.
        """
        ...


@runtime_checkable
class Sink(Protocol):
    """A place that distribution files are published to."""

    def put(self, staged: StagedFile) -> None:
        """Publish the file with its companions, whole or not at all.

        With the same bytes there already it returns, or raises `AlreadyExists`: indexes differ.

        Raises:
            AlreadyExists: the name is taken by other bytes; nothing was changed.
            ChangedWhileReading: the local file was touched; nothing was published.
            BackendError: the sink refused or failed.
        """
        ...


@runtime_checkable
class Store(Source, Sink, Protocol):
    """A place that is both: files that were put can be listed and opened."""


@runtime_checkable
class SupportsInventory(Protocol):
    """A place that can say what it holds of a project, with digests, so that planning needs no upload."""

    def inventory(self, project: str) -> Iterator[DistFile]:
        """All distribution files of ``project``, as they are now: no cache may answer.

        Raises:
            BackendError: it cannot be read; never an empty answer instead.
        """
        ...


@runtime_checkable
class SupportsCacheStatus(Protocol):
    """A place that knows whether caches answer for it, which may show what was there before."""

    def is_cached(self) -> bool:
        """Whether what was read last carried the marks of a cache, such as the HTTP header ``Age``."""
        ...


@runtime_checkable
class SupportsRange(Protocol):
    """A source that can give out a part of a file, so that a broken transfer goes on where it broke off."""

    def open_range(self, file: DistFile, start: int, stop: int | None) -> AbstractContextManager[ByteStream]:
        """Open a file that `Source.iter_files` gave, from byte ``start`` on.

        Args:
            file: which.
            start: the first byte to give, counted from 0; smaller than the file's size.
            stop: the first byte not to give any more; the end of the file if ``None``.

        Raises:
            Rejected: this file, or any, is given out only as a whole.
            NotFound: it is not there any more.
            SizeMismatch: while reading, if the stream ends early.
            BackendError: it cannot be read.
        """
        ...


@runtime_checkable
class SupportsLocalPath(Protocol):
    """A source whose files lie on this machine's disk: they are hashed in place and never copied."""

    def local_path(self, file: DistFile) -> Path:
        """Where a file that `Source.iter_files` gave lies."""
        ...


@runtime_checkable
class SupportsCompanions(Protocol):
    """A place that keeps companion files beside the distribution files."""

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """The content of the companion that ``file.companions`` names.

        Raises:
            NotFound: it is not there.
            Rejected: it is only at another host, to which a redirect (``status`` 3xx) leads.
            BackendError: it cannot be read, or is implausibly large.
        """
        ...


@runtime_checkable
class SupportsCompanionStorage(Protocol):
    """A sink where companions are files: what was published is in place only with its companions."""

    keeps_companions: Literal[True]


@runtime_checkable
class SupportsProvenance(Protocol):
    """A source that tells of attestations which it does not keep beside the files (PEP 740)."""

    def read_provenance(self, file: DistFile) -> Sequence[Companion]:
        """The attestations of a file that `Source.iter_files` gave, under the suffixes that they would have.

        Nobody has verified them.

        Raises:
            BackendError: they cannot be read, or it is something else.
        """
        ...


@runtime_checkable
class SupportsStatus(Protocol):
    """A place that can say in which state a project is (PEP 792)."""

    def project_status(self, project: str) -> str | None:
        """``active``, ``archived``, ``quarantined``, ``deprecated``; ``None`` if the project is not there.

        Raises:
            BackendError: it cannot be read.
        """
        ...


@runtime_checkable
class SupportsUploadForm(Protocol):
    """An index that describes each file in a form of fields, made from the file's metadata."""

    def validate_form(self, staged: StagedFile) -> None:
        """Make the form for a file without sending it.

        Raises:
            Rejected: the file has no metadata, or they lack what the form needs; says what.
        """
        ...


@runtime_checkable
class SupportsReadiness(Protocol):
    """A sink that can make sure, before anything is published anywhere, that it has what it needs."""

    def make_ready(self) -> None:
        """Resolve the credentials.

        Raises:
            MissingSecret: a secret is not there.
            BackendError: none can be had.
        """
        ...


@runtime_checkable
class SupportsAttestations(Protocol):
    """A sink that takes attestations (PEP 740) from those alone who publish as whom they attest."""

    def ensure_accepts_attestations(self) -> None:
        """Make sure that an attestation made with the identity of this job is going to be taken.

        Raises:
            ConfigError: it would be refused; says why.
            BackendError: that cannot be found out.
        """
        ...


@runtime_checkable
class SupportsFinalize(Protocol):
    """A sink that has something to do after the last file, such as writing its index pages."""

    def finalize(self, projects: Collection[str]) -> None:
        """Make what was put visible; called after all puts, and also when every file was skipped.

        Raises:
            BackendError: it failed; the files are there, and a re-run repeats this.
        """
        ...


@runtime_checkable
class SupportsReplace(Protocol):
    """A store where a file can be replaced on purpose, as when CI built it again; indexes never can."""

    def replace(self, staged: StagedFile) -> None:
        """Publish the file in place of what its name held, and remove the companions of the old bytes.

        Raises:
            ChangedWhileReading: the local file was touched; the old bytes stand.
            BackendError: the place refused or failed.
        """
        ...


@runtime_checkable
class SupportsServerSideCopy(Protocol):
    """A sink that can take a file from a source of the same server, so that no bytes travel twice."""

    def put_from(self, source: Source, staged: StagedFile) -> None:
        """Publish as `Sink.put` does, by a copy within the server where that is as safe.

        It is as safe if the server proves that the source still holds the very bytes that were staged,
        and refuses to overwrite. In all other cases the staged bytes are put.

        Raises:
            AlreadyExists: the name is taken by other bytes; nothing was changed.
            ChangedWhileReading: the local file was touched; nothing was published.
            BackendError: the sink refused or failed.
        """
        ...


@runtime_checkable
class SupportsDelete(Protocol):
    """A store that files can be taken out of."""

    def delete(self, files: Collection[DistFile]) -> None:
        """Take files out with their companions, from the index pages first; what is gone is no error.

        Raises:
            BackendError: it failed part-way; a re-run completes it.
        """
        ...


@runtime_checkable
class SupportsPages(Protocol):
    """A store that can be an index by itself, with pages that lie beside the files."""

    def rebuild_pages(self) -> None:
        """Write all pages anew from what is there.

        Raises:
            BackendError: the files or pages cannot be read or written.
        """
        ...

    def check_pages(self) -> Collection[str]:
        """The names of the pages and metadata files that are not as they would be written now.

        Raises:
            BackendError: the files or pages cannot be read.
        """
        ...


@runtime_checkable
class SupportsProjects(Protocol):
    """A source that can name its projects without listing their files."""

    def projects(self) -> Iterator[NormalizedName]:
        """The normalised names of all projects.

        Raises:
            BackendError: they cannot be read.
        """
        ...


Backend = Source | Sink
"""What a remote's configuration opens as; what it can do is what it has."""
