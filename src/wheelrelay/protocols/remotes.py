"""The protocols of remotes: `Source`, `Sink`, and `Store`, which is both."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from wheelrelay.model import DistFile
from wheelrelay.runtime_checks import runtime_checkable
from wheelrelay.staged import StagedFile


class ByteStream(Protocol):
    """A stream of bytes that is read once, in order."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; empty at the end."""
        ...


@runtime_checkable
class SupportsLength(Protocol):
    """A stream that knows its length, for example from the header of an answer."""

    @property
    def length(self) -> int | None:
        """The number of bytes; ``None`` if it is unknown."""
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


Backend = Source | Sink
"""What the configuration of a remote opens as."""
