"""Trusted OpenPGP keys, and the trust policy: each file must be verified by one of several verifiers.

The keys are imported into a temporary keyring, so that neither other keys nor the gpg settings of this
machine affect the result.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from wheelrelay.disk.folders import temporary_folder
from wheelrelay.errors import ConfigError
from wheelrelay.records import Finding, Severity
from wheelrelay.signing.gpg import GPG, run
from wheelrelay.signing.publishers import TrustedPublishers
from wheelrelay.signing.signer import SIGNATURE_BAD, signature_of
from wheelrelay.staged import StagedFile

SIGNATURE_MISSING = "signature-missing"
"""The id of findings about missing signatures."""

_FINGERPRINT = re.compile(r"(0x)?([0-9A-F]{16}|[0-9A-F]{40}|[0-9A-F]{64})", re.IGNORECASE)
_SHORT = re.compile(r"(0x)?[0-9A-F]{8}", re.IGNORECASE)


def parse_fingerprint(text: str) -> str | None:
    """Return a fingerprint or long key id in upper case without blanks; ``None`` for other text.

    Raises:
        ConfigError: It is a short key id, for which an attacker can create a key.

    >>> parse_fingerprint("0x6bec e60e b4e0 d7ea")
    '6BECE60EB4E0D7EA'
    """
    bare = "".join(text.split())
    if _SHORT.fullmatch(bare):
        raise ConfigError(f"{text!r} is a short key id, which is not unique.", hint="Use a fingerprint.")
    match = _FINGERPRINT.fullmatch(bare)
    return match[2].upper() if match else None


class TrustedKeys:
    """A keyring with only the trusted keys; see `gathered`.

    Args:
        home: The folder of the keyring.
    """

    def __init__(self, home: Path) -> None:
        isolated = ("--no-options", "--no-autostart", "--disable-dirmngr", "--no-auto-key-retrieve")
        self._options = ("--homedir", str(home), *isolated, "--trust-model", "always")
        self._fingerprints: set[str] = set()

    @classmethod
    @contextmanager
    def gathered(cls, sources: Sequence[str]) -> Iterator["TrustedKeys"]:
        """Import keys into a temporary keyring.

        Args:
            sources: Fingerprints and long key ids of keys that gpg has, and paths of key files.

        Raises:
            ConfigError: A key does not exist, or gpg cannot be run.
        """
        with temporary_folder("keys") as home:
            home.chmod(0o700)  # gpg warns about other permissions
            keys = cls(home)
            for source in sources:
                keys._add(source)
            yield keys

    def findings(self, staged: StagedFile) -> list[Finding]:
        """Return a finding if the signature of a file is missing or is not valid and by a trusted key.

        If a companion has several signatures, all must be valid and by trusted keys.
        """
        signature = signature_of(staged)
        if signature is None:
            return [Finding(SIGNATURE_MISSING, Severity.ERROR, "The file has no signature.", staged.filename)]
        arguments = ("--verify", "--", "-", str(staged.path.absolute()))
        answer = run(GPG, *self._options, *arguments, stdin=signature.content)
        signers = answer.signers()
        if signers and signers <= self._fingerprints:
            return []
        return [
            Finding(
                SIGNATURE_BAD,
                Severity.ERROR,
                f"The signature is not valid or not by a trusted key: {answer.reason()}.",
                staged.filename,
                hint="Find out why before you publish it.",
            )
        ]

    def _add(self, source: str) -> None:
        fingerprint = parse_fingerprint(source)
        exported = run(GPG, "--export", fingerprint).output if fingerprint else _read(Path(source))
        if not exported:
            raise ConfigError(f"gpg has no key {source}.", hint="Import it, or use the path of a key file.")
        answer = run(GPG, *self._options, "--import", stdin=exported)
        found = {fields[-1] for fields in answer.fields("IMPORT_OK")}
        if not found:
            raise ConfigError(f"{source} has no key that gpg can read: {answer.message}.")
        if fingerprint and len(found) > 1:
            raise ConfigError(f"gpg has several keys for {source}.", hint="Use a full fingerprint.")
        self._fingerprints |= found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"The key file {path} cannot be read: {error.strerror}.") from error


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
