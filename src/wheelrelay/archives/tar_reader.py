"""Open a compressed tar archive and read its members in order, forwards only and within limits."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from wheelrelay.archives.inflate import InflatedStream
from wheelrelay.archives.limits import MAX_GLOBAL_FIELDS, MAX_MEMBERS, LimitExceeded
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
