"""The ways to write a file so that it is seen whole or not at all, for each kind of file system."""

import errno
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.asyn import AsyncFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from wheelrelay.backends.fsspec.capabilities import Exclusive, promises_of
from wheelrelay.backends.fsspec.errors import may_pass
from wheelrelay.backends.fsspec.info import info_of, is_there
from wheelrelay.containers.objects import iter_blocks
from wheelrelay.errors import BackendError, SizeMismatch, WheelrelayError
from wheelrelay.staged import StagedFile

TEMPORARY = ".wheelrelay-"
"""How the names of files begin that are being written."""

_one_by_one = threading.Lock()


@dataclass(frozen=True, slots=True)
class Writing:
    """What is to be written.

    Attributes:
        path: where.
        content: the bytes.
        content_type: the media type to serve it with.
        replace: whether it may take the place of another; if not, a name that is taken is `FileExistsError`.
        options: further ones of ``open``.
    """

    path: str
    content: StagedFile | bytes
    content_type: str
    replace: bool
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The path of the folder that it is written to."""
        return self.path.rpartition("/")[0]

    def hidden_path(self) -> str:
        """A path in the same folder that listings of distribution files leave out."""
        return f"{self.folder}/{TEMPORARY}{uuid.uuid4().hex}"


WayOfWriting = Callable[[AbstractFileSystem, Writing], None]
"""Writes a content to a path, whole or not at all."""


def way_of_writing(fs: AbstractFileSystem) -> WayOfWriting | None:
    """How files are written there; ``None`` if they cannot be, as over HTTP or into an archive."""
    if not _can_remove(fs):
        return None
    if isinstance(fs, MemoryFileSystem):
        return _at_once
    promises = promises_of(fs)
    if promises.commits:
        return partial(_on_commit, promises.content_type)
    return ByMoving(exclusive=promises.exclusive is Exclusive.SERVER)


def _can_remove(fs: AbstractFileSystem) -> bool:
    """Whether the implementation brings a way to remove files: one that has none does not write either."""
    bases = (AbstractFileSystem, AsyncFileSystem, object)
    own = [cls for cls in type(fs).__mro__ if cls not in bases]
    return any(name in vars(cls) for cls in own for name in ("rm", "_rm", "rm_file", "_rm_file"))


def _at_once(fs: AbstractFileSystem, writing: Writing) -> None:
    whole = b"".join(iter_blocks(writing.content))
    with _one_by_one:
        fs.pipe_file(writing.path, whole, mode="overwrite" if writing.replace else "create")


def _on_commit(type_option: str, fs: AbstractFileSystem, writing: Writing) -> None:
    """Let the server give the file its name when the last byte is sent, unless the name is taken."""
    options = {type_option: _type_as(type_option, writing.content_type)} if type_option else {}
    file: Any = fs.open(writing.path, "wb" if writing.replace else "xb", **options, **writing.options)
    try:
        for block in iter_blocks(writing.content):
            file.write(block)
        file.close()  # which sends the last block, and with it lets the whole be seen
    except BaseException as error:
        with suppress(Exception):
            file.discard()
        file.closed = True  # or it would be written after all when it is collected
        if not writing.replace and not isinstance(error, WheelrelayError) and _is_taken(fs, writing.path):
            raise FileExistsError(writing.path) from error
        raise


def _is_taken(fs: AbstractFileSystem, path: str) -> bool:
    """Whether a name is taken for certain; what went wrong before is what matters if that is unknown."""
    try:
        return is_there(fs, path)
    except Exception:  # noqa: BLE001  (implementations raise what they like)
        return False


def _type_as(option: str, content_type: str) -> Any:
    """A media type as an implementation takes it."""
    if option != "content_settings":
        return content_type
    from azure.storage.blob import ContentSettings  # which adlfs depends on

    return ContentSettings(content_type=content_type)


class ByMoving:
    """Writes a file under a hidden name beside its own, compares its size, and gives it its name.

    Args:
        exclusive: give the name by a renaming that the server refuses where the name is taken (SFTP).
            Else it is asked whether the name is taken, and a second writer can come between.
    """

    def __init__(self, *, exclusive: bool) -> None:
        self._exclusive = exclusive
        self._made: set[str] = set()
        self._making = threading.Lock()

    def __call__(self, fs: AbstractFileSystem, writing: Writing) -> None:
        """Write it."""
        temporary = writing.hidden_path()
        self._make_folder(fs, writing.folder)
        try:
            self._write(fs, temporary, writing)
            with _one_by_one:
                if writing.replace:
                    _replace(fs, temporary, writing)
                else:
                    self._create(fs, temporary, writing.path)
        except BaseException:
            with suppress(Exception):
                fs.rm_file(temporary)
            raise

    def _make_folder(self, fs: AbstractFileSystem, folder: str) -> None:
        """Make a folder, once; another writer may make it in the same moment."""
        with self._making:
            if folder in self._made or not folder.strip("/"):
                return
            try:
                fs.makedirs(folder, exist_ok=True)
            except Exception:  # noqa: BLE001  (implementations raise what they like)
                if not is_there(fs, folder):
                    # One of those that it lies in may have been made meanwhile.
                    fs.makedirs(folder, exist_ok=True)
            self._made.add(folder)

    def _write(self, fs: AbstractFileSystem, temporary: str, writing: Writing) -> None:
        size = 0
        try:
            with fs.open(temporary, "wb") as file:
                for block in iter_blocks(writing.content):
                    file.write(block)
                    size += len(block)
        except FileNotFoundError:
            self._made.discard(writing.folder)  # somebody removed it
            raise
        stored = info_of(fs, temporary).get("size")
        if stored is not None and stored != size:
            raise SizeMismatch(f"The server stored {stored} of {size} bytes of {writing.path}.")

    def _create(self, fs: AbstractFileSystem, temporary: str, path: str) -> None:
        if not self._exclusive:
            if is_there(fs, path):
                raise FileExistsError(path)
            _move(fs, temporary, path)
            return
        try:
            fs.ftp.rename(temporary, path)  # not the one of OpenSSH that replaces, which fsspec takes
        except OSError as error:
            if not may_pass(error) and _is_taken(fs, path):
                raise FileExistsError(path) from error
            raise


def _replace(fs: AbstractFileSystem, temporary: str, writing: Writing) -> None:
    """Rename over what is there; where that is refused, move it aside, and back if anything fails."""
    try:
        _move(fs, temporary, writing.path)
    except Exception as error:
        if may_pass(error) or not is_there(fs, writing.path):
            raise
        _replace_aside(fs, temporary, writing)


def _replace_aside(fs: AbstractFileSystem, temporary: str, writing: Writing) -> None:
    aside = writing.hidden_path()
    try:
        _move(fs, writing.path, aside, over=False)
        _move(fs, temporary, writing.path, over=False)
    except BaseException as error:
        try:
            if not is_there(fs, writing.path):
                _move(fs, aside, writing.path, over=False)
        except Exception:  # noqa: BLE001  (implementations raise what they like)
            raise BackendError(
                f"{writing.path} was not replaced, and could not be put back: {error}.",
                hint=f"If it is not there, its old content is {aside}: rename it.",
            ) from error
        raise
    with suppress(Exception):
        fs.rm_file(aside)


def _move(fs: AbstractFileSystem, source: str, target: str, *, over: bool = True) -> None:
    """Rename a file; some implementations say nothing when the server refuses.

    Args:
        fs: where.
        source: the path of the file.
        target: the path that it gets.
        over: use a renaming that replaces, if there are two; some servers know the other alone.
    """
    client: Any = getattr(fs, "ftp", None)
    rename = client.rename if not over and hasattr(client, "posix_rename") else fs.mv
    rename(source, target)
    if is_there(fs, source):
        raise OSError(errno.EIO, "the server did not rename it")
