"""The operations on objects that make a place a container; everything else is built on them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from wheelrelay.errors import BackendError
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import EMPTY
from wheelrelay.protocols import ByteStream
from wheelrelay.runtime_checks import runtime_checkable
from wheelrelay.staged import BLOCK_SIZE, StagedFile

BINARY = "application/octet-stream"
"""The media type of all objects except pages."""

MAX_COMPANION = 1 << 20
"""Largest companion file in bytes."""


class TooLarge(BackendError):
    """An object has more bytes than are read at once."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as a listing or `ReadableObjects.stat_object` shows it.

    Attributes:
        name: Name below the container's prefix; ``/`` separates folders, with none at the start.
        size: Size in bytes.
        etag: A text that changes whenever the bytes change; empty if the place has none, and the bytes are
            then read again each time. ETags of listings are only compared with ETags of listings, so
            `ReadableObjects.stat_object` may return another text for the same bytes.
        modified: When the object was written, with a time zone, if the place knows.
        metadata: Short texts stored with the object, keys in lower case; empty in listings.
    """

    name: str
    size: int
    etag: str
    modified: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: EMPTY, compare=False)


class ReadableObjects(Protocol):
    """The objects of one container below one prefix, for reading; used by several threads at once.

    All methods raise `BackendError` if the place refuses or fails. They raise `NotFound` only if the place
    confirms that there is no such object.
    """

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """Yield all objects directly in ``folder`` (empty, or ending in ``/``).

        A folder that does not exist is empty; a container that does not exist is `NotFound`. The listing
        must not come from a cache: it includes what was written before the call, as far as the place
        guarantees it.
        """
        ...

    def stat_object(self, name: str) -> StoredObject:
        """Return one object with its metadata, without reading its bytes.

        Raises:
            NotFound: There is no such object.
        """
        ...

    def open_object(self, name: str) -> AbstractContextManager[ByteStream]:
        """Open an object for reading it once, in order, in constant memory.

        Raises:
            NotFound: There is no such object.
            SizeMismatch: While reading, if the stream ends early.
        """
        ...

    def address_of(self, name: str) -> str:
        """Return the address of the object for people: a web address or a path."""
        ...


class Objects(ReadableObjects, Protocol):
    """The objects of one container below one prefix, for reading and writing."""

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> str | None:
        """Write a new object, whole or not at all.

        If several writers create one name at the same time, exactly one of them succeeds.

        Args:
            name: Name below the prefix.
            content: The bytes; a staged file is read as a stream.
            content_type: Media type, if the place stores one.
            metadata: Short texts to store with the object, if the place supports it. Keys are lower-case
                letters, digits and hyphens; values are any text, which places limited to ASCII encode.

        Returns:
            The ETag that listings show for the object, if the place returns it for the bytes it received.

        Raises:
            AlreadyExists: The name is taken, by any bytes; nothing changed.
            ChangedWhileReading: The staged file was modified; nothing was written.
        """
        ...

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write an object, replacing an existing one; readers see the old or the new object as a whole.

        Raises:
            ChangedWhileReading: The staged file was modified; the old object is unchanged.
        """
        ...

    def delete_object(self, name: str) -> None:
        """Delete an object; it is no error if it does not exist."""
        ...


@runtime_checkable
class SupportsParts(Protocol):
    """A place that can return a part of an object."""

    def open_part(self, name: str, start: int, stop: int | None) -> AbstractContextManager[ByteStream]:
        """Open an object for reading it once, from byte ``start`` to before byte ``stop`` or its end.

        Raises:
            NotFound: There is no such object.
            Rejected: The place only returns whole objects.
            SizeMismatch: While reading, if the stream ends early.
        """
        ...


@runtime_checkable
class SupportsObjectPath(Protocol):
    """A place whose objects are files of this machine: they are inspected without a copy."""

    def path_of(self, name: str) -> Path:
        """Return the path of an object."""
        ...


@runtime_checkable
class SupportsSearch(Protocol):
    """A place that can filter objects by name before it describes them, which is faster."""

    def list_named(self, wanted: Callable[[str], bool]) -> Iterator[StoredObject]:
        """Yield the objects directly in the container whose names ``wanted`` accepts."""
        ...


@runtime_checkable
class SupportsTree(Protocol):
    """A place that can list a folder with all folders below it."""

    def names_below(self, folder: str) -> Iterator[str]:
        """Yield the names of all objects that begin with ``folder``, with a request per page of the listing.

        The listing includes what was written before the call, and names that end in ``/``.
        """
        ...


@runtime_checkable
class SupportsCopy(Protocol):
    """A place that can copy objects from another place on the same server."""

    def copy_object(
        self, source: ReadableObjects, staged: StagedFile, *, content_type: str, metadata: Mapping[str, str]
    ) -> bool:
        """Create the object of a staged file as a copy of ``source``'s object of the same name.

        Returns:
            Whether the object was written; if not, nothing changed. Return ``False`` unless the server
            proves that its bytes are the staged ones, and keeps all promises of `Objects.create_object`.

        Raises:
            BackendError: The place failed; the object may or may not have been written.
        """
        ...


@runtime_checkable
class SupportsGroupedWrites(Protocol):
    """A place that can write several small objects in one request."""

    def has_grouped_writes(self) -> bool:
        """Whether this server supports it."""
        ...

    def replace_group(self, contents: Mapping[str, bytes], *, content_type: str) -> Mapping[str, str]:
        """Write objects directly in the container, replacing existing ones.

        Args:
            contents: The contents by name.
            content_type: Media type of all of them.

        Returns:
            The ETags that listings show for the objects that were certainly written. All others are then
            written one by one, so a failure is no error.
        """
        ...


@runtime_checkable
class SupportsFolderPages(Protocol):
    """A place that serves each object under exactly its own name, so that a folder's page needs that name.

    Other web servers return ``index.html`` of a folder for addresses that end in ``/``.
    """

    def keeps_folder_pages(self) -> bool:
        """Whether the place stores an object whose name ends in ``/`` with its bytes.

        Raises:
            BackendError: The place failed, so that this is unknown.
        """
        ...


def iter_blocks(content: StagedFile | bytes) -> Iterator[bytes]:
    """Yield the bytes to write, in large blocks.

    Raises:
        ChangedWhileReading: The staged file was modified after it was hashed. Discard what was written.
    """
    if isinstance(content, bytes):
        yield content
        return
    with content.open() as stream:
        yield from stream


def read_whole(objects: ReadableObjects, name: str, *, limit: int = MAX_COMPANION) -> bytes:
    """Read a small object.

    Raises:
        NotFound: There is no such object.
        TooLarge: It has more than ``limit`` bytes.
        BackendError: It cannot be read.
    """
    content = bytearray()
    with objects.open_object(name) as stream:
        while block := stream.read(BLOCK_SIZE):
            content += block
            if len(content) > limit:
                raise TooLarge(f"{objects.address_of(name)} is too large: more than {limit} bytes.")
    return bytes(content)


def hash_object(objects: ReadableObjects, name: str) -> str:
    """Read an object, and return its sha256 in hexadecimal.

    Raises:
        NotFound: There is no such object.
        BackendError: It cannot be read.
    """
    import hashlib

    digest = hashlib.sha256()
    with objects.open_object(name) as stream:
        while block := stream.read(BLOCK_SIZE):
            digest.update(block)
    return digest.hexdigest()
