"""Read the headers that stand before each member of a zip archive (PKWARE APPNOTE.TXT 6.3, section 4.3.7)."""

import struct
from typing import IO, NamedTuple
from zipfile import ZipInfo

UTF8 = 0x800
"""The flag that a name is UTF-8."""

FORM = struct.Struct("<4sHHHHHLLLHH")
IN_ZIP64 = 0xFFFFFFFF


class LocalHeader(NamedTuple):
    """The header before a member; ``data`` is the position behind it, where the content begins."""

    flags: int
    method: int
    crc: int
    packed: int
    size: int
    name: bytes
    data: int


def read_local_header(raw: IO[bytes], position: int) -> LocalHeader | None:
    """The header at a position of an archive; ``None`` if there is none."""
    raw.seek(position)
    head = raw.read(FORM.size)
    if len(head) < FORM.size or head[:4] != b"PK\3\4":
        return None
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = FORM.unpack(head)
    name, extra = raw.read(name_length), raw.read(extra_length)
    size, packed = _sizes64(extra, size, packed)
    data = position + FORM.size + name_length + extra_length
    return LocalHeader(flags, method, crc, packed, size, name, data)


def raw_name(info: ZipInfo) -> bytes:
    """The name of a member as it stands in the central directory."""
    return info.orig_filename.encode("utf-8" if info.flag_bits & UTF8 else "cp437")


def _sizes64(extra: bytes, size: int, packed: int) -> tuple[int, int]:
    """The sizes, taken from the ZIP64 field (section 4.5.3) where they are too large for their own."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        values = extra[4 : 4 + length]
        if kind == 1:
            if size == IN_ZIP64 and len(values) >= 8:
                size, values = int.from_bytes(values[:8], "little"), values[8:]
            if packed == IN_ZIP64 and len(values) >= 8:
                packed = int.from_bytes(values[:8], "little")
        extra = extra[4 + length :]
    return size, packed
