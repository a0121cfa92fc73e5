"""Run gpg and parse its status lines.

The status lines are read from a separate file. The output for people is never parsed, because it repeats
parts of the signature, which an attacker controls. Command lines contain no secrets: the agent of gpg prompts
for passphrases.
"""

import os
import subprocess
import sys
from contextlib import suppress

from wheelrelay.disk.folders import temporary_folder
from wheelrelay.errors import ConfigError
from wheelrelay.lazy_dataclass import dataclass

GPG = "gpg"

TIMEOUT = 600.0
"""Seconds for one call: a person may have to type a passphrase, and files may be large."""

REFUSING_STATUSES = (
    "BADSIG",
    "ERRSIG",
    "EXPSIG",
    "EXPKEYSIG",
    "REVKEYSIG",
    "NO_PUBKEY",
    "NODATA",
    "UNEXPECTED",
    "BADARMOR",
    "ERROR",
    "FAILURE",
)
"""Status lines, any of which means that a signature is invalid or unusable (GnuPG, doc/DETAILS)."""

_STATUS = b"[GNUPG:] "
_MAX_MESSAGE = 300
_CLASS, _PRIMARY = 8, 9
"""Positions of the signature class and the primary key's fingerprint in a VALIDSIG line."""
_BINARY_SIGNATURE = "00"
"""The class of signatures of binary documents (RFC 9580, section 5.2.1)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one call.

    Attributes:
        code: The exit code.
        output: The standard output.
        status: The status lines, keyword first.
        message: The last line of the output for people, only for error messages.
    """

    code: int
    output: bytes
    status: tuple[str, ...]
    message: str

    def has(self, *keywords: str) -> bool:
        """Return whether a status line begins with one of the keywords."""
        return any(line.partition(" ")[0] in keywords for line in self.status)

    def fields(self, keyword: str) -> list[list[str]]:
        """Return the words after ``keyword`` on each of its status lines."""
        words = (line.split(" ") for line in self.status)
        return [rest for first, *rest in words if first == keyword]

    def signers(self) -> frozenset[str]:
        """Return the fingerprints of the primary keys of all signatures.

        The result is empty if any signature is invalid or is not of a binary document.
        """
        valid = [fields for fields in self.fields("VALIDSIG") if len(fields) > _PRIMARY]
        if self.code != 0 or self.has(*REFUSING_STATUSES) or len(valid) != len(self.fields("GOODSIG")):
            return frozenset()
        if self.is_of_text():
            return frozenset()
        return frozenset(fields[_PRIMARY] for fields in valid)

    def is_of_text(self) -> bool:
        """Return whether a signature is of a text document, which ignores differences in line ends."""
        return any(fields[_CLASS : _CLASS + 1] != [_BINARY_SIGNATURE] for fields in self.fields("VALIDSIG"))

    def reason(self) -> str:
        """Return why the signatures were not accepted, for messages."""
        if self.is_of_text():
            return "it was created with --textmode, which ignores line ends"
        if signers := self.signers():
            return f"it was created by {', '.join(sorted(signers))}"
        return self.message or f"exit code {self.code}"


def run(program: str, *arguments: str, stdin: bytes = b"") -> Answer:
    """Run gpg in batch mode; its agent may prompt for a passphrase.

    Args:
        program: gpg, or the path of a program with the same interface.
        arguments: The command and its options.
        stdin: The standard input.

    Raises:
        ConfigError: The program cannot be run, or does not end in time.
    """
    with temporary_folder("gpg") as folder:
        status = folder / "status"
        command = [program, "--batch", "--status-file", str(status), *arguments]
        done = _call(command, stdin)
        text = status.read_bytes() if status.exists() else b""
    lines = [line.removesuffix(b"\r") for line in text.split(b"\n") if line.startswith(_STATUS)]
    return Answer(
        done.returncode,
        done.stdout,
        tuple(line.removeprefix(_STATUS).decode("utf-8", "replace") for line in lines),
        _last_line(done.stderr),
    )


def _call(command: list[str], stdin: bytes) -> "subprocess.CompletedProcess[bytes]":
    program = command[0]
    try:
        return subprocess.run(  # noqa: S603  (gpg, or the program of the user)
            command, input=stdin, capture_output=True, env=_environment(), timeout=TIMEOUT, check=False
        )
    except OSError as error:
        raise ConfigError(
            f"{program!r} cannot be run: {error.strerror}.",
            hint="Install GnuPG, or choose another program with `Signer(program=...)`.",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ConfigError(
            f"{program!r} did not end within {TIMEOUT:.0f} s.",
            hint="Check whether it waits for a passphrase.",
        ) from error


def _environment() -> dict[str, str]:
    """Return the environment of gpg: messages in English, and the terminal for passphrase prompts."""
    environment = {**os.environ, "LC_ALL": "C"}
    if sys.platform != "win32":
        with suppress(OSError):  # there is no terminal
            environment.setdefault("GPG_TTY", os.ttyname(0))
    return environment


def _last_line(printed: bytes) -> str:
    """Return the last line of an output, printable and truncated."""
    lines = [line.decode("utf-8", "replace").strip() for line in printed.split(b"\n")]
    last = next((line for line in reversed(lines) if line), "")
    plain = "".join(character if character.isprintable() else "?" for character in last)
    return plain.removeprefix("gpg: ")[:_MAX_MESSAGE].rstrip(".")
