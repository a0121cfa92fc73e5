"""The files of a folder that fsspec reaches, as the objects of a container."""

import io
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from fsspec import AbstractFileSystem
from fsspec.implementations.memory import MemoryFile

from wheelrelay.backends.fsspec.capabilities import Exclusive, Promises
from wheelrelay.backends.fsspec.errors import mapped, shown_chain
from wheelrelay.backends.fsspec.info import entries_of, info_of
from wheelrelay.backends.fsspec.writing import ByMoving, WayOfWriting, Writing
from wheelrelay.containers.listing import METADATA_SUFFIX
from wheelrelay.containers.objects import StoredObject
from wheelrelay.errors import AlreadyExists, BackendError, NotFound, SizeMismatch, Unavailable
from wheelrelay.filenames import looks_like_distribution, split_companion
from wheelrelay.protocols import ByteStream
from wheelrelay.staged import StagedFile

_STATE = ("ETag", "etag", "md5Hash", "checksum", "generation", "mtime", "LastModified", "modify", "created")
"""What implementations call that which changes with the bytes, or with the time of writing."""

_TIMES = ("mtime", "LastModified", "last_modified", "modified", "created")


WITNESS = ".wheelrelay-witness"
"""A file that is there so that creating it again must be refused."""

EXPLANATION = b"wheelrelay keeps this file to find out what this server can do; it may be deleted.\n"

PART = 5 << 20
"""Bytes of a part, at least, where large files are sent in parts."""

_log = logging.getLogger(__name__)


class FsspecReader:
    """Reads the files of a folder.

    Args:
        fs: gives the file system for the calling thread.
        root: the folder's path in it.
        url: the address, for people.
        forget: called when the connection of the calling thread failed, so that the next call makes another.
    """

    def __init__(
        self,
        fs: Callable[[], AbstractFileSystem],
        root: str,
        url: str,
        *,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self._fs = fs
        self._forget = forget
        self._root = root.rstrip("/")
        self._address = shown_chain(url).rstrip("/")
        self._chained = "::" in url
        # Over HTTP a path is part of an address, and quoted in listings.
        self._web = root.startswith(("http://", "https://"))

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """The files in a folder, asked for anew each time."""
        path = self._path(folder).rstrip("/")
        try:
            with self._asking(folder):
                fs = self._fs()
                entries = entries_of(fs, f"{path}/" if self._web else path)
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
        with self._asking(name):
            entry = info_of(self._fs(), self._path(name))
        if entry["type"] == "directory":
            raise NotFound(f"{self.address_of(name)} is no file.")
        return self._stored(name, entry)

    @contextmanager
    def open_object(self, name: str) -> Iterator[ByteStream]:
        """Open a file."""
        with self._asking(name):
            file = self._fs().open(self._path(name), "rb")
        try:
            yield _Reading(file, self.address_of(name), lambda: self._asking(name))
        finally:
            with suppress(Exception):  # it was only read
                file.close()

    def address_of(self, name: str) -> str:
        """The file's address, without what may be secret in the folder's."""
        return f"{self._address}/{name if self._chained else quote(name)}"

    @contextmanager
    def _asking(self, name: str) -> Iterator[None]:
        """Let nothing but our errors out, and keep no connection that has failed."""
        try:
            with mapped(self.address_of(name)):
                yield
        except Unavailable:
            self._forget()
            raise

    def _path(self, name: str) -> str:
        name = quote(name) if self._web else name
        return f"{self._root}/{name}" if self._root else name

    def _described(
        self, fs: AbstractFileSystem, name: str, entry: Mapping[str, Any]
    ) -> Iterator[StoredObject]:
        """The file, asked for its size if the listing says none and the file matters."""
        if entry.get("size") is None:
            if not looks_like_distribution(name.removesuffix(METADATA_SUFFIX)) and not split_companion(name):
                return
            try:
                with self._asking(name):
                    entry = info_of(fs, entry["name"])
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
        promises: what the protocol can promise.
        forget: as for `FsspecReader`.
    """

    def __init__(
        self,
        fs: Callable[[], AbstractFileSystem],
        root: str,
        url: str,
        write: WayOfWriting,
        promises: Promises,
        *,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(fs, root, url, forget=forget)
        self._write = write
        self._promises = promises
        self._lock = threading.Lock()
        self._proved: set[bool] = set()

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a file that is not there yet; metadata cannot be kept."""
        del metadata
        self._prove_refusal(content)
        self._create(name, content, content_type)

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a file in place of the one that may be there."""
        del metadata
        with self._asking(name):
            self._write(self._fs(), Writing(self._path(name), content, content_type, replace=True))

    def delete_object(self, name: str) -> None:
        """Remove a file."""
        try:
            with self._asking(name):
                self._fs().rm_file(self._path(name))
        except BackendError as error:
            if error.retryable:
                raise
            with suppress(NotFound):  # of FTP, for instance, which has one code for all refusals
                self.stat_object(name)
                raise

    def _create(self, name: str, content: StagedFile | bytes, content_type: str, **options: Any) -> None:
        with self._asking(name):
            writing = Writing(self._path(name), content, content_type, replace=False, options=options)
            self._write(self._fs(), writing)

    def _prove_refusal(self, content: StagedFile | bytes) -> None:
        """Find out once whether a name that is taken is refused, before the first file is created."""
        with self._lock:
            for many_parts in (False, True) if self._needs_parts(content) else (False,):
                if many_parts not in self._proved:
                    self._prove(many_parts=many_parts)
                    self._proved.add(many_parts)

    def _needs_parts(self, content: StagedFile | bytes) -> bool:
        if not self._promises.parts or isinstance(content, bytes):
            return False
        return bool(content.size >= getattr(self._fs(), "default_block_size", PART))

    def _prove(self, *, many_parts: bool) -> None:
        if self._promises.exclusive is Exclusive.SERVER and not self._refuses(many_parts=many_parts):
            if self._promises.commits:
                raise BackendError(
                    f"{self.address_of('')}: this server overwrites, although it is told not to.",
                    hint="Two jobs that push at once could replace each other's files: use a server that "
                    "knows conditional writes.",
                )
            self._write = ByMoving(exclusive=False)
            self._warn()
        if self._promises.exclusive is Exclusive.NONE:
            self._warn()

    def _refuses(self, *, many_parts: bool) -> bool:
        """Whether the server refuses to create a file twice."""
        if not many_parts:
            with suppress(AlreadyExists):  # the first time it is new, and then it is not
                self._create(WITNESS, EXPLANATION, "text/plain")
        content, options = EXPLANATION, {}
        if many_parts:
            content, options = EXPLANATION.ljust(PART + 1), {"block_size": PART}
        try:
            self._create(WITNESS, content, "text/plain", **options)
        except AlreadyExists:
            return True
        return False

    def _warn(self) -> None:
        _log.warning(
            "%s: the server does not refuse names that are taken: two jobs that push different files under "
            "one name in the same moment could replace each other's.",
            self.address_of(""),
        )


class _Reading:
    """The bytes of an open file: whole, and with our errors only."""

    def __init__(self, file: Any, address: str, asking: Callable[[], AbstractContextManager[None]]) -> None:
        # The memory file system hands out the one file that it stores, position and all.
        self._file = io.BytesIO(file.getvalue()) if isinstance(file, MemoryFile) else file
        self._address = address
        self._asking = asking
        self._left = getattr(file, "size", None)

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; empty at the end."""
        with self._asking():
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
