"""Read the core metadata that a wheel or an sdist brings (PEP 427, PEP 625), for the pages of an index."""

import tarfile
import zipfile
import zlib
from email.parser import BytesHeaderParser
from email.policy import compat32
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

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
    value = BytesHeaderParser(policy=compat32).parsebytes(metadata).get("Requires-Python")
    try:
        return str(SpecifierSet(str(value))) if value is not None else None
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
