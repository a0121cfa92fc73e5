"""Create signatures and attestations, and verify them against trusted keys and publishers."""

from wheelrelay.signing.attestations import (
    ATTESTATION_SUFFIXES,
    PUBLISH_ATTESTATION,
    Attester,
    SigstoreAttester,
    attestation_findings,
    attestations_of,
    builder_url,
    parse_provenance,
    require_package,
)
from wheelrelay.signing.companions import drop_malformed_companions, refused_companion
from wheelrelay.signing.gpg import GPG
from wheelrelay.signing.provenance import provenance_of, with_provenance
from wheelrelay.signing.publishers import TrustedPublisher, TrustedPublishers
from wheelrelay.signing.signer import SIGNATURE_SUFFIX, Signer, signature_of
from wheelrelay.signing.trust import TrustedKeys, TrustPolicy, Verifier, parse_fingerprint

__all__ = [
    "ATTESTATION_SUFFIXES",
    "GPG",
    "PUBLISH_ATTESTATION",
    "SIGNATURE_SUFFIX",
    "Attester",
    "Signer",
    "SigstoreAttester",
    "TrustPolicy",
    "TrustedKeys",
    "TrustedPublisher",
    "TrustedPublishers",
    "Verifier",
    "attestation_findings",
    "attestations_of",
    "builder_url",
    "drop_malformed_companions",
    "parse_fingerprint",
    "parse_provenance",
    "provenance_of",
    "refused_companion",
    "require_package",
    "signature_of",
    "with_provenance",
]
