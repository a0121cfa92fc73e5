"""Compare the parts of a zip archive that two readers could understand differently.

Installers read the central directory at the end; streaming tools read the local header in front of each
member. Both must describe the same members, and nothing else may be in the file (PKWARE APPNOTE.TXT 6.3,
section 4.3).
"""

import tarfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

from wheelrelay.archives.contents import Problem, ProblemKind, path_problems
from wheelrelay.archives.zip_headers import (
    CENTRAL_ENTRY_SIZE,
    END,
    END64_SIZE,
    END_SIGNATURE,
    FLAG_DATA_DESCRIPTOR,
    FLAG_UTF8,
    LocalHeader,
    end_problem,
    extra_problem,
    has_other_name,
    raw_name,
    read_local_header,
)
from wheelrelay.archives.zip_reader import FLAGS_UNREADABLE, ZipReader
from wheelrelay.printable import join_names, printable

_DATA_DESCRIPTOR_SIZES = (12, 16, 20, 24)
_TAR_CHECKSUM = 148
"""The position of the checksum in a tar header: an octal number, or a binary one with a marker byte."""

_MORE_EXACT_KINDS = frozenset(
    {
        ProblemKind.ZIP_MEMBER_COMMENT,
        ProblemKind.ZIP_DATA_DESCRIPTOR,
        ProblemKind.ZIP_DUPLICATE,
        ProblemKind.ZIP_TWO_CONTENTS,
        ProblemKind.ZIP_HEADERS,
        ProblemKind.STRAY_DATA,
    }
)
"""Kinds that explain a malformed record better than `ProblemKind.ZIP_RECORDS` does."""


class ZipLayout(NamedTuple):
    """The result of comparing the parts of an archive.

    Attributes:
        problems: all differences and other problems.
        data_starts: the position of each member's content, by the ``id`` of its `zipfile.ZipInfo`. Members
            without a valid local header are missing.
    """

    problems: list[Problem]
    data_starts: dict[int, int]


def compare_layout(path: Path, archive: ZipReader) -> ZipLayout:
    """Compare the local headers, the central directory and the end records of an archive.

    Args:
        path: the archive.
        archive: the same archive, opened.
    """
    return _Comparison(path, archive).run()


class _Comparison:
    def __init__(self, path: Path, archive: ZipReader) -> None:
        self._path = path
        self._archive = archive
        self._raw = archive.raw
        self._infos = archive.infos
        self._local_names: set[bytes] = set()
        self._extra_problems: list[Problem] = []
        self._problems: list[Problem] = []
        self._data_starts: dict[int, int] = {}

    def run(self) -> ZipLayout:
        self._compare_local_headers()
        self._compare_end()
        self._check_directory()
        self._check_also_tar()
        self._check_records()
        return ZipLayout(self._problems, self._data_starts)

    def _compare_local_headers(self) -> None:
        """Walk from member to member as a streaming reader does."""
        position = 0
        directory = self._archive.directory_start
        ordered = sorted(self._infos, key=lambda info: info.header_offset)
        next_positions = [*(info.header_offset for info in ordered[1:]), directory]
        for info, next_position in zip(ordered, next_positions, strict=False):
            local = read_local_header(self._raw, info.header_offset)
            if local is None or info.header_offset < position:
                self._report(ProblemKind.ZIP_HEADERS, f"{printable(info.filename)} has no local header.")
                continue
            if info.header_offset > position:
                self._report_stray(f"{info.header_offset - position} bytes", "before", info.filename)
            self._data_starts[id(info)] = local.data_start
            self._local_names.add(local.name)
            self._compare_header(info, local)
            position = local.data_start + info.compress_size
            # A data descriptor has no length field: if the gap has one of its sizes, it is one.
            if info.flag_bits & FLAG_DATA_DESCRIPTOR and next_position - position in _DATA_DESCRIPTOR_SIZES:
                position = next_position
        if directory != position:
            self._report_stray(f"{directory - position} bytes", "before", "the central directory")

    def _compare_header(self, info: ZipInfo, local: LocalHeader) -> None:
        name = printable(info.filename)
        pairs: dict[str, tuple[object, object]] = {
            "name": (local.name, raw_name(info)),
            "compression": (local.method, info.compress_type),
            "flags": (local.flags, info.flag_bits),
        }
        if not info.flag_bits & FLAG_DATA_DESCRIPTOR:
            pairs["packed size"] = (local.packed_size, info.compress_size)
            pairs["size"] = (local.size, info.file_size)
            pairs["checksum"] = (local.crc, info.CRC)
        differing = [field for field, (in_header, in_directory) in pairs.items() if in_header != in_directory]
        if differing:
            fields = " and ".join(differing)
            message = f"The local header of {name} and the central directory differ in the {fields}."
            self._report(ProblemKind.ZIP_HEADERS, message)
        if has_other_name(local.extra, local.name) or has_other_name(info.extra, raw_name(info)):
            self._report(ProblemKind.ZIP_HEADERS, f"{name} has a second name in its extra fields.")
        if not info.flag_bits & FLAG_DATA_DESCRIPTOR:
            problem = extra_problem(local, info.compress_size, info.file_size)
            if problem:
                self._extra_problems.append(Problem(ProblemKind.ZIP_RECORDS, f"{name} {problem}."))
        if not local.name.isascii() and not info.flag_bits & FLAG_UTF8:
            self._report(ProblemKind.ZIP_HEADERS, f"The name {name} is neither ASCII nor marked as UTF-8.")

    def _compare_end(self) -> None:
        """Compare the end record with the central directory, and find bytes behind either."""
        variable = sum(len(raw_name(info)) + len(info.extra) + len(info.comment) for info in self._infos)
        directory_end = self._archive.directory_start + CENTRAL_ENTRY_SIZE * len(self._infos) + variable
        end = self._path.stat().st_size - END.size - len(self._archive.comment)
        self._raw.seek(end)
        record = self._raw.read(END.size)
        if record[:4] != END_SIGNATURE:
            self._report_stray("Bytes", "after", "the end of the archive")
            return
        if end - directory_end not in (0, END64_SIZE):
            self._report_stray(f"{end - directory_end} bytes", "after", "the central directory")
        _, _, _, disk_count, count, _, _, _ = END.unpack(record)
        if disk_count != count or count not in (len(self._infos), 0xFFFF):
            self._report(ProblemKind.ZIP_HEADERS, "The end record has a wrong member count.")

    def _check_directory(self) -> None:
        """Report problems that are visible from the central directory alone."""
        infos = self._infos
        repeated = [name for name, count in Counter(info.filename for info in infos).items() if count > 1]
        versions = Counter(name for name, *_ in {(info.filename, info.CRC, info.file_size) for info in infos})
        members = {
            (ProblemKind.ZIP_DUPLICATE, "Members that occur more than once"): [
                name for name in repeated if versions[name] == 1
            ],
            (ProblemKind.ZIP_TWO_CONTENTS, "Members that occur more than once, with different contents"): [
                name for name in repeated if versions[name] > 1
            ],
            (ProblemKind.ZIP_COMPRESSION, "Members that are neither stored nor deflated"): [
                info.filename for info in infos if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED)
            ],
            (ProblemKind.ZIP_DATA_DESCRIPTOR, "Members with data descriptors"): [
                info.filename for info in infos if info.flag_bits & FLAG_DATA_DESCRIPTOR
            ],
            (ProblemKind.ZIP_MEMBER_COMMENT, "Members with comments"): [
                info.filename for info in infos if info.comment
            ],
            (ProblemKind.UNREADABLE, "Members that are encrypted or patches"): [
                info.filename for info in infos if info.flag_bits & FLAGS_UNREADABLE
            ],
        }
        for (kind, description), names in members.items():
            if names:
                self._report(kind, f"{description}: {join_names(names)}.")
        self._problems += path_problems((info.orig_filename for info in infos), ProblemKind.ZIP_MEMBER_NAME)

    def _check_also_tar(self) -> None:
        self._raw.seek(0)
        if _may_be_tar(self._raw.read(_TAR_CHECKSUM + 1)) and tarfile.is_tarfile(self._path):
            self._report(ProblemKind.ZIP_ALSO_TAR, "The file is also a valid tar archive.")

    def _check_records(self) -> None:
        """Read the records as PyPI does, unless a problem that explains the result is already reported."""
        if {problem.kind for problem in self._problems}.isdisjoint(_MORE_EXACT_KINDS):
            self._problems += self._extra_problems
            if problem := end_problem(self._raw, self._archive.directory_start, self._local_names):
                self._report(ProblemKind.ZIP_RECORDS, f"{problem}.")

    def _report_stray(self, amount: str, relation: str, part: str) -> None:
        message = f"{amount} {relation} {printable(part)} belong to no member or record."
        self._report(ProblemKind.STRAY_DATA, message)

    def _report(self, kind: ProblemKind, message: str) -> None:
        self._problems.append(Problem(kind, message))


def _may_be_tar(start: bytes) -> bool:
    """Return whether a file that begins like this can be a tar archive; `tarfile` is slow to find out."""
    if not start.startswith(b"PK"):
        return True  # bytes precede the zip archive, possibly a compressed tar archive
    return len(start) > _TAR_CHECKSUM and start[_TAR_CHECKSUM] in b"01234567+ \t\n\v\f\r\x80\xff"
