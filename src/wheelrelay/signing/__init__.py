"""Signatures and attestations: made for what is published, and held against whom a release trusts."""

from wheelrelay.signing.attestations import (
    ATTESTATIONS,
    PUBLISH,
    attestations_in,
    attestations_of,
    builder_of,
    mistaken,
)
from wheelrelay.signing.attester import Attester, SigstoreAttester, require_package
from wheelrelay.signing.formats import refused, without_malformed
from wheelrelay.signing.gpg import GPG
from wheelrelay.signing.keys import TrustedKeys, fingerprint_in
from wheelrelay.signing.policies import TrustedPublisher
from wheelrelay.signing.publishers import TrustedPublishers
from wheelrelay.signing.signer import SIGNATURE, Signer, signature_of
from wheelrelay.signing.trust import TrustPolicy, Verifier

__all__ = [
    "ATTESTATIONS",
    "GPG",
    "PUBLISH",
    "SIGNATURE",
    "Attester",
    "Signer",
    "SigstoreAttester",
    "TrustPolicy",
    "TrustedKeys",
    "TrustedPublisher",
    "TrustedPublishers",
    "Verifier",
    "attestations_in",
    "attestations_of",
    "builder_of",
    "fingerprint_in",
    "mistaken",
    "refused",
    "require_package",
    "signature_of",
    "without_malformed",
]
