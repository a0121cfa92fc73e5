"""The checks that apply at one sink: the profile, the ignored checks and the size limits."""

from collections.abc import Iterable
from dataclasses import replace

from wheelrelay.checks.contract import STRICTNESS, Check, Profile
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.records import Finding, Severity

PYPI_FILE_SIZE = 100 << 20
PYPI_PROJECT_SIZE = 10 << 30


@dataclass(frozen=True, slots=True)
class CheckPolicy:
    """Which checks apply at a sink, and how severe a violation is; see `ChecksConfig.policy`.

    Attributes:
        profile: the profile of checks.
        ignored: the ids of checks that do not apply.
        errors: the ids of checks whose violations are errors, even if they would be warnings.
        max_file_size: the largest file that the sink accepts, in bytes.
        max_project_size: the largest total size of a project's files, in bytes.
    """

    profile: Profile = Profile.INDEX
    ignored: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset()
    max_file_size: int | None = None
    max_project_size: int | None = None

    def with_profile(self, profile: Profile) -> "CheckPolicy":
        """Return this policy with another profile; ``pypi`` adds PyPI's limits where none are set."""
        is_pypi = profile is Profile.PYPI
        return replace(
            self,
            profile=profile,
            max_file_size=self.max_file_size or (PYPI_FILE_SIZE if is_pypi else None),
            max_project_size=self.max_project_size or (PYPI_PROJECT_SIZE if is_pypi else None),
        )

    def severity_of(self, check: Check) -> Severity | None:
        """Return the severity of a violation; ``None`` if the check is ignored or not in the profile."""
        if check.id in self.ignored:
            return None
        return Severity.ERROR if check.id in self.errors else check.severity_in(self.profile)

    def select(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings that apply, each with its severity in this profile."""
        findings = list(findings)
        if not findings:  # of most files
            return []
        from wheelrelay.checks.registry import all_checks  # imports the installed checks

        checks = {check.id: check for check in all_checks()}
        selected = (self._adjusted(finding, checks.get(finding.check)) for finding in findings)
        return [finding for finding in selected if finding is not None]

    def _adjusted(self, finding: Finding, check: Check | None) -> Finding | None:
        if check is None:
            return finding
        severity = self.severity_of(check)
        if severity is None:
            return None
        is_lenient = STRICTNESS[self.profile] < STRICTNESS[check.profile]
        return replace(finding, severity=severity, demoted=is_lenient and severity is Severity.WARNING)


PYPI_POLICY = CheckPolicy().with_profile(Profile.PYPI)
"""Everything that PyPI checks, with its usual limits."""
