"""Create detached signatures (RFC 9580) with gpg, and verify them."""

import threading
from dataclasses import field
from pathlib import Path

from wheelrelay.errors import ConfigError, MissingSecret, WheelrelayError
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import Companion
from wheelrelay.records import Finding, Severity
from wheelrelay.signing.gpg import GPG, Answer, run
from wheelrelay.staged import StagedFile

SIGNATURE_SUFFIX = ".asc"
"""Suffix of signatures."""

SIGNATURE_BAD = "signature-bad"
"""The id of findings about invalid signatures."""

UNVERIFIED_STATUSES = ("GOODSIG", "EXPSIG", "EXPKEYSIG", "NO_PUBKEY")
"""Status lines for signatures that match or may match the file."""

BAD_STATUSES = ("BADSIG", "REVKEYSIG", "NODATA", "UNEXPECTED", "BADARMOR")
"""Status lines, any of which means that a signature does not match the file or is not a signature."""


def signature_of(staged: StagedFile) -> Companion | None:
    """Return the signature among the companions of a file, if there is one."""
    return next((companion for companion in staged.companions if companion.suffix == SIGNATURE_SUFFIX), None)


@dataclass(frozen=True)
class Signer:
    """Signs staged files with gpg. Thread-safe, but creates one signature at a time.

    Attributes:
        program: gpg, or the path of a program with the same interface.
        identity: Fingerprint, key id or e-mail address of the key; gpg's default key if ``None``.
    """

    program: str = GPG
    identity: str | None = None
    _lock: threading.Lock = field(  # parallel calls exhaust the locked memory of the agent
        default_factory=threading.Lock, init=False, repr=False, compare=False
    )

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.program, self.identity)  # a lock is of one process

    @property
    def _key(self) -> list[str]:
        return [] if self.identity is None else ["--local-user", self.identity]

    @property
    def _identity_note(self) -> str:
        return f" for {self.identity!r}" if self.identity else ""

    def make_ready(self) -> None:
        """Sign an empty input to check that the key is usable; its passphrase is requested now.

        Raises:
            MissingSecret: There is no such key.
            ConfigError: gpg cannot be run, or the key cannot be used.
        """
        self._sign()

    def sign(self, staged: StagedFile) -> Companion:
        """Return a verified signature of a staged file.

        Raises:
            MissingSecret: There is no such key.
            ConfigError: gpg cannot be run, or the key cannot be used.
            WheelrelayError: The new signature is not valid.
        """
        content = self._sign("--", str(staged.path.absolute()))
        signature = Companion(SIGNATURE_SUFFIX, content)
        answer = self._verified(staged.path, signature)
        if not answer.signers():
            reason = answer.reason()
            raise WheelrelayError(f"{staged.filename}: the new signature is not valid: {reason}.")
        return signature

    def findings(self, staged: StagedFile) -> list[Finding]:
        """Return a finding if a file has a signature that does not match it.

        A missing signature or an unknown key is not a finding.
        """
        signature = signature_of(staged)
        if signature is None:
            return []
        answer = self._verified(staged.path, signature)
        if answer.has(*UNVERIFIED_STATUSES) and not answer.has(*BAD_STATUSES):
            return []
        message = f"{staged.filename}{SIGNATURE_SUFFIX} is not a signature of the file."
        return [
            Finding(
                SIGNATURE_BAD,
                Severity.ERROR,
                message,
                staged.filename,
                hint="Remove it; a new one is created.",
            )
        ]

    def _sign(self, *arguments: str) -> bytes:
        with self._lock:
            answer = run(self.program, "--armor", *self._key, "--output", "-", "--detach-sign", *arguments)
        if answer.code == 0 and answer.has("SIG_CREATED") and answer.output:
            return answer.output
        raise self._error(answer)

    def _verified(self, path: Path, signature: Companion) -> Answer:
        options = ("--no-auto-key-retrieve", "--verify", "--", "-", str(path.absolute()))
        return run(self.program, *options, stdin=signature.content)

    def _error(self, answer: Answer) -> ConfigError:
        if answer.has("INV_SGNR"):
            return MissingSecret(
                f"gpg has no secret key{self._identity_note} to sign with: {answer.message}.",
                hint="Run `gpg --list-secret-keys`, and choose a key with `Signer(identity=...)`.",
            )
        return ConfigError(
            f"{self.program} could not sign: {answer.message or f'exit code {answer.code}'}.",
            hint="If it could not prompt for the passphrase, run `export GPG_TTY=$(tty)`, or sign a file "
            "with gpg once, so that its agent caches the passphrase.",
        )
