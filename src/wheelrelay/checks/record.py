"""Checks of RECORD against what is in the wheel (PyPA: recording installed projects)."""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import PurePosixPath

from wheelrelay.archives.record_file import SECURE, Row, parse_record
from wheelrelay.checks.check import Check, Profile, Violation, listed
from wheelrelay.checks.contract import FileChecks
from wheelrelay.checks.distribution import Distribution
from wheelrelay.records import Severity

REBUILD = "Change a wheel only with tools that write RECORD anew, as 'wheel pack' does."

SYNTAX = Check(
    "record-syntax", "RECORD is CSV in UTF-8 without empty lines.", hint=REBUILD, below=Severity.WARNING
)
FIELDS = Check(
    "record-fields",
    "Each line of RECORD has three fields.",
    hint=REBUILD,
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)
UNLISTED = Check(
    "record-unlisted",
    "RECORD lists every file of the wheel; PyPI sends a mail about it.",
    hint=REBUILD,
    severity=Severity.WARNING,
    below=Severity.WARNING,
)
ABSENT = Check(
    "record-absent",
    "Every file that RECORD lists is in the wheel; PyPI sends a mail about it.",
    hint=REBUILD,
    severity=Severity.WARNING,
    below=Severity.WARNING,
)
HASH = Check("record-hash", "The digests in RECORD are true.", hint=REBUILD, profile=Profile.STORAGE)
DIGEST = Check(
    "record-digest",
    "RECORD has a digest of every file, by sha256 or a stronger algorithm.",
    hint=REBUILD,
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)
FOLDER = Check(
    "record-folder",
    "RECORD lists files and no folders.",
    hint="Installers ignore the folders; update the tool that writes RECORD.",
    severity=Severity.WARNING,
    below=Severity.WARNING,
)
SIZE = Check(
    "record-size",
    "The sizes in RECORD are true.",
    hint=REBUILD,
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)


def find(distribution: Distribution) -> Iterator[Violation]:
    """Find where RECORD and the wheel differ."""
    text = distribution.text("RECORD") if distribution.is_wheel else None
    if text is None:
        return
    try:
        rows = parse_record(text)
    except ValueError as error:
        yield SYNTAX.violation(f"RECORD cannot be read: {error}.")
        return
    record = f"{distribution.folder}/RECORD"
    exempt = {record, f"{record}.jws", f"{record}.p7s"}
    there = distribution.members
    named = {row.path for row in rows}
    folders = {str(folder) for path in there for folder in PurePosixPath(path).parents}
    listed_folders = [row.path for row in rows if row.path.endswith("/") or row.path in folders]
    rows = [row for row in rows if row.path not in {*exempt, *listed_folders}]
    weak = [row.path for row in rows if row.algorithm not in SECURE]
    hexadecimal = [row.path for row in rows if _in_hexadecimal(row)]
    found = (
        (FIELDS, [row.path for row in rows if row.fields != 3], "RECORD has other than three fields for"),
        (UNLISTED, sorted(there.keys() - named - exempt), "RECORD does not list"),
        (ABSENT, [row.path for row in rows if row.path not in there], "RECORD lists what is not there"),
        (DIGEST, weak, "RECORD has no digest, or one by a weak algorithm, for"),
        (DIGEST, hexadecimal, "RECORD has digests in hexadecimal instead of base64 for"),
        (FOLDER, listed_folders, "RECORD lists folders"),
        (HASH, [row.path for row in rows if _is_false(row, distribution)], "RECORD has a false digest for"),
        (
            SIZE,
            [row.path for row in rows if _is_other_size(row, distribution)],
            "RECORD has a false size for",
        ),
    )
    for check, paths, said in found:
        if paths:
            yield check.violation(f"{said}: {listed(paths)}.")


def _is_false(row: Row, distribution: Distribution) -> bool:
    member = distribution.members.get(row.path)
    if member is None or member.digest is None or row.algorithm not in SECURE:
        return False
    if _in_hexadecimal(row):
        written = urlsafe_b64encode(bytes.fromhex(row.digest.partition("=")[2])).decode()
        return f"{row.algorithm}={written}".rstrip("=") != member.digest
    return row.digest.rstrip("=") != member.digest


def _in_hexadecimal(row: Row) -> bool:
    """Whether the digest is written as early versions of flit did."""
    if row.algorithm not in SECURE:
        return False
    size = hashlib.new(row.algorithm, usedforsecurity=False).digest_size
    return re.fullmatch(f"[0-9a-fA-F]{{{2 * size}}}", row.digest.partition("=")[2]) is not None


def _is_other_size(row: Row, distribution: Distribution) -> bool:
    member = distribution.members.get(row.path)
    return member is not None and row.size not in ("", str(member.size))


RECORD = FileChecks((SYNTAX, FIELDS, UNLISTED, ABSENT, HASH, DIGEST, FOLDER, SIZE), find)
