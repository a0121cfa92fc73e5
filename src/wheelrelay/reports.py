"""The results of a preflight, before a build, and of an audit, of what was published long ago."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from wheelrelay.findings import Severity
from wheelrelay.lazy_dataclass import dataclass

__all__ = ["AuditIssue", "AuditReport", "AuditedFile", "PreflightItem", "PreflightReport", "Verdict"]


class Verdict(StrEnum):
    """The result of one check of a preflight: ``unknown`` if nothing short of publishing can show it."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PreflightItem:
    """The result of one check at one remote.

    Attributes:
        check: A stable id, such as ``credentials``.
        verdict: Whether it passed.
        reason: What is known, as sentences.
        remote: The name of the source or sink.
        project: The project, if the check is about one.
        hint: What to do about a failure.
    """

    check: str
    verdict: Verdict
    reason: str
    remote: str
    project: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class PreflightReport:
    """The results of a preflight.

    Attributes:
        items: The result of each check, by remote and project.
    """

    items: tuple[PreflightItem, ...]

    @property
    def may_publish(self) -> bool:
        """Whether no check failed."""
        return not self.failures

    @property
    def failures(self) -> Sequence[PreflightItem]:
        """The checks that failed."""
        return self.having(Verdict.FAIL)

    def having(self, verdict: Verdict) -> Sequence[PreflightItem]:
        """Return the items with a verdict."""
        return [item for item in self.items if item.verdict is verdict]


@dataclass(frozen=True, slots=True)
class AuditIssue:
    """A problem of a published release, or of one project.

    Attributes:
        check: A stable id, such as ``incomplete``.
        severity: An error, or a warning about something that may be on purpose.
        project: The normalized name.
        version: The version; ``None`` if the issue concerns the whole project.
        message: What is wrong, as sentences.
        files: The names of the files that it concerns, if it concerns only some.
    """

    check: str
    severity: Severity
    project: str
    version: str | None
    message: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditedFile:
    """A file that an audit found: what later audits compare.

    Attributes:
        filename: The plain filename.
        project: The normalized name of the project.
        version: The version.
        sha256: The digest that the remote declares, if any.
    """

    filename: str
    project: str
    version: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The results of an audit of one remote.

    Attributes:
        remote: The name of the remote.
        time: When it was read, with a time zone.
        projects: The projects that were audited.
        releases: How many releases were audited.
        files: All files of these projects.
        issues: What is wrong, by project and version.
    """

    remote: str
    time: datetime
    projects: tuple[str, ...]
    releases: int
    files: tuple[AuditedFile, ...]
    issues: tuple[AuditIssue, ...]

    @property
    def has_errors(self) -> bool:
        """Whether an issue is an error."""
        return any(issue.severity is Severity.ERROR for issue in self.issues)
