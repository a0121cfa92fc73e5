"""Read a compressed tar archive forwards, member by member, without going back and within bounds."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from wheelrelay.archives.inflate import Inflated
from wheelrelay.archives.limits import FIELDS, MEMBERS, Implausible
from wheelrelay.staged import BLOCK_SIZE


class TarReader:
    """The members of a tar archive, one after the other; only the content of the present one can be read.

    Attributes:
        stream: the inflated bytes.
        end: the position behind the last member; known when all members were seen.
    """

    def __init__(self, stream: Inflated) -> None:
        self.stream = stream
        self.end = 0

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        """The members, in their order.

        Raises:
            Implausible: there are too many, or one has headers that are too large.
            tarfile.TarError, ValueError, EOFError, zlib.error: the archive is broken.
        """
        self.stream.begin_header()
        with self._archive() as archive:
            count = 0
            while (info := self._next(archive)) is not None:
                count += 1
                if count > MEMBERS:
                    raise Implausible(f"it has more than {MEMBERS:,} members")
                if info.size < 0:
                    raise Implausible("a member has a negative size")
                yield info
                self.stream.begin_header()
            self.end = archive.offset
        self.stream.end_header()

    def blocks(self, info: tarfile.TarInfo) -> Iterator[bytes]:
        """The content of the present member; that of a sparse one is not made up.

        Raises:
            tarfile.ReadError: the archive ends before the content does.
            Implausible: the archive inflates beyond its limit.
        """
        left = info.size
        while left:
            block = self.stream.read(min(left, BLOCK_SIZE))
            if not block:
                raise tarfile.ReadError("the archive ends within a member")
            left -= len(block)
            yield block

    @contextmanager
    def _archive(self) -> Iterator[tarfile.TarFile]:
        try:
            with tarfile.TarFile(fileobj=cast("IO[bytes]", self.stream), mode="r") as archive:
                yield archive
        except RecursionError:
            raise Implausible("its headers are nested too deeply") from None

    def _next(self, archive: tarfile.TarFile) -> tarfile.TarInfo | None:
        """The next member; what is read for it is counted, and nothing of it is kept."""
        info = archive.next()
        archive.members.clear()  # type: ignore[attr-defined]  # tarfile would keep them all
        if len(archive.pax_headers) > FIELDS:
            raise Implausible(f"its global headers have more than {FIELDS:,} fields")
        self.stream.end_header()
        return info


@contextmanager
def read_tar(path: Path, *, is_bzip2: bool = False) -> Iterator[TarReader]:
    """Open an archive for reading.

    Args:
        path: of the archive.
        is_bzip2: whether it is compressed by bzip2 instead of gzip.

    Raises:
        OSError: it cannot be opened.
    """
    with path.open("rb") as raw:
        yield TarReader(Inflated(raw, path.stat().st_size, is_bzip2=is_bzip2))


def plain(path: str) -> str:
    """The path of a member without the ``./`` that some tools write before it."""
    return path.removeprefix("./").rstrip("/")


def is_plain_file(info: tarfile.TarInfo) -> bool:
    """Whether a member is a regular file whose content is all in the archive: no link, not sparse."""
    return info.isreg() and not info.issparse()
