"""A distribution file, opened and read once, as checks look at it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from packaging.metadata import RawMetadata, parse_email
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelrelay.checks.contents import Contents, Member, Reader, unreadable
from wheelrelay.checks.tars import read_bzip2_tar, read_gzip_tar
from wheelrelay.checks.zips import read_zip
from wheelrelay.errors import InvalidFilename
from wheelrelay.filenames import dist_file
from wheelrelay.model import DistFile, Kind

READERS: Mapping[str, Reader] = {
    ".whl": read_zip,
    ".zip": read_zip,
    ".tar.gz": read_gzip_tar,
    ".tgz": read_gzip_tar,
    ".tar.bz2": read_bzip2_tar,
}


@dataclass(frozen=True, slots=True)
class CoreMetadata:
    """The core metadata of a distribution, as an index gets to see them.

    Attributes:
        raw: the fields that could be read. As uploads do, this leaves out values that are ``UNKNOWN``,
            and ``License-File`` where the metadata version does not have that field yet.
        unparsed: the names of fields that are not known, are repeated, or cannot be read.
    """

    raw: RawMetadata
    unparsed: tuple[str, ...]

    @classmethod
    def parse(cls, text: bytes) -> "CoreMetadata":
        """Read METADATA or PKG-INFO."""
        raw, unparsed = parse_email(text)
        fields = {key: _known(value) for key, value in raw.items()}
        if _older_than_2_4(str(fields.get("metadata_version", ""))):
            fields.pop("license_files", None)
            unparsed.pop("license-file", None)
        present = {key: value for key, value in fields.items() if value not in (None, [])}
        return cls(cast("RawMetadata", present), tuple(sorted(unparsed)))


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
        tops = dict.fromkeys(path.partition("/")[0] for path in self.members)
        if self.is_wheel:
            return next((top for top in tops if self._is_dist_info(top)), None)
        return next((top for top in tops if f"{top}/PKG-INFO" in self.members), None)

    def text(self, name: str) -> bytes | None:
        """The bytes of a metadata file, as ``RECORD``; ``None`` if it is not there or cannot be read."""
        return self.contents.texts.get(f"{self.folder}/{name}")

    @cached_property
    def metadata(self) -> CoreMetadata | None:
        """The core metadata; ``None`` if there are none."""
        text = self.text("METADATA" if self.is_wheel else "PKG-INFO")
        return None if text is None else CoreMetadata.parse(text)

    def _is_dist_info(self, folder: str) -> bool:
        """Whether it is the ``.dist-info`` folder of this wheel, in any spelling of name and version."""
        assert self.file is not None
        name, _, version = folder.removesuffix(".dist-info").partition("-")
        try:
            same = Version(version.replace("_", "-")) == self.file.version
        except InvalidVersion:
            return False
        return folder.endswith(".dist-info") and same and canonicalize_name(name) == self.file.project


def open_distribution(path: Path, *, filename: str | None = None) -> Distribution:
    """Read a distribution file once, from its first byte to its last.

    Args:
        path: where it lies.
        filename: its name, if that is not the last part of the path.

    Raises:
        OSError: it is not there or cannot be opened; whatever is wrong *in* it is told by the checks.
    """
    name = filename or path.name
    size = path.stat().st_size
    try:
        file = dist_file(name, size=size)
    except InvalidFilename:
        file = None
    reader = next((reader for suffix, reader in READERS.items() if name.endswith(suffix)), None)
    contents = _read(reader, path) if reader else unreadable("it is no kind of distribution file")
    return Distribution(path, name, size, file, contents)


def _read(reader: Reader, path: Path) -> Contents:
    try:
        return reader(path)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  (a hostile file may find a fault in any library)
        return unreadable(f"{type(error).__name__}: {error}")


def _known(value: Any) -> Any:
    """The value of a field without what old tools write where there is none."""
    if isinstance(value, list):
        return [one for one in value if one.strip() != "UNKNOWN"]
    return None if isinstance(value, str) and value.strip() == "UNKNOWN" else value


def _older_than_2_4(metadata_version: str) -> bool:
    try:
        return Version(metadata_version) < Version("2.4")
    except InvalidVersion:
        return False
