"""Parse the filenames of wheels and sdists, and refuse every name that is not a plain one.

Follows the binary distribution format (PEP 427), the source distribution format (PEP 625), and, for
reading only, the older sdist names that indexes still hold. A place can hold a hundred thousand files of
a few projects, versions and tags: each part of a name is judged once and remembered.
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
"""The last three are legacy: they are read, and it is for checks and indexes to refuse them."""

_USUAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]*")
"""Names that are plain at first sight."""

_REMEMBERED = 1 << 13
"""How many names of projects, versions and tags are remembered, each."""

_TAGS = re.compile(
    r"(?:[0-9][A-Za-z0-9_.]*-)?(?P<tags>[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+){2})"
    r"(?:-(?!any$|win|macosx|linux|manylinux|musllinux)[a-z0-9_.]{1,16})?"
)
"""What follows name and version in the name of a wheel: build tag (PEP 427), tags, label (PEP 825).

A label that begins as a platform does is none: what comes first is a wrong build tag then.
"""

MAX_TAGS = 1000
"""Single tags that the compressed sets of one filename may stand for."""

VARIANTS_SUFFIX = "-variants.json"
"""What follows name and version in the name of the list of a release's variants (PEP 825)."""

_VARIANTS = re.compile(r"[^-].*-v?\d[^-]*-variants\.json")

_canonical = lru_cache(_REMEMBERED)(canonicalize_name)


class ParsedName(NamedTuple):
    """What a distribution filename says."""

    project: NormalizedName
    version: Version
    kind: Kind


def parse_filename(filename: str, *, project: str | None = None) -> ParsedName:
    """Read project, version and kind from the filename of a wheel or an sdist.

    Args:
        filename: the name alone, without a folder.
        project: the project it is known to belong to. It decides where an sdist's name ends and its
            version begins, which the filename alone may leave open: ``foo-1.0-1.tar.gz``.

    Raises:
        InvalidFilename: it is not a plain name, or not the name of a wheel or an sdist.

    >>> parse_filename("Foo.Bar-1.0-cp313-cp313t-musllinux_1_2_x86_64.whl")
    ParsedName(project='foo-bar', version=<Version('1.0')>, kind=<Kind.WHEEL: 'wheel'>)
    """
    if not is_plain(filename):
        raise InvalidFilename(
            f"{filename!r} is not a plain filename.", hint="Give the name alone, as foo-1.0-py3-none-any.whl."
        )
    try:
        if filename.endswith(".whl"):
            return _checked(filename, _parse_wheel(filename))
        if filename.endswith(VARIANTS_SUFFIX):
            return _checked(filename, _parse_variants(filename))
        return _checked(filename, _parse_sdist(filename, project))
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion) as error:
        raise InvalidFilename(f"{filename!r} is not the name of a wheel or an sdist: {error}") from error


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
    """Describe a distribution file by its filename and by what a remote says of it; see `DistFile`.

    Raises:
        InvalidFilename: it is not a plain name, or not the name of a wheel or an sdist.
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
    """Whether this is one path component, printable, visible, and no special name on any system."""
    return _USUAL.fullmatch(filename) is not None or (
        filename.isprintable()
        and not filename.startswith((".", "-", "~"))
        and not any(separator in filename for separator in "/\\:")
        and filename == filename.strip()
        and bool(filename)
    )


def looks_like_distribution(filename: str) -> bool:
    """Whether the name ends as that of a distribution file does, so that leaving it out deserves a word."""
    return filename.endswith((".whl", *SDIST_SUFFIXES)) or is_variants(filename)


def is_variants(filename: str) -> bool:
    """Whether the name looks like that of the list of a release's variants (PEP 825).

    >>> is_variants("sample-1.0-variants.json"), is_variants("build-variants.json")
    (True, False)
    """
    return filename.endswith(VARIANTS_SUFFIX) and _VARIANTS.fullmatch(filename) is not None


def split_companion(name: str) -> tuple[str, str] | None:
    """The distribution's filename and the suffix, if ``name`` is that of a companion file.

    >>> split_companion("foo-1.0.tar.gz.asc")
    ('foo-1.0.tar.gz', '.asc')
    """
    for suffix in COMPANION_SUFFIXES:
        stem = name.removesuffix(suffix)
        if stem != name and looks_like_distribution(stem):
            return stem, suffix
    return None


def _parse_wheel(filename: str) -> ParsedName:
    """Put together what the parts of the name say; a name with a part that is wrong is refused as a whole."""
    name, _, rest = filename.removesuffix(".whl").partition("-")
    version, _, rest = rest.partition("-")
    try:
        _prove_tags(rest)
        return ParsedName(_project_of_wheel(name), _version_of_wheel(version), Kind.WHEEL)
    except InvalidWheelFilename:
        parse_wheel_filename(filename)  # says it about the name as a whole
        raise


def _parse_variants(filename: str) -> ParsedName:
    """Name and version are spelled as in the names of wheels."""
    name, _, version = filename.removesuffix(VARIANTS_SUFFIX).partition("-")
    return ParsedName(_project_of_wheel(name), _version_of_wheel(version), Kind.VARIANTS)


@lru_cache(_REMEMBERED)
def _project_of_wheel(part: str) -> NormalizedName:
    return parse_wheel_filename(f"{part}-0-py3-none-any.whl")[0]


@lru_cache(_REMEMBERED)
def _version_of_wheel(part: str) -> Version:
    return parse_wheel_filename(f"x-{part}-py3-none-any.whl")[1]


@lru_cache(_REMEMBERED)
def _prove_tags(part: str) -> None:
    """Make sure that this is ``python-abi-platform``, with a build tag before it or without.

    A name that a browser or a file manager made of one, as ``...-any (1)``, is none. Pythons such as
    ``cp3.14`` are for checks to judge: indexes have such wheels.
    """
    found = _TAGS.fullmatch(part)
    if found is None:
        raise InvalidWheelFilename(f"{part!r} is not python-abi-platform of letters, digits, '_' and '.'")
    if prod(one.count(".") + 1 for one in found["tags"].split("-")) > MAX_TAGS:
        raise InvalidWheelFilename(f"it stands for more than {MAX_TAGS} tags")


def _parse_sdist(filename: str, project: str | None) -> ParsedName:
    suffix = next((suffix for suffix in SDIST_SUFFIXES if filename.endswith(suffix)), None)
    if suffix is None:
        raise InvalidSdistFilename("it ends neither in .whl nor in .tar.gz")
    stem = filename.removesuffix(suffix)
    if project is not None:
        known = _split_after(stem, _canonical(project))
        if known:
            return known
    name, _, version = stem.rpartition("-")
    try:
        return ParsedName(_project_of_sdist(name), _version_of_sdist(version), Kind.SDIST)
    except InvalidSdistFilename:
        return ParsedName(*parse_sdist_filename(f"{stem}.tar.gz"), Kind.SDIST)


@lru_cache(_REMEMBERED)
def _project_of_sdist(part: str) -> NormalizedName:
    return parse_sdist_filename(f"{part}-0.tar.gz")[0]


@lru_cache(_REMEMBERED)
def _version_of_sdist(part: str) -> Version:
    return parse_sdist_filename(f"x-{part}.tar.gz")[1]


def _split_after(stem: str, project: NormalizedName) -> ParsedName | None:
    """Split ``stem`` at a hyphen so that what stands before it is ``project``, if that works."""
    for position, character in enumerate(stem):
        if character == "-" and _canonical(stem[:position]) == project:
            try:
                return ParsedName(project, Version(stem[position + 1 :]), Kind.SDIST)
            except InvalidVersion:
                continue
    return None


def _checked(filename: str, parsed: ParsedName) -> ParsedName:
    """``parsed``, if the project is a valid name; the parsers let some odd characters through."""
    if not is_normalized_name(parsed.project):
        raise InvalidFilename(f"{filename!r} does not begin with a valid project name.")
    return parsed
