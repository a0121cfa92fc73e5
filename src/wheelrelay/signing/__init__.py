"""Signatures of distribution files: made with gpg, and held against the keys that a release trusts."""

from wheelrelay.signing.gpg import GPG
from wheelrelay.signing.keys import TrustedKeys, fingerprint_in
from wheelrelay.signing.signer import SIGNATURE, Signer, signature_of

__all__ = ["GPG", "SIGNATURE", "Signer", "TrustedKeys", "fingerprint_in", "signature_of"]
