"""A distribution file whose bytes lie on local disk, hashed and verified: the only thing a sink takes.

Between hashing and publishing somebody may touch the file. So a staged file remembers which file it was
(device, inode, size, time of change), and the stream that `StagedFile.open` gives compares this before
the first and before the last block: a sink that reads to the end has read what was hashed.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path
from typing import Self

from wheelrelay.errors import ChangedWhileReading
from wheelrelay.model import Companion, DistFile
from wheelrelay.records import Finding

BLOCK_SIZE = 1 << 20
"""Bytes read or written at once: large enough that Python's cost per block does not count."""


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """Which file, in which state: what tells that nobody has touched it since.

    Attributes:
        device: the device number.
        inode: the inode number.
        size: in bytes.
        mtime_ns: the time of the last change, in nanoseconds.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """The identity that a status from `os.stat` or `os.fstat` shows."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class StagedStream:
    """The bytes of a staged file, read once, in order; see `StagedFile.open`."""

    def __init__(self, staged: "StagedFile", raw: FileIO, left: int) -> None:
        self._staged = staged
        self._raw = raw
        self._left = left
        self._compare()

    def __len__(self) -> int:
        """Bytes that are still to come; this is how HTTP libraries learn the length of a body."""
        return self._left

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes, or all that is left; fewer only at the end.

        Raises:
            ChangedWhileReading: the file is no longer the one that was hashed.
        """
        wanted = self._left if size < 0 else min(size, self._left)
        block = self._raw.read(wanted)
        self._left -= len(block)
        if len(block) < wanted or (self._left == 0 and wanted):
            self._compare()
        if self._staged.watcher and block:
            self._staged.watcher(len(block))
        return block

    def __iter__(self) -> Iterator[bytes]:
        """The bytes in large blocks."""
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
            hint="Let nothing write there during a relay, and run it again.",
        )


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A distribution file on local disk whose size and digest were verified.

    Attributes:
        file: what the source said of it; digests and size are known here.
        path: where the bytes lie.
        size: in bytes.
        sha256: of the bytes, in hexadecimal.
        identity: which file it was that was hashed.
        companions: its companion files, to be published with it.
        companion_findings: findings about companion files that the source has and that are not published.
        metadata: its core metadata as the checks have read them, empty if they could not; ``None`` if the
            file was not read yet. What is here is what is sent: no file is read in two ways.
        watcher: called with the number of bytes each time some are read; for progress.
        stopped: set when the run is interrupted; see `pause`.
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
        """The plain name under which it is published."""
        return self.file.filename

    @contextmanager
    def open(self, start: int = 0, stop: int | None = None) -> Iterator[StagedStream]:
        """Open the verified bytes for reading them once, in order.

        Args:
            start: the first byte to read.
            stop: the first byte not to read any more; by default the file's size.

        Raises:
            ChangedWhileReading: the file is no longer the one that was hashed.
        """
        try:
            raw = self.path.open("rb", buffering=0)
        except OSError as error:
            raise ChangedWhileReading(f"{self.path} cannot be read any more: {error.strerror}.") from error
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
