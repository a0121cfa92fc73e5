"""Write files so that they are visible whole or not at all, in one way for each kind of file system."""

import errno
import re
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.asyn import AsyncFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from wheelrelay.backends.fsspec.capabilities import Exclusive, capabilities_of
from wheelrelay.backends.fsspec.errors import is_transient
from wheelrelay.backends.fsspec.reading import Entry, exists, list_entries, modified_at, stat_entry
from wheelrelay.containers.objects import iter_blocks
from wheelrelay.errors import BackendError, SizeMismatch, WheelrelayError
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.staged import StagedFile

TEMPORARY = ".wheelrelay-"
"""The prefix of temporary files."""

_TEMPORARY_NAME = re.compile(re.escape(TEMPORARY) + "[0-9a-f]{32}")
"""The name of a file that is being written."""

ABANDONED_AFTER = timedelta(days=1)
"""The age at which a temporary file belongs to no running process any more.

Nothing on the server tells which process a file belongs to, so the age is far longer than any upload."""

_lock = threading.Lock()
"""Held while a name is given by two steps, so that at least the threads of this process do not interfere."""


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """A file to write.

    Attributes:
        path: its path.
        content: its bytes.
        content_type: its media type.
        replace: whether it may replace another; if not, an existing name is a `FileExistsError`.
        options: further options of ``open``.
    """

    path: str
    content: StagedFile | bytes
    content_type: str
    replace: bool
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The path of its folder."""
        return self.path.rpartition("/")[0]

    def temporary_path(self) -> str:
        """Return a path in the same folder for the new content, which listings of distributions ignore."""
        return f"{self.folder}/{TEMPORARY}{uuid.uuid4().hex}"

    def backup_path(self) -> str:
        """Return a path in the same folder for the old content; such files are never swept."""
        return f"{self.folder}/{TEMPORARY}old-{uuid.uuid4().hex}"


Writer = Callable[[AbstractFileSystem, WriteRequest], None]
"""Writes a file whole or not at all."""


def writer_for(fs: AbstractFileSystem) -> Writer | None:
    """Return how files are written to a file system; ``None`` if it is read-only (HTTP, archives)."""
    if not _can_remove(fs):
        return None
    if isinstance(fs, MemoryFileSystem):
        return _write_to_memory
    capabilities = capabilities_of(fs)
    if capabilities.commits_on_close:
        return partial(_write_and_close, capabilities.content_type_option)
    return WriteAndRename(exclusive=capabilities.exclusive is Exclusive.SERVER)


def _can_remove(fs: AbstractFileSystem) -> bool:
    """Return whether the implementation can remove files; one that cannot is read-only."""
    bases = (AbstractFileSystem, AsyncFileSystem, object)
    classes = [cls for cls in type(fs).__mro__ if cls not in bases]
    return any(name in vars(cls) for cls in classes for name in ("rm", "_rm", "rm_file", "_rm_file"))


def _write_to_memory(fs: AbstractFileSystem, request: WriteRequest) -> None:
    content = b"".join(iter_blocks(request.content))
    with _lock:
        fs.pipe_file(request.path, content, mode="overwrite" if request.replace else "create")


def _write_and_close(type_option: str, fs: AbstractFileSystem, request: WriteRequest) -> None:
    """Write a file that gets its name when it is closed, unless the server rejects the name."""
    options = {type_option: _media_type(type_option, request.content_type)} if type_option else {}
    file: Any = fs.open(request.path, "wb" if request.replace else "xb", **options, **request.options)
    try:
        for block in iter_blocks(request.content):
            file.write(block)
        file.close()  # sends the last block, which makes the file visible
    except BaseException as error:
        with suppress(Exception):
            file.discard()
        file.closed = True  # otherwise its destructor would write it after all
        if (
            not request.replace
            and not isinstance(error, WheelrelayError)
            and _surely_exists(fs, request.path)
        ):
            raise FileExistsError(request.path) from error
        raise


def _surely_exists(fs: AbstractFileSystem, path: str) -> bool:
    """Return whether a file exists; False if that is unknown, so that the original error is raised."""
    try:
        return exists(fs, path)
    except Exception:  # noqa: BLE001  (the errors of implementations have no common class)
        return False


def _media_type(option: str, content_type: str) -> Any:
    """Return a media type as the implementation expects it."""
    if option != "content_settings":
        return content_type
    from azure.storage.blob import ContentSettings  # a dependency of adlfs

    return ContentSettings(content_type=content_type)


class WriteAndRename:
    """Writes a file under a temporary name in the same folder, compares its size, and renames it.

    Args:
        exclusive: use a renaming that the server rejects if the name exists (SFTP). Otherwise the name is
            checked first, and another writer can create the file in between.
    """

    def __init__(self, *, exclusive: bool) -> None:
        self._exclusive = exclusive
        self._folders: set[str] = set()
        self._folder_lock = threading.Lock()

    def __call__(self, fs: AbstractFileSystem, request: WriteRequest) -> None:
        """Write a file."""
        temporary = request.temporary_path()
        self._prepare_folder(fs, request.folder)
        try:
            self._write(fs, temporary, request)
            with _lock:
                if request.replace:
                    _replace(fs, temporary, request)
                else:
                    self._create(fs, temporary, request.path)
        except BaseException:
            with suppress(Exception):
                fs.rm_file(temporary)
            raise

    def _prepare_folder(self, fs: AbstractFileSystem, folder: str) -> None:
        """Create a folder and remove old temporary files from it, once; other writers may do the same."""
        with self._folder_lock:
            if folder in self._folders or not folder.strip("/"):
                return
            try:
                fs.makedirs(folder, exist_ok=True)
            except Exception:  # noqa: BLE001  (the errors of implementations have no common class)
                if not exists(fs, folder):
                    # Another writer may have created one of its parents at the same moment.
                    fs.makedirs(folder, exist_ok=True)
            self._folders.add(folder)
            with suppress(Exception):  # tidying up must not prevent the upload
                sweep(fs, list_entries(fs, folder))

    def _write(self, fs: AbstractFileSystem, temporary: str, request: WriteRequest) -> None:
        size = 0
        try:
            with fs.open(temporary, "wb") as file:
                for block in iter_blocks(request.content):
                    file.write(block)
                    size += len(block)
        except FileNotFoundError:
            self._folders.discard(request.folder)  # it was removed meanwhile
            raise
        stored = stat_entry(fs, temporary).get("size")
        if stored is not None and stored != size:
            raise SizeMismatch(f"The server stored {stored} of {size} bytes of {request.path}.")

    def _create(self, fs: AbstractFileSystem, temporary: str, path: str) -> None:
        if not self._exclusive:
            if exists(fs, path):
                raise FileExistsError(path)
            _rename(fs, temporary, path)
            return
        try:
            # fs.mv uses an extension of OpenSSH that replaces existing files.
            fs.ftp.rename(temporary, path)
        except OSError as error:
            if not is_transient(error) and _surely_exists(fs, path):
                raise FileExistsError(path) from error
            raise


def sweep(fs: AbstractFileSystem, entries: Iterable[Entry]) -> None:
    """Remove the temporary files of killed processes, recognized by their name and age."""
    limit = datetime.now(UTC) - ABANDONED_AFTER
    for entry in entries:
        modified = modified_at(entry)
        has_form = _TEMPORARY_NAME.fullmatch(entry["name"].rpartition("/")[2])
        if has_form and entry["type"] == "file" and modified is not None and modified < limit:
            with suppress(Exception):  # another process may be sweeping too
                fs.rm_file(entry["name"])


def _replace(fs: AbstractFileSystem, temporary: str, request: WriteRequest) -> None:
    """Rename over the old file; if the server rejects that, move the old file aside first."""
    try:
        _rename(fs, temporary, request.path)
    except Exception as error:
        if is_transient(error) or not exists(fs, request.path):
            raise
        _replace_by_backup(fs, temporary, request)


def _replace_by_backup(fs: AbstractFileSystem, temporary: str, request: WriteRequest) -> None:
    """Move the old file aside, and back if anything fails."""
    backup = request.backup_path()
    try:
        _rename(fs, request.path, backup, may_replace=False)
        _rename(fs, temporary, request.path, may_replace=False)
    except BaseException as error:
        try:
            if not exists(fs, request.path):
                _rename(fs, backup, request.path, may_replace=False)
        except Exception:  # noqa: BLE001  (the errors of implementations have no common class)
            raise BackendError(
                f"{request.path} was not replaced, and its old content could not be restored: {error}.",
                hint=f"If it does not exist, rename {backup}, which has its old content.",
            ) from error
        raise
    with suppress(Exception):
        fs.rm_file(backup)


def _rename(fs: AbstractFileSystem, source: str, target: str, *, may_replace: bool = True) -> None:
    """Rename a file, and verify it: some implementations ignore the server's refusal.

    Args:
        fs: the file system.
        source: the path of the file.
        target: its new path.
        may_replace: use the renaming that replaces, if there are two; some servers support only the other.
    """
    client: Any = getattr(fs, "ftp", None)
    rename = client.rename if not may_replace and hasattr(client, "posix_rename") else fs.mv
    rename(source, target)
    if exists(fs, source):
        raise OSError(errno.EIO, "the server did not rename it")
