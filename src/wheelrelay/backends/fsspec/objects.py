"""The files of a folder that fsspec reaches, as the objects of a container."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from fsspec import AbstractFileSystem
from fsspec.implementations.memory import MemoryFile

from wheelrelay.backends.fsspec.errors import mapped, shown_chain
from wheelrelay.backends.fsspec.writing import WayOfWriting
from wheelrelay.containers.contents import METADATA
from wheelrelay.containers.objects import StoredObject
from wheelrelay.errors import BackendError, NotFound, SizeMismatch
from wheelrelay.filenames import looks_like_distribution, split_companion
from wheelrelay.protocols import ByteStream
from wheelrelay.staged import StagedFile

_STATE = ("ETag", "etag", "md5Hash", "checksum", "generation", "mtime", "LastModified", "modify", "created")
"""What implementations call that which changes with the bytes, or with the time of writing."""

_TIMES = ("mtime", "LastModified", "last_modified", "modified", "created")


class FsspecReader:
    """Reads the files of a folder.

    Args:
        fs: gives the file system for the calling thread.
        root: the folder's path in it.
        url: the address, for people.
    """

    def __init__(self, fs: Callable[[], AbstractFileSystem], root: str, url: str) -> None:
        self._fs = fs
        self._root = root.rstrip("/")
        self._address = shown_chain(url).rstrip("/")
        self._chained = "::" in url
        # Over HTTP a path is part of an address, and quoted in listings.
        self._web = root.startswith(("http://", "https://"))

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """The files in a folder, asked for anew each time."""
        fs = self._fs()
        path = self._path(folder).rstrip("/")
        try:
            with mapped(self.address_of(folder)):
                fs.invalidate_cache()
                entries = fs.ls(f"{path}/" if self._web else path, detail=True)
        except NotFound:
            if not folder:
                raise
            return
        for entry in entries:
            if entry["type"] != "directory" and entry["name"].rstrip("/") != path:
                name = entry["name"].rpartition("/")[2]
                if entry.get("islink") and split_companion(name):  # links to companions are not followed
                    continue
                yield from self._described(fs, folder + (unquote(name) if self._web else name), entry)

    def stat_object(self, name: str) -> StoredObject:
        """One file, if it is there; nothing is kept with it."""
        with mapped(self.address_of(name)):
            fs = self._fs()
            fs.invalidate_cache()
            entry = fs.info(self._path(name))
        if entry["type"] == "directory":
            raise NotFound(f"{self.address_of(name)} is no file.")
        return self._stored(name, entry)

    @contextmanager
    def open_object(self, name: str) -> Iterator[ByteStream]:
        """Open a file."""
        address = self.address_of(name)
        with mapped(address):
            file = self._fs().open(self._path(name), "rb")
        try:
            yield _Reading(file, address)
        finally:
            with suppress(Exception):  # it was only read
                file.close()

    def address_of(self, name: str) -> str:
        """The file's address, without what may be secret in the folder's."""
        return f"{self._address}/{name if self._chained else quote(name)}"

    def _path(self, name: str) -> str:
        name = quote(name) if self._web else name
        return f"{self._root}/{name}" if self._root else name

    def _described(
        self, fs: AbstractFileSystem, name: str, entry: Mapping[str, Any]
    ) -> Iterator[StoredObject]:
        """The file, asked for its size if the listing says none and the file matters."""
        if entry.get("size") is None:
            if not looks_like_distribution(name.removesuffix(METADATA)) and not split_companion(name):
                return
            try:
                with mapped(self.address_of(name)):
                    entry = fs.info(entry["name"])
            except NotFound:  # it went while we looked, or the link leads nowhere
                return
        yield self._stored(name, entry)

    def _stored(self, name: str, entry: Mapping[str, Any]) -> StoredObject:
        if entry.get("size") is None:
            raise BackendError(f"{self.address_of(name)}: its size is not told.")
        state = [str(entry[key]) for key in _STATE if entry.get(key)]
        return StoredObject(name, int(entry["size"]), "-".join(state), _modified(entry))


class FsspecObjects(FsspecReader):
    """Reads and writes the files of a folder; see `wheelrelay.containers.objects.Objects`.

    Args:
        fs: gives the file system for the calling thread.
        root: the folder's path in it.
        url: the address, for people.
        write: how files are written there.
    """

    def __init__(
        self, fs: Callable[[], AbstractFileSystem], root: str, url: str, write: WayOfWriting
    ) -> None:
        super().__init__(fs, root, url)
        self._write = write

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a file that is not there yet; neither type nor metadata can be kept."""
        del content_type, metadata
        with mapped(self.address_of(name)):
            self._write(self._fs(), self._path(name), content, False)

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a file in place of the one that may be there."""
        del content_type, metadata
        with mapped(self.address_of(name)):
            self._write(self._fs(), self._path(name), content, True)

    def delete_object(self, name: str) -> None:
        """Remove a file."""
        with suppress(NotFound), mapped(self.address_of(name)):
            self._fs().rm_file(self._path(name))


class _Reading:
    """The bytes of an open file: whole, and with our errors only."""

    def __init__(self, file: Any, address: str) -> None:
        # The memory file system hands out the one file that it stores, position and all.
        self._file = io.BytesIO(file.getvalue()) if isinstance(file, MemoryFile) else file
        self._address = address
        self._left = getattr(file, "size", None)

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; empty at the end."""
        with mapped(self._address):
            block: bytes = self._file.read(size)
        if self._left is not None:
            self._left -= len(block)
            if not block and size and self._left > 0:
                raise SizeMismatch(f"{self._address} ended {self._left} bytes early.")
        return block


def _modified(entry: Mapping[str, Any]) -> datetime | None:
    value = next((entry[key] for key in _TIMES if entry.get(key)), None)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return None
