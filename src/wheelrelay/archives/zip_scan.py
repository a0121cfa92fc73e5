"""Read a zip archive from its first byte to its last and report every problem."""

import hashlib
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO
from zipfile import ZipInfo

from wheelrelay.archives.contents import (
    ArchiveContents,
    MapFunction,
    Member,
    MetadataFiles,
    Problem,
    ProblemKind,
    beyond_limits,
    unreadable,
)
from wheelrelay.archives.limits import (
    ARCHIVE_ERRORS,
    MAX_RATIO,
    MIN_CONTENT_FOR_RATIO,
    PYPI_MAX_RATIO,
    LimitExceeded,
)
from wheelrelay.archives.protected_code import encrypting_tool, is_searched
from wheelrelay.archives.record_file import hash_algorithms
from wheelrelay.archives.zip_layout import compare_layout
from wheelrelay.archives.zip_reader import CorruptMemberError, ZipReader, can_unpack, open_zip, read_member
from wheelrelay.printable import printable

_BATCH_SIZE = 32 << 20
"""Bytes of unpacked content that justify a separate task."""


def scan_zip(path: Path, map_function: MapFunction = map) -> ArchiveContents:
    """Read a zip archive completely. Broken archives are reported, not raised.

    Each member is decompressed and hashed once. Nothing is decompressed if the archive unpacks to far more
    than the size of the file.

    Args:
        path: the archive.
        map_function: reads the batches of a large archive, possibly in parallel.
    """
    try:
        with open_zip(path) as archive:
            return _ZipScan(path, archive).run(map_function)
    except LimitExceeded as error:
        return beyond_limits(error)
    except ARCHIVE_ERRORS as error:
        return unreadable(error)


class _ZipScan:
    """One pass over an archive, collecting members and problems."""

    def __init__(self, path: Path, archive: ZipReader) -> None:
        self._raw = archive.raw
        self._path = path
        self._infos = archive.infos
        layout = compare_layout(path, archive)
        self._data_starts = layout.data_starts
        self._problems = layout.problems
        # Keyed by member, since the batches may end in any order.
        self._member_problems: dict[int, Problem] = {}

    def run(self, map_function: MapFunction) -> ArchiveContents:
        files = [info for info in self._infos if not info.filename.endswith("/")]
        metadata_files = self._read_metadata_files()
        if not self._has_plausible_ratio():
            members = {info.filename: Member(info.file_size) for info in files}
            return ArchiveContents(members, metadata_files, tuple(self._problems))
        algorithms: dict[str, str] = {}
        for path, text in metadata_files.items():
            algorithms |= hash_algorithms(text) if path.endswith("/RECORD") else {}
        batches = map_function(partial(self._read_batch, algorithms=algorithms), _batches(files))
        members = {name: member for batch in batches for name, member in batch.items()}
        found = self._member_problems
        self._problems += [found[id(info)] for info in files if id(info) in found]
        return ArchiveContents(members, metadata_files, tuple(self._problems))

    def _has_plausible_ratio(self) -> bool:
        """Report a high compression ratio, and return whether to decompress the archive all the same."""
        total, size = sum(info.file_size for info in self._infos), self._path.stat().st_size
        if total <= MIN_CONTENT_FOR_RATIO or total <= PYPI_MAX_RATIO * size:
            return True
        message = f"The archive unpacks to {total / size:.0f} times its size"
        self._problems.append(Problem(ProblemKind.RATIO, f"{message}."))
        if total <= MAX_RATIO * size:
            return True
        self._problems.append(Problem(ProblemKind.LIMITS, f"{message}, so its members are not verified."))
        return False

    def _read_metadata_files(self) -> dict[str, bytes]:
        files = MetadataFiles()
        for info in self._infos:
            if files.has_room_for(info.filename, info.file_size) and self._can_unpack(info):
                try:
                    files.keep(info.filename, b"".join(self._blocks(self._raw, info)))
                except (CorruptMemberError, zlib.error):
                    continue  # reported when all members are read
        return files.kept

    def _read_batch(self, infos: Iterable[ZipInfo], algorithms: Mapping[str, str]) -> dict[str, Member]:
        """Decompress and hash some members through a separate file handle, since batches run in parallel."""
        with self._path.open("rb") as raw:
            return {
                info.filename: self._read(raw, info, algorithms.get(info.filename, "sha256"))
                for info in infos
            }

    def _read(self, raw: IO[bytes], info: ZipInfo, algorithm: str) -> Member:
        if not self._can_unpack(info):
            return Member(info.file_size)
        name = printable(info.filename)
        hasher = hashlib.new(algorithm, usedforsecurity=False)
        code: list[bytes] | None = [] if is_searched(info.filename, info.file_size) else None
        try:
            for block in self._blocks(raw, info):
                hasher.update(block)
                if code is not None:
                    code.append(block)
        except (CorruptMemberError, zlib.error) as error:
            message = f"{name} cannot be unpacked: {str(error).rstrip('.')}."
            self._member_problems[id(info)] = Problem(ProblemKind.CORRUPT, message)
            return Member(info.file_size)
        if code and (tool := encrypting_tool(b"".join(code))):
            message = f"{name} is encrypted with {tool}."
            self._member_problems[id(info)] = Problem(ProblemKind.PROTECTED_CODE, message)
        digest = urlsafe_b64encode(hasher.digest()).rstrip(b"=").decode()
        return Member(info.file_size, f"{algorithm}={digest}")

    def _can_unpack(self, info: ZipInfo) -> bool:
        return can_unpack(info) and id(info) in self._data_starts

    def _blocks(self, raw: IO[bytes], info: ZipInfo) -> Iterator[bytes]:
        return read_member(raw, info, self._data_starts[id(info)])


def _batches(infos: Sequence[ZipInfo]) -> list[list[ZipInfo]]:
    """Split members into batches that are large enough for separate tasks."""
    batches: list[list[ZipInfo]] = []
    size = _BATCH_SIZE
    for info in infos:
        if size >= _BATCH_SIZE:
            batches.append([])
            size = 0
        batches[-1].append(info)
        size += info.file_size
    return batches
