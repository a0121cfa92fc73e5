"""The core metadata that a wheel or an sdist brings (PEP 427, PEP 625): found in the archive, and read.

The files of a release mostly bring the same metadata, so what was read is remembered by its bytes.
"""

import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from packaging.metadata import RawMetadata, parse_email
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from wheelrelay.staged import StagedFile

LIMIT = 16 << 20
"""The most bytes of metadata that are believed."""

_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
)


REMEMBERED = 64
"""How many different metadata are remembered: those of the projects that are under way."""


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


@lru_cache(maxsize=REMEMBERED)
def parse_core_metadata(text: bytes) -> CoreMetadata:
    """Read METADATA or PKG-INFO; what comes of it is shared, so do not change it."""
    raw, unparsed = parse_email(text)
    fields = {key: _known(value) for key, value in raw.items()}
    if is_older(str(fields.get("metadata_version", "")), "2.4"):
        fields.pop("license_files", None)
        unparsed.pop("license-file", None)
    present = {key: value for key, value in fields.items() if value not in (None, [])}
    return CoreMetadata(cast("RawMetadata", present), tuple(sorted(unparsed)))


def metadata_of(staged: StagedFile) -> bytes | None:
    """The metadata of a staged file: those that a look into it has shown, or what such a look shows now."""
    return staged.metadata if staged.metadata is not None else core_metadata(staged.path, staged.filename)


def core_metadata(path: Path, filename: str) -> bytes | None:
    """The METADATA of a wheel or the PKG-INFO of an sdist, as it stands there.

    An archive that is broken or has none gives ``None``: judging archives is for checks.

    Args:
        path: where the file lies.
        filename: its name, which tells what it is.
    """
    try:
        if filename.endswith(".whl"):
            return _from_zip(path, ".dist-info/METADATA")
        if filename.endswith(".zip"):
            return _from_zip(path, "/PKG-INFO")
        return _from_tar(path)
    except _BROKEN:
        return None


def requires_python(metadata: bytes | None) -> str | None:
    """The ``Requires-Python`` field of core metadata, if it is there and valid."""
    if metadata is None:
        return None
    value = parse_core_metadata(metadata).raw.get("requires_python")
    try:
        return str(SpecifierSet(value)) if value is not None else None
    except InvalidSpecifier:
        return None


def _from_zip(path: Path, ending: str) -> bytes | None:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.filename.endswith(ending) and member.filename.count("/") == 1:
                return archive.read(member) if member.file_size <= LIMIT else None
    return None


def _from_tar(path: Path) -> bytes | None:
    with tarfile.open(path) as archive:
        for member in archive:
            if member.name.endswith("/PKG-INFO") and member.name.count("/") == 1 and member.size <= LIMIT:
                content = archive.extractfile(member)
                return content.read() if content else None
    return None


def _known(value: Any) -> Any:
    """The value of a field without what old tools write where there is none."""
    if isinstance(value, list):
        return [one for one in value if one.strip() != "UNKNOWN"]
    return None if isinstance(value, str) and value.strip() == "UNKNOWN" else value


def is_older(metadata_version: str, other: str) -> bool:
    """Whether a version of the metadata's specification is older than another; not if it is no version."""
    try:
        return Version(metadata_version) < Version(other)
    except InvalidVersion:
        return False
