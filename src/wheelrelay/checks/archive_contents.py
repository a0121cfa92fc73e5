"""What is in an archive: its members with their digests, the few that checks read, what is wrong with it."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from wheelrelay.archives import limits
from wheelrelay.checks.check import Check, Profile, Violation, shown

TEXTS = frozenset({"METADATA", "WHEEL", "RECORD", "entry_points.txt"})
TEXT_LIMIT = 16 << 20
"""Bytes that a member may have to be kept; real ones are a hundredth of that."""

RECORD_LIMIT = 64 << 20
"""Bytes that RECORD may have."""

KEPT_LIMIT = 96 << 20
"""Bytes of all members of an archive that are kept."""

CONTROL = re.compile(r"[\x01-\x1f\x7f]")

UNREADABLE = Check(
    "archive-unreadable",
    "The file is an archive of the kind that its name promises, and can be read to its end.",
    hint="Build or fetch it again.",
    profile=Profile.STORAGE,
)
CORRUPT = Check(
    "archive-corrupt",
    "Every member unpacks to the size and the checksum that the archive declares.",
    hint="Build or fetch it again.",
    profile=Profile.STORAGE,
)
MEMBER_PATH = Check(
    "member-path",
    "Members lie inside the archive: no absolute path, no '..', no backslash, no NUL.",
    hint="Build it again with relative paths and '/' as the separator.",
    profile=Profile.STORAGE,
)
STRAY = Check(
    "archive-stray-data",
    "Nothing lies before, between or behind the parts of the archive.",
    hint="Build it again with a plain archiver; nothing may be prepended or appended.",
    profile=Profile.PYPI,
)
LIMITS = Check(
    "archive-limits",
    f"An archive has at most {limits.MEMBERS:,} members, headers of plausible size, and no more than 64 MiB "
    f"of content if that is over {limits.MOST_RATIO} times as large as the file.",
    hint="Build it again with a current build tool; such an archive occupies the machines of its readers.",
    profile=Profile.STORAGE,
)
CHECKS = (UNREADABLE, CORRUPT, MEMBER_PATH, STRAY, LIMITS)


@dataclass(frozen=True, slots=True)
class Member:
    """A file within an archive.

    Attributes:
        size: its length in bytes, unpacked.
        digest: as RECORD writes it, ``sha256=...``, if its bytes were read and are sound.
    """

    size: int
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive holds.

    Attributes:
        members: the files by their path; folders are left out.
        texts: the bytes of those members that checks read.
        violations: what is wrong with the archive itself.
        readable: whether the members are known; if not, checks of the content have nothing to say.
        folders: those of a tar archive that are members of it.
        variants: the labels in the list of a release's variants (PEP 825).
    """

    members: dict[str, Member] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    readable: bool = True
    folders: frozenset[str] = frozenset()
    variants: frozenset[str] = frozenset()

    @property
    def damage(self) -> str | None:
        """What shows that the archive does not unpack to what was packed, as a sentence; none if it does."""
        return self._first_of(CORRUPT, UNREADABLE)

    @property
    def unproven(self) -> str | None:
        """Why the archive is not known to unpack, as a sentence: damage, or a limit of what is read."""
        return self._first_of(CORRUPT, UNREADABLE, LIMITS)

    def _first_of(self, *checks: Check) -> str | None:
        return next((violation.message for violation in self.violations if violation.check in checks), None)


Reader = Callable[..., Contents]

Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""What works on many things as ``map`` does, perhaps on several at once."""


def unreadable(reason: object, *more: Violation, hint: str | None = None) -> Contents:
    """The contents of an archive that cannot be read, for a reason; perhaps with another hint than usual."""
    said = str(reason).strip().rstrip(": .") or type(reason).__name__
    violation = UNREADABLE.violation(f"The file cannot be read: {said}.", hint=hint)
    return Contents(violations=(violation, *more), readable=False)


def implausible(error: limits.Implausible) -> Contents:
    """The contents of an archive that exceeds a limit of what is read."""
    violation = LIMITS.violation(f"The archive is not read to its end: {error}.")
    return Contents(violations=(violation,), readable=False)


class Texts:
    """Collects the members of an archive that checks read.

    Attributes:
        kept: their bytes, by their path.
    """

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self._left = KEPT_LIMIT

    def wants(self, path: str, size: int) -> bool:
        """Whether a member of this size is one to keep."""
        limit = RECORD_LIMIT if path.endswith("/RECORD") else TEXT_LIMIT
        return is_kept(path) and size <= min(limit, self._left)

    def keep(self, path: str, content: bytes) -> None:
        """Keep the content of a member."""
        self._left -= len(content)
        self.kept[path] = content


def is_kept(path: str) -> bool:
    """Whether checks read the member: metadata in a ``.dist-info`` folder, ``PKG-INFO`` in the top one."""
    folder, _, name = path.partition("/")
    return (folder.endswith(".dist-info") and name in TEXTS) or name == "PKG-INFO"


def path_violations(paths: Iterable[str], control: Check) -> Iterator[Violation]:
    """What is wrong with the paths of members.

    Args:
        paths: as they are in the archive.
        control: the check that a control character breaks, which is odd and does no harm.
    """
    for path in paths:
        if reason := _path_problem(path):
            yield MEMBER_PATH.violation(f"The member {shown(path)} {reason}.")
        elif CONTROL.search(path):
            yield control.violation(f"The member {shown(path)} has a control character in its name.")


def leads_outside(path: str) -> bool:
    """Whether a relative path climbs over its start at any point."""
    depth = 0
    for part in PurePosixPath(path).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return False


def _path_problem(path: str) -> str | None:
    if "\0" in path:
        return "has a NUL character in its name, where readers end it"
    if "\\" in path:
        return "has a backslash in its name"
    if path.startswith("/") or re.match("[A-Za-z]:", path):
        return "has an absolute path"
    if ".." in path.split("/"):
        return "has '..' in its path"
    if not path.strip("/"):
        return "has no name"
    if len(path) > limits.PATH:
        return "has a path that no system can unpack"
    return None
