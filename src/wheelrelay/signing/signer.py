"""Make detached signatures (RFC 9580) with a key of the user's own, and prove that they are good."""

import threading
from pathlib import Path

from wheelrelay.errors import ConfigError, MissingSecret, WheelrelayError
from wheelrelay.model import Companion
from wheelrelay.records import Finding, Severity
from wheelrelay.signing.gpg import GPG, Answer, run
from wheelrelay.staged import StagedFile

SIGNATURE_SUFFIX = ".asc"
"""What follows a distribution's filename to make the name of its signature."""

SIGNATURE_BAD = "signature-bad"
"""The id of findings about a signature that is there and not good."""


NOT_BAD = ("GOODSIG", "EXPSIG", "EXPKEYSIG", "NO_PUBKEY")
"""What gpg says of a signature that is, or may be, one of these bytes."""

IS_BAD = ("BADSIG", "REVKEYSIG", "NODATA", "UNEXPECTED", "BADARMOR")
"""What it says of one that is not, or of something that is no signature; said once, it is enough."""


def signature_of(staged: StagedFile) -> Companion | None:
    """The signature that came with a file, if one did."""
    return next((found for found in staged.companions if found.suffix == SIGNATURE_SUFFIX), None)


class Signer:
    """Signs staged files with gpg; several threads may ask at once, and are served one after the other.

    Args:
        program: gpg, or the path of another program that is called like it.
        identity: which key: its fingerprint, key id or e-mail address; gpg's default key if not given.
    """

    def __init__(self, program: str = GPG, identity: str | None = None) -> None:
        self.program = program
        self._key = [] if identity is None else ["--local-user", identity]
        self._told = f" for {identity!r}" if identity else ""
        self._lock = threading.Lock()  # eight at once exhaust the agent's locked memory

    def make_ready(self) -> None:
        """Sign nothing, to see that there is a key, and that it can be used: its passphrase is asked for now.

        Raises:
            MissingSecret: there is no such key.
            ConfigError: gpg cannot be run, or the key cannot be used.
        """
        self._sign()

    def sign(self, staged: StagedFile) -> Companion:
        """The signature of a staged file, made and proved.

        Raises:
            MissingSecret: there is no such key.
            ConfigError: gpg cannot be run, or the key cannot be used.
            WheelrelayError: gpg does not find its own signature good.
        """
        made = self._sign("--", str(staged.path.absolute()))
        signature = Companion(SIGNATURE_SUFFIX, made)
        answer = self._verified(staged.path, signature)
        if not answer.signers():
            reason = answer.why_not()
            raise WheelrelayError(f"{staged.filename}: the signature just made is not good: {reason}.")
        return signature

    def findings(self, staged: StagedFile) -> list[Finding]:
        """What is wrong with a signature that came with a file: it may be one of other bytes.

        That there is none, or that its key is not known here, says nothing against it.
        """
        signature = signature_of(staged)
        if signature is None:
            return []
        answer = self._verified(staged.path, signature)
        if answer.has(*NOT_BAD) and not answer.has(*IS_BAD):
            return []
        said = f"What lies beside it as {staged.filename}{SIGNATURE_SUFFIX} is no signature of it."
        return [
            Finding(
                SIGNATURE_BAD, Severity.ERROR, said, staged.filename, hint="Remove that, and one is made."
            )
        ]

    def _sign(self, *arguments: str) -> bytes:
        with self._lock:
            answer = run(self.program, "--armor", *self._key, "--output", "-", "--detach-sign", *arguments)
        if answer.code == 0 and answer.has("SIG_CREATED") and answer.output:
            return answer.output
        raise self._why_not(answer)

    def _verified(self, path: Path, signature: Companion) -> Answer:
        options = ("--no-auto-key-retrieve", "--verify", "--", "-", str(path.absolute()))
        return run(self.program, *options, given=signature.content)

    def _why_not(self, answer: Answer) -> ConfigError:
        if answer.has("INV_SGNR"):
            return MissingSecret(
                f"gpg has no secret key{self._told} to sign with: {answer.said}.",
                hint="Run `gpg --list-secret-keys`, and choose a key with `Signer(identity=...)`.",
            )
        return ConfigError(
            f"{self.program} could not sign: {answer.said or f'exit code {answer.code}'}.",
            hint="If it could not ask for the passphrase, run `export GPG_TTY=$(tty)`, or sign once with gpg "
            "alone: its agent remembers.",
        )
