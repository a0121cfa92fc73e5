"""Read the end of a zip archive, from its central directory on, as a reader does that goes forwards only.

Central directory and end records: PKWARE APPNOTE.TXT 6.3, sections 4.3.12 to 4.3.16.
"""

import os
import struct
from collections.abc import Collection
from typing import IO

CENTRAL = struct.Struct("<4s24xHHH12x")
END = struct.Struct("<4sHHHHLLH")
END64 = struct.Struct("<4sQHHLLQQQQ")
LOCATOR = struct.Struct("<4sLQL")
ENTRY, END_MARK, END64_MARK, LOCATOR_MARK = b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7"
PLAIN_END64 = END64.size - 12
"""What the size of a ZIP64 end record says of itself if it holds nothing beyond the usual."""


class _Malformed(Exception):
    """The message is a sentence without its full stop."""


def end_problem(raw: IO[bytes], start: int, names: Collection[bytes]) -> str | None:
    """What is wrong with the end of an archive, as a sentence without its full stop; ``None`` if nothing is.

    Args:
        raw: the archive; its position is changed.
        start: where its central directory begins.
        names: of the members, as in the headers before them.
    """
    try:
        _End(raw, start).prove(names)
    except _Malformed as error:
        return str(error)
    return None


class _End:
    def __init__(self, raw: IO[bytes], start: int) -> None:
        self._raw = raw
        self._start = start
        self._size = raw.seek(0, os.SEEK_END)
        self._raw.seek(start)

    def prove(self, names: Collection[bytes]) -> None:
        declared = found = self._directory(names)
        mark = self._mark()
        if mark == END64_MARK:
            declared = self._end64()
            mark = self._mark()
            if mark != LOCATOR_MARK:
                raise _Malformed("A ZIP64 end record has no locator behind it")
            self._locator(self._start + found[1])
            mark = self._mark()
        if mark != END_MARK:
            raise _Malformed("Something other than an end record follows the central directory")
        plain = self._end()
        if declared is found:
            declared = plain
        if declared != found:
            raise _Malformed("The end record has another count, size or place of the central directory")

    def _directory(self, names: Collection[bytes]) -> tuple[int, int, int]:
        """Count, size and place of the entries of the central directory."""
        count = size = 0
        while self._mark() == ENTRY:
            _, name_length, extra_length, comment_length = CENTRAL.unpack(self._read(CENTRAL.size))
            name = self._read(name_length)
            self._read(extra_length)
            if comment_length:
                raise _Malformed("An entry of the central directory has a comment")
            if name not in names:
                raise _Malformed("An entry of the central directory has the name of no member")
            count += 1
            size += CENTRAL.size + name_length + extra_length
        return count, size, self._start

    def _end64(self) -> tuple[int, int, int]:
        _, own, _, _, _, _, here, in_all, size, start = END64.unpack(self._read(END64.size))
        if own != PLAIN_END64:
            raise _Malformed("The ZIP64 end record has additional data")
        if here != in_all:
            raise _Malformed("The ZIP64 end record has two counts of members")
        return in_all, size, start

    def _locator(self, place: int) -> None:
        if LOCATOR.unpack(self._read(LOCATOR.size))[2] != place:
            raise _Malformed("The ZIP64 locator leads elsewhere")

    def _end(self) -> tuple[int, int, int]:
        _, _, _, here, in_all, size, start, comment = END.unpack(self._read(END.size))
        if here != in_all:
            raise _Malformed("The end record has two counts of members")
        if self._raw.tell() + comment != self._size:
            raise _Malformed("The end record has another length of the archive's comment")
        return in_all, size, start

    def _mark(self) -> bytes:
        """The mark of the next record, which is not skipped."""
        mark = self._raw.read(4)
        self._raw.seek(-len(mark), os.SEEK_CUR)
        return mark

    def _read(self, size: int) -> bytes:
        content = self._raw.read(size)
        if len(content) < size:
            raise _Malformed("The archive ends within its central directory")
        return content
