"""What a place must be able to do with objects to serve as a container; everything else is built on it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from wheelrelay.model import EMPTY
from wheelrelay.protocols import ByteStream
from wheelrelay.staged import StagedFile


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as a listing, or a question for this one object, shows it.

    Attributes:
        name: below the container's prefix, with ``/`` between folders and without one at the front.
        size: in bytes.
        etag: some text that changes whenever the bytes change. What listings say is compared with what
            other listings said only, so a place may say it in another way when asked for one object.
            Empty where nothing can be said: the bytes are then read again each time.
        modified: when it was written, with a time zone, where the place says.
        metadata: the short texts that were kept with it, keys in lower case; a listing leaves them out.
    """

    name: str
    size: int
    etag: str
    modified: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: EMPTY, compare=False)


class ReadableObjects(Protocol):
    """The objects of one container below one prefix, to be read; used by several threads at once.

    All methods raise `BackendError` where the place refuses or fails; only what is truly not there is
    `NotFound`.
    """

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """All objects directly in ``folder`` (empty, or ending in ``/``), however many there are.

        A folder that is not there has none; a container that is not there is `NotFound`. No cache
        answers: what was written before the call is in the listing, as far as the place promises that.
        """
        ...

    def stat_object(self, name: str) -> StoredObject:
        """One object with its metadata, as it is now, without reading its bytes.

        Raises:
            NotFound: it is not there.
        """
        ...

    def open_object(self, name: str) -> AbstractContextManager[ByteStream]:
        """Open an object for reading it once, in order, in constant memory.

        Raises:
            NotFound: it is not there.
            SizeMismatch: while reading, if the stream ends early.
        """
        ...

    def address_of(self, name: str) -> str:
        """Where people find the object: a web address or a path."""
        ...


@runtime_checkable
class SupportsParts(Protocol):
    """A place that gives out parts of objects as well."""

    def open_part(self, name: str, start: int, stop: int | None) -> AbstractContextManager[ByteStream]:
        """Open an object for reading it once, from byte ``start`` on, to before byte ``stop`` or its end.

        Raises:
            NotFound: it is not there.
            Rejected: the place gives it out only as a whole.
            SizeMismatch: while reading, if the stream ends early.
        """
        ...


class Objects(ReadableObjects, Protocol):
    """The objects of one container below one prefix, to be read and written."""

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> str | None:
        """Write an object that is not there yet, whole or not at all, whoever else is writing.

        Args:
            name: below the prefix.
            content: the bytes; a staged file is read as a stream.
            content_type: the media type to serve it with, where the place keeps one.
            metadata: short texts to keep with it, where the place can; keys are lower-case letters,
                digits and hyphens, values any text (a place whose values are ASCII encodes them).

        Returns:
            The ETag that listings show from now on, where the place tells it of the very bytes that it took.

        Raises:
            AlreadyExists: the name is taken, by whatever bytes; nothing was changed.
            ChangedWhileReading: the staged file was touched; nothing was written.
        """
        ...

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write an object in place of the one that may be there; readers see the old or the new one whole.

        Raises:
            ChangedWhileReading: the staged file was touched; the old object stands.
        """
        ...

    def delete_object(self, name: str) -> None:
        """Remove an object; one that is not there is no error."""
        ...


@runtime_checkable
class SupportsObjectPath(Protocol):
    """A place whose objects are files of this machine: they are looked into where they lie."""

    def path_of(self, name: str) -> Path:
        """Where an object lies."""
        ...


@runtime_checkable
class SupportsSearch(Protocol):
    """A place that can pass over objects by their names: to describe and then drop them takes longer."""

    def list_named(self, wanted: Callable[[str], bool]) -> Iterator[StoredObject]:
        """The objects directly in the container that ``wanted`` takes, by their names; else as a listing."""
        ...


@runtime_checkable
class SupportsCopy(Protocol):
    """A place that can copy objects from another place within the server that both belong to."""

    def copy_object(
        self, source: ReadableObjects, staged: StagedFile, *, content_type: str, metadata: Mapping[str, str]
    ) -> bool:
        """Write a staged file's object from ``source``'s object of that name, unless it is there already.

        Returns:
            Whether it was written; if not, nothing was changed. So it is wherever the server does not prove
            that it has the staged bytes, or does not keep all promises of `Objects.create_object`.

        Raises:
            BackendError: the place failed, and it is not clear whether the object was written.
        """
        ...


@runtime_checkable
class SupportsFolderPages(Protocol):
    """A place that serves each object under exactly its own name, so that a folder's page needs that name.

    Elsewhere a web server gives out a folder's ``index.html`` when the address ends in ``/``.
    """

    def keeps_folder_pages(self) -> bool:
        """Whether an object whose name ends in ``/`` is kept there with its bytes.

        Raises:
            BackendError: it cannot be found out.
        """
        ...
