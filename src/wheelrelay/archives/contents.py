"""The contents of an archive after one complete read: members with digests, metadata files, problems."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from wheelrelay.archives import limits
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.printable import printable

METADATA_NAMES = frozenset({"METADATA", "WHEEL", "RECORD", "entry_points.txt"})
MAX_METADATA_FILE = 16 << 20
"""Bytes of a metadata file that is kept; real ones have a hundredth of that."""

MAX_RECORD = 64 << 20
"""Bytes of a RECORD that is kept."""

MAX_KEPT = 96 << 20
"""Bytes of all metadata files of an archive that are kept."""

_CONTROL = re.compile(r"[\x01-\x1f\x7f]")
_DRIVE = re.compile("[A-Za-z]:")


class ProblemKind(StrEnum):
    """What can be wrong with an archive. The value is the id of the check that reports it."""

    UNREADABLE = "archive-unreadable"
    CORRUPT = "archive-corrupt"
    LIMITS = "archive-limits"
    RATIO = "archive-ratio"
    STRAY_DATA = "archive-stray-data"
    MEMBER_PATH = "member-path"
    PROTECTED_CODE = "protected-code"

    ZIP_ALSO_TAR = "zip-also-tar"
    ZIP_COMPRESSION = "zip-compression"
    ZIP_DATA_DESCRIPTOR = "zip-data-descriptor"
    ZIP_DUPLICATE = "zip-duplicate-member"
    ZIP_HEADERS = "zip-headers-differ"
    ZIP_MEMBER_COMMENT = "zip-member-comment"
    ZIP_MEMBER_NAME = "zip-member-name"
    ZIP_RECORDS = "zip-records"
    ZIP_TWO_CONTENTS = "zip-two-contents"

    SDIST_DUPLICATE = "sdist-duplicate-member"
    SDIST_LINK = "sdist-link"
    SDIST_MEMBER_NAME = "sdist-member-name"
    SDIST_PKG_INFO_PATH = "sdist-pkg-info-path"
    SDIST_SPARSE_FILE = "sdist-sparse-file"
    SDIST_SPECIAL_FILE = "sdist-special-file"
    SDIST_TOP_FOLDER = "sdist-top-folder"
    SDIST_TRAILING_DATA = "sdist-trailing-data"
    SDIST_TWO_METADATA = "sdist-two-metadata"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of an archive.

    Attributes:
        kind: which rule the archive breaks.
        message: where and how, as one sentence.
        hint: what to do, if that differs from the usual advice for this kind.
    """

    kind: ProblemKind
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive.

    Attributes:
        size: unpacked, in bytes.
        digest: as in RECORD, ``sha256=...``; ``None`` if the member was not read or is corrupt.
    """

    size: int
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class ArchiveContents:
    """The contents of an archive.

    Attributes:
        members: the files by path, without folders.
        metadata_files: the bytes of the metadata files by path.
        problems: everything that is wrong with the archive.
        is_readable: whether the members are known.
        folders: the folders of a tar archive.
        variants: the labels in a list of variants (PEP 825), which is JSON and not an archive.
    """

    members: dict[str, Member] = field(default_factory=dict)
    metadata_files: dict[str, bytes] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    is_readable: bool = True
    folders: frozenset[str] = frozenset()
    variants: frozenset[str] = frozenset()

    @property
    def damage(self) -> str | None:
        """The sentence that explains why the archive is damaged; ``None`` if it is not."""
        return self._first_message(ProblemKind.CORRUPT, ProblemKind.UNREADABLE)

    @property
    def unverified_reason(self) -> str | None:
        """The sentence that explains why the members are not verified; ``None`` if they are."""
        return self._first_message(ProblemKind.CORRUPT, ProblemKind.UNREADABLE, ProblemKind.LIMITS)

    def _first_message(self, *kinds: ProblemKind) -> str | None:
        return next((problem.message for problem in self.problems if problem.kind in kinds), None)


MapFunction = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""A function that works as ``map`` does, possibly on several items at once."""


def unreadable(reason: object, *, hint: str | None = None) -> ArchiveContents:
    """Return the contents of a file that is not a readable archive.

    Args:
        reason: an error, or a clause.
        hint: what to do, if that differs from the usual advice.
    """
    clause = str(reason).strip().rstrip(": .") or type(reason).__name__
    problem = Problem(ProblemKind.UNREADABLE, f"The file cannot be read: {clause}.", hint)
    return ArchiveContents(problems=(problem,), is_readable=False)


def beyond_limits(error: limits.LimitExceeded) -> ArchiveContents:
    """Return the contents of an archive that exceeds a limit."""
    problem = Problem(ProblemKind.LIMITS, f"Reading stopped: {error}.")
    return ArchiveContents(problems=(problem,), is_readable=False)


class MetadataFiles:
    """Collects the metadata files of an archive, within limits.

    Attributes:
        kept: their bytes by path.
    """

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self._left = MAX_KEPT

    def has_room_for(self, path: str, size: int) -> bool:
        """Return whether a member is a metadata file, and small enough to keep."""
        limit = MAX_RECORD if path.endswith("/RECORD") else MAX_METADATA_FILE
        return is_metadata_file(path) and size <= min(limit, self._left)

    def keep(self, path: str, content: bytes) -> None:
        """Keep the content of a member."""
        self._left -= len(content)
        self.kept[path] = content


def is_metadata_file(path: str) -> bool:
    """Return whether this is a metadata file of a ``.dist-info`` folder or a top-level PKG-INFO."""
    folder, _, name = path.partition("/")
    return (folder.endswith(".dist-info") and name in METADATA_NAMES) or name == "PKG-INFO"


def path_problems(paths: Iterable[str], control_kind: ProblemKind) -> Iterator[Problem]:
    """Find unsafe and unusual member paths.

    Args:
        paths: as stored in the archive.
        control_kind: reported for control characters, which are unusual but harmless.
    """
    for path in paths:
        if reason := _unsafe_because(path):
            yield Problem(ProblemKind.MEMBER_PATH, f"The member {printable(path)} {reason}.")
        elif _CONTROL.search(path):
            yield Problem(control_kind, f"The member {printable(path)} has a control character in its name.")


def leads_outside(path: str) -> bool:
    """Return whether a relative path leaves its starting folder at any point.

    >>> leads_outside("docs/../README"), leads_outside("docs/../../README")
    (False, True)
    """
    depth = 0
    for part in PurePosixPath(path).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return False


def _unsafe_because(path: str) -> str | None:
    if "\0" in path:
        return "has a NUL character in its name, and some readers end the name there"
    if "\\" in path:
        return "has a backslash in its path"
    if path.startswith("/") or _DRIVE.match(path):
        return "has an absolute path"
    if ".." in path.split("/"):
        return "has '..' in its path"
    if not path.strip("/"):
        return "has an empty name"
    if len(path) > limits.MAX_PATH:
        return f"has a path of more than {limits.MAX_PATH:,} characters"
    return None
