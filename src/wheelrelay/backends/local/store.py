"""A directory as a container, which needs neither a server nor a configuration.

Files are written by `wheelrelay.disk.writing`: existing files are not overwritten, and files are never
visible half-written, with any number of processes at once. On file systems without hard links, this holds for
the processes of one machine.
"""

import errno
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path
from stat import S_ISREG

from wheelrelay.backends.local.companions import read_companion_file
from wheelrelay.containers.objects import StoredObject, iter_blocks
from wheelrelay.containers.store import ContainerStore
from wheelrelay.disk.writing import (
    TEMPORARY_PREFIX,
    remove_leftovers,
    rename_exclusively,
    write_error_hint,
    write_temporary,
)
from wheelrelay.errors import AlreadyExists, BackendError, NotFound, PermissionDenied
from wheelrelay.filenames import looks_like_distribution, split_companion
from wheelrelay.model import DistFile
from wheelrelay.protocols import ByteStream, InstallerIndex
from wheelrelay.staged import StagedFile

_log = logging.getLogger(__name__)


@contextmanager
def open_directory(
    path: Path, *, pages: bool = False, public_url: str | None = None, cdn_lag: timedelta = timedelta(0)
) -> Iterator["DirectoryStore"]:
    """Open a directory as a store; nothing is read or created yet.

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
    """A directory as a store whose files are hashed in place and never copied.

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

    def installer_index(self) -> InstallerIndex:
        """Return the directory."""
        return InstallerIndex(folder=self._folder.absolute())

    def local_path(self, file: DistFile) -> Path:
        """Return the path of a file."""
        return self._folder / file.filename

    def look(self, file: DistFile) -> DistFile | None:
        """Return the current file of the same name; links to companions are ignored, as in listings."""
        path = self.local_path(file)
        regular = (
            suffix for suffix in file.companions if not path.with_name(path.name + suffix).is_symlink()
        )
        return super().look(replace(file, companions=tuple(regular)))

    def _may_have_pages(self) -> bool:
        # A directory stores no digests with its files, so without its pages the files have to be read.
        return self._has_pages()

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """Return the content of a companion; links are not followed, and the limit is 1 MiB."""
        return read_companion_file(self._folder / (file.filename + suffix))


class DirectoryObjects:
    """The files of a directory; see `wheelrelay.containers.objects.Objects`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._cleaned: set[Path] = set()
        self._last_listed: dict[str, StoredObject] = {}
        self._warned: set[str] = set()
        self._prefix = str(path / "_").removesuffix("_")

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """Yield the regular files in a folder, including the targets of links."""
        return self._list(folder, lambda _: True)

    def list_named(self, selects: Callable[[str], bool]) -> Iterator[StoredObject]:
        """Yield the regular files whose name ``selects`` accepts; others need no system call."""
        return self._list("", selects)

    def _list(self, folder: str, selects: Callable[[str], bool]) -> Iterator[StoredObject]:
        try:
            with _map_errors(self.path / folder), os.scandir(self.path / folder) as entries:
                yield from self._regular_files(folder, entries, selects)
        except NotFound:
            if not folder:
                raise NotFound(
                    f"The directory {self.path} does not exist.", hint="Check the path, or create it."
                ) from None

    def path_of(self, name: str) -> Path:
        """Return the path of a file."""
        return self.path / name

    def stat_object(self, name: str) -> StoredObject:
        """Return one regular file."""
        path = self._prefix + name  # a `Path` for each of many files takes longer than the call
        with _map_errors(path):
            status = os.stat(path)  # noqa: PTH116
        if not S_ISREG(status.st_mode):
            raise NotFound(f"{self.path / name} is not a regular file.")
        return _stored(name, status)

    @contextmanager
    def open_object(self, name: str) -> Iterator[ByteStream]:
        """Open a file for reading."""
        with _map_errors(self.path / name):
            raw = (self.path / name).open("rb", buffering=0)
        with raw:
            yield _Stream(raw, self.path / name)

    def address_of(self, name: str) -> str:
        """Return the path of a file as text."""
        return self._prefix + name

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> str:
        """Write a new file; a directory stores neither type nor metadata."""
        del content_type, metadata
        target = self.path / name
        with self._written(target, content) as temporary:
            etag = _etag(os.stat(temporary))  # noqa: PTH116  (renaming changes neither inode nor time)
            rename_exclusively(temporary, target)
        return etag

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a file, replacing the one that may exist."""
        del content_type, metadata
        target = self.path / name
        with self._written(target, content) as temporary:
            temporary.replace(target)

    def delete_object(self, name: str) -> None:
        """Remove a file, if it exists; empty folders are kept."""
        with _map_errors(self.path / name):
            (self.path / name).unlink(missing_ok=True)

    def _regular_files(
        self, folder: str, entries: Iterator[os.DirEntry[str]], selects: Callable[[str], bool]
    ) -> Iterator[StoredObject]:
        for entry in entries:
            name = entry.name
            if not selects(name) or name.startswith(TEMPORARY_PREFIX):
                continue
            try:
                if entry.is_file(follow_symlinks=False):  # nearly all are
                    yield self._listed(folder + name, entry.stat())
                elif entry.is_symlink() and split_companion(name):
                    self._warn(entry, "links to companions are not followed")
                elif entry.is_file():
                    yield self._listed(folder + name, entry.stat())
                elif entry.is_symlink() and not Path(entry).exists():
                    self._warn(entry, "it is a dangling link")
            except FileNotFoundError:  # it was removed meanwhile
                continue
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
                self._warn(entry, "it is a circular link")

    def _listed(self, name: str, status: os.stat_result) -> StoredObject:
        """Return the object of the last listing if it did not change: a run lists large directories twice."""
        last = self._last_listed.get(name)
        if last is None or last.size != status.st_size or last.etag != _etag(status):
            last = self._last_listed[name] = _stored(name, status)
        return last

    def _warn(self, entry: os.DirEntry[str], reason: str) -> None:
        is_relevant = looks_like_distribution(entry.name) or split_companion(entry.name)
        if entry.path not in self._warned and is_relevant:
            self._warned.add(entry.path)
            _log.warning("%s is ignored: %s.", entry.path, reason)

    @contextmanager
    def _written(self, target: Path, content: StagedFile | bytes) -> Iterator[Path]:
        """Yield a temporary file next to ``target`` with the content, synced; it is removed in any case."""
        size, sha256 = (len(content), None) if isinstance(content, bytes) else (content.size, content.sha256)
        with _map_errors(target, "cannot be written"):
            folder = target.parent
            if not os.path.isdir(folder):  # noqa: PTH112  (most files have a folder, and this is faster)
                folder.mkdir(parents=True, exist_ok=True)
            if folder not in self._cleaned:
                self._cleaned.add(folder)
                remove_leftovers(folder)
            with write_temporary(target, iter_blocks(content), size=size, sha256=sha256) as temporary:
                yield temporary


class _Stream:
    """The bytes of an open file; its errors, and no others, become errors of this backend."""

    def __init__(self, raw: FileIO, path: Path) -> None:
        self._raw = raw
        self._path = path

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most ``size``; empty at the end."""
        with _map_errors(self._path):
            return self._raw.read(size)


def _stored(name: str, status: os.stat_result) -> StoredObject:
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return StoredObject(name, status.st_size, _etag(status), modified)


def _etag(status: os.stat_result) -> str:
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}"


@contextmanager
def _map_errors(path: Path | str, failure: str | None = None) -> Iterator[None]:
    """Map the errors of the operating system about ``path``; ``failure`` is the predicate of the message."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"{path} does not exist.") from error
    except FileExistsError as error:
        raise AlreadyExists(f"{path} already exists.") from error
    except PermissionError as error:
        raise PermissionDenied(
            f"{path}: {error.strerror}.", hint="Check the permissions of the directory."
        ) from error
    except OSError as error:
        failed = f"{path} {failure}" if failure else str(path)
        raise BackendError(f"{failed}: {error.strerror or error}.", hint=write_error_hint(error)) from error
