"""A check as data: its id, what it asks for, who asks for it; and the violation of one."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from wheelrelay.records import Finding, Severity

SHOWN = 5
"""Names that are shown of a long list."""


class Profile(StrEnum):
    """Which checks apply, and how severe they are.

    ``pypi`` has everything that PyPI refuses; ``index`` what an index or an installer cannot handle;
    ``storage`` what makes a file unsafe, or another file than it claims to be.
    """

    PYPI = "pypi"
    INDEX = "index"
    STORAGE = "storage"


STRICTNESS = {Profile.STORAGE: 0, Profile.INDEX: 1, Profile.PYPI: 2}
"""The profiles, in order: each has all that the one before it has."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule that a file or a release must satisfy.

    Attributes:
        id: the stable id, in lower case with hyphens.
        text: what must hold, as one sentence.
        hint: what to do where it does not hold.
        severity: whether a violation shuts the gate.
        profile: the least strict profile in which it has that severity; the stricter ones share it.
        below: the severity in less strict profiles; ``None`` if they do not have the check.
    """

    id: str
    text: str
    hint: str
    severity: Severity = Severity.ERROR
    profile: Profile = Profile.INDEX
    below: Severity | None = None

    def violation(self, message: str, *, filename: str | None = None, hint: str | None = None) -> "Violation":
        """Say that the rule is broken, and how, as one sentence; a ``hint`` may fit better than the usual."""
        return Violation(self, message, filename, hint or self.hint)

    def severity_in(self, profile: Profile) -> Severity | None:
        """How severe a violation is in a profile; ``None`` if the profile does not have this check."""
        return self.severity if STRICTNESS[profile] >= STRICTNESS[self.profile] else self.below


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a rule is broken; the runner turns it into a finding.

    Attributes:
        check: the rule.
        message: how it is broken, as one sentence.
        filename: the file, where it is not clear anyway.
        hint: what to do about it.
    """

    check: Check
    message: str
    filename: str | None = None
    hint: str | None = None

    def finding(self, filename: str | None = None) -> Finding:
        """The finding, about ``filename`` if the violation does not name another file."""
        return Finding(self.check.id, self.check.severity, self.message, self.filename or filename, self.hint)


def listed(names: Collection[str]) -> str:
    """A few of the names, and how many more there are; what cannot be printed is escaped.

    >>> listed("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    few = ", ".join(shown(name) for name in list(names)[:SHOWN])
    return f"{few} and {len(names) - SHOWN} more" if len(names) > SHOWN else few


def shown(name: str) -> str:
    """A name or value from a file, cut short, and escaped where it cannot be printed."""
    short = name if len(name) <= 120 else f"{name[:117]}..."
    return short if short.isprintable() and short else repr(short)
