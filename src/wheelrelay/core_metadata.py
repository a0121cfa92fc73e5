"""The core metadata that a wheel or an sdist brings (PEP 427, PEP 625): found in the archive, and read.

The files of a release mostly bring the same metadata, so what was read is remembered by its bytes.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from packaging.metadata import RawMetadata, parse_email
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelrelay.archives import ARCHIVE_ERRORS, is_regular_file, normalize_path, open_tar, open_zip
from wheelrelay.staged import StagedFile

MAX_METADATA_SIZE = 16 << 20
"""The most bytes of metadata that are believed."""

MAX_METADATA_FOLDERS = 4
"""How many folders with metadata an sdist may have for them to be read; it ought to have one."""

_SDIST_ENDS = (".tar.gz", ".tgz", ".tar.bz2", ".zip")

MAX_SIMPLE_PARSE = 1 << 20
"""Bytes of metadata up to which they are parsed at once."""

MAX_HEADER_LINES = 50_000
"""Lines of fields, above the description, that are believed."""

_BLANK = re.compile(rb"\r?\n\r?\n")

CACHE_SIZE = 64
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


@lru_cache(maxsize=CACHE_SIZE)
def parse_core_metadata(text: bytes) -> CoreMetadata:
    """Read METADATA or PKG-INFO; what comes of it is shared, so do not change it."""
    raw, unparsed = _parsed(text)
    fields = {key: _known(value) for key, value in raw.items()}
    if is_older(str(fields.get("metadata_version", "")), "2.4"):
        fields.pop("license_files", None)
        unparsed.pop("license-file", None)
    present = {key: value for key, value in fields.items() if value not in (None, [])}
    return CoreMetadata(cast("RawMetadata", present), tuple(sorted(unparsed)))


def _parsed(text: bytes) -> tuple[RawMetadata, dict[str, list[str]]]:
    """What `packaging` reads; hostile metadata cost it much memory, or nest until it fails."""
    if len(text) > MAX_SIMPLE_PARSE:
        return _parsed_in_parts(text)
    try:
        return parse_email(text)
    except RecursionError:
        return _parsed_in_parts(text)


def _parsed_in_parts(text: bytes) -> tuple[RawMetadata, dict[str, list[str]]]:
    """As `parse_email`, without looking for parts in the description: the fields, and what follows them."""
    blank = _BLANK.search(text)
    head, body = (text[: blank.start()], text[blank.end() :]) if blank else (text, b"")
    if head.count(b"\n") > MAX_HEADER_LINES:
        return {}, {f"more than {MAX_HEADER_LINES:,} lines": []}
    raw, unparsed = parse_email(head + b"\n\n")
    try:
        description = body.decode()
    except UnicodeDecodeError:
        description = ""
        unparsed["description"] = []
    if description and "description" in raw:
        unparsed["description"] = [raw.pop("description"), description]
    elif description:
        raw["description"] = description
    return raw, unparsed


def metadata_of(staged: StagedFile) -> bytes | None:
    """The metadata of a staged file: those that a look into it has shown, or what such a look shows now."""
    return (
        staged.metadata if staged.metadata is not None else read_core_metadata(staged.path, staged.filename)
    )


def read_core_metadata(path: Path, filename: str) -> bytes | None:
    """The METADATA of a wheel or the PKG-INFO of an sdist, as the checks read it, without reading the rest.

    An archive that is broken or has none gives ``None``, and so does one where readers can differ about
    it: a link, another compression than Deflate, encryption. Judging archives is for checks.

    Args:
        path: where the file lies.
        filename: its name, which tells what it is.
    """
    try:
        return (_from_zip if filename.endswith((".whl", ".zip")) else _from_tar)(path, filename)
    except ARCHIVE_ERRORS:
        return None


def metadata_folder(paths: Iterable[str], filename: str) -> str | None:
    """The folder of an archive that has its metadata: the ``.dist-info`` of a wheel, the top one of an sdist.

    The folder that is spelled as the filename comes first, as PyPI reads it; then another spelling of the
    same name and version that has METADATA; then one that has none.

    Args:
        paths: of the archive's files.
        filename: its name, that of a wheel or an sdist.
    """
    names = "METADATA" if filename.endswith(".whl") else "PKG-INFO"
    tops: dict[str, bool] = {}
    for top, _, rest in (path.partition("/") for path in paths):
        tops[top] = tops.get(top, False) or rest == names
    if filename.endswith(".whl"):
        expected = "-".join(filename.split("-")[:2]) + ".dist-info"
        of_this = {top: has for top, has in tops.items() if _is_same_dist_info(top, expected)}
    else:
        expected = next((filename.removesuffix(end) for end in _SDIST_ENDS if filename.endswith(end)), "")
        of_this = {top: has for top, has in tops.items() if has}
    return max(of_this, key=lambda top: (top == expected, of_this[top]), default=None)


def _is_same_dist_info(folder: str, expected: str) -> bool:
    """Whether both are ``.dist-info`` folders of one name and version, in any spelling."""
    if not folder.endswith(".dist-info"):
        return False
    spellings = []
    for name, _, version in (one.removesuffix(".dist-info").partition("-") for one in (folder, expected)):
        try:
            spellings.append((canonicalize_name(name), Version(version.replace("_", "-"))))
        except InvalidVersion:
            return False
    return spellings[0] == spellings[1]


def requires_python(metadata: bytes | None) -> str | None:
    """The ``Requires-Python`` field of core metadata, if it is there and valid."""
    if metadata is None:
        return None
    value = parse_core_metadata(metadata).raw.get("requires_python")
    try:
        return str(SpecifierSet(value)) if value is not None else None
    except InvalidSpecifier:
        return None


def _from_zip(path: Path, filename: str) -> bytes | None:
    with open_zip(path) as archive:
        infos = [info for info in archive.infos if not info.is_dir()]
        wanted = _metadata_path([info.filename for info in infos], filename)
        found = [info for info in infos if info.filename == wanted]
        is_one = len({(info.CRC, info.file_size) for info in found}) == 1
        return archive.read(found[-1]) if is_one and found[-1].file_size <= MAX_METADATA_SIZE else None


def _from_tar(path: Path, filename: str) -> bytes | None:
    found: dict[str, bytes | None] = {}
    with open_tar(path, is_bzip2=filename.endswith(".bz2")) as archive:
        for member in archive:
            name = normalize_path(member.name)
            if name.count("/") == 1 and name.endswith("/PKG-INFO"):
                is_read = (
                    is_regular_file(member)
                    and member.size <= MAX_METADATA_SIZE
                    and len(found) < MAX_METADATA_FOLDERS
                )
                content = b"".join(archive.blocks(member)) if is_read else None
                found[name] = content if found.get(name, content) == content else None
    return found.get(_metadata_path(found, filename))


def _metadata_path(paths: Collection[str], filename: str) -> str:
    name = "METADATA" if filename.endswith(".whl") else "PKG-INFO"
    return f"{metadata_folder(paths, filename)}/{name}"


def _known(value: Any) -> Any:
    """The value of a field without what old tools write where there is none: ``UNKNOWN``, or nothing.

    Of several values, an empty one stays: PyPI takes a field for absent only if nothing else is in it.
    """
    if isinstance(value, list):
        return [one for one in value if one.strip() != "UNKNOWN"] if value != [""] else None
    return None if value == "" or (isinstance(value, str) and value.strip() == "UNKNOWN") else value


def is_older(metadata_version: str, other: str) -> bool:
    """Whether a version of the metadata's specification is older than another; not if it is no version."""
    try:
        return Version(metadata_version) < Version(other)
    except InvalidVersion:
        return False
