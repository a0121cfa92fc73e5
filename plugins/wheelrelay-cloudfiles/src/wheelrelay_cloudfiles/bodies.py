"""What goes over the wire: bytes to send, as often as it takes, and bytes to receive, compared at the end."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, Protocol

from wheelrelay.errors import DigestMismatch
from wheelrelay.http import RawBody, Response, display_url
from wheelrelay.staged import BLOCK_SIZE, StagedFile


class _Stream(Protocol):
    def __len__(self) -> int: ...

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes to send: those of a staged file, or a part of them, or bytes in memory.

    Attributes:
        content: where they are.
        start: the first byte.
        stop: the first byte that does not belong to them any more.
    """

    content: StagedFile | bytes
    start: int
    stop: int

    @classmethod
    def of(cls, content: StagedFile | bytes) -> "Body":
        """All of the content."""
        return cls(content, 0, len(content) if isinstance(content, bytes) else content.size)

    def __len__(self) -> int:
        return self.stop - self.start

    def parts(self, size: int) -> Iterator["Body"]:
        """The bytes in order, in parts of ``size`` bytes; the last may be smaller."""
        for start in range(self.start, self.stop, size):
            yield replace(self, start=start, stop=min(start + size, self.stop))

    def md5(self) -> str:
        """What the bytes hash to, in hexadecimal: Swift compares it before it shows an object."""
        digest = hashlib.md5(usedforsecurity=False)
        quiet = self.content if isinstance(self.content, bytes) else replace(self.content, watcher=None)
        with replace(self, content=quiet).open() as stream:
            while block := stream.read(BLOCK_SIZE):
                digest.update(block)
        return digest.hexdigest()

    @contextmanager
    def open(self) -> Iterator[_Stream]:
        """The bytes from the first one on.

        Raises:
            ChangedWhileReading: the staged file is no longer the one that was hashed.
        """
        if isinstance(self.content, bytes):
            yield _InMemory(self.content[self.start : self.stop])
        else:
            with self.content.open(self.start, self.stop) as stream:
                yield stream


class _InMemory(BytesIO):
    def __len__(self) -> int:
        return len(self.getbuffer()) - self.tell()


class WithLastLook:
    """A stream that calls ``look`` before it hands out its last block."""

    def __init__(self, stream: _Stream, look: Callable[[], None]) -> None:
        self._stream = stream
        self._look = look

    def __len__(self) -> int:
        return len(self._stream)

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(BLOCK_SIZE):
            yield block

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        block = self._stream.read(size)
        if block and not len(self._stream):
            self._look()
        return block


class VerifiedBody:
    """The body of an object, compared at its end with the digest that Swift gave in front.

    Large objects are made of parts and have no digest of their own; of them the length is compared.
    """

    def __init__(self, answer: Response) -> None:
        self._body = RawBody(answer)
        self._url = answer.url
        self._left = int(answer.headers.get("Content-Length", -1))
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._expected = _digest_in(answer.headers)

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; empty at the end.

        Raises:
            DigestMismatch: these are not the bytes that Swift has.
        """
        block = self._body.read(size)
        self._left -= len(block)
        if self._expected:
            self._md5.update(block)
            if (self._left == 0 or not block) and self._md5.hexdigest() != self._expected:
                raise DigestMismatch(
                    f"{display_url(self._url)} arrived with other bytes than the cluster has."
                )
        return block


def _digest_in(headers: Any) -> str | None:
    """The md5 that an ETag is, unless the object is made of parts."""
    etag: str = headers.get("Etag", "")
    if len(etag) != 32 or "X-Static-Large-Object" in headers or "X-Object-Manifest" in headers:
        return None
    return etag.lower()
