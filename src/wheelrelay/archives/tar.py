"""Read tar archives in bounded time and memory, and list their members with their problems."""

import posixpath
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from wheelrelay.archives.contents import (
    ArchiveContents,
    Member,
    MetadataFiles,
    Problem,
    ProblemKind,
    beyond_limits,
    is_metadata_file,
    leads_outside,
    path_problems,
    unreadable,
)
from wheelrelay.archives.inflate import InflatedStream
from wheelrelay.archives.limits import ARCHIVE_ERRORS, MAX_GLOBAL_FIELDS, MAX_MEMBERS, LimitExceeded
from wheelrelay.archives.protected_code import encrypting_tool, is_searched
from wheelrelay.printable import join_names, printable
from wheelrelay.staged import BLOCK_SIZE


class TarReader:
    """The members of a tar archive in order. Only the content of the current one can be read.

    Attributes:
        stream: the decompressed bytes.
        end: the position behind the last member; known after the last one.
    """

    def __init__(self, stream: InflatedStream) -> None:
        self.stream = stream
        self.end = 0

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        """Yield the members.

        Raises:
            LimitExceeded: There are too many members, or one has headers that are too large.
            tarfile.TarError, ValueError, EOFError, zlib.error: The archive is broken.
        """
        self.stream.begin_header()
        with self._open() as archive:
            count = 0
            while (info := self._next(archive)) is not None:
                count += 1
                if count > MAX_MEMBERS:
                    raise LimitExceeded(f"the archive has more than {MAX_MEMBERS:,} members")
                if info.size < 0:
                    raise LimitExceeded("a member has a negative size")
                yield info
                self.stream.begin_header()
            self.end = archive.offset
        self.stream.end_header()

    def blocks(self, info: tarfile.TarInfo) -> Iterator[bytes]:
        """Yield the content of the current member in blocks; the holes of a sparse file are not filled.

        Raises:
            tarfile.ReadError: The archive ends before the content does.
            LimitExceeded: The decompressed archive is too large.
        """
        left = info.size
        while left:
            block = self.stream.read(min(left, BLOCK_SIZE))
            if not block:
                raise tarfile.ReadError("the archive ends within a member")
            left -= len(block)
            yield block

    @contextmanager
    def _open(self) -> Iterator[tarfile.TarFile]:
        try:
            with tarfile.TarFile(fileobj=cast("IO[bytes]", self.stream), mode="r") as archive:
                yield archive
        except RecursionError:
            raise LimitExceeded("the headers are nested too deeply") from None

    def _next(self, archive: tarfile.TarFile) -> tarfile.TarInfo | None:
        """Read the next member, counting the bytes of its headers."""
        info = archive.next()
        archive.members.clear()  # type: ignore[attr-defined]  # tarfile would keep them all in memory
        if len(archive.pax_headers) > MAX_GLOBAL_FIELDS:
            raise LimitExceeded(f"the global headers have more than {MAX_GLOBAL_FIELDS:,} fields")
        self.stream.end_header()
        return info


@contextmanager
def open_tar(path: Path, *, is_bzip2: bool = False) -> Iterator[TarReader]:
    """Open an archive for reading.

    Args:
        path: the archive.
        is_bzip2: whether it is compressed with bzip2 instead of gzip.

    Raises:
        OSError: It cannot be opened.
    """
    with path.open("rb") as raw:
        yield TarReader(InflatedStream(raw, path.stat().st_size, is_bzip2=is_bzip2))


def normalize_path(path: str) -> str:
    """Return a member's path without a leading ``./``, which some tools write, or trailing slashes."""
    return path.removeprefix("./").rstrip("/")


def is_regular_file(info: tarfile.TarInfo) -> bool:
    """Return whether a member is a file with all its content in the archive: not a link, not sparse."""
    return info.isreg() and not info.issparse()


def scan_tar(path: Path, *, is_bzip2: bool = False) -> ArchiveContents:
    """Read a tar archive completely. Broken archives are reported, not raised.

    Args:
        path: the archive.
        is_bzip2: whether it is compressed with bzip2 instead of gzip.
    """
    try:
        with open_tar(path, is_bzip2=is_bzip2) as archive:
            return _TarScan(archive, is_zip=zipfile.is_zipfile(path)).run()
    except LimitExceeded as error:
        return beyond_limits(error)
    except ARCHIVE_ERRORS as error:
        return unreadable(error)


class _TarScan:
    """One pass over an archive, collecting members and problems."""

    def __init__(self, archive: TarReader, *, is_zip: bool) -> None:
        self._archive = archive
        self._members: dict[str, Member] = {}
        self._metadata_files = MetadataFiles()
        self._is_folder: dict[str, bool] = {}
        self._problems: list[Problem] = []
        if is_zip:
            self._report(ProblemKind.ZIP_ALSO_TAR, "The file is also a valid zip archive.")

    def run(self) -> ArchiveContents:
        for info in self._archive:
            self._check_type(info)
            if not info.isdir():
                self._add(info)
            self._is_folder[info.name] = info.isdir()
        stream = self._archive.stream
        stream.drain()
        self._problems += _layout_problems(self._is_folder)
        if stream.content_end > self._archive.end:
            self._report(ProblemKind.SDIST_TRAILING_DATA, "Data follows the end of the tar archive.")
        if stream.trailing:
            self._report(
                ProblemKind.SDIST_TRAILING_DATA, f"{stream.trailing} bytes follow the compressed data."
            )
        folders = frozenset(normalize_path(name) for name, is_folder in self._is_folder.items() if is_folder)
        return ArchiveContents(
            self._members, self._metadata_files.kept, tuple(self._problems), folders=folders
        )

    def _check_type(self, info: tarfile.TarInfo) -> None:
        """Report problems that are visible from one header."""
        self._problems += path_problems([info.name], ProblemKind.SDIST_MEMBER_NAME)
        if info.issym() or info.islnk():
            if _leaves_top_folder(info):
                link, target = printable(info.name), printable(info.linkname)
                message = f"The link {link} points to {target}, outside the sdist."
                self._report(ProblemKind.SDIST_LINK, message)
        elif info.issparse():
            message = f"{printable(info.name)} is stored as a sparse file."
            self._report(ProblemKind.SDIST_SPARSE_FILE, message)
        elif not (info.isreg() or info.isdir()):
            message = f"{printable(info.name)} is not a file, a folder or a link."
            self._report(ProblemKind.SDIST_SPECIAL_FILE, message)

    def _add(self, info: tarfile.TarInfo) -> None:
        path = normalize_path(info.name)
        content = self._read(info, path)
        files = self._metadata_files
        if path in self._members:
            if is_metadata_file(path) and content != files.kept.get(path):
                message = f"{printable(path)} occurs more than once, with different contents."
                self._report(ProblemKind.SDIST_TWO_METADATA, message)
            else:
                self._report(ProblemKind.SDIST_DUPLICATE, f"{printable(path)} occurs more than once.")
        self._members[path] = Member(info.size)
        if content is not None and path not in files.kept and files.has_room_for(path, info.size):
            files.keep(path, content)

    def _read(self, info: tarfile.TarInfo, path: str) -> bytes | None:
        """Return the content of a metadata file or a Python file; ``None`` for other members."""
        searched = is_searched(info.name, info.size)
        if not is_regular_file(info) or not (searched or self._metadata_files.has_room_for(path, info.size)):
            return None
        content = b"".join(self._archive.blocks(info))
        if searched and (tool := encrypting_tool(content)):
            self._report(ProblemKind.PROTECTED_CODE, f"{printable(info.name)} is encrypted with {tool}.")
        return content

    def _report(self, kind: ProblemKind, message: str) -> None:
        self._problems.append(Problem(kind, message))


def _layout_problems(is_folder: dict[str, bool]) -> Iterator[Problem]:
    """Find members outside the top-level folder, and a PKG-INFO that PyPI does not find.

    Args:
        is_folder: for each member name, as stored in the archive, whether it is a folder.
    """
    paths = {normalize_path(name): folder for name, folder in is_folder.items()}
    tops = {path.partition("/")[0] for path in paths}
    has_loose_files = any(not folder and "/" not in path for path, folder in paths.items())
    if len(tops) != 1 or has_loose_files:
        message = f"At the top level are: {join_names(sorted(tops))}." if tops else "The archive is empty."
        yield Problem(ProblemKind.SDIST_TOP_FOLDER, message)
        return
    top = next(iter(tops))
    if f"{top}/PKG-INFO" not in paths or top == "..":
        return
    # PyPI takes the common path of the names as they are stored, so a leading "./" changes the result.
    common = posixpath.commonpath(name.lstrip("/") for name in is_folder)
    if f"{common}/PKG-INFO" not in is_folder:
        yield Problem(
            ProblemKind.SDIST_PKG_INFO_PATH,
            f"PyPI reads {printable(common)}/PKG-INFO, which is not in the archive.",
        )


def _leaves_top_folder(info: tarfile.TarInfo) -> bool:
    """Return whether a link points outside the top-level folder."""
    if info.linkname.startswith("/"):
        return True
    # The target of a symbolic link is relative to the link, that of a hard link to the archive.
    folder = posixpath.dirname(normalize_path(info.name)) if info.issym() else ""
    target = f"{folder}/{info.linkname}".lstrip("/")
    top = normalize_path(info.name).partition("/")[0]
    return leads_outside(target) or normalize_path(posixpath.normpath(target)).partition("/")[0] != top
