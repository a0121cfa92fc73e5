"""A distribution file on local disk, hashed and verified: the only input of a sink.

The file may change between hashing and publishing. A staged file therefore records the identity of the
hashed file (device, inode, size, modification time), and the stream of `StagedFile.open` compares it before
the first and before the last block. A sink that reads to the end has read the hashed bytes.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field, replace
from io import FileIO
from pathlib import Path
from typing import Self

from wheelrelay.errors import ChangedWhileReading
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import Companion, DistFile
from wheelrelay.records import Finding

BLOCK_SIZE = 1 << 18
"""Number of bytes to read or write at once: the overhead per block is small, and a block stays in the cache
of the processor until it is hashed and written. A transfer has up to three blocks in memory."""


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """The identity and state of a file, to detect changes.

    Attributes:
        device: The device number.
        inode: The inode number.
        size: Size in bytes.
        mtime_ns: Modification time in nanoseconds.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Create an identity from the result of `os.stat` or `os.fstat`."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class StagedStream:
    """The bytes of a staged file, to read once in order; see `StagedFile.open`."""

    def __init__(self, staged: "StagedFile", raw: FileIO, left: int) -> None:
        self._staged = staged
        self._raw = raw
        self._left = left
        self._compare()

    def __len__(self) -> int:
        """Return the number of remaining bytes; HTTP libraries use it as the length of a body."""
        return self._left

    def read(self, size: int = -1) -> bytes:
        """Return the next ``size`` bytes, or all remaining bytes; fewer only at the end.

        Raises:
            ChangedWhileReading: The file changed after it was hashed.
        """
        length = self._left if size < 0 else min(size, self._left)
        block = self._raw.read(length)
        self._left -= len(block)
        if len(block) < length or (self._left == 0 and length):
            self._compare()
        if self._staged.watcher and block:
            self._staged.watcher(len(block))
        return block

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes in large blocks."""
        while block := self.read(BLOCK_SIZE):
            yield block

    def _compare(self) -> None:
        try:
            by_name = FileIdentity.of(self._staged.path.stat())
        except OSError as error:
            raise self._changed() from error
        by_handle = FileIdentity.of(os.fstat(self._raw.fileno()))
        if not by_name == by_handle == self._staged.identity:
            raise self._changed()

    def _changed(self) -> ChangedWhileReading:
        return ChangedWhileReading(
            f"{self._staged.path} changed after it was verified.",
            hint="Do not modify files during a relay; run it again.",
        )


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A distribution file on local disk whose size and digest were verified.

    Attributes:
        file: The file as the source describes it, with digests and size.
        path: The local path.
        size: Size in bytes.
        sha256: SHA-256 digest in hexadecimal.
        identity: The identity of the hashed file.
        companions: Companion files to publish with it.
        companion_findings: Findings about companion files of the source that are not published.
        metadata: The core metadata as the checks read it, empty if they could not; ``None`` if the file was
            not read yet. Uploads send these bytes, so that checks and index see the same metadata.
        watcher: Called with a number of bytes after each read, for progress.
        stopped: Set when the run is interrupted; see `pause`.
    """

    file: DistFile
    path: Path
    size: int
    sha256: str
    identity: FileIdentity
    companions: tuple[Companion, ...] = ()
    companion_findings: tuple[Finding, ...] = ()
    metadata: bytes | None = field(default=None, repr=False, compare=False)
    watcher: Callable[[int], None] | None = field(default=None, repr=False, compare=False)
    stopped: threading.Event | None = field(default=None, repr=False, compare=False)

    @property
    def filename(self) -> str:
        """The filename under which it is published."""
        return self.file.filename

    @contextmanager
    def open(self, start: int = 0, stop: int | None = None) -> Iterator[StagedStream]:
        """Open the verified bytes, to read them once in order.

        Args:
            start: Offset of the first byte.
            stop: Offset after the last byte; the size of the file by default.

        Raises:
            ChangedWhileReading: The file changed after it was hashed.
        """
        try:
            raw = self.path.open("rb", buffering=0)
        except OSError as error:
            raise ChangedWhileReading(f"{self.path} can no longer be read: {error.strerror}.") from error
        with raw:
            raw.seek(start)
            yield StagedStream(self, raw, (self.size if stop is None else stop) - start)

    def watched_by(
        self, watcher: Callable[[int], None], *, stopped: threading.Event | None = None
    ) -> "StagedFile":
        """Return the same staged file for one upload.

        Args:
            watcher: Called with the number of bytes read.
            stopped: Set when the run is interrupted.
        """
        return replace(self, watcher=watcher, stopped=stopped)

    def pause(self, seconds: float) -> bool:
        """Wait before a backend sends a part of this file again.

        Returns:
            Whether to go on; ``False``, at once, if the run is interrupted.
        """
        return not (self.stopped or threading.Event()).wait(seconds)
