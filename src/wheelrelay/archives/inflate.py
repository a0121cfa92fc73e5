"""Decompress a gzip or bzip2 file as a forward-only stream, with limits on its size and on its headers."""

import bz2
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from wheelrelay.archives.limits import (
    MAX_DIGITS,
    MAX_EXTENDED_HEADERS,
    MAX_MEMBER_HEADER_READS,
    MAX_MEMBER_HEADERS,
    MAX_RATIO,
    MIN_CONTENT_FOR_RATIO,
    LimitExceeded,
)
from wheelrelay.staged import BLOCK_SIZE

TAR_HEADER = 512
"""Bytes of a plain header of a tar archive."""

_DIGITS_TO_ZERO = bytes(ord("0") if chr(code) in "0123456789" else 32 for code in range(256))
"""A translation table: a run of digits becomes a run of zeros, which is fast to find."""


class InflatedStream:
    """The decompressed bytes of a file, with the methods that `tarfile` calls.

    Attributes:
        position: the number of bytes read or skipped.
        content_end: the position behind the last byte that is not zero.
        trailing: the number of bytes behind the compressed data; known at the end.
    """

    def __init__(self, raw: IO[bytes], packed_size: int, *, is_bzip2: bool = False) -> None:
        self._blocks = (_bzip2_blocks if is_bzip2 else _gzip_blocks)(raw, self._count_trailing)
        self._limit = max(MIN_CONTENT_FOR_RATIO, MAX_RATIO * packed_size)
        self._buffer = b""
        self._start = 0
        self._extended_headers_left = MAX_EXTENDED_HEADERS
        self._member_headers_left = self._reads_left = 0
        self._in_header = False
        self.position = 0
        self.content_end = 0
        self.trailing = 0

    def begin_header(self) -> None:
        """Count the bytes read from here on as headers of one member."""
        self._member_headers_left, self._reads_left = MAX_MEMBER_HEADERS, MAX_MEMBER_HEADER_READS
        self._in_header = True

    def end_header(self) -> None:
        """Stop counting; content follows."""
        self._in_header = False

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes; fewer only at the end.

        Raises:
            LimitExceeded: The archive, or the current header, is too large.
        """
        if size < 0:
            raise LimitExceeded("a header declares a negative size")
        if self._in_header:
            self._count_header(size)
        parts = []
        left = size
        while left and (piece := self._take(left)):
            parts.append(piece)
            left -= len(piece)
        content = b"".join(parts) if len(parts) != 1 else parts[0]
        if self._in_header and size > TAR_HEADER and b"0" * MAX_DIGITS in content.translate(_DIGITS_TO_ZERO):
            raise LimitExceeded(f"a header contains a number of more than {MAX_DIGITS} digits")
        return content

    def tell(self) -> int:
        """Return the number of bytes read."""
        return self.position

    def seek(self, position: int) -> int:
        """Skip to a later position, or to the end of the data.

        Raises:
            LimitExceeded: The position is earlier, or the content is too large.
        """
        if position < self.position:
            raise LimitExceeded("the members of the archive overlap")
        while self.position < position and self._take(position - self.position):
            pass
        return self.position

    def drain(self) -> None:
        """Read to the end."""
        while self._take(BLOCK_SIZE):
            pass

    def _take(self, max_size: int) -> bytes:
        if self._start == len(self._buffer):
            self._buffer, self._start = next(self._blocks, b""), 0
            self._measure()
        piece = self._buffer[self._start : self._start + max_size]
        self._start += len(piece)
        self.position += len(piece)
        return piece

    def _measure(self) -> None:
        block = self._buffer
        if length := len(block.rstrip(b"\0")):
            self.content_end = self.position + length
        if self.position + len(block) > self._limit:
            raise LimitExceeded(f"the content is more than {MAX_RATIO} times as large as the file")

    def _count_header(self, size: int) -> None:
        self._reads_left -= 1
        self._member_headers_left -= size
        self._extended_headers_left -= size if size > TAR_HEADER else 0
        if self._member_headers_left < 0 or self._reads_left < 0:
            raise LimitExceeded(f"a member has more than {MAX_MEMBER_HEADERS >> 20} MiB of headers")
        if self._extended_headers_left < 0:
            raise LimitExceeded(
                f"the archive has more than {MAX_EXTENDED_HEADERS >> 20} MiB of extended headers"
            )

    def _count_trailing(self, size: int) -> None:
        self.trailing += size


def _gzip_blocks(raw: IO[bytes], count_trailing: Callable[[int], None]) -> Iterator[bytes]:
    """Decompress each gzip member; count the bytes behind the last one without reading them (RFC 1952)."""
    data = raw.read(BLOCK_SIZE)
    if not data.startswith(b"\x1f\x8b"):
        raise zlib.error("it is not a gzip file")
    while data.startswith(b"\x1f\x8b"):
        inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        while not inflater.eof:
            if not data:
                raise EOFError("the compressed data is truncated")
            if block := inflater.decompress(data, BLOCK_SIZE):
                yield block
            data = inflater.unconsumed_tail or (b"" if inflater.eof else raw.read(BLOCK_SIZE))
        # gzip ignores zero padding between members, so look for the next member behind it.
        data = (inflater.unused_data or raw.read(BLOCK_SIZE)).lstrip(b"\0")
        data += raw.read(BLOCK_SIZE) if len(data) < 2 else b""
    count_trailing(len(data))
    while rest := raw.read(BLOCK_SIZE):
        count_trailing(len(rest))


def _bzip2_blocks(raw: IO[bytes], count_trailing: Callable[[int], None]) -> Iterator[bytes]:
    """Do the same for bzip2."""
    data = raw.read(BLOCK_SIZE)
    while data.startswith(b"BZh"):
        inflater = bz2.BZ2Decompressor()
        while not inflater.eof:
            if not data and inflater.needs_input:
                raise EOFError("the compressed data is truncated")
            if block := inflater.decompress(data, BLOCK_SIZE):
                yield block
            data = raw.read(BLOCK_SIZE) if inflater.needs_input and not inflater.eof else b""
        data = inflater.unused_data or raw.read(BLOCK_SIZE)
    count_trailing(len(data))
