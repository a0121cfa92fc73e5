"""Read the metadata of a distribution file at a source; of a wheel, only the parts that contain it."""

from contextlib import suppress
from dataclasses import replace
from os import SEEK_CUR, SEEK_END, SEEK_SET
from typing import IO, cast

from wheelrelay.archives import ARCHIVE_ERRORS, LimitExceeded, ZipReader, open_zip
from wheelrelay.core_metadata import MAX_METADATA_SIZE, metadata_folder, read_core_metadata
from wheelrelay.errors import IntegrityError, Rejected
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile, Kind
from wheelrelay.protocols import Source, SupportsLength, SupportsLocalPath, SupportsRange
from wheelrelay.transfer.download import stage
from wheelrelay.transfer.retry import Retrier
from wheelrelay.transfer.staging_area import temporary_staging_area

FIRST_RANGE = 256 << 10
"""Bytes at the end of a wheel that are read first: mostly the directory of the archive and its metadata."""

RANGE = 64 << 10
"""Bytes that are read at least for anything else."""

MAX_READ = 64 << 20
"""Bytes of a wheel that are read at most."""

ENTRY_POINTS = "entry_points.txt"


@dataclass(frozen=True, slots=True)
class DistributionMetadata:
    """The metadata in a distribution file.

    Attributes:
        core: METADATA of a wheel, or PKG-INFO of an sdist.
        entry_points: ``entry_points.txt`` of a wheel, empty if it has none; ``None`` for an sdist.
    """

    core: bytes
    entry_points: bytes | None


def read_metadata(source: Source, file: DistFile, retrier: Retrier) -> DistributionMetadata:
    """Read the metadata of a file at a source.

    Of a wheel, the end and the metadata files are read, if the source serves ranges; otherwise the whole file
    is downloaded. The digest of a part cannot be verified.

    Args:
        source: The source.
        file: A wheel or an sdist that the source listed.
        retrier: Repeats reads that failed.

    Raises:
        IntegrityError: The file is not such an archive, or has no metadata.
        BackendError: The source failed.
    """
    try:
        if file.kind is Kind.WHEEL and isinstance(source, SupportsLocalPath):
            with open_zip(source.local_path(file)) as archive:
                return _read_wheel(archive, file.filename)
        if file.kind is Kind.WHEEL and isinstance(source, SupportsRange):
            with suppress(Rejected):  # it serves no ranges of this file
                sized = file if file.size is not None else _with_size(source, file, retrier)
                if sized.size is not None:
                    reader = RangeReader(source, sized, retrier)
                    return _read_wheel(ZipReader(cast("IO[bytes]", reader)), file.filename)
        with temporary_staging_area() as area:
            path = stage(source, file, area, retrier=retrier).path
            if file.kind is Kind.WHEEL:
                with open_zip(path) as archive:
                    return _read_wheel(archive, file.filename)
            if (core := read_core_metadata(path, file.filename)) is not None:
                return DistributionMetadata(core, None)
    except ARCHIVE_ERRORS as error:
        raise IntegrityError(f"{file.filename} cannot be read: {error}.") from error
    raise IntegrityError(f"{file.filename} has no PKG-INFO.")


class RangeReader:
    """A file at a source that is read in ranges, each once; it can be used like an open file.

    Args:
        source: The source.
        file: A file with a known size.
        retrier: Repeats reads that failed.
    """

    def __init__(self, source: SupportsRange, file: DistFile, retrier: Retrier) -> None:
        assert file.size is not None
        self._source = source
        self._file = file
        self._size = file.size
        self._retrier = retrier
        self._position = 0
        self._parts: dict[int, bytes] = {}
        self._read = 0

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Change the position, and return it.

        Raises:
            OSError: It would be before the beginning of the file.
        """
        position = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self._size}[whence] + offset
        if position < 0:
            raise OSError(f"{position} is before the beginning of the file")
        self._position = position
        return position

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes; all up to the end if it is negative.

        Raises:
            LimitExceeded: More is read than the metadata of any wheel has.
            BackendError: The source failed.
        """
        stop = self._size if size < 0 else min(self._position + size, self._size)
        if stop <= self._position:
            return b""
        content = self._known(self._position, stop)
        if content is None:
            self._fetch(self._position, stop)
            content = self._known(self._position, stop)
        assert content is not None
        self._position = stop
        return content

    def _known(self, start: int, stop: int) -> bytes | None:
        for begin, part in self._parts.items():
            if begin <= start and stop <= begin + len(part):
                return part[start - begin : stop - begin]
        return None

    def _fetch(self, start: int, stop: int) -> None:
        is_first = not self._parts
        stop = min(max(stop, start + RANGE), self._size)
        start = max(0, min(start, self._size - FIRST_RANGE)) if is_first else start
        self._read += stop - start
        if self._read > MAX_READ:
            raise LimitExceeded(f"more than {MAX_READ >> 20} MiB are needed to find the metadata")
        self._parts[start] = self._retrier.call(
            self._file.filename, lambda: _read_range(self._source, self._file, start, stop)
        )


def _read_range(source: SupportsRange, file: DistFile, start: int, stop: int) -> bytes:
    content = bytearray()
    with source.open_range(file, start, stop) as stream:
        while len(content) < stop - start and (block := stream.read(stop - start - len(content))):
            content += block
    if len(content) < stop - start:
        raise IntegrityError(f"{file.filename} ends before its declared size.")
    return bytes(content)


def _with_size(source: Source, file: DistFile, retrier: Retrier) -> DistFile:
    """Return the file with the size that the source reports when it is opened, if it does."""

    def length() -> int | None:
        with source.open(file) as stream:
            return stream.length if isinstance(stream, SupportsLength) else None

    return replace(file, size=retrier.call(file.filename, length))


def _read_wheel(archive: ZipReader, filename: str) -> DistributionMetadata:
    members = {info.filename: info for info in archive.infos}
    folder = metadata_folder(members, filename)
    core = members.get(f"{folder}/METADATA")
    if core is None:
        raise IntegrityError(f"{filename} has no METADATA.")
    entry_points = members.get(f"{folder}/{ENTRY_POINTS}")
    for info in filter(None, (core, entry_points)):
        if max(info.file_size, info.compress_size) > MAX_METADATA_SIZE:
            raise LimitExceeded(f"{info.filename} has more than {MAX_METADATA_SIZE >> 20} MiB")
    return DistributionMetadata(archive.read(core), archive.read(entry_points) if entry_points else b"")
