"""The content of a compressed file, read forwards only, with limits on all of it and on each header."""

import bz2
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from wheelrelay.archives.limits import (
    DIGITS,
    HEADER,
    HEADER_READS,
    HEADERS,
    MOST_RATIO,
    RATIO_FROM,
    Implausible,
)
from wheelrelay.staged import BLOCK_SIZE

RECORD = 512
"""Bytes of a plain header of a tar archive."""

_TO_ZEROS = bytes(ord("0") if chr(code) in "0123456789" else 32 for code in range(256))


class Inflated:
    """The inflated bytes of a file, as `tarfile` reads them.

    Attributes:
        position: how many bytes were inflated and read, or skipped.
        last: the position behind the last byte that is not zero.
        trailing: bytes of the file behind the compressed data; known at the end.
    """

    def __init__(self, raw: IO[bytes], packed: int, *, is_bzip2: bool = False) -> None:
        self._blocks = (_bzip2_blocks if is_bzip2 else _gzip_blocks)(raw, self._found_trailing)
        self._limit = max(RATIO_FROM, MOST_RATIO * packed)
        self._buffer = b""
        self._start = 0
        self._headers = HEADERS
        self._header = self._reads = 0
        self._in_header = False
        self.position = 0
        self.last = 0
        self.trailing = 0

    def begin_header(self) -> None:
        """Count from here on what is read as headers of one member."""
        self._header, self._reads, self._in_header = HEADER, HEADER_READS, True

    def end_header(self) -> None:
        """Stop counting; what follows is content."""
        self._in_header = False

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; fewer at the end only.

        Raises:
            Implausible: the archive, or the header that is being read, exceeds its limit.
        """
        if size < 0:
            raise Implausible("a header declares a negative size")
        if self._in_header:
            self._count_header(size)
        parts = []
        left = size
        while left and (piece := self._take(left)):
            parts.append(piece)
            left -= len(piece)
        content = b"".join(parts) if len(parts) != 1 else parts[0]
        if self._in_header and size > RECORD and b"0" * DIGITS in content.translate(_TO_ZEROS):
            raise Implausible(f"a header has a number of more than {DIGITS} digits")
        return content

    def tell(self) -> int:
        """How many bytes were read."""
        return self.position

    def seek(self, position: int) -> int:
        """Skip to a later position, or to the end of what is there.

        Raises:
            Implausible: it would go back, or the content exceeds its limit.
        """
        if position < self.position:
            raise Implausible("its members overlap")
        while self.position < position and self._take(position - self.position):
            pass
        return self.position

    def drain(self) -> None:
        """Read to the end."""
        while self._take(BLOCK_SIZE):
            pass

    def _take(self, most: int) -> bytes:
        if self._start == len(self._buffer):
            self._buffer, self._start = next(self._blocks, b""), 0
            self._measure()
        piece = self._buffer[self._start : self._start + most]
        self._start += len(piece)
        self.position += len(piece)
        return piece

    def _measure(self) -> None:
        block = self._buffer
        if kept := len(block.rstrip(b"\0")):
            self.last = self.position + kept
        if self.position + len(block) > self._limit:
            raise Implausible(f"its content is more than {MOST_RATIO} times as large as the file")

    def _count_header(self, size: int) -> None:
        self._reads -= 1
        self._header -= size
        self._headers -= size if size > RECORD else 0
        if self._header < 0 or self._reads < 0:
            raise Implausible(f"a member has headers of more than {HEADER >> 20} MiB, or too many of them")
        if self._headers < 0:
            raise Implausible(f"its extended headers have more than {HEADERS >> 20} MiB")

    def _found_trailing(self, size: int) -> None:
        self.trailing += size


def _gzip_blocks(raw: IO[bytes], found_trailing: Callable[[int], None]) -> Iterator[bytes]:
    """Inflate each gzip member; bytes behind the last one are counted, not read as content (RFC 1952)."""
    data = raw.read(BLOCK_SIZE)
    if not data.startswith(b"\x1f\x8b"):
        raise zlib.error("it is not compressed by gzip")
    while data.startswith(b"\x1f\x8b"):
        inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        while not inflater.eof:
            if not data:
                raise EOFError("the compressed data end too early")
            if block := inflater.decompress(data, BLOCK_SIZE):
                yield block
            data = inflater.unconsumed_tail or (b"" if inflater.eof else raw.read(BLOCK_SIZE))
        data = (inflater.unused_data or raw.read(BLOCK_SIZE)).lstrip(b"\0")
        data += raw.read(BLOCK_SIZE) if len(data) < 2 else b""
    found_trailing(len(data))
    while rest := raw.read(BLOCK_SIZE):
        found_trailing(len(rest))


def _bzip2_blocks(raw: IO[bytes], found_trailing: Callable[[int], None]) -> Iterator[bytes]:
    """As `_gzip_blocks`, for bzip2."""
    data = raw.read(BLOCK_SIZE)
    while data.startswith(b"BZh"):
        inflater = bz2.BZ2Decompressor()
        while not inflater.eof:
            if not data and inflater.needs_input:
                raise EOFError("the compressed data end too early")
            if block := inflater.decompress(data, BLOCK_SIZE):
                yield block
            data = raw.read(BLOCK_SIZE) if inflater.needs_input and not inflater.eof else b""
        data = inflater.unused_data or raw.read(BLOCK_SIZE)
    found_trailing(len(data))
