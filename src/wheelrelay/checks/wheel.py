"""Checks of a wheel's ``.dist-info`` folder: its name, WHEEL and entry_points.txt.

PyPA specifications: binary distribution format, entry points.
"""

import configparser
import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from functools import lru_cache

from wheelrelay.checks.contract import Check, FileChecks, Profile, Violation
from wheelrelay.checks.distribution import Distribution
from wheelrelay.printable import join_names, printable
from wheelrelay.records import Severity

_REBUILD = "Build the wheel again with a current build tool."
_REQUIRED_FILES = ("METADATA", "WHEEL", "RECORD")
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_SCRIPT_NAME = re.compile(r"[\w.-]+")
_OBJECT_REFERENCE = re.compile(r"[\w.]+\s*(:\s*[\w.]+)?\s*(\[[^\]]*\])?")

DIST_INFO = Check(
    "wheel-dist-info",
    "A wheel has the folder NAME-VERSION.dist-info with METADATA, WHEEL and RECORD.",
    hint=_REBUILD,
    lenient_severity=Severity.WARNING,
)
DIST_INFO_NAME = Check(
    "wheel-dist-info-name",
    "The .dist-info folder spells name and version as the filename does.",
    hint=f"{_REBUILD} Do not rename distribution files.",
    profile=Profile.PYPI,
)
ONE_DIST_INFO = Check(
    "wheel-one-dist-info",
    "A wheel contains the metadata of one distribution only.",
    hint="Build the wheel again in a clean folder. Installers refuse wheels with two .dist-info folders.",
    profile=Profile.STORAGE,
)
STRAY_DIST_INFO = Check(
    "wheel-stray-dist-info",
    "A wheel has no second .dist-info folder.",
    hint="Build the wheel again in a clean folder. pip refuses to install such wheels.",
    severity=Severity.WARNING,
    lenient_severity=Severity.WARNING,
)
SIGNATURE = Check(
    "wheel-signature",
    "A wheel has no RECORD.jws or RECORD.p7s; both are deprecated (PEP 815).",
    hint="Publish attestations (PEP 740) instead.",
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)
WHEEL_VERSION = Check(
    "wheel-version", "Wheel-Version is 1.x.", hint=_REBUILD, lenient_severity=Severity.WARNING
)
PURELIB = Check(
    "wheel-purelib",
    "Root-Is-Purelib is 'true' or 'false'.",
    hint=_REBUILD,
    lenient_severity=Severity.WARNING,
)
ENTRY_POINTS = Check(
    "entry-points",
    "entry_points.txt is valid; scripts have plain names and refer to objects.",
    hint='Correct the entry points in the project\'s configuration: NAME = "MODULE:OBJECT".',
    lenient_severity=Severity.WARNING,
)


def parse_wheel_file(distribution: Distribution) -> Message | None:
    """Return the fields of WHEEL; ``None`` if the distribution has no readable WHEEL."""
    text = distribution.text("WHEEL") if distribution.is_wheel else None
    return None if text is None else _parsed_wheel_file(text)


@lru_cache(maxsize=32)
def _parsed_wheel_file(text: bytes) -> Message:
    """Return the fields of WHEEL; several checks read them, and many wheels have the same ones."""
    return BytesHeaderParser().parsebytes(text)


def field(fields: Message, name: str) -> str:
    """Return the value of a field of WHEEL; empty if it is missing."""
    return str(fields.get(name, "")).strip()


def _find(distribution: Distribution) -> Iterator[Violation]:
    if not distribution.is_wheel or not distribution.contents.is_readable:
        return
    yield from _check_dist_info(distribution)
    fields = parse_wheel_file(distribution)
    if fields is not None:
        yield from _check_wheel_file(fields)
    text = distribution.text("entry_points.txt")
    if text is not None:
        yield from _check_entry_points(text)


def _check_dist_info(distribution: Distribution) -> Iterator[Violation]:
    name, version = distribution.filename.split("-")[:2]
    expected = f"{name}-{version}.dist-info"
    folder = distribution.folder
    if folder is None:
        yield DIST_INFO.violation(f"The folder {expected} is missing.")
        return
    missing = [file for file in _REQUIRED_FILES if f"{folder}/{file}" not in distribution.members]
    if missing:
        yield DIST_INFO.violation(f"Missing in {folder}: {join_names(missing)}.")
    signatures = [file for file in _SIGNATURES if f"{folder}/{file}" in distribution.members]
    if signatures:
        yield SIGNATURE.violation(f"{folder} contains {join_names(signatures)}.")
    yield from _check_other_dist_infos(distribution)
    if folder != expected:
        yield DIST_INFO_NAME.violation(f"The folder is named {folder} instead of {expected}.")


def _check_other_dist_infos(distribution: Distribution) -> Iterator[Violation]:
    """Find other ``.dist-info`` folders, from which another tool may read the metadata."""
    tops = dict.fromkeys(path.partition("/")[0] for path in distribution.members)
    others = sorted(top for top in tops if top.endswith(".dist-info") and top != distribution.folder)
    with_metadata = [folder for folder in others if f"{folder}/METADATA" in distribution.members]
    if with_metadata:
        yield ONE_DIST_INFO.violation(f"The wheel also contains the metadata in {join_names(with_metadata)}.")
    elif others:
        yield STRAY_DIST_INFO.violation(f"The wheel also contains the folder {join_names(others)}.")


def _check_wheel_file(fields: Message) -> Iterator[Violation]:
    version = field(fields, "Wheel-Version")
    if version.partition(".")[0] != "1":
        yield WHEEL_VERSION.violation(_describe("Wheel-Version", version))
    purelib = field(fields, "Root-Is-Purelib")
    if purelib.lower() not in ("true", "false"):
        yield PURELIB.violation(_describe("Root-Is-Purelib", purelib))


def _describe(name: str, value: str) -> str:
    return f"WHEEL contains '{name}: {printable(value)}'." if value else f"WHEEL has no {name}."


def _check_entry_points(text: bytes) -> Iterator[Violation]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way
    try:
        parser.read_string(text.decode())
    except (configparser.Error, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        yield ENTRY_POINTS.violation(f"entry_points.txt cannot be parsed: {printable(reason.rstrip('.'))}.")
        return
    for group in ("console_scripts", "gui_scripts"):
        for name, value in parser.items(group) if parser.has_section(group) else ():
            if not _SCRIPT_NAME.fullmatch(name) or not _OBJECT_REFERENCE.fullmatch(value):
                yield ENTRY_POINTS.violation(
                    f"entry_points.txt has an invalid script in {group}: {printable(f'{name} = {value}')}."
                )


CHECKS = FileChecks(
    (
        *(DIST_INFO, DIST_INFO_NAME, ONE_DIST_INFO, STRAY_DIST_INFO, SIGNATURE),
        *(WHEEL_VERSION, PURELIB, ENTRY_POINTS),
    ),
    _find,
)
