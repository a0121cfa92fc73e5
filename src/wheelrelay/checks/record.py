"""Checks of RECORD against what is in the wheel (PyPA: recording installed projects)."""

from collections.abc import Iterator

from wheelrelay.checks.check import Breach, Check, listed
from wheelrelay.checks.distribution import Distribution
from wheelrelay.checks.families import FileChecks
from wheelrelay.checks.recordfile import SECURE, Row, parse_record

REBUILD = "Change a wheel only with tools that write RECORD anew, as 'wheel pack' does."

SYNTAX = Check("record-syntax", "RECORD is CSV in UTF-8 with three fields a line.", hint=REBUILD)
UNLISTED = Check("record-unlisted", "RECORD lists every file of the wheel.", hint=REBUILD)
ABSENT = Check("record-absent", "Every file that RECORD lists is in the wheel.", hint=REBUILD)
HASH = Check(
    "record-hash", "RECORD has a true digest of every file, by sha256 or a stronger algorithm.", hint=REBUILD
)
SIZE = Check("record-size", "The sizes in RECORD are true.", hint=REBUILD)


def find(distribution: Distribution) -> Iterator[Breach]:
    """Find where RECORD and the wheel differ."""
    text = distribution.text("RECORD") if distribution.is_wheel else None
    if text is None:
        return
    try:
        rows = parse_record(text)
    except ValueError as error:
        yield SYNTAX.broken(f"RECORD cannot be read: {error}.")
        return
    record = f"{distribution.folder}/RECORD"
    exempt = {record, f"{record}.jws", f"{record}.p7s"}
    there = distribution.members
    named = {row.path for row in rows}
    rows = [row for row in rows if row.path not in exempt and not row.path.endswith("/")]
    weak = [row.path for row in rows if row.algorithm not in SECURE]
    found = (
        (UNLISTED, sorted(there.keys() - named - exempt), "RECORD does not list"),
        (ABSENT, [row.path for row in rows if row.path not in there], "RECORD lists what is not there"),
        (HASH, weak, "RECORD has no digest, or one by a weak algorithm, for"),
        (HASH, [row.path for row in rows if _is_false(row, distribution)], "RECORD has a false digest for"),
        (
            SIZE,
            [row.path for row in rows if _is_other_size(row, distribution)],
            "RECORD has a false size for",
        ),
    )
    for check, paths, said in found:
        if paths:
            yield check.broken(f"{said}: {listed(paths)}.")


def _is_false(row: Row, distribution: Distribution) -> bool:
    member = distribution.members.get(row.path)
    if member is None or member.digest is None or row.algorithm not in SECURE:
        return False
    return row.digest.rstrip("=") != member.digest


def _is_other_size(row: Row, distribution: Distribution) -> bool:
    member = distribution.members.get(row.path)
    return member is not None and row.size not in ("", str(member.size))


RECORD = FileChecks((SYNTAX, UNLISTED, ABSENT, HASH, SIZE), find)
