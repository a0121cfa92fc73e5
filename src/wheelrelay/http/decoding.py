"""Undo the compression of a body (RFC 9110, section 8.4.1), in bounded memory.

urllib3 takes a compressed body that ends early for a whole one, so a page could lose its end unnoticed.
"""

import zlib
from collections.abc import Callable

from wheelrelay.staged import BLOCK

GZIP = ("gzip", "x-gzip")

PLAIN = ("", "identity")


class Undecodable(OSError):
    """A body is not compressed as its headers say, or in a way that was not asked for."""


class Decoder:
    """Reads a body and undoes one compression.

    Args:
        read: gives the next bytes as they come over the wire, at most so many; empty at the end.
        encoding: the ``Content-Encoding`` header.

    Raises:
        Undecodable: it is an encoding that was not asked for.
    """

    def __init__(self, read: Callable[[int], bytes], encoding: str) -> None:
        self._read = read
        self._kind = encoding.strip().lower()
        self._pending = b""
        self._inflate = None if self._kind in PLAIN else self._new()
        self._began = False

    def read(self, size: int) -> bytes:
        """The next decoded bytes, at most ``size``; empty at the end.

        Raises:
            Undecodable: what comes is not compressed in that way, or ends in the middle.
        """
        if self._inflate is None:
            return self._read(size)
        while True:
            self._pending = self._pending or self._read(min(size, BLOCK))
            ended = not self._pending
            if block := self._inflated(size):
                return block
            if ended:
                break
        if self._began and not self._inflate.eof:
            raise Undecodable(f"its {self._kind} data ends in the middle")
        return b""

    def _inflated(self, size: int) -> bytes:
        assert self._inflate is not None
        if self._inflate.eof:  # gzip data may have several members, and zeros after the last
            self._pending = self._pending.lstrip(b"\0")
            if not self._pending:
                return b""
            self._inflate = self._new()
        try:
            block = self._inflate.decompress(self._pending, size)
        except zlib.error as error:
            if self._began or self._kind != "deflate":
                raise Undecodable(f"it is not {self._kind} data") from error
            self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)  # some servers leave the header out
            self._began = True
            return self._inflated(size)
        self._began = True
        self._pending = self._inflate.unconsumed_tail or self._inflate.unused_data
        return block

    def _new(self) -> "zlib._Decompress":
        if self._kind in GZIP:
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        if self._kind == "deflate":
            return zlib.decompressobj()
        raise Undecodable(f"it is encoded as {self._kind[:40]!r}, which was not asked for")
