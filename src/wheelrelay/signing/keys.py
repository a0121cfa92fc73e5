"""The keys that a release trusts: hold signatures against them, and against no others.

They are gathered into a keyring of their own, so that neither other keys of this machine nor its gpg's
settings decide what is good.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from wheelrelay.disk.folders import temporary_folder
from wheelrelay.errors import ConfigError
from wheelrelay.records import Finding, Severity
from wheelrelay.signing.gpg import GPG, run
from wheelrelay.signing.signer import SIGNATURE_BAD, signature_of
from wheelrelay.staged import StagedFile

SIGNATURE_MISSING = "signature-missing"
"""The id of findings about files without a signature."""

_FINGERPRINT = re.compile(r"(0x)?([0-9A-F]{16}|[0-9A-F]{40}|[0-9A-F]{64})", re.IGNORECASE)
_SHORT = re.compile(r"(0x)?[0-9A-F]{8}", re.IGNORECASE)


def parse_fingerprint(text: str) -> str | None:
    """The fingerprint or long key id that ``text`` is, in one spelling; ``None`` if it is something else.

    Raises:
        ConfigError: it is a short key id, which anybody can make a key for.

    >>> parse_fingerprint("0x6bec e60e b4e0 d7ea")
    '6BECE60EB4E0D7EA'
    """
    bare = "".join(text.split())
    if _SHORT.fullmatch(bare):
        raise ConfigError(
            f"{text!r} is a short key id, which many keys can have.", hint="Give a fingerprint."
        )
    found = _FINGERPRINT.fullmatch(bare)
    return found[2].upper() if found else None


class TrustedKeys:
    """A keyring of some keys alone; see `gathered`.

    Args:
        home: the folder of that keyring.
    """

    def __init__(self, home: Path) -> None:
        alone = ("--no-options", "--no-autostart", "--disable-dirmngr", "--no-auto-key-retrieve")
        self._options = ("--homedir", str(home), *alone, "--trust-model", "always")
        self._fingerprints: set[str] = set()

    @classmethod
    @contextmanager
    def gathered(cls, given: Sequence[str]) -> Iterator["TrustedKeys"]:
        """Gather keys; they are forgotten at the end.

        Args:
            given: fingerprints and long key ids of keys that gpg has, and paths of files that hold keys.

        Raises:
            ConfigError: a key is not there, or gpg cannot be run.
        """
        with temporary_folder("keys") as home:
            home.chmod(0o700)  # or gpg says that it is not safe
            keys = cls(home)
            for one in given:
                keys._add(one)
            yield keys

    def findings(self, staged: StagedFile) -> list[Finding]:
        """What is wrong with the signature of a file; nothing if it is a good one by one of the keys.

        Of several signatures in one companion, each must be good, and by one of the keys.
        """
        signature = signature_of(staged)
        if signature is None:
            return [
                Finding(
                    SIGNATURE_MISSING, Severity.ERROR, "There is no signature beside it.", staged.filename
                )
            ]
        arguments = ("--verify", "--", "-", str(staged.path.absolute()))
        answer = run(GPG, *self._options, *arguments, given=signature.content)
        signers = answer.signers()
        if signers and signers <= self._fingerprints:
            return []
        return [
            Finding(
                SIGNATURE_BAD,
                Severity.ERROR,
                f"Its signature is not a good one by a trusted key: {answer.why_not()}.",
                staged.filename,
                hint="Do not publish it before you know why.",
            )
        ]

    def _add(self, given: str) -> None:
        fingerprint = parse_fingerprint(given)
        exported = run(GPG, "--export", fingerprint).output if fingerprint else _read(Path(given))
        if not exported:
            raise ConfigError(f"gpg has no key {given}.", hint="Import it, or give the path of a key file.")
        answer = run(GPG, *self._options, "--import", given=exported)
        found = {fields[-1] for fields in answer.fields("IMPORT_OK")}
        if not found:
            raise ConfigError(f"{given} holds no key that gpg can read: {answer.said}.")
        if fingerprint and len(found) > 1:
            raise ConfigError(f"gpg has several keys for {given}.", hint="Give a full fingerprint.")
        self._fingerprints |= found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"The key file {path} cannot be read: {error.strerror}.") from error
