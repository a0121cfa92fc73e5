"""Read RECORD, the list of a wheel's files with their digests (PyPA: recording installed projects)."""

import csv
import io
from typing import NamedTuple

SECURE = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s"})
"""Hash algorithms that `hashlib` always has and that are strong enough."""


class Row(NamedTuple):
    """One line of RECORD: a path, its digest as ``sha256=...`` and its size; the last two may be empty.

    ``fields`` is how many fields the line has.
    """

    path: str
    digest: str
    size: str
    fields: int = 3

    @property
    def algorithm(self) -> str:
        """The name of the hash algorithm."""
        return self.digest.partition("=")[0]


def parse_record(text: bytes) -> list[Row]:
    """The rows of a RECORD; backslashes in paths, which old tools wrote, become slashes.

    Raises:
        ValueError: it is not UTF-8, not CSV, or a line is empty.
    """
    rows = []
    try:
        for line in csv.reader(io.StringIO(text.decode(), newline="")):
            if not line:
                raise ValueError("a line is empty")
            path, digest, size = (*line, "", "")[:3]
            rows.append(Row(path.replace("\\", "/"), digest, size, len(line)))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    return rows


def algorithms(text: bytes) -> dict[str, str]:
    """The algorithm that RECORD uses for each path, as far as it can be read and used."""
    try:
        rows = parse_record(text)
    except ValueError:
        return {}
    return {row.path: row.algorithm for row in rows if row.algorithm in SECURE}
