"""Checks of RECORD against the files of the wheel (PyPA: recording installed projects)."""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from functools import cache

from wheelrelay.archives.record_file import SECURE_ALGORITHMS, RecordRow, parse_record
from wheelrelay.checks.contract import Check, FileChecks, Profile, Violation
from wheelrelay.checks.distribution import Distribution
from wheelrelay.printable import join_names
from wheelrelay.records import Severity

_HINT = "Change wheels only with tools that update RECORD, such as 'wheel pack'."

SYNTAX = Check(
    "record-syntax",
    "RECORD is CSV in UTF-8 without empty lines.",
    hint=_HINT,
    lenient_severity=Severity.WARNING,
)
FIELDS = Check(
    "record-fields",
    "Each line of RECORD has three fields.",
    hint=_HINT,
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)
UNLISTED = Check(
    "record-unlisted",
    "RECORD lists every file of the wheel; PyPI sends an email if not.",
    hint=_HINT,
    severity=Severity.WARNING,
    lenient_severity=Severity.WARNING,
)
ABSENT = Check(
    "record-absent",
    "The wheel contains every file that RECORD lists; PyPI sends an email if not.",
    hint=_HINT,
    severity=Severity.WARNING,
    lenient_severity=Severity.WARNING,
)
HASH = Check("record-hash", "The digests in RECORD match the files.", hint=_HINT, profile=Profile.STORAGE)
DIGEST = Check(
    "record-digest",
    "RECORD has a SHA-256 digest, or a stronger one, of every file.",
    hint=_HINT,
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)
FOLDER = Check(
    "record-folder",
    "RECORD lists files and no folders.",
    hint="Update the tool that writes RECORD. Installers ignore the folders.",
    severity=Severity.WARNING,
    lenient_severity=Severity.WARNING,
)
SIZE = Check(
    "record-size",
    "The sizes in RECORD match the files.",
    hint=_HINT,
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)


def _find(distribution: Distribution) -> Iterator[Violation]:
    text = distribution.text("RECORD") if distribution.is_wheel else None
    if text is None:
        return
    try:
        rows = parse_record(text)
    except ValueError as error:
        yield SYNTAX.violation(f"RECORD cannot be parsed: {error}.")
        return
    for check, description, paths in _compare(distribution, rows):
        if paths:
            yield check.violation(f"{description}: {join_names(paths)}.")


def _compare(
    distribution: Distribution, all_rows: Iterable[RecordRow]
) -> Iterator[tuple[Check, str, list[str]]]:
    """Yield each check with a description and the paths that break it."""
    members = distribution.members
    record = f"{distribution.folder}/RECORD"
    # RECORD cannot contain its own digest, nor those of its signatures.
    exempt = {record, f"{record}.jws", f"{record}.p7s"}
    recorded = {row.path for row in all_rows}
    folder_paths = _folders_of(members)
    folders = [row.path for row in all_rows if row.path.endswith("/") or row.path in folder_paths]
    skipped = {*exempt, *folders}
    rows = [row for row in all_rows if row.path not in skipped]

    yield (
        FIELDS,
        "RECORD does not have three fields for",
        [row.path for row in rows if row.field_count != 3],
    )
    yield UNLISTED, "RECORD does not list", sorted(members.keys() - recorded - exempt)
    yield (
        ABSENT,
        "RECORD lists files that are not in the wheel",
        [row.path for row in rows if row.path not in members],
    )
    yield (
        DIGEST,
        "RECORD has no digest, or a weak one, for",
        [row.path for row in rows if row.algorithm not in SECURE_ALGORITHMS],
    )
    yield (
        DIGEST,
        "RECORD has a hexadecimal digest instead of a base64 one for",
        [row.path for row in rows if _is_hexadecimal(row)],
    )
    yield FOLDER, "RECORD lists folders", folders
    yield (
        HASH,
        "RECORD has a wrong digest for",
        [row.path for row in rows if _has_wrong_digest(row, distribution)],
    )
    yield (
        SIZE,
        "RECORD has a wrong size for",
        [row.path for row in rows if _has_wrong_size(row, distribution)],
    )


def _folders_of(paths: Iterable[str]) -> set[str]:
    """Return all folders that contain one of the paths, at any depth.

    >>> sorted(_folders_of(["sample/data/a.txt", "b.py"]))
    ['.', 'sample', 'sample/data']
    """
    folders = {"."}
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return folders


def _has_wrong_digest(row: RecordRow, distribution: Distribution) -> bool:
    member = distribution.members.get(row.path)
    if member is None or member.digest is None or row.algorithm not in SECURE_ALGORITHMS:
        return False
    if _is_hexadecimal(row):
        value = urlsafe_b64encode(bytes.fromhex(row.digest.partition("=")[2])).decode()
        return f"{row.algorithm}={value}".rstrip("=") != member.digest
    return row.digest.rstrip("=") != member.digest


def _is_hexadecimal(row: RecordRow) -> bool:
    """Return whether the digest is hexadecimal, as early versions of flit wrote it."""
    if row.algorithm not in SECURE_ALGORITHMS:
        return False
    return _hexadecimal(row.algorithm).fullmatch(row.digest.partition("=")[2]) is not None


@cache
def _hexadecimal(algorithm: str) -> re.Pattern[str]:
    """Return the pattern of the hexadecimal digests of an algorithm."""
    size = hashlib.new(algorithm, usedforsecurity=False).digest_size
    return re.compile(f"[0-9a-fA-F]{{{2 * size}}}")


def _has_wrong_size(row: RecordRow, distribution: Distribution) -> bool:
    member = distribution.members.get(row.path)
    return member is not None and row.size not in ("", str(member.size))


CHECKS = FileChecks((SYNTAX, FIELDS, UNLISTED, ABSENT, HASH, DIGEST, FOLDER, SIZE), _find)
