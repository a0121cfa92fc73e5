"""Hash a file while it is copied, and compare size and digests with those that its source declares."""

import hashlib
import threading
from collections.abc import Callable
from typing import BinaryIO

from wheelrelay.disk.writing import write_all
from wheelrelay.errors import DigestMismatch, IntegrityError, SizeMismatch, WheelrelayError
from wheelrelay.model import Digests, DistFile
from wheelrelay.protocols import ByteStream
from wheelrelay.staged import BLOCK_SIZE

MAGIC_BYTES = {".whl": b"PK", ".zip": b"PK", ".gz": b"\x1f\x8b", ".tgz": b"\x1f\x8b", ".bz2": b"BZh"}
"""The first bytes of an archive, by the end of its filename."""

Watcher = Callable[[int], None]
"""Called with the number of bytes each time some were copied."""


class Interrupted(WheelrelayError):
    """The relay ended in the middle of a file."""

    retryable = True  # by the next run; nothing must be corrected first


class HashingCopier:
    """Copies one file and hashes its bytes on the way.

    Args:
        file: The file, with the size and the digests that its source declares.
        watcher: Called with the number of bytes each time some were copied.
        stopped: Set to give up in the middle of the file.

    Attributes:
        size: The number of bytes copied so far.
    """

    def __init__(self, file: DistFile, watcher: Watcher, stopped: threading.Event) -> None:
        self._file = file
        self._watcher = watcher
        self._stopped = stopped
        self.restart()

    def restart(self) -> None:
        """Forget the bytes copied so far."""
        self.size = 0
        algorithms = {"sha256", *self._file.digests.known()}
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}

    def report_again(self) -> None:
        """Report all bytes copied so far to the watcher, at the start of a further attempt."""
        self._watcher(self.size)

    def copy(self, stream: ByteStream, target: BinaryIO | None) -> None:
        """Read a stream to its end, and write it to ``target`` unless that is ``None``.

        Raises:
            Interrupted: The relay ended.
            IntegrityError: The bytes are not such an archive at all.
        """
        while block := stream.read(self._next_block()):
            if self._stopped.is_set():
                raise Interrupted(f"{self._file.filename}: the transfer was interrupted.")
            _refuse_wrong_kind(self._file.filename, block, offset=self.size)
            if target is not None:
                write_all(target, block)
            self.size += len(block)
            if self._file.size is not None and self.size > self._file.size:
                break  # `verify` reports it; a source without an end is not read any further
            for digest in self._hashes.values():
                digest.update(block)
            self._watcher(len(block))

    def _next_block(self) -> int:
        """Return how much to read: the rest of a small file and one byte more, which should not exist."""
        return BLOCK_SIZE if self._file.size is None else min(BLOCK_SIZE, self._file.size - self.size + 1)

    def verify(self) -> Digests:
        """Return the digests of the copied bytes, if size and digests are those that the source declares.

        Raises:
            SizeMismatch: The size differs, or is zero.
            DigestMismatch: A digest differs.
        """
        name, declared = self._file.filename, self._file.size
        if declared is not None and self.size != declared:
            amount = "more than" if self.size > declared else f"only {self.size} of"
            raise SizeMismatch(f"{name}: received {amount} {declared} bytes.")
        if self.size == 0:
            raise SizeMismatch(f"{name} is empty.")
        for algorithm, expected in self._file.digests.known().items():
            actual = self._hashes[algorithm].hexdigest()
            if actual != expected.lower():
                raise DigestMismatch(
                    f"{name}: expected {algorithm} {expected}, but the bytes have {actual}.",
                    hint="The file is damaged or was replaced; do not publish it.",
                )
        return Digests.of({algorithm: digest.hexdigest() for algorithm, digest in self._hashes.items()})


def _refuse_wrong_kind(filename: str, block: bytes, *, offset: int) -> None:
    """Refuse bytes that do not begin as the archive should, such as an error page.

    Raises:
        IntegrityError: The bytes are something else.
    """
    magic = next((magic for end, magic in MAGIC_BYTES.items() if filename.endswith(end)), b"")
    if not block.startswith(magic[offset : offset + len(block)]):
        received = "a web page" if block.lstrip()[:1] == b"<" else "something else"
        raise IntegrityError(
            f"{filename}: received {received} instead of an archive.", hint="Check the source URL."
        )
