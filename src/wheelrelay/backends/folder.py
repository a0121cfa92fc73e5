"""A directory as a container: the store that needs no server, and to be opened no configuration.

A file is written under a hidden temporary name in the same folder, flushed to disk, and given its real
name by a hard link, which fails if the name is taken: a file that is there is never overwritten, one
that can be seen is whole, and this holds for any number of processes at once. On file systems without
hard links the name is given by renaming under a lock, which binds the writers of this machine.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path
from stat import S_ISREG

from wheelrelay.containers.content import blocks_of
from wheelrelay.containers.objects import StoredObject
from wheelrelay.containers.store import ContainerStore
from wheelrelay.errors import AlreadyExists, BackendError, NotFound, PermissionDenied
from wheelrelay.model import DistFile
from wheelrelay.protocols import ByteStream
from wheelrelay.staged import StagedFile

TEMPORARY = ".wheelrelay-"
"""How the names of files begin that are being written."""

STALE = 24 * 3600
"""Seconds after which a temporary file is what a killed run left."""

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}


@contextmanager
def opened_directory(
    path: Path, *, pages: bool = False, public_url: str | None = None, cdn_lag: timedelta = timedelta(0)
) -> Iterator["DirectoryStore"]:
    """A directory as a store; nothing is read or made yet.

    Args:
        path: the directory.
        pages: as for `ContainerStore`.
        public_url: as for `ContainerStore`.
        cdn_lag: as for `ContainerStore`.
    """
    store = DirectoryStore(DirectoryObjects(path), pages=pages, public_url=public_url, cdn_lag=cdn_lag)
    with closing(store):
        yield store


class DirectoryStore(ContainerStore):
    """A directory as a store; its files are hashed in place and never copied.

    Args:
        objects: the directory.
        pages: as for `ContainerStore`.
        public_url: as for `ContainerStore`.
        cdn_lag: as for `ContainerStore`.
    """

    def __init__(
        self,
        objects: "DirectoryObjects",
        *,
        pages: bool = False,
        public_url: str | None = None,
        cdn_lag: timedelta = timedelta(0),
    ) -> None:
        super().__init__(objects, pages=pages, made_by_put=True, public_url=public_url, cdn_lag=cdn_lag)
        self._folder = objects.path

    def local_path(self, file: DistFile) -> Path:
        """Where the file lies."""
        return self._folder / file.filename


class DirectoryObjects:
    """The files of a directory; see `wheelrelay.containers.objects.Objects`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._swept: set[Path] = set()
        self._beside = str(path / "_").removesuffix("_")

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """The regular files in a folder, also those that links lead to."""
        return self._list(folder, lambda _: True)

    def list_named(self, wanted: Callable[[str], bool]) -> Iterator[StoredObject]:
        """The regular files that ``wanted`` takes; no others are looked at."""
        return self._list("", wanted)

    def _list(self, folder: str, wanted: Callable[[str], bool]) -> Iterator[StoredObject]:
        try:
            with _mapped(self.path / folder), os.scandir(self.path / folder) as entries:
                yield from self._regular_files(folder, entries, wanted)
        except NotFound:
            if not folder:
                raise NotFound(
                    f"There is no directory {self.path}.", hint="Check the path, or make it."
                ) from None

    def stat_object(self, name: str) -> StoredObject:
        """One file, if it is there and a regular one."""
        with _mapped(self.path / name):
            status = (self.path / name).stat()
        if not S_ISREG(status.st_mode):
            raise NotFound(f"{self.path / name} is not a regular file.")
        return _stored(name, status)

    @contextmanager
    def open_object(self, name: str) -> Iterator[ByteStream]:
        """Open a file."""
        with _mapped(self.path / name):
            raw = (self.path / name).open("rb", buffering=0)
        with raw:
            yield _Reading(raw, self.path / name)

    def address_of(self, name: str) -> str:
        """The file's path."""
        return self._beside + name

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a file that is not there yet; a directory keeps neither type nor metadata."""
        del content_type, metadata
        target = self.path / name
        with self._written(target, content) as temporary:
            _give_name(temporary, target)

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a file in place of the one that may be there."""
        del content_type, metadata
        target = self.path / name
        with self._written(target, content) as temporary:
            temporary.replace(target)

    def delete_object(self, name: str) -> None:
        """Remove a file; folders that become empty stay."""
        with _mapped(self.path / name):
            (self.path / name).unlink(missing_ok=True)

    def _regular_files(
        self, folder: str, entries: Iterator[os.DirEntry[str]], wanted: Callable[[str], bool]
    ) -> Iterator[StoredObject]:
        for entry in entries:
            if not wanted(entry.name) or entry.name.startswith(TEMPORARY):
                continue
            with suppress(FileNotFoundError):  # it went while we looked, or is a link to nowhere
                if entry.is_file():
                    yield _stored(folder + entry.name, entry.stat())

    @contextmanager
    def _written(self, target: Path, content: StagedFile | bytes) -> Iterator[Path]:
        """The content in a temporary file beside ``target``, on disk; gone afterwards, whatever happens."""
        import secrets

        with _mapped(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._sweep(target.parent)
            temporary = target.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
            try:
                with temporary.open("xb", buffering=0) as stream:
                    for block in blocks_of(content):
                        stream.write(block)
                    os.fsync(stream.fileno())
                yield temporary
            finally:
                temporary.unlink(missing_ok=True)
            _flush_folder(target.parent)

    def _sweep(self, folder: Path) -> None:
        """Remove what killed runs left in ``folder``, once for this connection."""
        if folder in self._swept:
            return
        self._swept.add(folder)
        for left in folder.glob(f"{TEMPORARY}*"):
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > STALE:
                    left.unlink()


class _Reading:
    """The bytes of an open file; only what goes wrong with this very file is an error of this place."""

    def __init__(self, raw: FileIO, path: Path) -> None:
        self._raw = raw
        self._path = path

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; empty at the end."""
        with _mapped(self._path):
            return self._raw.read(size)


def _stored(name: str, status: os.stat_result) -> StoredObject:
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return StoredObject(name, status.st_size, f"{status.st_ino:x}-{status.st_mtime_ns:x}", modified)


def _give_name(temporary: Path, target: Path) -> None:
    """Let the bytes of ``temporary`` be ``target``, unless that is taken."""
    try:
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with _folder_lock(target.parent):
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
            temporary.rename(target)


@contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    """Hold off the other writers of this machine, where the system can; a killed one lets go."""
    if os.name == "nt":  # renaming never overwrites there
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _flush_folder(folder: Path) -> None:
    """Make the names in ``folder`` outlive a crash, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _mapped(path: Path) -> Iterator[None]:
    """Turn what the operating system raises about ``path`` into our errors."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"{path} is not there.") from error
    except FileExistsError as error:
        raise AlreadyExists(f"{path} is there already.") from error
    except PermissionError as error:
        raise PermissionDenied(
            f"{path}: {error.strerror}.", hint="Check the permissions of the directory."
        ) from error
    except OSError as error:
        raise BackendError(f"{path}: {error.strerror or error}.") from error
