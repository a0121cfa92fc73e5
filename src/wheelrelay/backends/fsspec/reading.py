"""Read the files of a folder that fsspec reaches, without ever taking unknown for absent.

``exists`` of most implementations returns False for every error, a timeout included. The one for FTP takes a
folder whose listing fails for an empty folder.
"""

import errno
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from ftplib import error_perm
from typing import Any
from urllib.parse import quote, unquote

from fsspec import AbstractFileSystem
from fsspec.implementations.ftp import FTPFileSystem
from fsspec.implementations.memory import MemoryFile

from wheelrelay.backends.fsspec.errors import concealed_error, display_chain, map_errors
from wheelrelay.containers.listing import METADATA_SUFFIX
from wheelrelay.containers.objects import StoredObject
from wheelrelay.errors import BackendError, NotFound, Rejected, SizeMismatch, Unavailable
from wheelrelay.filenames import looks_like_distribution, split_companion
from wheelrelay.protocols import ByteStream

Entry = Mapping[str, Any]
"""A file or folder as fsspec describes it, with ``name``, ``type`` and usually ``size``."""

_STATE_KEYS = (
    *("ETag", "etag", "md5Hash", "checksum", "generation"),
    *("mtime", "LastModified", "modify", "created"),
)
"""The keys with values that change with the content, or with the time of writing."""

_TIME_KEYS = ("mtime", "LastModified", "last_modified", "modified", "modify", "created")

_UNKNOWN_COMMAND = ("500", "502", "504")
"""FTP's responses to a command that the server does not support."""


class FsspecReader:
    """Reads the files of a folder.

    Args:
        fs: returns the file system for the calling thread.
        root: the path of the folder.
        url: the URL, for messages.
        discard: called when the connection of the calling thread has failed, to make the next call reconnect.

    Attributes:
        reads_ahead: fsspec reads whole blocks, so parallel range requests would fetch blocks twice.
    """

    reads_ahead = True

    def __init__(
        self,
        fs: Callable[[], AbstractFileSystem],
        root: str,
        url: str,
        *,
        discard: Callable[[], None] = lambda: None,
    ) -> None:
        self._fs = fs
        self._discard = discard
        self._root = root.rstrip("/")
        self._address = display_chain(url).rstrip("/")
        self._is_chain = "::" in url
        # Over HTTP, paths are parts of URLs, and percent-encoded in listings.
        self._is_web = root.startswith(("http://", "https://"))

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """Yield the files in a folder, without caching."""
        path = self._path(folder).rstrip("/")
        try:
            with self._request(folder):
                fs = self._fs()
                entries = list_entries(fs, f"{path}/" if self._is_web else path)
        except NotFound:
            if not folder:
                raise
            return
        for entry in entries:
            if entry["type"] != "directory" and entry["name"].rstrip("/") != path:
                name = entry["name"].rpartition("/")[2]
                if entry.get("islink") and split_companion(name):  # a link could publish any file of the host
                    continue
                yield from self._describe(fs, folder + (unquote(name) if self._is_web else name), entry)

    def stat_object(self, name: str) -> StoredObject:
        """Return one file; fsspec stores no metadata with it."""
        with self._request(name):
            entry = stat_entry(self._fs(), self._path(name))
        if entry["type"] == "directory":
            raise NotFound(f"{self.address_of(name)} is a directory.")
        return self._stored(name, entry)

    @contextmanager
    def open_object(self, name: str) -> Iterator[ByteStream]:
        """Open a file for reading."""
        with self._opened(name) as file:
            yield _Stream(file, self.address_of(name), lambda: self._request(name))

    @contextmanager
    def open_part(self, name: str, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Open a part of a file; see `wheelrelay.containers.objects.SupportsParts`."""
        address = self.address_of(name)
        with self._opened(name) as file:
            try:
                with self._request(name):
                    file.seek(start)
                    # This fetches the first block, which fails here if the server ignores the start.
                    first: bytes = file.read(1)
            except (BackendError, SizeMismatch) as error:
                if isinstance(error.__cause__, ValueError | NotImplementedError):
                    raise Rejected(f"{address} can only be read from its start.") from error
                raise
            yield _Stream(file, address, lambda: self._request(name), first=first, start=start, stop=stop)

    @contextmanager
    def _opened(self, name: str) -> Iterator[Any]:
        with self._request(name):
            file = self._fs().open(self._path(name), "rb")
        try:
            # The memory file system returns the one file that it stores, with its position.
            yield io.BytesIO(file.getvalue()) if isinstance(file, MemoryFile) else file
        finally:
            with suppress(Exception):  # it was only read
                file.close()

    def address_of(self, name: str) -> str:
        """Return the URL of a file, without secrets."""
        return f"{self._address}/{name if self._is_chain else quote(name)}"

    @contextmanager
    def _request(self, name: str) -> Iterator[None]:
        """Map errors, and discard a connection that has failed."""
        try:
            with map_errors(self.address_of(name)):
                yield
        except Unavailable:
            self._discard()
            raise

    def _path(self, name: str) -> str:
        name = quote(name) if self._is_web else name
        return f"{self._root}/{name}" if self._root else name

    def _describe(self, fs: AbstractFileSystem, name: str, entry: Entry) -> Iterator[StoredObject]:
        """Yield the file, after a request for its size if the listing has none and the file matters."""
        if entry.get("size") is None:
            if not looks_like_distribution(name.removesuffix(METADATA_SUFFIX)) and not split_companion(name):
                return
            try:
                with self._request(name):
                    entry = stat_entry(fs, entry["name"])
            except NotFound:  # it was removed meanwhile, or is a dangling link
                return
        yield self._stored(name, entry)

    def _stored(self, name: str, entry: Entry) -> StoredObject:
        if entry.get("size") is None:
            raise BackendError(f"{self.address_of(name)}: the server does not report its size.")
        return StoredObject(name, int(entry["size"]), state_of(entry), modified_at(entry))


class _Stream:
    """The bytes of an open file, or of a part of it; it raises our errors, also if it ends early.

    Args:
        file: the open file, positioned after ``first``.
        address: its URL, for messages.
        request: maps errors.
        first: bytes that have been read already.
        start: the offset of ``first``.
        stop: the offset at which the part ends; the end of the file if ``None``.
    """

    def __init__(
        self,
        file: Any,
        address: str,
        request: Callable[[], AbstractContextManager[None]],
        *,
        first: bytes = b"",
        start: int = 0,
        stop: int | None = None,
    ) -> None:
        self._file = file
        self._address = address
        self._request = request
        self._first = first
        size: int | None = getattr(file, "size", None)
        ends = [end for end in (size, stop) if end is not None]
        self._left = min(ends) - start if ends else None
        self._is_part = stop is not None

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most ``size``; empty at the end."""
        if self._left is not None and self._is_part:
            size = min(size, self._left)
        block = self._next(size) if size else b""
        if self._left is not None:
            self._left -= len(block)
            if not block and size and self._left > 0:
                raise SizeMismatch(f"{self._address} ended {self._left} bytes early.")
        return block

    def _next(self, size: int) -> bytes:
        if self._first:
            block, self._first = self._first[:size], self._first[size:]
            return block
        with self._request():
            return bytes(self._file.read(size))


def list_entries(fs: AbstractFileSystem, path: str) -> list[Entry]:
    """Return the entries of a folder, without caching.

    Raises:
        FileNotFoundError: it does not exist.
        Exception: as the implementation raises.
    """
    fs.invalidate_cache()
    if isinstance(fs, FTPFileSystem):
        return _list_ftp(fs, "/" + path.strip("/"))
    entries: list[Entry] = fs.ls(path, detail=True)
    return entries


def stat_entry(fs: AbstractFileSystem, path: str) -> Entry:
    """Return the entry of a file or folder, without caching.

    Raises:
        FileNotFoundError: it does not exist.
        Exception: as the implementation raises.
    """
    fs.invalidate_cache()
    if isinstance(fs, FTPFileSystem) and path.strip("/"):
        full_path = "/" + path.strip("/")
        for entry in _list_ftp(fs, _parent_of(full_path)):
            if entry["name"] == full_path:
                return entry
        raise FileNotFoundError(path)
    found: Entry = fs.info(path)
    return found


def exists(fs: AbstractFileSystem, path: str) -> bool:
    """Return whether a file or folder exists; all errors but "not found" are raised."""
    try:
        stat_entry(fs, path)
    except FileNotFoundError as error:
        if concealed := concealed_error(error):
            raise concealed from error
        return False
    return True


def state_of(entry: Entry) -> str:
    """Return a text that changes when the file is written; empty if the server has none.

    Of FTP and SFTP this is the time of writing in whole seconds: a file that is written twice within one
    second, with the same size, seems unchanged. Yanked files and digests on pages depend on it, also right
    after a push.
    """
    return "-".join(str(entry[key]) for key in _STATE_KEYS if entry.get(key))


def modified_at(entry: Entry) -> datetime | None:
    """Return when a file was written, if the server reports it."""
    value = next((entry[key] for key in _TIME_KEYS if entry.get(key)), None)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):  # of FTP (RFC 3659, section 2.3), perhaps with a fraction of a second
        with suppress(ValueError):
            return datetime.strptime(value[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return None


def _list_ftp(fs: FTPFileSystem, path: str) -> list[Entry]:
    """Return the entries of a folder; it is absent only if its parent does not list it.

    FTP has one status, 550, for a folder that does not exist and for one that may not be listed.
    """
    try:
        return [
            _ftp_entry(path, name, facts)
            for name, facts in fs.ftp.mlsd(path)
            if name not in (".", "..") and facts["type"] not in ("cdir", "pdir")
        ]
    except error_perm as error:
        if str(error).startswith(_UNKNOWN_COMMAND):
            return _list_ftp_without_mlsd(fs, path)
        if path == "/" or any(entry["name"] == path for entry in _list_ftp(fs, _parent_of(path))):
            raise
    raise FileNotFoundError(path)


def _ftp_entry(folder: str, name: str, facts: Mapping[str, str]) -> Entry:
    """Return an entry in fsspec's form."""
    is_folder = facts["type"] == "dir"
    size = 0 if is_folder else int(facts["size"]) if "size" in facts else None
    kind = "directory" if is_folder else facts["type"]
    return {**facts, "name": f"{folder.rstrip('/')}/{name}", "type": kind, "size": size}


def _list_ftp_without_mlsd(fs: FTPFileSystem, path: str) -> list[Entry]:
    """Return what fsspec parses from ``LIST``; an empty result is verified by ``NLST``."""
    entries: list[Entry] = fs.ls(path, detail=True)
    if not entries and any(name.rpartition("/")[2] not in (".", "..") for name in fs.ftp.nlst(path)):
        raise OSError(errno.EAGAIN, "the listing failed")
    return entries


def _parent_of(path: str) -> str:
    return path.rpartition("/")[0] or "/"
