"""Count and hash the bytes of a file as they pass, and compare them with what was declared."""

import hashlib
import threading
from collections.abc import Callable
from typing import BinaryIO

from wheelrelay.disk.writing import write_all
from wheelrelay.errors import DigestMismatch, IntegrityError, SizeMismatch, WheelrelayError
from wheelrelay.model import Digests, DistFile
from wheelrelay.protocols import ByteStream
from wheelrelay.staged import BLOCK_SIZE

MAGIC = {".whl": b"PK", ".zip": b"PK", ".gz": b"\x1f\x8b", ".tgz": b"\x1f\x8b", ".bz2": b"BZh"}
"""How the bytes of an archive begin, by the end of its name."""

Watcher = Callable[[int], None]
"""Called with the number of bytes each time some have moved."""


class Interrupted(WheelrelayError):
    """The relay was asked to stop in the middle of a file."""


class HashingCopier:
    """Counts and hashes the bytes of one file as they pass.

    Attributes:
        size: how many have passed.
    """

    def __init__(self, file: DistFile, watcher: Watcher, stopped: threading.Event) -> None:
        self._file = file
        self._watcher = watcher
        self._stopped = stopped
        self.start_anew()

    def start_anew(self) -> None:
        """Forget what has passed."""
        self.size = 0
        wanted = {"sha256", *self._file.digests.known()}
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in wanted}

    def tell_again(self) -> None:
        """Tell whoever watches of all that has passed."""
        self._watcher(self.size)

    def copy(self, stream: ByteStream, target: BinaryIO | None) -> None:
        """Read the stream to its end, into ``target`` if there is one."""
        while block := stream.read(self._next_block()):
            if self._stopped.is_set():
                raise Interrupted(f"{self._file.filename} was given up half-way.")
            _refuse_wrong_kind(self._file.filename, block, at=self.size)
            if target is not None:
                write_all(target, block)
            self.size += len(block)
            if self._file.size is not None and self.size > self._file.size:
                break
            for each in self._hashes.values():
                each.update(block)
            self._watcher(len(block))

    def _next_block(self) -> int:
        """How much to read: no more than is left of a small file, and a byte that should not be there."""
        return BLOCK_SIZE if self._file.size is None else min(BLOCK_SIZE, self._file.size - self.size + 1)

    def verify(self) -> Digests:
        """The digests of what has passed, if they and the size are what was declared."""
        name, declared = self._file.filename, self._file.size
        if declared is not None and self.size != declared:
            came = "more than" if self.size > declared else f"only {self.size} of"
            raise SizeMismatch(f"{name}: {came} {declared} bytes came.")
        if self.size == 0:
            raise SizeMismatch(f"{name} is empty.")
        for algorithm, expected in self._file.digests.known().items():
            found = self._hashes[algorithm].hexdigest()
            if found != expected.lower():
                raise DigestMismatch(
                    f"{name}: the source declares {algorithm} {expected}, but the bytes have {found}.",
                    hint="The file is damaged or was exchanged; do not publish it.",
                )
        return Digests.of({algorithm: each.hexdigest() for algorithm, each in self._hashes.items()})


def _refuse_wrong_kind(filename: str, block: bytes, *, at: int) -> None:
    """Refuse what does not even begin like such an archive, such as an error page; ``at``: bytes before."""
    magic = next((magic for end, magic in MAGIC.items() if filename.endswith(end)), b"")
    if not block.startswith(magic[at : at + len(block)]):
        what = "a web page" if block.lstrip()[:1] == b"<" else "something else"
        raise IntegrityError(f"{filename}: {what} came in its place.", hint="Look at the source's address.")
