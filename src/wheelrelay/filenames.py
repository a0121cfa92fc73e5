"""Parse the filenames of wheels and sdists.

Follows the binary distribution format (PEP 427) and the source distribution format (PEP 625), and accepts the
older sdist names that indexes still have. A remote can have a hundred thousand files with few different
projects, versions and tags, so parsed parts of names are cached.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from math import prod
from typing import NamedTuple

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    is_normalized_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from wheelrelay.errors import InvalidFilename
from wheelrelay.model import COMPANION_SUFFIXES, EMPTY, Digests, DistFile, Kind

SDIST_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tgz")
"""Suffixes of sdists. All but the first are legacy: they are parsed, and checks and indexes refuse them."""

_SUFFIXES = (".whl", *SDIST_SUFFIXES)

_SIMPLE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]*")
"""Names that need no further checks to be plain."""

_CACHE_SIZE = 1 << 15
"""Maximum number of cached project names, versions and tags, each."""

_TAGS = re.compile(
    r"(?:[0-9][A-Za-z0-9_.]*-)?(?P<tags>[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+){2})"
    r"(?:-(?!any$|win|macosx|linux|manylinux|musllinux)[a-z0-9_.]{1,16})?"
)
"""What follows name and version in the filename of a wheel: build tag (PEP 427), tags, label (PEP 825).

A label must not look like a platform, or a wheel with an invalid build tag would parse as a variant wheel.
"""

MAX_TAGS = 1000
"""Maximum number of tags that the compressed sets of one filename may expand to."""

VARIANTS_SUFFIX = "-variants.json"
"""Suffix of the list of a release's variants (PEP 825)."""

_VARIANTS = re.compile(r"[^-].*-v?\d[^-]*-variants\.json")

_canonical = lru_cache(_CACHE_SIZE)(canonicalize_name)
_is_valid = lru_cache(_CACHE_SIZE)(is_normalized_name)


class ParsedName(NamedTuple):
    """The project, version and kind in a distribution filename."""

    project: NormalizedName
    version: Version
    kind: Kind


def parse_filename(filename: str, *, project: str | None = None) -> ParsedName:
    """Parse project, version and kind from the filename of a wheel or an sdist.

    Args:
        filename: The filename, without a folder.
        project: The project of the file, if known. It resolves where an sdist's name ends and its version
            begins; that is ambiguous in names such as ``foo-1.0-1.tar.gz``.

    Raises:
        InvalidFilename: The name contains a path, or is not the name of a wheel or an sdist.

    >>> parse_filename("Foo.Bar-1.0-cp313-cp313t-musllinux_1_2_x86_64.whl")
    ParsedName(project='foo-bar', version=<Version('1.0')>, kind=<Kind.WHEEL: 'wheel'>)
    """
    if not is_plain(filename):
        raise InvalidFilename(
            f"{filename!r} is not a plain filename.",
            hint="Pass the name without a folder, such as foo-1.0-py3-none-any.whl.",
        )
    return parse_plain_filename(filename, project=project)


def parse_plain_filename(filename: str, *, project: str | None = None) -> ParsedName:
    """Parse a filename that is known to be plain, as `parse_filename` does.

    Raises:
        InvalidFilename: It is not the name of a wheel or an sdist.
    """
    try:
        if filename.endswith(".whl"):
            parsed = _parse_wheel(filename)
        elif filename.endswith(VARIANTS_SUFFIX):
            parsed = _parse_variants(filename)
        else:
            parsed = _parse_sdist(filename, project)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion) as error:
        raise InvalidFilename(f"{filename!r} is not the name of a wheel or an sdist: {error}") from error
    if not _is_valid(parsed.project):  # the parsers accept some invalid characters
        raise InvalidFilename(f"{filename!r} does not begin with a valid project name.")
    return parsed


def dist_file(
    filename: str,
    *,
    project: str | None = None,
    size: int | None = None,
    digests: Digests = Digests(),  # noqa: B008  (frozen)
    url: str | None = None,
    requires_python: str | None = None,
    yanked: str | None = None,
    upload_time: datetime | None = None,
    companions: tuple[str, ...] = (),
    provenance: str | None = None,
    build: Mapping[str, str] = EMPTY,
) -> DistFile:
    """Create a `DistFile`, with project, version and kind parsed from its filename.

    Raises:
        InvalidFilename: The name contains a path, or is not the name of a wheel or an sdist.
    """
    name = parse_filename(filename, project=project)
    return DistFile(
        filename=filename,
        project=name.project,
        version=name.version,
        kind=name.kind,
        size=size,
        digests=digests,
        url=url,
        requires_python=requires_python,
        yanked=yanked,
        upload_time=upload_time,
        companions=companions,
        provenance=provenance,
        build=build,
    )


def is_plain(filename: str) -> bool:
    """Return whether a name is one printable path component without special meaning on any system."""
    return _SIMPLE_NAME.fullmatch(filename) is not None or (
        filename.isprintable()
        and not filename.startswith((".", "-", "~"))
        and not any(separator in filename for separator in "/\\:")
        and filename == filename.strip()
        and bool(filename)
    )


def looks_like_distribution(filename: str) -> bool:
    """Return whether a name has the suffix of a distribution file, so that ignoring it deserves a warning."""
    return filename.endswith(_SUFFIXES) or is_variants(filename)


def is_variants(filename: str) -> bool:
    """Return whether a name looks like that of a release's list of variants (PEP 825).

    >>> is_variants("sample-1.0-variants.json"), is_variants("build-variants.json")
    (True, False)
    """
    return filename.endswith(VARIANTS_SUFFIX) and _VARIANTS.fullmatch(filename) is not None


def split_companion(name: str) -> tuple[str, str] | None:
    """Split the name of a companion file into the filename of its distribution and the suffix.

    Returns:
        ``None`` if it is not the name of a companion file.

    >>> split_companion("foo-1.0.tar.gz.asc")
    ('foo-1.0.tar.gz', '.asc')
    """
    if not name.endswith(COMPANION_SUFFIXES):  # most names of a listing end here
        return None
    for suffix in COMPANION_SUFFIXES:
        stem = name.removesuffix(suffix)
        if stem != name and looks_like_distribution(stem):
            return stem, suffix
    return None


def _parse_wheel(filename: str) -> ParsedName:
    """Parse each part with a cache; an invalid name is parsed as a whole, for the error message."""
    name, _, rest = filename.removesuffix(".whl").partition("-")
    version, _, rest = rest.partition("-")
    try:
        _check_tags(rest)
        return ParsedName(_project_of_wheel(name), _version_of_wheel(version), Kind.WHEEL)
    except InvalidWheelFilename:
        parse_wheel_filename(filename)  # raises an error about the whole name
        raise


def _parse_variants(filename: str) -> ParsedName:
    """Parse name and version, which are spelled as in the filenames of wheels."""
    name, _, version = filename.removesuffix(VARIANTS_SUFFIX).partition("-")
    return ParsedName(_project_of_wheel(name), _version_of_wheel(version), Kind.VARIANTS)


@lru_cache(_CACHE_SIZE)
def _project_of_wheel(part: str) -> NormalizedName:
    return parse_wheel_filename(f"{part}-0-py3-none-any.whl")[0]


@lru_cache(_CACHE_SIZE)
def _version_of_wheel(part: str) -> Version:
    return parse_wheel_filename(f"x-{part}-py3-none-any.whl")[1]


@lru_cache(_CACHE_SIZE)
def _check_tags(part: str) -> None:
    """Ensure that a text is ``python-abi-platform`` with an optional build tag and label.

    Copies that browsers and file managers rename, such as ``...-any (1)``, are refused. Python tags such as
    ``cp3.14`` are accepted because indexes have such wheels; a check reports them.
    """
    match = _TAGS.fullmatch(part)
    if match is None:
        raise InvalidWheelFilename(f"{part!r} is not python-abi-platform of letters, digits, '_' and '.'")
    if prod(tags.count(".") + 1 for tags in match["tags"].split("-")) > MAX_TAGS:
        raise InvalidWheelFilename(f"it has more than {MAX_TAGS} tags")


def _parse_sdist(filename: str, project: str | None) -> ParsedName:
    for suffix in SDIST_SUFFIXES:
        if filename.endswith(suffix):
            stem = filename[: -len(suffix)]
            break
    else:
        raise InvalidSdistFilename("it does not end with .whl or .tar.gz")
    if project is not None:
        known = _split_after(stem, _canonical(project))
        if known:
            return known
    name, _, version = stem.rpartition("-")
    try:
        return ParsedName(_project_of_sdist(name), _version_of_sdist(version), Kind.SDIST)
    except InvalidSdistFilename:
        return ParsedName(*parse_sdist_filename(f"{stem}.tar.gz"), Kind.SDIST)


@lru_cache(_CACHE_SIZE)
def _project_of_sdist(part: str) -> NormalizedName:
    return parse_sdist_filename(f"{part}-0.tar.gz")[0]


@lru_cache(_CACHE_SIZE)
def _version_of_sdist(part: str) -> Version:
    return parse_sdist_filename(f"x-{part}.tar.gz")[1]


def _split_after(stem: str, project: NormalizedName) -> ParsedName | None:
    """Split ``stem`` at the hyphen after ``project``, if what follows is a version."""
    for position, character in enumerate(stem):
        if character == "-" and _canonical(stem[:position]) == project:
            try:
                return ParsedName(project, Version(stem[position + 1 :]), Kind.SDIST)
            except InvalidVersion:
                continue
    return None


def possible_projects(name: str) -> list[NormalizedName]:
    """Return the projects that a file of this name may belong to: the hyphen of an sdist may be anywhere.

    >>> possible_projects("sample-bar-1.0.tar.gz")
    ['sample', 'sample-bar']
    """
    parts = name.split("-")
    return [canonicalize_name("-".join(parts[:count])) for count in range(1, len(parts))]
