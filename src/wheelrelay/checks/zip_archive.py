"""Read a zip archive once, from first byte to last, and notice whatever two readers could disagree on.

Installers trust the central directory at the end; streaming tools trust the headers before each member.
Both have to tell the same story, and there has to be nothing beside it (PKWARE APPNOTE.TXT 6.3, section 4.3).
"""

import hashlib
import tarfile
import zlib
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

from wheelrelay.archives import BROKEN, Implausible, ZipReader
from wheelrelay.archives import read_zip as open_zip
from wheelrelay.archives.limits import MOST_RATIO, RATIO_FROM
from wheelrelay.archives.record_file import algorithms
from wheelrelay.archives.zip_end import END, end_problem
from wheelrelay.archives.zip_headers import (
    UTF8,
    LocalHeader,
    extra_problem,
    other_name,
    raw_name,
    read_local_header,
)
from wheelrelay.archives.zip_reader import LOCKED, Corrupt, blocks, can_unpack
from wheelrelay.checks.archive_contents import (
    CORRUPT,
    LIMITS,
    STRAY,
    UNREADABLE,
    Contents,
    Each,
    Member,
    Texts,
    implausible,
    path_violations,
    unreadable,
)
from wheelrelay.checks.check import Check, Profile, Violation, listed, shown
from wheelrelay.checks.protected import PROTECTED, is_searched, protection
from wheelrelay.records import Severity

MAX_RATIO = 50
"""How many times as large as the file PyPI lets the content of a wheel be."""

DESCRIPTOR = 0x8
END64_SIZE = 56 + 20
DESCRIPTOR_SIZES = (12, 16, 20, 24)
TAR_SUM = 148
"""Where the checksum stands in the header of a tar archive, as an octal number or a marked binary one."""

PORTION = 32 << 20
"""Bytes of unpacked content that are worth a thread's while."""

COMPRESSION = Check(
    "zip-compression",
    "Members are stored or deflated.",
    hint="Build it again without bzip2, LZMA or Zstandard compression.",
    profile=Profile.PYPI,
)
DATA_DESCRIPTOR = Check(
    "zip-data-descriptor",
    "No member has a data descriptor, as archives have that were written to a stream.",
    hint="Write the archive to a file that can be sought in, not to a pipe.",
    profile=Profile.PYPI,
)
DUPLICATE = Check(
    "zip-duplicate-member",
    "No two members have the same path.",
    hint="Build it again; the build adds a file twice.",
    below=Severity.WARNING,
)
TWO_CONTENTS = Check(
    "zip-two-contents",
    "No path has two contents, of which one reader takes the first and another the last.",
    hint="Build it again; the build adds two files under one path.",
    profile=Profile.STORAGE,
)
COMMENT = Check(
    "zip-member-comment",
    "No member has a comment in the central directory.",
    hint="Build it again without comments.",
    profile=Profile.PYPI,
)
HEADERS = Check(
    "zip-headers-differ",
    "The header before each member and the central directory say the same.",
    hint="Build it again; the archive was put together in a way that readers understand differently.",
    profile=Profile.STORAGE,
)
ALSO_TAR = Check(
    "zip-also-tar",
    "The file is not a zip archive and a tar archive at the same time.",
    hint="Build it again; whoever made this file wanted two readers to see two things.",
    profile=Profile.STORAGE,
)
RECORDS = Check(
    "zip-records",
    "Extra fields and end records of a zip archive are complete, single, and true about sizes and counts.",
    hint="Build it again with a plain archiver, such as Python's zipfile.",
    profile=Profile.PYPI,
)
RATIO = Check(
    "archive-ratio",
    f"A wheel of more than 64 MiB of content is not compressed more than {MAX_RATIO}-fold.",
    hint="Leave out what compresses like that, or generate it at run time.",
    profile=Profile.PYPI,
    below=Severity.WARNING,
)
NAME = Check(
    "zip-member-name",
    "No member has a control character in its name.",
    hint="Rename the file; many systems cannot unpack it.",
    profile=Profile.PYPI,
    below=Severity.WARNING,
)
OF_RECORDS = frozenset({COMMENT, DATA_DESCRIPTOR, DUPLICATE, TWO_CONTENTS, HEADERS, STRAY})
"""Checks that name more exactly what is wrong with a record."""

CHECKS = (
    *(RATIO, NAME),
    *(COMPRESSION, DATA_DESCRIPTOR, DUPLICATE, TWO_CONTENTS, COMMENT, HEADERS, RECORDS, ALSO_TAR),
    PROTECTED,
)


def read_zip(path: Path, each: Each = map) -> Contents:
    """Read a zip archive; nothing in it makes this fail.

    Every member is inflated and hashed once. One that inflates beyond plausibility is not inflated.

    Args:
        path: of the archive.
        each: as ``map``; the parts of a large archive are read by it, which may be at the same time.
    """
    try:
        with open_zip(path) as archive:
            return _Reading(path, archive).contents(each)
    except Implausible as error:
        return implausible(error)
    except BROKEN as error:
        return unreadable(error)


class _Reading:
    """One pass over an archive, gathering what is wrong."""

    def __init__(self, path: Path, archive: ZipReader) -> None:
        self._raw = archive.raw
        self._path = path
        self._infos = archive.infos
        self._directory = archive.directory
        self._comment = archive.comment
        self._size = path.stat().st_size
        self._violations: list[Violation] = []
        self._starts: dict[int, int] = {}
        self._names: set[bytes] = set()
        self._extra: list[Violation] = []
        self._corrupt: dict[int, str] = {}
        self._protected: dict[int, str] = {}

    def contents(self, each: Each) -> Contents:
        self._compare_layout()
        self._look_at_directory()
        self._look_at_records()
        files = [info for info in self._infos if not info.filename.endswith("/")]
        texts = self._texts()
        if not self._is_plausible():
            members = {info.filename: Member(info.file_size) for info in files}
            return Contents(members, texts, tuple(self._violations))
        wanted: dict[str, str] = {}
        for path, text in texts.items():
            wanted |= algorithms(text) if path.endswith("/RECORD") else {}
        read = each(partial(self._members, wanted=wanted), _portions(files))
        members = {name: member for portion in read for name, member in portion.items()}
        self._violations += self._breaches_of_contents(files)
        return Contents(members, texts, tuple(self._violations))

    def _breaches_of_contents(self, files: Iterable[ZipInfo]) -> Iterator[Violation]:
        for info in files:
            if id(info) in self._corrupt:
                reason = self._corrupt[id(info)]
                yield CORRUPT.violation(f"{shown(info.filename)} cannot be unpacked: {reason}.")
            elif id(info) in self._protected:
                yield PROTECTED.violation(f"{self._protected[id(info)]} encrypted {shown(info.filename)}.")

    def _compare_layout(self) -> None:
        """Walk the archive as a streaming reader does, and compare with the central directory."""
        position = 0
        ordered = sorted(self._infos, key=lambda info: info.header_offset)
        followers = [*(info.header_offset for info in ordered[1:]), self._directory]
        for info, following in zip(ordered, followers, strict=False):
            local = read_local_header(self._raw, info.header_offset)
            if local is None or info.header_offset < position:
                self._found(HEADERS, f"{shown(info.filename)} has no header of its own.")
                continue
            if info.header_offset > position:
                self._gap("before", info.filename, info.header_offset - position)
            self._starts[id(info)] = local.data
            self._names.add(local.name)
            self._compare(info, local)
            position = local.data + info.compress_size
            if info.flag_bits & DESCRIPTOR and following - position in DESCRIPTOR_SIZES:
                position = following
        if self._directory != position:
            self._gap("before", "the central directory", self._directory - position)
        self._compare_end()

    def _compare(self, info: ZipInfo, local: LocalHeader) -> None:
        pairs: dict[str, tuple[object, object]] = {
            "the name": (local.name, raw_name(info)),
            "the compression": (local.method, info.compress_type),
            "the flags": (local.flags, info.flag_bits),
        }
        if not info.flag_bits & DESCRIPTOR:
            pairs["the packed size"] = (local.packed, info.compress_size)
            pairs["the size"] = (local.size, info.file_size)
            pairs["the checksum"] = (local.crc, info.CRC)
        where = shown(info.filename)
        differing = [what for what, (one, other) in pairs.items() if one != other]
        if differing:
            self._found(HEADERS, f"The two headers of {where} differ in {' and '.join(differing)}.")
        if other_name(local.extra, local.name) or other_name(info.extra, raw_name(info)):
            self._found(HEADERS, f"{where} has another name in its extra fields.")
        if not info.flag_bits & DESCRIPTOR:
            problem = extra_problem(local, info.compress_size, info.file_size)
            self._extra += [RECORDS.violation(f"{where} {problem}.")] if problem else []
        if not local.name.isascii() and not info.flag_bits & UTF8:
            self._found(HEADERS, f"The name {where} is not ASCII and not marked as UTF-8.")

    def _compare_end(self) -> None:
        """Compare the end record with the central directory, and look for bytes behind either."""
        names = sum(len(raw_name(info)) + len(info.extra) + len(info.comment) for info in self._infos)
        behind = self._directory + 46 * len(self._infos) + names
        end = self._size - END.size - len(self._comment)
        self._raw.seek(end)
        record = self._raw.read(END.size)
        if record[:4] != b"PK\5\6":
            self._gap("behind", "the end of the archive", None)
            return
        if end - behind not in (0, END64_SIZE):
            self._gap("behind", "the central directory", end - behind)
        _, _, _, here, in_all, _, _, _ = END.unpack(record)
        if here != in_all or in_all not in (len(self._infos), 0xFFFF):
            self._found(HEADERS, "The end record counts other members than there are.")

    def _gap(self, where: str, what: str, size: int | None) -> None:
        many = "bytes" if size is None else f"{size} bytes"
        self._found(STRAY, f"There are {many} {where} {shown(what)} that belong to nothing.")

    def _found(self, check: Check, message: str) -> None:
        self._violations.append(check.violation(message))

    def _look_at_directory(self) -> None:
        """Find what the central directory alone shows."""
        infos = self._infos
        twice = [name for name, count in Counter(info.filename for info in infos).items() if count > 1]
        contents = Counter(name for name, *_ in {(info.filename, info.CRC, info.file_size) for info in infos})
        differing = [name for name in twice if contents[name] > 1]
        packed = [info.filename for info in infos if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED)]
        streamed = [info.filename for info in infos if info.flag_bits & DESCRIPTOR]
        commented = [info.filename for info in infos if info.comment]
        locked = [info.filename for info in infos if info.flag_bits & LOCKED]
        found = (
            (DUPLICATE, [name for name in twice if contents[name] == 1], "are there more than once"),
            (TWO_CONTENTS, differing, "are there more than once, with different contents"),
            (COMPRESSION, packed, "are neither stored nor deflated"),
            (DATA_DESCRIPTOR, streamed, "have data descriptors"),
            (COMMENT, commented, "have comments"),
            (UNREADABLE, locked, "are encrypted or patches"),
        )
        self._violations += [
            check.violation(f"Members {said}: {listed(names)}.") for check, names, said in found if names
        ]
        self._violations += path_violations((info.orig_filename for info in infos), NAME)
        self._raw.seek(0)
        if _may_begin_a_tar(self._raw.read(TAR_SUM + 1)) and tarfile.is_tarfile(self._path):
            self._found(ALSO_TAR, "The file can be read as a tar archive too.")

    def _look_at_records(self) -> None:
        """Read the records as PyPI does, unless another check has found already what is wrong with them."""
        if {violation.check for violation in self._violations}.isdisjoint(OF_RECORDS):
            self._violations += self._extra
            if problem := end_problem(self._raw, self._directory, self._names):
                self._found(RECORDS, f"{problem}.")

    def _is_plausible(self) -> bool:
        total = sum(info.file_size for info in self._infos)
        if total <= RATIO_FROM or total <= MAX_RATIO * self._size:
            return True
        said = f"The content is {total / self._size:.0f} times as large as the file"
        self._found(RATIO, f"{said}.")
        if total <= MOST_RATIO * self._size:
            return True
        self._found(LIMITS, f"{said}, so it is not unpacked.")
        return False

    def _texts(self) -> dict[str, bytes]:
        texts = Texts()
        for info in self._infos:
            if texts.wants(info.filename, info.file_size) and self._can_unpack(info):
                try:
                    texts.keep(info.filename, b"".join(self._blocks(self._raw, info)))
                except (Corrupt, zlib.error):
                    continue
        return texts.kept

    def _members(self, infos: Iterable[ZipInfo], wanted: Mapping[str, str]) -> dict[str, Member]:
        """Unpack and hash some members, by a file handle of their own: others may be read meanwhile."""
        with self._path.open("rb") as raw:
            return {
                info.filename: self._member(raw, info, wanted.get(info.filename, "sha256")) for info in infos
            }

    def _member(self, raw: IO[bytes], info: ZipInfo, algorithm: str) -> Member:
        if not self._can_unpack(info):
            return Member(info.file_size)
        hasher = hashlib.new(algorithm, usedforsecurity=False)
        searched: list[bytes] | None = [] if is_searched(info.filename, info.file_size) else None
        try:
            for block in self._blocks(raw, info):
                hasher.update(block)
                if searched is not None:
                    searched.append(block)
        except (Corrupt, zlib.error) as error:
            self._corrupt[id(info)] = str(error).rstrip(".")
            return Member(info.file_size)
        if searched and (protected := protection(b"".join(searched))):
            self._protected[id(info)] = protected
        digest = urlsafe_b64encode(hasher.digest()).rstrip(b"=").decode()
        return Member(info.file_size, f"{algorithm}={digest}")

    def _can_unpack(self, info: ZipInfo) -> bool:
        return can_unpack(info) and id(info) in self._starts

    def _blocks(self, raw: IO[bytes], info: ZipInfo) -> Iterator[bytes]:
        return blocks(raw, info, self._starts[id(info)])


def _may_begin_a_tar(start: bytes) -> bool:
    """Whether a file that begins so is worth asking `tarfile`, which takes its time for each file."""
    if not start.startswith(b"PK"):
        return True  # the archive may begin further on, and this be anything, also something compressed
    return len(start) > TAR_SUM and start[TAR_SUM] in b"01234567+ \t\n\v\f\r\x80\xff"


def _portions(infos: Sequence[ZipInfo]) -> list[list[ZipInfo]]:
    """Members in portions that are worth being worked on for themselves."""
    portions: list[list[ZipInfo]] = []
    size = PORTION
    for info in infos:
        if size >= PORTION:
            portions.append([])
            size = 0
        portions[-1].append(info)
        size += info.file_size
    return portions
