"""A distribution file, opened and read once, as checks look at it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from wheelrelay.checks.archive_contents import Contents, Each, Member, Reader, unreadable
from wheelrelay.checks.tar_archive import read_bzip2_tar, read_gzip_tar
from wheelrelay.checks.variants import read_variants
from wheelrelay.checks.zip_archive import read_zip
from wheelrelay.core_metadata import MAX_METADATA_SIZE, metadata_folder, parse_core_metadata
from wheelrelay.core_metadata import CoreMetadata as CoreMetadata  # part of what checks get to see
from wheelrelay.errors import InvalidFilename
from wheelrelay.filenames import VARIANTS_SUFFIX, dist_file
from wheelrelay.model import DistFile, Kind

logger = logging.getLogger(__name__)

PERHAPS_OUR_FAULT = (
    "Build or fetch it again. If that gives the same file, this may be a fault of wheelrelay: "
    "report it with the file's name and what -vv shows."
)

READERS: Mapping[str, Reader] = {
    ".whl": read_zip,
    ".zip": read_zip,
    ".tar.gz": read_gzip_tar,
    ".tgz": read_gzip_tar,
    ".tar.bz2": read_bzip2_tar,
    VARIANTS_SUFFIX: read_variants,
}


@dataclass(frozen=True)
class Distribution:
    """A distribution file that was read.

    Attributes:
        path: where it lies.
        filename: the name under which it is, or is to be, published.
        size: in bytes.
        file: what the filename says; ``None`` if it is not the name of a wheel or an sdist.
        contents: what the archive holds.
    """

    path: Path
    filename: str
    size: int
    file: DistFile | None = None
    contents: Contents = field(default_factory=Contents)

    @property
    def members(self) -> Mapping[str, Member]:
        """The files in the archive by their path; empty if it cannot be read."""
        return self.contents.members

    @property
    def is_wheel(self) -> bool:
        """Whether the filename is that of a wheel."""
        return self.file is not None and self.file.kind is Kind.WHEEL

    @cached_property
    def folder(self) -> str | None:
        """The folder of the metadata: a wheel's ``.dist-info``, an sdist's top folder."""
        if self.file is None or not self.contents.readable:
            return None
        return metadata_folder(self.members, self.filename)

    def text(self, name: str) -> bytes | None:
        """The bytes of a metadata file, as ``RECORD``; ``None`` if it is not there or cannot be read."""
        return self.contents.texts.get(f"{self.folder}/{name}")

    @property
    def metadata_text(self) -> bytes | None:
        """The core metadata as they stand in the archive; ``None`` if there are none that can be read."""
        text = self.text("METADATA" if self.is_wheel else "PKG-INFO")
        return text if text is not None and len(text) <= MAX_METADATA_SIZE else None

    def unread(self) -> list[str]:
        """The metadata files that are in the archive and could not be read: as links or encrypted."""
        core, *others = (
            ("METADATA", "WHEEL", "RECORD", "entry_points.txt") if self.is_wheel else ("PKG-INFO",)
        )
        texts = {core: self.metadata_text, **{name: self.text(name) for name in others}}
        return [
            name for name, text in texts.items() if text is None and f"{self.folder}/{name}" in self.members
        ]

    @cached_property
    def metadata(self) -> CoreMetadata | None:
        """The core metadata; ``None`` if there are none."""
        return None if self.metadata_text is None else parse_core_metadata(self.metadata_text)


def open_distribution(path: Path, *, filename: str | None = None, each: Each = map) -> Distribution:
    """Read a distribution file once, from its first byte to its last.

    Args:
        path: where it lies.
        filename: its name, if that is not the last part of the path.
        each: as ``map``; reads the parts of a large wheel.

    Raises:
        OSError: it is not there or cannot be opened; whatever is wrong *in* it is told by the checks.
    """
    name = filename or path.name
    size = path.stat().st_size
    try:
        file = dist_file(name, size=size)
    except InvalidFilename:
        file = None
    reader = next((reader for suffix, reader in READERS.items() if name.lower().endswith(suffix)), None)
    if reader is read_zip:
        reader = partial(read_zip, each=each)
    contents = _read(reader, path) if reader else unreadable("it is no kind of distribution file")
    return Distribution(path, name, size, file, contents)


def _read(reader: Reader, path: Path) -> Contents:
    try:
        return reader(path)
    except OSError:
        raise
    except Exception as error:  # a hostile file may find a fault in any library
        logger.debug("The reader of %r failed.", path.name, exc_info=error)
        return unreadable(f"{type(error).__name__}: {error}", hint=PERHAPS_OUR_FAULT)
