"""A directory as a container: the store that needs no server, and to be opened no configuration.

Files are written as `wheelrelay.disk.writing` does: a file that is there is never overwritten, one that can
be seen is whole, and this holds for any number of processes at once. On file systems without hard links it
holds for the writers of this machine.
"""

import errno
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path
from stat import S_ISREG

from wheelrelay.backends.local.companions import read_beside
from wheelrelay.containers.objects import StoredObject, iter_blocks
from wheelrelay.containers.store import ContainerStore
from wheelrelay.disk.writing import (
    TEMPORARY_PREFIX,
    remove_leftovers,
    rename_exclusively,
    temporary_file,
    write_error_hint,
)
from wheelrelay.errors import AlreadyExists, BackendError, NotFound, PermissionDenied
from wheelrelay.filenames import looks_like_distribution, split_companion
from wheelrelay.model import DistFile
from wheelrelay.protocols import ByteStream
from wheelrelay.staged import StagedFile

_log = logging.getLogger(__name__)


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

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """The content of a companion file; a link is not followed, and over 1 MiB are refused."""
        return read_beside(self._folder / (file.filename + suffix))


class DirectoryObjects:
    """The files of a directory; see `wheelrelay.containers.objects.Objects`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._swept: set[Path] = set()
        self._warned: set[str] = set()
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

    def path_of(self, name: str) -> Path:
        """The file's path."""
        return self.path / name

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
            rename_exclusively(temporary, target)

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
            if not wanted(entry.name) or entry.name.startswith(TEMPORARY_PREFIX):
                continue
            try:
                if entry.is_symlink() and split_companion(entry.name):
                    self._warn(entry, "links to companions are not followed")
                elif entry.is_file():
                    yield _stored(folder + entry.name, entry.stat())
                elif entry.is_symlink() and not Path(entry).exists():
                    self._warn(entry, "it is a link that leads nowhere")
            except FileNotFoundError:  # it went while we looked
                continue
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
                self._warn(entry, "it is a link that leads to itself")

    def _warn(self, entry: os.DirEntry[str], why: str) -> None:
        matters = looks_like_distribution(entry.name) or split_companion(entry.name)
        if entry.path not in self._warned and matters:
            self._warned.add(entry.path)
            _log.warning("%s is left out: %s.", entry.path, why)

    @contextmanager
    def _written(self, target: Path, content: StagedFile | bytes) -> Iterator[Path]:
        """The content in a temporary file beside ``target``, on disk; gone afterwards, whatever happens."""
        size, sha256 = (len(content), None) if isinstance(content, bytes) else (content.size, content.sha256)
        with _mapped(target, "cannot be written"):
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.parent not in self._swept:
                self._swept.add(target.parent)
                remove_leftovers(target.parent)
            with temporary_file(target, iter_blocks(content), size=size, sha256=sha256) as temporary:
                yield temporary


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


@contextmanager
def _mapped(path: Path, what: str | None = None) -> Iterator[None]:
    """Turn what the operating system raises about ``path`` into our errors that say ``what`` failed."""
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
        failed = f"{path} {what}" if what else str(path)
        raise BackendError(f"{failed}: {error.strerror or error}.", hint=write_error_hint(error)) from error
