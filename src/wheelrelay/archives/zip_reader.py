"""Open a zip archive and read its members, within limits."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from wheelrelay.archives.limits import MAX_DIRECTORY, MAX_MEMBERS, LimitExceeded
from wheelrelay.archives.zip_headers import read_local_header
from wheelrelay.staged import BLOCK_SIZE

FLAGS_UNREADABLE = 0x1 | 0x20 | 0x40
"""Flags of members that are encrypted, or patches of compressed data. Python cannot unpack them."""

_CENTRAL_SIGNATURE = b"PK\1\2"


class CorruptMemberError(BadZipFile):
    """A member does not unpack to its declared content. The message is a clause about it."""


class ZipReader:
    """An open zip archive.

    Attributes:
        raw: the file.
        infos: the members, as listed in the central directory.
        directory_start: the position of the central directory.
        comment: the comment of the archive.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        with ZipFile(cast("IO[bytes]", _LimitedFile(raw))) as archive:
            self.infos = archive.infolist()
            self.directory_start = archive.start_dir
            self.comment = archive.comment
        self.raw = raw

    def read(self, info: ZipInfo) -> bytes:
        """Return the content of a member.

        Raises:
            BadZipFile, zlib.error: It cannot be unpacked, or differs from its declared content.
        """
        return b"".join(self.blocks(info))

    def blocks(self, info: ZipInfo) -> Iterator[bytes]:
        """Yield the content of a member in blocks. Only one member can be read at a time.

        Raises:
            BadZipFile, zlib.error: It cannot be unpacked, or differs from its declared content.
        """
        header = read_local_header(self.raw, info.header_offset)
        if header is None or not can_unpack(info):
            raise CorruptMemberError("it cannot be unpacked")
        yield from read_member(self.raw, info, header.data_start)


class _LimitedFile:
    """A file that refuses to return a huge central directory, which `zipfile` reads in one piece."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self.seek, self.tell = raw.seek, raw.tell

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY:
            raise LimitExceeded(f"the central directory has more than {MAX_DIRECTORY >> 20} MiB")
        content = self._raw.read(size)
        # An entry takes ten times as much memory as on disk, so count entries before zipfile parses them.
        if content.count(_CENTRAL_SIGNATURE) > MAX_MEMBERS:
            raise LimitExceeded(f"the archive has more than {MAX_MEMBERS:,} members")
        return content


@contextmanager
def open_zip(path: Path) -> Iterator[ZipReader]:
    """Open an archive for reading.

    Raises:
        OSError: It cannot be opened.
        BadZipFile, ValueError, struct.error, NotImplementedError: Its central directory cannot be read.
        LimitExceeded: Its central directory is too large.
    """
    with path.open("rb") as raw:
        yield ZipReader(raw)


def can_unpack(info: ZipInfo) -> bool:
    """Return whether a member is stored or deflated and not encrypted; installers need nothing else."""
    return info.compress_type in (ZIP_STORED, ZIP_DEFLATED) and not info.flag_bits & FLAGS_UNREADABLE


def read_member(raw: IO[bytes], info: ZipInfo, data_start: int) -> Iterator[bytes]:
    """Yield the content of a member in blocks, and verify its size and checksum at the end.

    Args:
        raw: the archive; its position changes.
        info: the member.
        data_start: the position of its packed content.

    Raises:
        CorruptMemberError: Its size or checksum differs from the declared one, or the archive is truncated.
        zlib.error: It cannot be decompressed.
    """
    packed = _read_packed(raw, data_start, info.compress_size)
    crc = size = 0
    for block in _inflate(packed) if info.compress_type == ZIP_DEFLATED else packed:
        size += len(block)
        if size > info.file_size:
            break
        crc = zlib.crc32(block, crc)
        yield block
    if size != info.file_size:
        raise CorruptMemberError("its size differs from the declared size")
    if crc != info.CRC:
        raise CorruptMemberError("its CRC-32 checksum is wrong")


def _read_packed(raw: IO[bytes], start: int, left: int) -> Iterator[bytes]:
    """Yield ``left`` bytes of a file, from the position ``start``, in large blocks."""
    raw.seek(start)
    while left and (piece := raw.read(min(left, BLOCK_SIZE))):
        left -= len(piece)
        yield piece
    if left:
        raise CorruptMemberError("the archive is truncated")


def _inflate(pieces: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for piece in pieces:
        while piece:
            yield inflater.decompress(piece, BLOCK_SIZE)
            piece = inflater.unconsumed_tail
    yield inflater.flush()
    if not inflater.eof or inflater.unused_data:
        raise CorruptMemberError("its compressed data has the wrong length")
