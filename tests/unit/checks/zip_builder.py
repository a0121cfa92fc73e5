"""Write the records of a zip archive one by one, so that each number in them can be wrong."""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wheelrelay.testing.samples import record_of, wheel_members

FIRST = "sample/__init__.py"
NAME = "sample-1.0-py3-none-any.whl"
RECORD = "sample-1.0.dist-info/RECORD"


def field(kind: int, data: bytes, *, length: int | None = None) -> bytes:
    """Return an extra field, possibly with a wrong length."""
    return struct.pack("<HH", kind, len(data) if length is None else length) + data


def zip64(*numbers: int) -> bytes:
    """Return the extra field for large sizes."""
    return field(1, struct.pack(f"<{len(numbers)}Q", *numbers))


def unicode_path(name: bytes) -> bytes:
    """Return the extra field for a name in UTF-8, with a checksum that matches no name."""
    return field(0x7075, b"\1\0\0\0\0" + name)


@dataclass(frozen=True)
class Zipped:
    """The values to write for the first member and for the end record; ``None`` means the correct value."""

    extra: bytes = b""
    deflated: bool = False
    flags: int = 0
    local_name: bytes | None = None
    local_size: int | None = None
    local_packed: int | None = None
    central_lengths: tuple[int, int] = (0, 0)
    count: int | None = None
    counts: tuple[int, int] | None = None
    comment_length: int = 0
    end64: Mapping[str, int] | None = None
    locator: bool = True
    between: bytes = b""

    def __call__(self, folder: Path) -> Path:
        """Write the wheel into a folder."""
        members = wheel_members("sample", "1.0")
        members[FIRST] = b"a" * 100
        members[RECORD] = record_of(members, RECORD)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / NAME).write_bytes(self.of(members))
        return folder / NAME

    def of(self, members: Mapping[str, bytes]) -> bytes:
        """Return the archive of these members."""
        out, central = bytearray(), bytearray()
        for number, (name, content) in enumerate(members.items()):
            encoded, first, last = name.encode(), name == FIRST, number == len(members) - 1
            at = len(out)
            out += self._member(encoded, content) if first else Zipped()._member(encoded, content)
            central += self._entry(encoded, content, at, first=first, last=last)
        out += self.between
        start = len(out)
        return bytes(out + central) + self._end(len(members), len(central), start)

    def _packed(self, content: bytes) -> tuple[int, bytes]:
        if not self.deflated:
            return 0, content
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        return 8, packer.compress(content) + packer.flush()

    def _member(self, name: bytes, content: bytes) -> bytes:
        method, packed = self._packed(content)
        written = self.local_name or name
        sizes = [
            len(packed) if self.local_packed is None else self.local_packed,
            len(content) if self.local_size is None else self.local_size,
        ]
        head = struct.pack("<4sHHHHHL", b"PK\3\4", 20, self.flags, method, 0, 33, zlib.crc32(content))
        return (
            head + struct.pack("<LLHH", *sizes, len(written), len(self.extra)) + written + self.extra + packed
        )

    def _entry(self, name: bytes, content: bytes, at: int, *, first: bool, last: bool) -> bytes:
        method, packed = self._packed(content) if first else (0, content)
        flags = self.flags if first else 0
        more_name, more_extra = self.central_lengths if last else (0, 0)
        head = struct.pack("<4s6HL", b"PK\1\2", 20, 20, flags, method, 0, 33, zlib.crc32(content))
        sizes = struct.pack("<LLHHH", len(packed), len(content), len(name) + more_name, more_extra, 0)
        return head + sizes + struct.pack("<HHLL", 0, 0, 0, at) + name

    def _end(self, count: int, size: int, start: int) -> bytes:
        end64 = b""
        if self.end64 is not None:
            values = {"own_size": 44, "disk_count": count, "count": count} | dict(self.end64)
            end64 = struct.pack("<4sQHHLL", b"PK\6\6", values["own_size"], 45, 45, 0, 0)
            end64 += struct.pack("<QQQQ", values["disk_count"], values["count"], size, start)
            end64 += struct.pack("<4sLQL", b"PK\6\7", 0, start + size, 1) if self.locator else b""
        counts = self.counts or (self.count or count, self.count or count)
        return end64 + struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, *counts, size, start, self.comment_length)
