"""The trust policy of a release: each file must be verified by one of several verifiers."""

from collections.abc import Sequence
from typing import Protocol

from wheelrelay.records import Finding
from wheelrelay.signing.publishers import TrustedPublishers
from wheelrelay.staged import StagedFile


class Verifier(Protocol):
    """Verifies the signatures or attestations of files."""

    def findings(self, staged: StagedFile) -> list[Finding]:
        """Return why a file is not trusted; empty if it is."""
        ...


class TrustPolicy:
    """Several verifiers: a file is trusted if one of them trusts it.

    Args:
        verifiers: The verifiers, in the order of their findings.
    """

    def __init__(self, verifiers: Sequence[Verifier]) -> None:
        self._verifiers = verifiers

    @property
    def uses_attestations(self) -> bool:
        """Whether attestations can make a file trusted."""
        return any(isinstance(verifier, TrustedPublishers) for verifier in self._verifiers)

    def findings(self, staged: StagedFile) -> list[Finding]:
        """Return the findings of all verifiers; empty if one trusts the file."""
        all_findings: list[Finding] = []
        for verifier in self._verifiers:
            if not (findings := verifier.findings(staged)):
                return []
            all_findings += findings
        return all_findings
