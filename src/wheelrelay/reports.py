"""The results of a preflight, which checks before a build whether a release may be published."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["PreflightItem", "PreflightReport", "Verdict"]


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
