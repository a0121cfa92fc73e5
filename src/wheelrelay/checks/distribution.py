"""A distribution file after one complete read, as the checks see it."""

import json
import logging
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Any

from wheelrelay.archives import ArchiveContents, MapFunction, Member, scan_tar, scan_zip
from wheelrelay.archives.contents import METADATA_NAMES, unreadable
from wheelrelay.core_metadata import MAX_METADATA_SIZE, metadata_folder, parse_core_metadata
from wheelrelay.core_metadata import CoreMetadata as CoreMetadata  # part of the contract for checks
from wheelrelay.errors import InvalidFilename
from wheelrelay.filenames import VARIANTS_SUFFIX, dist_file
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile, Kind

logger = logging.getLogger(__name__)

MAX_VARIANTS_FILE = 16 << 20
"""Bytes of a list of variants; a list with hundreds of variants has a thousandth of that."""

_READER_FAILED = (
    "Build or download the file again. If the error remains, it may be a bug in wheelrelay: "
    "report it with the filename and the output of -vv."
)


@dataclass(frozen=True)
class Distribution:
    """A distribution file that was read.

    Attributes:
        path: the local file.
        filename: the name under which it is published.
        size: in bytes.
        file: the parsed filename; ``None`` if it is not the name of a distribution file.
        contents: the contents of the archive.
    """

    path: Path
    filename: str
    size: int
    file: DistFile | None = None
    contents: ArchiveContents = field(default_factory=ArchiveContents)

    @property
    def members(self) -> Mapping[str, Member]:
        """The files in the archive by path; empty if it cannot be read."""
        return self.contents.members

    @property
    def is_wheel(self) -> bool:
        """Whether the filename is that of a wheel."""
        return self.file is not None and self.file.kind is Kind.WHEEL

    @cached_property
    def folder(self) -> str | None:
        """The folder of the metadata: a wheel's ``.dist-info``, an sdist's top-level folder."""
        if self.file is None or not self.contents.is_readable:
            return None
        return metadata_folder(self.members, self.filename)

    def text(self, name: str) -> bytes | None:
        """Return the bytes of a metadata file such as ``RECORD``; ``None`` if it is missing or unreadable."""
        return self.contents.metadata_files.get(f"{self.folder}/{name}")

    @property
    def metadata_text(self) -> bytes | None:
        """The bytes of METADATA or PKG-INFO; ``None`` if it is missing or unreadable."""
        text = self.text("METADATA" if self.is_wheel else "PKG-INFO")
        return text if text is not None and len(text) <= MAX_METADATA_SIZE else None

    @cached_property
    def metadata(self) -> CoreMetadata | None:
        """The core metadata; ``None`` if it is missing or unreadable."""
        return None if self.metadata_text is None else parse_core_metadata(self.metadata_text)

    def unread_metadata_files(self) -> list[str]:
        """Return the metadata files that the archive has but that cannot be read, such as links."""
        if self.is_wheel:
            texts = {name: self.text(name) for name in sorted(METADATA_NAMES)}
            texts["METADATA"] = self.metadata_text
        else:
            texts = {"PKG-INFO": self.metadata_text}
        return [
            name for name, text in texts.items() if text is None and f"{self.folder}/{name}" in self.members
        ]


def open_distribution(
    path: Path, *, filename: str | None = None, map_function: MapFunction = map
) -> Distribution:
    """Read a distribution file once, from its first byte to its last.

    Broken files are not an error: ``contents.problems`` describes them.

    Args:
        path: the file.
        filename: its name, if that is not the last part of the path.
        map_function: reads the parts of a large wheel, possibly in parallel.

    Raises:
        OSError: The file cannot be opened.
    """
    name = filename or path.name
    size = path.stat().st_size
    try:
        file = dist_file(name, size=size)
    except InvalidFilename:
        file = None
    try:
        contents = _read(path, name.lower(), map_function)
    except OSError:
        raise
    except Exception as error:  # a hostile file may trigger a bug in any library
        logger.debug("Reading %r failed.", path.name, exc_info=error)
        contents = unreadable(f"{type(error).__name__}: {error}", hint=_READER_FAILED)
    return Distribution(path, name, size, file, contents)


def _read(path: Path, name: str, map_function: MapFunction) -> ArchiveContents:
    """Read a file with the reader for its extension."""
    if name.endswith((".whl", ".zip")):
        return scan_zip(path, map_function)
    if name.endswith((".tar.gz", ".tgz")):
        return scan_tar(path)
    if name.endswith(".tar.bz2"):
        return scan_tar(path, is_bzip2=True)
    if name.endswith(VARIANTS_SUFFIX):
        return _read_variants(path)
    return unreadable("its extension is not that of a wheel or an sdist")


def _read_variants(path: Path) -> ArchiveContents:
    """Read ``NAME-VERSION-variants.json``, the list of a release's variants (PEP 825, a draft)."""
    with path.open("rb") as raw:
        text = raw.read(MAX_VARIANTS_FILE + 1)
    if len(text) > MAX_VARIANTS_FILE:
        return unreadable(f"it has more than {MAX_VARIANTS_FILE >> 20} MiB")
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        return unreadable(f"it is not valid JSON: {error}")
    variants = document.get("variants") if isinstance(document, dict) else None
    if not isinstance(variants, dict):
        return unreadable("it is not a JSON object with the key 'variants'")
    return ArchiveContents(variants=frozenset(variants), is_readable=False)
