"""Findings: the problems of files and releases."""

from enum import StrEnum

from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.version import DOCUMENTATION, PROJECT


class Severity(StrEnum):
    """The severity of a finding: errors block publishing, warnings are only reported."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of a file or a release.

    Attributes:
        check: The stable id of the violated check.
        severity: Whether it blocks publishing.
        message: The problem, as one sentence.
        filename: The file, if the finding concerns one.
        hint: What to do about it.
        demoted: Whether it is a warning here but an error for remotes with a stricter profile.
        provider: The distribution that the check is from.
    """

    check: str
    severity: Severity
    message: str
    filename: str | None = None
    hint: str | None = None
    demoted: bool = False
    provider: str = PROJECT

    @property
    def url(self) -> str | None:
        """The page that explains the check; ``None`` if another distribution provides it.

        >>> Finding("missing", Severity.ERROR, "sample-1.0.tar.gz is missing.").url.rpartition("/")[2]
        'checks.html#missing'
        """
        return f"{DOCUMENTATION}reference/checks.html#{self.check}" if self.provider == PROJECT else None
