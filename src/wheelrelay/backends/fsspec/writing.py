"""The ways to write a file so that it is seen whole or not at all, for each kind of file system."""

import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.asyn import AsyncFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from wheelrelay.containers.content import blocks_of
from wheelrelay.staged import StagedFile

TEMPORARY = ".wheelrelay-"
"""How the names of files begin that are being written."""

_ATOMIC = {"s3", "s3a", "gs", "gcs"}
"""Protocols that refuse a taken name when the last byte is sent, and show an object only then."""

_one_by_one = threading.Lock()

WayOfWriting = Callable[[AbstractFileSystem, str, StagedFile | bytes, bool], None]
"""Writes a content to a path; if the last argument is false, a name that is taken is `FileExistsError`."""


def way_of_writing(fs: AbstractFileSystem) -> WayOfWriting | None:
    """How files are written there; ``None`` if they cannot be, as over HTTP or into an archive."""
    protocols = {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
    if not _can_remove(fs):
        return None
    if isinstance(fs, MemoryFileSystem):
        return _at_once
    return _on_commit if protocols & _ATOMIC else _by_moving


def _can_remove(fs: AbstractFileSystem) -> bool:
    """Whether the implementation brings a way to remove files: one that has none does not write either."""
    bases = (AbstractFileSystem, AsyncFileSystem, object)
    own = [cls for cls in type(fs).__mro__ if cls not in bases]
    return any(name in vars(cls) for cls in own for name in ("rm", "_rm", "rm_file", "_rm_file"))


def _at_once(fs: AbstractFileSystem, path: str, content: StagedFile | bytes, replace: bool) -> None:
    whole = b"".join(blocks_of(content))
    with _one_by_one:
        fs.pipe_file(path, whole, mode="overwrite" if replace else "create")


def _on_commit(fs: AbstractFileSystem, path: str, content: StagedFile | bytes, replace: bool) -> None:
    file: Any = fs.open(path, "wb" if replace else "xb")
    try:
        for block in blocks_of(content):
            file.write(block)
        file.close()  # which sends the last block, and with it lets the whole be seen
    except BaseException as error:
        with suppress(Exception):
            file.discard()
        file.closed = True  # or it would be written after all when it is collected
        if isinstance(error, OSError) and not replace and fs.exists(path):
            raise FileExistsError(path) from error
        raise


def _by_moving(fs: AbstractFileSystem, path: str, content: StagedFile | bytes, replace: bool) -> None:
    folder, _, _ = path.rpartition("/")
    temporary = f"{folder}/{TEMPORARY}{uuid.uuid4().hex}"
    fs.makedirs(folder, exist_ok=True)
    try:
        with fs.open(temporary, "wb") as file:
            for block in blocks_of(content):
                file.write(block)
        _give_name(fs, temporary, path, replace)
    except BaseException:
        with suppress(Exception):
            fs.rm_file(temporary)
        raise


def _give_name(fs: AbstractFileSystem, temporary: str, path: str, replace: bool) -> None:
    with _one_by_one:
        if fs.exists(path):
            if not replace:
                raise FileExistsError(path)
            fs.rm_file(path)
        fs.mv(temporary, path)
