"""Read a zip archive within bounds: its central directory, and the content of single members."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from wheelrelay.archives.limits import DIRECTORY, MEMBERS, Implausible
from wheelrelay.archives.zip_headers import read_local_header
from wheelrelay.staged import BLOCK_SIZE

LOCKED = 0x1 | 0x20 | 0x40
"""Flags of members that are encrypted, or patches of compressed data: no Python unpacks them."""

CENTRAL = b"PK\1\2"


class Corrupt(BadZipFile):
    """A member does not unpack to what was declared; the message is the end of a sentence."""


class ZipReader:
    """An open zip archive.

    Attributes:
        raw: the file.
        infos: its members, as the central directory lists them.
        directory: where the central directory begins.
        comment: of the archive.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        bounded = _Bounded(raw)
        with ZipFile(cast("IO[bytes]", bounded)) as archive:
            self.infos = archive.infolist()
            self.directory = archive.start_dir
            self.comment = archive.comment
        self.raw = raw

    def read(self, info: ZipInfo) -> bytes:
        """The content of a member.

        Raises:
            BadZipFile, zlib.error: it cannot be unpacked, or not to what is declared.
        """
        return b"".join(self.blocks(info))

    def blocks(self, info: ZipInfo) -> Iterator[bytes]:
        """The content of a member, in blocks; one at a time is read.

        Raises:
            BadZipFile, zlib.error: it cannot be unpacked, or not to what is declared.
        """
        header = read_local_header(self.raw, info.header_offset)
        if header is None or not can_unpack(info):
            raise Corrupt("it cannot be unpacked")
        yield from blocks(self.raw, info, header.data)


class _Bounded:
    """A file whose parts that are read at once, as a central directory is, are of plausible size."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self.seek, self.tell = raw.seek, raw.tell

    def read(self, size: int = -1) -> bytes:
        if size > DIRECTORY:
            raise Implausible(f"its central directory has more than {DIRECTORY >> 20} MiB")
        content = self._raw.read(size)
        if content.count(CENTRAL) > MEMBERS:
            raise Implausible(f"it has more than {MEMBERS:,} members")
        return content


@contextmanager
def read_zip(path: Path) -> Iterator[ZipReader]:
    """Open an archive for reading.

    Raises:
        OSError: it cannot be opened.
        BadZipFile, ValueError, struct.error, NotImplementedError: its central directory cannot be read.
        Implausible: that exceeds its limits.
    """
    with path.open("rb") as raw:
        yield ZipReader(raw)


def can_unpack(info: ZipInfo) -> bool:
    """Whether a member is unpacked here: installers can do without any other way to pack it."""
    return info.compress_type in (ZIP_STORED, ZIP_DEFLATED) and not info.flag_bits & LOCKED


def blocks(raw: IO[bytes], info: ZipInfo, start: int) -> Iterator[bytes]:
    """The content of a member in blocks, compared with the declared size and checksum at the end.

    Args:
        raw: the archive; its position is changed.
        info: the member.
        start: where its packed content begins.

    Raises:
        Corrupt: it has another size or checksum than declared, or ends too early.
        zlib.error: it cannot be unpacked.
    """
    pieces = _pieces(raw, start, info.compress_size)
    crc = size = 0
    for block in _inflated(pieces) if info.compress_type == ZIP_DEFLATED else pieces:
        size += len(block)
        if size > info.file_size:
            break
        crc = zlib.crc32(block, crc)
        yield block
    if size != info.file_size:
        raise Corrupt("it has another size than declared")
    if crc != info.CRC:
        raise Corrupt("it has another checksum than declared")


def _pieces(raw: IO[bytes], start: int, left: int) -> Iterator[bytes]:
    """``left`` bytes of a file from ``start`` on, in large blocks."""
    raw.seek(start)
    while left and (piece := raw.read(min(left, BLOCK_SIZE))):
        left -= len(piece)
        yield piece
    if left:
        raise Corrupt("the file ends before it")


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for piece in pieces:
        while piece:
            yield inflater.decompress(piece, BLOCK_SIZE)
            piece = inflater.unconsumed_tail
    yield inflater.flush()
    if not inflater.eof or inflater.unused_data:
        raise Corrupt("its compressed data do not end where they should")
