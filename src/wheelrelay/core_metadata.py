"""Read the core metadata of wheels and sdists (PEP 427, PEP 625).

The files of a release mostly have the same metadata, so parsed metadata is cached by its bytes.
"""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from packaging.metadata import RawMetadata, parse_email
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelrelay.archives import ARCHIVE_ERRORS, is_regular_file, normalize_path, open_tar, open_zip
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.staged import StagedFile

MAX_METADATA_SIZE = 16 << 20
"""Maximum size of metadata in bytes; larger metadata is ignored."""

MAX_METADATA_FOLDERS = 4
"""Maximum number of folders with metadata that are read from an sdist; a valid one has one."""

_SDIST_ENDS = (".tar.gz", ".tgz", ".tar.bz2", ".zip")

MAX_SIMPLE_PARSE = 1 << 20
"""Maximum size in bytes of metadata that is parsed as a whole."""

MAX_HEADER_LINES = 50_000
"""Maximum number of lines before the description; metadata with more is ignored."""

_BLANK = re.compile(rb"\r?\n\r?\n")

CACHE_SIZE = 64
"""Number of different metadata in the cache, enough for the projects of a run."""


@dataclass(frozen=True, slots=True)
class CoreMetadata:
    """The core metadata of a distribution, as an index receives it.

    Attributes:
        raw: The valid fields. Like uploads, this omits values that are ``UNKNOWN``, and ``License-File`` if
            the metadata version does not have that field yet.
        unparsed: The names of fields that are unknown, repeated or invalid.
    """

    raw: RawMetadata
    unparsed: tuple[str, ...]


@lru_cache(maxsize=CACHE_SIZE)
def parse_core_metadata(text: bytes) -> CoreMetadata:
    """Parse METADATA or PKG-INFO. The result is cached and shared, so it must not be modified."""
    raw, unparsed = _parsed(text)
    fields = {key: _known(value) for key, value in raw.items()}
    if is_older(str(fields.get("metadata_version", "")), "2.4"):
        fields.pop("license_files", None)
        unparsed.pop("license-file", None)
    present = {key: value for key, value in fields.items() if value not in (None, [])}
    return CoreMetadata(cast("RawMetadata", present), tuple(sorted(unparsed)))


def _parsed(text: bytes) -> tuple[RawMetadata, dict[str, list[str]]]:
    """Parse with `packaging`, but large or deeply nested metadata in parts, to bound memory and recursion."""
    if len(text) > MAX_SIMPLE_PARSE:
        return _parsed_in_parts(text)
    try:
        return parse_email(text)
    except RecursionError:
        return _parsed_in_parts(text)


def _parsed_in_parts(text: bytes) -> tuple[RawMetadata, dict[str, list[str]]]:
    """Parse the fields with `parse_email`, and take what follows them as the description."""
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
    """Return the metadata of a staged file, from the checks if they have run, or else from the file."""
    return (
        staged.metadata if staged.metadata is not None else read_core_metadata(staged.path, staged.filename)
    )


def read_core_metadata(path: Path, filename: str) -> bytes | None:
    """Return the METADATA of a wheel or the PKG-INFO of an sdist, without reading the rest of the archive.

    Args:
        path: The path of the file.
        filename: The name of the distribution, which determines the format.

    Returns:
        ``None`` if the archive is broken, has no metadata, or stores it in a way that readers interpret
        differently: as a link, with another compression than Deflate, or encrypted. Checks report why.
    """
    try:
        return (_from_zip if filename.endswith((".whl", ".zip")) else _from_tar)(path, filename)
    except ARCHIVE_ERRORS:
        return None


def metadata_folder(paths: Iterable[str], filename: str) -> str | None:
    """Return the folder with the metadata: the ``.dist-info`` folder of a wheel, the top folder of an sdist.

    The folder spelled like the filename takes precedence, as on PyPI; then another spelling of the same name
    and version that has METADATA; then one that has none.

    Args:
        paths: The paths of the files in the archive.
        filename: The filename of the wheel or sdist.
    """
    metadata_name = "METADATA" if filename.endswith(".whl") else "PKG-INFO"
    tops: dict[str, bool] = {}
    for top, _, rest in (path.partition("/") for path in paths):
        tops[top] = tops.get(top, False) or rest == metadata_name
    if filename.endswith(".whl"):
        expected = "-".join(filename.split("-")[:2]) + ".dist-info"
        candidates = {top: has for top, has in tops.items() if _is_same_dist_info(top, expected)}
    else:
        expected = next((filename.removesuffix(end) for end in _SDIST_ENDS if filename.endswith(end)), "")
        candidates = {top: has for top, has in tops.items() if has}
    return max(candidates, key=lambda top: (top == expected, candidates[top]), default=None)


def _is_same_dist_info(folder: str, expected: str) -> bool:
    """Return whether both are ``.dist-info`` folders of the same name and version, in any spelling."""
    if not folder.endswith(".dist-info"):
        return False
    spellings = []
    for name, _, version in (path.removesuffix(".dist-info").partition("-") for path in (folder, expected)):
        try:
            spellings.append((canonicalize_name(name), Version(version.replace("_", "-"))))
        except InvalidVersion:
            return False
    return spellings[0] == spellings[1]


def requires_python(metadata: bytes | None) -> str | None:
    """Return the ``Requires-Python`` field of core metadata, if it is present and valid."""
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
        metadata_path = _metadata_path([info.filename for info in infos], filename)
        found = [info for info in infos if info.filename == metadata_path]
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
    """Return a value, or ``None`` if it is ``UNKNOWN`` or empty, as old tools write absent fields.

    An empty value among others stays: PyPI treats a field as absent only if it has no other value.
    """
    if isinstance(value, list):
        return [item for item in value if item.strip() != "UNKNOWN"] if value != [""] else None
    return None if value == "" or (isinstance(value, str) and value.strip() == "UNKNOWN") else value


def is_older(metadata_version: str, other: str) -> bool:
    """Return whether a metadata version is older than another; ``False`` if it is invalid."""
    try:
        return Version(metadata_version) < Version(other)
    except InvalidVersion:
        return False
