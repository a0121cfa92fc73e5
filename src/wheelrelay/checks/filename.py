"""Checks of the filename, by itself and against the metadata."""

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelrelay.checks.check import Check, Profile, Violation, listed, shown
from wheelrelay.checks.contract import FileChecks
from wheelrelay.checks.distribution import Distribution
from wheelrelay.checks.variants import VARIANT, VARIANTS_FILE, find_of_file
from wheelrelay.errors import InvalidFilename
from wheelrelay.filenames import parse_filename
from wheelrelay.model import DistFile, Kind
from wheelrelay.records import Severity

LONGEST = 255
"""Bytes of a name that file systems store."""

FILENAME = Check(
    "filename",
    "The filename is the plain name of a wheel or an sdist (PEP 427, PEP 625).",
    hint="Build it again with a current build tool; never rename distribution files.",
    profile=Profile.STORAGE,
)
NORMALIZED = Check(
    "filename-normalized",
    "A wheel's filename begins with the normalised project name; an sdist's is exactly NAME-VERSION.tar.gz.",
    hint="Build it again with a current build tool, which normalises the name.",
    profile=Profile.PYPI,
)
AGREES = Check(
    "filename-metadata",
    "Name and version in the filename are those in the metadata.",
    hint="Build it again; never rename distribution files.",
    profile=Profile.STORAGE,
)
FORMAT = Check(
    "sdist-format",
    "An sdist is a .tar.gz archive.",
    hint="Build the sdist again as .tar.gz.",
    profile=Profile.PYPI,
)
LOCAL = Check(
    "local-version",
    "The version has no local part (+...).",
    hint="Public indexes take no local versions: tag the release, or build it without the local part.",
    profile=Profile.PYPI,
)
LENGTH = Check(
    "filename-length",
    "With '.metadata' behind it, the filename has at most 255 bytes.",
    hint="Leave out platform tags that others include.",
    profile=Profile.PYPI,
)
PYTHON_TAG = Check(
    "wheel-python-tag",
    "The Python that a wheel is for is a name of letters, digits and '_'.",
    hint="Write cp314 instead of cp3.14: a dot separates several Pythons.",
    severity=Severity.WARNING,
    below=Severity.WARNING,
)


def find(distribution: Distribution) -> Iterator[Violation]:
    """Find what is wrong with the filename."""
    file = distribution.file
    if file is None:
        yield misnamed(distribution.filename)
        return
    if file.variant or file.kind is Kind.VARIANTS:
        yield from find_of_file(file.variant)
    if file.kind is not Kind.VARIANTS:
        yield from _spelling(distribution, file)
    if len(file.filename.encode()) + len(".metadata") > LONGEST:
        yield LENGTH.violation(f"The filename has {len(file.filename.encode())} bytes.")
    odd = sorted(tag.interpreter for tag in file.tags if not tag.interpreter.isidentifier())
    if odd:
        yield PYTHON_TAG.violation(f"Installers may not accept a wheel for the Python {listed(odd)}.")
    if file.version.local:
        yield LOCAL.violation(f"{file.version} is a local version.")
    yield from _against_metadata(distribution)


def misnamed(filename: str) -> Violation:
    """The violation of a file whose name is not that of a wheel or an sdist; says why, if that is known."""
    try:
        parse_filename(filename)
    except InvalidFilename as error:
        reason = re.search(r"filename \(([^()]*)\)", error.message)
        why = f": {reason[1]}" if reason else ""
        return FILENAME.violation(f"This is not the name of a wheel or an sdist{why}.")
    return FILENAME.violation("This is not the name of a wheel or an sdist.")


def _spelling(distribution: Distribution, file: DistFile) -> Iterator[Violation]:
    name = file.project.replace("-", "_")
    if distribution.is_wheel:
        written = file.filename.partition("-")[0]
        if written != name:
            yield NORMALIZED.violation(f"The filename begins with {written} instead of {name}.")
    elif not file.filename.endswith(".tar.gz"):
        yield FORMAT.violation("The sdist is not a .tar.gz archive.")
    elif file.filename != f"{name}-{_version(distribution, file)}.tar.gz":
        yield NORMALIZED.violation(f"The filename should be {name}-{_version(distribution, file)}.tar.gz.")


def _version(distribution: Distribution, file: DistFile) -> Version:
    """The version as the metadata spell it, if it is the filename's: 1.0 may be 1 in either."""
    raw = distribution.metadata.raw if distribution.metadata else {}
    try:
        declared = Version(raw.get("version", ""))
    except InvalidVersion:
        return file.version
    return declared if declared == file.version else file.version


def _against_metadata(distribution: Distribution) -> Iterator[Violation]:
    raw = distribution.metadata.raw if distribution.metadata else {}
    name, version = raw.get("name"), raw.get("version")
    if not name or not version:
        return
    try:
        parsed = parse_filename(distribution.filename, project=name)
        declared = Version(version)
    except (InvalidFilename, InvalidVersion):
        return
    if parsed.project != canonicalize_name(name):
        yield AGREES.violation(
            f"The filename names the project {parsed.project}, the metadata {shown(name)}."
        )
    elif parsed.version != declared:
        yield AGREES.violation(f"The filename names the version {parsed.version}, the metadata {declared}.")


FILENAMES = FileChecks(
    (FILENAME, NORMALIZED, AGREES, FORMAT, LOCAL, LENGTH, PYTHON_TAG, VARIANT, VARIANTS_FILE), find
)
