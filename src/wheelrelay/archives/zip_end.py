"""Read the end of a zip archive, from the central directory on, as a forward-only reader does.

Central directory and end records: PKWARE APPNOTE.TXT 6.3, sections 4.3.12 to 4.3.16.
"""

import os
import struct
from collections.abc import Collection
from typing import IO

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


class _MalformedError(Exception):
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
    except _MalformedError as error:
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
                raise _MalformedError("The ZIP64 end record has no locator")
            self._read_locator(self._start + actual[1])
            signature = self._peek()
        if signature != END_SIGNATURE:
            raise _MalformedError("No end record follows the central directory")
        plain = self._read_end()
        if declared is actual:  # there is no ZIP64 end record
            declared = plain
        if declared != actual:
            raise _MalformedError(
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
                raise _MalformedError("An entry of the central directory has a comment")
            if name not in names:
                raise _MalformedError("An entry of the central directory has a name that no member has")
            count += 1
            size += _CENTRAL.size + name_length + extra_length
        return count, size, self._start

    def _read_end64(self) -> tuple[int, int, int]:
        _, own_size, _, _, _, _, disk_count, count, size, start = _END64.unpack(self._read(_END64.size))
        if own_size != _PLAIN_END64_SIZE:
            raise _MalformedError("The ZIP64 end record has additional data")
        if disk_count != count:
            raise _MalformedError("The ZIP64 end record has two different member counts")
        return count, size, start

    def _read_locator(self, position: int) -> None:
        if _LOCATOR.unpack(self._read(_LOCATOR.size))[2] != position:
            raise _MalformedError("The ZIP64 locator has a wrong position")

    def _read_end(self) -> tuple[int, int, int]:
        _, _, _, disk_count, count, size, start, comment_length = END.unpack(self._read(END.size))
        if disk_count != count:
            raise _MalformedError("The end record has two different member counts")
        if self._raw.tell() + comment_length != self._size:
            raise _MalformedError("The end record has a wrong length of the archive comment")
        return count, size, start

    def _peek(self) -> bytes:
        """Return the signature of the next record without moving on."""
        signature = self._raw.read(4)
        self._raw.seek(-len(signature), os.SEEK_CUR)
        return signature

    def _read(self, size: int) -> bytes:
        content = self._raw.read(size)
        if len(content) < size:
            raise _MalformedError("The archive ends within its central directory")
        return content
