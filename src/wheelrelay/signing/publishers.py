"""The publishers that a release trusts: hold attestations against them, without asking the network."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from wheelrelay.errors import ConfigError
from wheelrelay.model import Companion
from wheelrelay.records import Finding, Severity
from wheelrelay.signing.attestations import (
    ATTESTATION_BAD,
    PREDICATE_TYPES,
    Statement,
    Subject,
    attestations_of,
    claims_of,
    statement_in,
)
from wheelrelay.signing.attester import require_package
from wheelrelay.signing.policies import TrustedPublisher, policy_of
from wheelrelay.staged import StagedFile

if TYPE_CHECKING:
    from pypi_attestations import Attestation
    from sigstore.verify import Verifier

ATTESTATION_MISSING = "attestation-missing"
"""The id of findings about files without an attestation."""

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""The type of what an attestation signs (in-toto's specification of envelopes)."""


class TrustedPublishers:
    """Those whose attestations count.

    Args:
        publishers: one of them must have attested.
        trust_root: a file with the keys of another Sigstore than the public one.

    Raises:
        ConfigError: attestations cannot be verified here, or that file cannot be read.
    """

    def __init__(self, publishers: Sequence[TrustedPublisher], trust_root: Path | None = None) -> None:
        require_package()
        self._publishers = publishers
        self._trust_root = trust_root
        if trust_root and not trust_root.exists():
            raise ConfigError(f"The trust root {trust_root} is not there.")

    def findings(self, staged: StagedFile) -> list[Finding]:
        """What is wrong with a file's attestations; nothing if a good one is by one of the publishers."""
        attestations = attestations_of(staged)
        if not attestations:
            return [
                Finding(
                    ATTESTATION_MISSING, Severity.ERROR, "There is no attestation beside it.", staged.filename
                )
            ]
        reasons = []
        for attestation in attestations:
            reason = self._distrust(staged, attestation)
            if reason is None:
                return []
            reasons.append(reason)
        return [
            Finding(
                ATTESTATION_BAD,
                Severity.ERROR,
                f"No attestation is a good one by a trusted publisher: {'; '.join(dict.fromkeys(reasons))}.",
                staged.filename,
                hint="Do not publish it before you know why.",
            )
        ]

    def _distrust(self, staged: StagedFile, companion: Companion) -> str | None:
        """Why an attestation does not count; ``None`` if it does."""
        from pydantic import ValidationError
        from pypi_attestations import Attestation

        try:
            attestation = Attestation.model_validate_json(companion.content)
            claims = claims_of(attestation)
        except ValidationError:
            return f"{staged.filename}{companion.suffix} is no attestation"
        except ValueError as error:
            return str(error)
        about = Statement(PREDICATE_TYPES[companion.suffix], Subject(staged.filename, staged.sha256))
        reasons = [self._distrust_of(one, attestation, claims, about) for one in self._publishers]
        return None if None in reasons else "; ".join(dict.fromkeys(filter(None, reasons)))

    def _distrust_of(
        self,
        publisher: TrustedPublisher,
        attestation: "Attestation",
        claims: Mapping[str, str],
        about: Statement,
    ) -> str | None:
        """Why an attestation does not count as one by a publisher; ``None`` if it does."""
        from sigstore.errors import Error

        try:
            policy = policy_of(publisher, claims)
            # The library's own `Attestation.verify` takes the public Sigstore's keys alone.
            payload_type, payload = self._verifier.verify_dsse(attestation.to_bundle(), policy)
            if payload_type != PAYLOAD_TYPE:
                return f"what it signs is {payload_type!r:.60}"
            stated = statement_in(payload)
        except (Error, ValueError) as error:
            return str(error).partition("\n")[0].rstrip(".")
        if stated.predicate != about.predicate:
            return f"it states {stated.predicate!r:.80}"
        return None if stated.subject == about.subject else "it is about another file"

    @cached_property
    def _verifier(self) -> "Verifier":
        from sigstore.models import TrustedRoot
        from sigstore.verify import Verifier

        with _readable(self._trust_root):
            if self._trust_root:
                return Verifier(trusted_root=TrustedRoot.from_file(str(self._trust_root)))
            return Verifier.production(offline=True)


@contextmanager
def _readable(path: Path | None) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        where = f"The trust root {path}" if path else "The trust root of the public Sigstore"
        reason = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        raise ConfigError(f"{where} cannot be read: {reason}.") from error
