"""The bodies of requests and answers: streams to send, and streams to receive and verify."""

import hashlib
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, Protocol

from wheelrelay import StagedFile
from wheelrelay.containers import BLOCK_SIZE
from wheelrelay.http import Response, VerifiedBody


class _Stream(Protocol):
    def __len__(self) -> int: ...

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes to send: a range of a staged file or of bytes in memory.

    Attributes:
        content: The staged file or the bytes.
        start: Offset of the first byte.
        stop: Offset after the last byte.
    """

    content: StagedFile | bytes
    start: int
    stop: int

    @classmethod
    def of(cls, content: StagedFile | bytes) -> "Body":
        """Return a body with all of the content."""
        return cls(content, 0, len(content) if isinstance(content, bytes) else content.size)

    def __len__(self) -> int:
        return self.stop - self.start

    def parts(self, size: int) -> Iterator["Body"]:
        """Yield the body in parts of ``size`` bytes, in order; the last may be smaller."""
        for start in range(self.start, self.stop, size):
            yield replace(self, start=start, stop=min(start + size, self.stop))

    def md5(self) -> str:
        """Return the md5 in hexadecimal: Swift compares it before it shows an object."""
        digest = hashlib.md5(usedforsecurity=False)
        # Hashing is no progress of the upload, so the watcher does not count it.
        unwatched = self.content if isinstance(self.content, bytes) else replace(self.content, watcher=None)
        with replace(self, content=unwatched).open() as stream:
            while block := stream.read(BLOCK_SIZE):
                digest.update(block)
        return digest.hexdigest()

    @contextmanager
    def open(self) -> Iterator[_Stream]:
        """Open the bytes for reading them once; may be called again for another attempt.

        Raises:
            ChangedWhileReading: The staged file was modified after it was hashed.
        """
        if isinstance(self.content, bytes):
            yield _InMemory(self.content[self.start : self.stop])
        else:
            with self.content.open(self.start, self.stop) as stream:
                yield stream


class _InMemory(BytesIO):
    def __len__(self) -> int:
        return len(self.getbuffer()) - self.tell()


def md5_of(content: bytes) -> str:
    """Return the md5 in hexadecimal, which Swift uses as the ETag."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def tar_archive(contents: Mapping[str, bytes]) -> bytes:
    """Return a tar archive with one file for each name."""
    archive = BytesIO()
    with tarfile.TarFile(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, BytesIO(content))
    return archive.getvalue()


class CheckedBeforeEnd:
    """A stream that calls ``check`` before it returns its last block."""

    def __init__(self, stream: _Stream, check: Callable[[], None]) -> None:
        self._stream = stream
        self._check = check

    def __len__(self) -> int:
        return len(self._stream)

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(BLOCK_SIZE):
            yield block

    def read(self, size: int = -1, /) -> bytes:
        """Read the next bytes."""
        block = self._stream.read(size)
        if block and not len(self._stream):
            self._check()
        return block


def verified_body(answer: Response) -> VerifiedBody:
    """Return the body of an object, verified at its end against the md5 in the answer's headers.

    Large objects consist of segments and have no digest of the whole; HTTP verifies their length.
    """
    return VerifiedBody(answer, hashlib.md5(usedforsecurity=False), _md5_in(answer.headers))


def _md5_in(headers: Any) -> bytes | None:
    """Return the md5 in the ETag; ``None`` if the object consists of segments."""
    etag: str = headers.get("Etag", "")
    if len(etag) != 32 or "X-Static-Large-Object" in headers or "X-Object-Manifest" in headers:
        return None
    with suppress(ValueError):
        return bytes.fromhex(etag)
    return None
