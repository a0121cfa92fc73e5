"""Whom a release trusts: the owners of keys, and publishers; one of them must have vouched for each file."""

from collections.abc import Sequence
from typing import Protocol

from wheelrelay.records import Finding
from wheelrelay.signing.publishers import TrustedPublishers
from wheelrelay.staged import StagedFile


class Verifier(Protocol):
    """Whoever can tell a file that is vouched for from one that is not."""

    def findings(self, staged: StagedFile) -> list[Finding]:
        """What is wrong with what vouches for a file; nothing if it is good."""
        ...


class TrustPolicy:
    """Several judges: a file that one of them finds good is good.

    Args:
        judges: in the order in which their reasons are told.
    """

    def __init__(self, judges: Sequence[Verifier]) -> None:
        self._judges = judges

    @property
    def uses_attestations(self) -> bool:
        """Whether an attestation may vouch for a file."""
        return any(isinstance(judge, TrustedPublishers) for judge in self._judges)

    def findings(self, staged: StagedFile) -> list[Finding]:
        """What all of them find wrong; nothing if one is content."""
        found = []
        for judge in self._judges:
            if not (wrong := judge.findings(staged)):
                return []
            found += wrong
        return found
