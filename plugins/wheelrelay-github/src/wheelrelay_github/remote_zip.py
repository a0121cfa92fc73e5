"""Read single members of a zip archive on a web server, by requests for parts of it.

Only the directory at the end of the archive and the members that are needed are transferred. A server that
ignores ``Range`` sends the archive from its start, and what comes before a member is skipped.
"""

import errno
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

from wheelrelay.errors import IntegrityError, SizeMismatch
from wheelrelay.protocols import ByteStream

BLOCK_SIZE = 1 << 18
"""Bytes that are read at once."""

MAX_TAIL = 1 << 20
"""Bytes at the end of the archive that are kept: the directory of some thousand members."""

Opened = Callable[[int, int | None], AbstractContextManager[ByteStream]]
"""Opens the bytes of the archive from a position on, up to another one or to the end."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip archive on a server.

    Args:
        size: bytes of the archive.
        tail: its last bytes, `MAX_TAIL` at most.
        opened: opens a part of it.
        name: how messages call it.
    """

    size: int
    tail: bytes
    opened: Opened
    name: str

    def members(self) -> list[zipfile.ZipInfo]:
        """Return the members that are files.

        Raises:
            IntegrityError: it is not a zip archive.
            BackendError: it cannot be read.
        """
        with self._zip() as archive:
            return [info for info in archive.infolist() if not info.is_dir()]

    @contextmanager
    def open(self, path: str) -> Iterator[ByteStream]:
        """Open the content of a member; its checksum is compared at the end.

        Args:
            path: the member.

        Raises:
            IntegrityError: there is no such member, or while reading: it is damaged.
            BackendError: it cannot be read.
        """
        with self._zip() as archive:
            try:
                with archive.open(path) as member:
                    yield _Checked(member, f"{path} in {self.name}")
            except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
                raise IntegrityError(f"{path} in {self.name} cannot be read: {error}.") from error

    @contextmanager
    def _zip(self) -> Iterator[zipfile.ZipFile]:
        with _Window(self) as window:
            try:
                archive = zipfile.ZipFile(window)
            except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError) as error:
                raise IntegrityError(f"{self.name} is not a zip archive: {error}.") from error
            with archive:
                yield archive


class _Checked:
    """The content of a member, with errors of ours."""

    def __init__(self, member: IO[bytes], name: str) -> None:
        self._member = member
        self._name = name

    def read(self, size: int, /) -> bytes:
        try:
            return self._member.read(min(size, BLOCK_SIZE))
        except (zipfile.BadZipFile, zlib.error) as error:
            raise IntegrityError(f"{self._name} is damaged: {error}.") from error
        except EOFError as error:
            raise SizeMismatch(f"{self._name} ends early.") from error


class _Window(io.RawIOBase):
    """The archive as a file that can be sought in: the end from memory, all else by one request at a time."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._tail_start = archive.size - len(archive.tail)
        self._position = 0
        self._request = ExitStack()
        self._stream: ByteStream | None = None
        self._stream_position = -1

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._archive.size}[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, "negative position")  # as files do, which zipfile relies on
        self._position = start + offset
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # any buffer
        block = self._next(len(buffer))
        buffer[: len(block)] = block
        self._position += len(block)
        return len(block)

    def close(self) -> None:
        self._request.close()
        super().close()

    def _next(self, size: int) -> bytes:
        if self._position >= self._tail_start:
            start = self._position - self._tail_start
            return self._archive.tail[start : start + size]
        if self._stream is None or self._stream_position != self._position:
            self._request.close()
            self._stream = self._request.enter_context(self._archive.opened(self._position, self._tail_start))
            self._stream_position = self._position
        block = self._stream.read(min(size, self._tail_start - self._position))
        self._stream_position += len(block)
        return block
