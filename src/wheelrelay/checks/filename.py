"""Checks of the filename, also against the metadata."""

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelrelay.checks.contract import Check, FileChecks, Profile, Violation
from wheelrelay.checks.distribution import Distribution
from wheelrelay.errors import InvalidFilename
from wheelrelay.filenames import parse_filename
from wheelrelay.model import DistFile, Kind
from wheelrelay.printable import printable

MAX_LENGTH = 255 - len(".metadata")
"""Bytes of a filename. File systems store 255, and indexes append ``.metadata`` to the name (PEP 658)."""

FILENAME = Check(
    "filename",
    "The filename is a valid wheel or sdist filename (PEP 427, PEP 625).",
    hint="Build the file again with a current build tool. Do not rename distribution files.",
    profile=Profile.STORAGE,
)
NORMALIZED = Check(
    "filename-normalized",
    "The project name in the filename is normalized, and so is the version of an sdist.",
    hint="Build the file again with a current build tool.",
    profile=Profile.PYPI,
)
MATCHES_METADATA = Check(
    "filename-metadata",
    "The project name and the version in the filename match the metadata.",
    hint="Build the file again. Do not rename distribution files.",
    profile=Profile.STORAGE,
)
SDIST_FORMAT = Check(
    "sdist-format",
    "An sdist is a .tar.gz file.",
    hint="Build the sdist with 'python -m build --sdist'.",
    profile=Profile.PYPI,
)
LOCAL_VERSION = Check(
    "local-version",
    "The version has no local part, such as +cu118.",
    hint="Public indexes refuse local versions. Tag the release, or build it without the local part.",
    profile=Profile.PYPI,
)
LENGTH = Check(
    "filename-length",
    f"The filename has at most {MAX_LENGTH} bytes.",
    hint="Remove platform tags that another tag covers.",
    profile=Profile.PYPI,
)


def invalid_filename(filename: str) -> Violation:
    """Return the violation for a file that is not named like a wheel or an sdist."""
    try:
        parse_filename(filename)
    except InvalidFilename as error:
        # packaging puts the reason in parentheses: "Invalid wheel filename (wrong number of parts): ..."
        reason = re.search(r"filename \(([^()]*)\)", error.message)
        if reason:
            return FILENAME.violation(f"This is not a valid wheel or sdist filename: {reason[1]}.")
    return FILENAME.violation("This is not a valid wheel or sdist filename.")


def _find(distribution: Distribution) -> Iterator[Violation]:
    file = distribution.file
    if file is None:
        yield invalid_filename(distribution.filename)
        return
    if file.kind is not Kind.VARIANTS:
        yield from _check_spelling(distribution, file)
    length = len(file.filename.encode())
    if length > MAX_LENGTH:
        yield LENGTH.violation(f"The filename has {length} bytes.")
    if file.version.local:
        yield LOCAL_VERSION.violation(f"{file.version} is a local version.")
    yield from _compare_with_metadata(distribution)


def _check_spelling(distribution: Distribution, file: DistFile) -> Iterator[Violation]:
    name = file.project.replace("-", "_")
    if distribution.is_wheel:
        spelling = file.filename.partition("-")[0]
        if spelling != name:
            yield NORMALIZED.violation(
                f"The filename begins with {spelling} instead of the normalized name {name}."
            )
    elif not file.filename.endswith(".tar.gz"):
        yield SDIST_FORMAT.violation("The sdist is not a .tar.gz file.")
    elif file.filename != (expected := f"{name}-{_metadata_version(distribution, file)}.tar.gz"):
        yield NORMALIZED.violation(f"The filename must be {expected}.")


def _metadata_version(distribution: Distribution, file: DistFile) -> Version:
    """Return the version as spelled in the metadata if it equals the filename's; 1 equals 1.0."""
    raw = distribution.metadata.raw if distribution.metadata else {}
    try:
        version = Version(raw.get("version", ""))
    except InvalidVersion:
        return file.version
    return version if version == file.version else file.version


def _compare_with_metadata(distribution: Distribution) -> Iterator[Violation]:
    raw = distribution.metadata.raw if distribution.metadata else {}
    if not raw.get("name") or not raw.get("version"):
        return
    try:
        # Only the project name shows where the name ends and the version begins in foo-1.0-1.tar.gz.
        parsed = parse_filename(distribution.filename, project=raw["name"])
        version = Version(raw["version"])
    except (InvalidFilename, InvalidVersion):
        return
    if parsed.project != canonicalize_name(raw["name"]):
        yield MATCHES_METADATA.violation(
            f"The project is {parsed.project} in the filename and {printable(raw['name'])} in the metadata."
        )
    elif parsed.version != version:
        yield MATCHES_METADATA.violation(
            f"The version is {parsed.version} in the filename and {version} in the metadata."
        )


CHECKS = FileChecks(
    (FILENAME, NORMALIZED, MATCHES_METADATA, SDIST_FORMAT, LOCAL_VERSION, LENGTH), _find, all_kinds=True
)
