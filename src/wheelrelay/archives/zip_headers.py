"""Read the headers of a zip archive: of each member, and at the end of its central directory.

Local headers: PKWARE APPNOTE.TXT 6.3, section 4.3.7. Central directory and end records, which are read as a
forward-only reader does: sections 4.3.12 to 4.3.16.
"""

import os
import re
import struct
import zlib
from collections.abc import Collection, Iterator
from typing import IO, NamedTuple
from zipfile import ZIP_STORED, ZipInfo

FLAG_UTF8 = 0x800
"""The name is UTF-8 (section 4.4.4)."""

FLAG_DATA_DESCRIPTOR = 0x8
"""The sizes and the checksum follow the content (section 4.3.9)."""

_HEADER = struct.Struct("<4sHHHHHLLLHH")
_IN_ZIP64_FIELD = 0xFFFFFFFF
"""The value of a size that is in the ZIP64 field instead."""

ZIP64 = 0x0001
"""The id of the extra field for sizes that are too large for a header (section 4.5.3)."""

UNICODE_PATH = 0x7075
"""The id of the extra field for a name in UTF-8 (section 4.6.9): version, checksum of the name, name."""

_ZIP64_LENGTHS = (0, 8, 16, 24, 28)
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class LocalHeader(NamedTuple):
    """The header in front of a member.

    Attributes:
        flags: the general purpose bit flags.
        method: the compression method.
        crc: the CRC-32 of the content.
        packed_size: in bytes, from the ZIP64 field if it exists.
        size: in bytes, likewise.
        name: the bytes of the name.
        data_start: the position of the content.
        extra: the extra fields.
        declared_sizes: the packed size and the size as in the header itself.
    """

    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    name: bytes
    data_start: int
    extra: bytes
    declared_sizes: tuple[int, int]


class _MalformedFieldsError(Exception):
    """Extra fields are malformed. The message continues a sentence that begins with the member's name."""


def read_local_header(raw: IO[bytes], position: int) -> LocalHeader | None:
    """Return the header at a position of an archive; ``None`` if there is no header."""
    raw.seek(position)
    head = raw.read(_HEADER.size)
    if len(head) < _HEADER.size or head[:4] != b"PK\3\4":
        return None
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _HEADER.unpack(head)
    name, extra = raw.read(name_length), raw.read(extra_length)
    declared_sizes = packed, size
    size, packed = _apply_zip64(extra, size, packed)
    data_start = position + _HEADER.size + name_length + extra_length
    return LocalHeader(flags, method, crc, packed, size, name, data_start, extra, declared_sizes)


def raw_name(info: ZipInfo) -> bytes:
    """Return the bytes of a member's name in the central directory."""
    return info.orig_filename.encode("utf-8" if info.flag_bits & FLAG_UTF8 else "cp437")


def extra_problem(header: LocalHeader, packed_size: int, size: int) -> str | None:
    """Return what is wrong with the extra fields of a local header; ``None`` if they are correct.

    The result continues a sentence that begins with the member's name.

    Args:
        header: the local header.
        packed_size: the packed size in the central directory.
        size: the size in the central directory.
    """
    try:
        sizes = _sizes_from_header(header)
    except _MalformedFieldsError as error:
        return str(error)
    if sizes != (packed_size, size):
        return "has a ZIP64 field with other sizes than the central directory"
    return None


def has_other_name(extra: bytes, name: bytes) -> bool:
    """Return whether extra fields contain another name for a member, which only some readers use."""
    try:
        paths = [data for kind, data in _fields(extra) if kind == UNICODE_PATH]
    except _MalformedFieldsError:
        return False
    return any(
        len(data) > 5
        and data[0] == 1
        and int.from_bytes(data[1:5], "little") == zlib.crc32(name)
        and data[5:] != name
        for data in paths
    )


def _sizes_from_header(header: LocalHeader) -> tuple[int, int]:
    """Return the packed size and the size that a reader of the local header alone sees."""
    packed_size, size = header.declared_sizes
    seen = set()
    for kind, data in _fields(header.extra):
        if kind in seen and kind in (ZIP64, UNICODE_PATH):
            raise _MalformedFieldsError(f"has the extra field {kind:#06x} twice")
        seen.add(kind)
        if kind == ZIP64:
            packed_size, size = _sizes_from_zip64(data, header)
        elif kind == UNICODE_PATH:
            _validate_unicode_path(data[5:])
    return packed_size, size


def _sizes_from_zip64(data: bytes, header: LocalHeader) -> tuple[int, int]:
    packed_size, size = header.declared_sizes
    if len(data) not in _ZIP64_LENGTHS:
        raise _MalformedFieldsError(f"has a ZIP64 field of {len(data)} bytes")
    if not data:
        if _IN_ZIP64_FIELD in header.declared_sizes:
            raise _MalformedFieldsError("has an empty ZIP64 field although its header refers to it")
        return packed_size, size
    first = int.from_bytes(data[:8], "little")
    if len(data) == 8 and header.method != ZIP_STORED:
        raise _MalformedFieldsError("has a ZIP64 field without its packed size")
    packed_size = first if len(data) == 8 else int.from_bytes(data[8:16], "little")
    return packed_size, first if size == _IN_ZIP64_FIELD else size


def _validate_unicode_path(name: bytes) -> None:
    if _CONTROL.search(name):
        raise _MalformedFieldsError("has a control character in its Unicode path field")
    try:
        name.decode()
    except UnicodeDecodeError:
        raise _MalformedFieldsError("has a Unicode path field that is not UTF-8") from None


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the id and the data of each extra field."""
    while extra:
        if len(extra) < 4:
            raise _MalformedFieldsError(f"has {len(extra)} stray bytes after its extra fields")
        kind, length = struct.unpack_from("<HH", extra)
        data, extra = extra[4 : 4 + length], extra[4 + length :]
        if len(data) < length:
            raise _MalformedFieldsError("has a truncated extra field")
        yield kind, data


def _apply_zip64(extra: bytes, size: int, packed_size: int) -> tuple[int, int]:
    """Return the size and the packed size, from the ZIP64 field where the header refers to it."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        values = extra[4 : 4 + length]
        if kind == ZIP64:
            if size == _IN_ZIP64_FIELD and len(values) >= 8:
                size, values = int.from_bytes(values[:8], "little"), values[8:]
            if packed_size == _IN_ZIP64_FIELD and len(values) >= 8:
                packed_size = int.from_bytes(values[:8], "little")
        extra = extra[4 + length :]
    return size, packed_size


CENTRAL_ENTRY_SIZE = 46
"""Bytes of an entry of the central directory without its name, extra fields and comment."""

END = struct.Struct("<4sHHHHLLH")
END_SIGNATURE = b"PK\5\6"
END64_SIZE = 56 + 20
"""Bytes of a ZIP64 end record with its locator."""

_CENTRAL = struct.Struct("<4s24xHHH12x")
_END64 = struct.Struct("<4sQHHLLQQQQ")
_LOCATOR = struct.Struct("<4sLQL")
_ENTRY_SIGNATURE, _END64_SIGNATURE, _LOCATOR_SIGNATURE = b"PK\1\2", b"PK\6\6", b"PK\6\7"
_PLAIN_END64_SIZE = _END64.size - 12
"""The size that a ZIP64 end record without additional data declares for itself."""


class _MalformedEndError(Exception):
    """The message is a sentence without its full stop."""


def end_problem(raw: IO[bytes], start: int, names: Collection[bytes]) -> str | None:
    """Return what is wrong with the end of an archive; ``None`` if it is valid.

    The result is a sentence without its full stop.

    Args:
        raw: the archive; its position changes.
        start: the position of the central directory.
        names: the names in the local headers.
    """
    try:
        _ArchiveEnd(raw, start).validate(names)
    except _MalformedEndError as error:
        return str(error)
    return None


class _ArchiveEnd:
    def __init__(self, raw: IO[bytes], start: int) -> None:
        self._raw = raw
        self._start = start
        self._size = raw.seek(0, os.SEEK_END)
        self._raw.seek(start)

    def validate(self, names: Collection[bytes]) -> None:
        declared = actual = self._read_directory(names)
        signature = self._peek()
        if signature == _END64_SIGNATURE:
            declared = self._read_end64()
            if self._peek() != _LOCATOR_SIGNATURE:
                raise _MalformedEndError("The ZIP64 end record has no locator")
            self._read_locator(self._start + actual[1])
            signature = self._peek()
        if signature != END_SIGNATURE:
            raise _MalformedEndError("No end record follows the central directory")
        plain = self._read_end()
        if declared is actual:  # there is no ZIP64 end record
            declared = plain
        if declared != actual:
            raise _MalformedEndError(
                "The end record has a wrong count, size or position of the central directory"
            )

    def _read_directory(self, names: Collection[bytes]) -> tuple[int, int, int]:
        """Return the count, the size and the position of the entries of the central directory."""
        count = size = 0
        while self._peek() == _ENTRY_SIGNATURE:
            _, name_length, extra_length, comment_length = _CENTRAL.unpack(self._read(_CENTRAL.size))
            name = self._read(name_length)
            self._read(extra_length)
            if comment_length:
                raise _MalformedEndError("An entry of the central directory has a comment")
            if name not in names:
                raise _MalformedEndError("An entry of the central directory has a name that no member has")
            count += 1
            size += _CENTRAL.size + name_length + extra_length
        return count, size, self._start

    def _read_end64(self) -> tuple[int, int, int]:
        _, own_size, _, _, _, _, disk_count, count, size, start = _END64.unpack(self._read(_END64.size))
        if own_size != _PLAIN_END64_SIZE:
            raise _MalformedEndError("The ZIP64 end record has additional data")
        if disk_count != count:
            raise _MalformedEndError("The ZIP64 end record has two different member counts")
        return count, size, start

    def _read_locator(self, position: int) -> None:
        if _LOCATOR.unpack(self._read(_LOCATOR.size))[2] != position:
            raise _MalformedEndError("The ZIP64 locator has a wrong position")

    def _read_end(self) -> tuple[int, int, int]:
        _, _, _, disk_count, count, size, start, comment_length = END.unpack(self._read(END.size))
        if disk_count != count:
            raise _MalformedEndError("The end record has two different member counts")
        if self._raw.tell() + comment_length != self._size:
            raise _MalformedEndError("The end record has a wrong length of the archive comment")
        return count, size, start

    def _peek(self) -> bytes:
        """Return the signature of the next record without moving on."""
        signature = self._raw.read(4)
        self._raw.seek(-len(signature), os.SEEK_CUR)
        return signature

    def _read(self, size: int) -> bytes:
        content = self._raw.read(size)
        if len(content) < size:
            raise _MalformedEndError("The archive ends within its central directory")
        return content
