"""Parse RECORD, the list of a wheel's files with their digests (PyPA: recording installed projects)."""

import csv
import io
from typing import NamedTuple

SECURE_ALGORITHMS = frozenset(
    {"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s"}
)
"""Strong hash algorithms that every `hashlib` has."""


class RecordRow(NamedTuple):
    """One line of RECORD.

    Attributes:
        path: with forward slashes.
        digest: as ``sha256=...``; may be empty.
        size: in bytes; may be empty.
        field_count: how many fields the line has.
    """

    path: str
    digest: str
    size: str
    field_count: int = 3

    @property
    def algorithm(self) -> str:
        """The name of the hash algorithm."""
        return self.digest.partition("=")[0]


def parse_record(text: bytes) -> list[RecordRow]:
    """Return the rows of a RECORD. Backslashes in paths, which old tools wrote, become slashes.

    Raises:
        ValueError: It is not UTF-8, not CSV, or has an empty line.
    """
    rows = []
    try:
        for line in csv.reader(io.StringIO(text.decode(), newline="")):
            if not line:
                raise ValueError("it has an empty line")
            path, digest, size = (*line, "", "")[:3]
            rows.append(RecordRow(path.replace("\\", "/"), digest, size, len(line)))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    return rows


def hash_algorithms(text: bytes) -> dict[str, str]:
    """Return the algorithm that RECORD uses for each path; empty if RECORD cannot be parsed."""
    try:
        rows = parse_record(text)
    except ValueError:
        return {}
    return {row.path: row.algorithm for row in rows if row.algorithm in SECURE_ALGORITHMS}
