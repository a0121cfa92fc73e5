"""Read the headers that stand before each member of a zip archive (PKWARE APPNOTE.TXT 6.3, section 4.3.7)."""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple
from zipfile import ZIP_STORED, ZipInfo

UTF8 = 0x800
"""The flag that a name is UTF-8."""

FORM = struct.Struct("<4sHHHHHLLLHH")
IN_ZIP64 = 0xFFFFFFFF
ZIP64 = 0x0001
"""The extra field of sizes that are too large for a header (section 4.5.3)."""

UNICODE_PATH = 0x7075
"""The extra field of a name in UTF-8 (section 4.6.9): version, checksum of the header's name, name."""

ZIP64_LENGTHS = (0, 8, 16, 24, 28)
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class LocalHeader(NamedTuple):
    """The header before a member.

    ``packed`` and ``size`` are from the ZIP64 field where they are too large for their own; ``plain`` are the
    two as they are in the header. ``data`` is the position behind the header, where the content begins.
    """

    flags: int
    method: int
    crc: int
    packed: int
    size: int
    name: bytes
    data: int
    extra: bytes
    plain: tuple[int, int]


class _Malformed(Exception):
    """Extra fields are not what they should be; the message is the end of a sentence about the member."""


def read_local_header(raw: IO[bytes], position: int) -> LocalHeader | None:
    """The header at a position of an archive; ``None`` if there is none."""
    raw.seek(position)
    head = raw.read(FORM.size)
    if len(head) < FORM.size or head[:4] != b"PK\3\4":
        return None
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = FORM.unpack(head)
    name, extra = raw.read(name_length), raw.read(extra_length)
    plain = packed, size
    size, packed = _sizes64(extra, size, packed)
    data = position + FORM.size + name_length + extra_length
    return LocalHeader(flags, method, crc, packed, size, name, data, extra, plain)


def raw_name(info: ZipInfo) -> bytes:
    """The name of a member as it stands in the central directory."""
    return info.orig_filename.encode("utf-8" if info.flag_bits & UTF8 else "cp437")


def extra_problem(header: LocalHeader, packed: int, size: int) -> str | None:
    """What is wrong with the extra fields before a member, as the end of a sentence about it.

    Args:
        header: the one before the member.
        packed: its packed size, as the central directory declares it.
        size: its size, likewise.
    """
    try:
        seen = _sizes(header)
    except _Malformed as error:
        return str(error)
    if seen != (packed, size):
        return "has a ZIP64 field with other sizes than the central directory"
    return None


def other_name(extra: bytes, name: bytes) -> bool:
    """Whether extra fields give a member a name other than its header's, which only some readers use."""
    try:
        paths = [data for kind, data in _fields(extra) if kind == UNICODE_PATH]
    except _Malformed:
        return False
    return any(
        len(data) > 5
        and data[0] == 1
        and int.from_bytes(data[1:5], "little") == zlib.crc32(name)
        and data[5:] != name
        for data in paths
    )


def _sizes(header: LocalHeader) -> tuple[int, int]:
    """The packed size and the size that a reader takes from the header alone."""
    packed, size = header.plain
    seen = set()
    for kind, data in _fields(header.extra):
        if kind in seen and kind in (ZIP64, UNICODE_PATH):
            raise _Malformed(f"has the extra field {kind:#06x} twice")
        seen.add(kind)
        if kind == ZIP64:
            packed, size = _in_zip64(data, header)
        elif kind == UNICODE_PATH:
            _prove_path(data[5:])
    return packed, size


def _in_zip64(data: bytes, header: LocalHeader) -> tuple[int, int]:
    packed, size = header.plain
    if len(data) not in ZIP64_LENGTHS:
        raise _Malformed(f"has a ZIP64 field of {len(data)} bytes")
    if not data:
        if IN_ZIP64 in header.plain:
            raise _Malformed("has sizes in a ZIP64 field that is empty")
        return packed, size
    first = int.from_bytes(data[:8], "little")
    if len(data) == 8 and header.method != ZIP_STORED:
        raise _Malformed("has a ZIP64 field without its packed size")
    packed = first if len(data) == 8 else int.from_bytes(data[8:16], "little")
    return packed, first if size == IN_ZIP64 else size


def _prove_path(name: bytes) -> None:
    if _CONTROL.search(name):
        raise _Malformed("has a control character in its Unicode path field")
    try:
        name.decode()
    except UnicodeDecodeError:
        raise _Malformed("has a Unicode path field that is not UTF-8") from None


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """The extra fields: their ids and their data."""
    while extra:
        if len(extra) < 4:
            raise _Malformed(f"has {len(extra)} bytes behind its extra fields")
        kind, length = struct.unpack_from("<HH", extra)
        data, extra = extra[4 : 4 + length], extra[4 + length :]
        if len(data) < length:
            raise _Malformed("has an extra field that is longer than all of them together")
        yield kind, data


def _sizes64(extra: bytes, size: int, packed: int) -> tuple[int, int]:
    """The sizes, taken from the ZIP64 field (section 4.5.3) where they are too large for their own."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        values = extra[4 : 4 + length]
        if kind == ZIP64:
            if size == IN_ZIP64 and len(values) >= 8:
                size, values = int.from_bytes(values[:8], "little"), values[8:]
            if packed == IN_ZIP64 and len(values) >= 8:
                packed = int.from_bytes(values[:8], "little")
        extra = extra[4 + length :]
    return size, packed
