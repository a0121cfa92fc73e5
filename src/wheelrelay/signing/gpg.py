"""Run gpg and read what it says: the one place that knows its command line and its status lines.

Status lines come in a file of their own. What gpg prints for people is never parsed: gpg repeats parts of the
signature there, which anybody can write.

Nothing secret is on a command line: gpg asks for a passphrase by itself, through its agent.
"""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from wheelrelay.disk.folders import temporary_folder
from wheelrelay.errors import ConfigError

GPG = "gpg"

PATIENCE = 600.0
"""Seconds that one call may take: somebody may have to type a passphrase, and files may be large."""

REFUSING = (
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
"""Status lines of which one is enough: not all that was given is good signatures (GnuPG, doc/DETAILS)."""

_STATUS = b"[GNUPG:] "
_LONGEST = 300
_CLASS, _PRIMARY = 8, 9
"""Where a VALIDSIG line has the signature's class and the fingerprint of the primary key."""
_OF_BYTES = "00"
"""The class of signatures of bytes as they are (RFC 9580, section 5.2.1)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one call.

    Attributes:
        code: the exit code.
        output: what was printed.
        status: the status lines, keyword first; the same in all languages.
        said: what was told to people, the last line of it; good for error messages and for nothing else.
    """

    code: int
    output: bytes
    status: tuple[str, ...]
    said: str

    def has(self, *keywords: str) -> bool:
        """Whether a status line begins with one of the keywords."""
        return any(line.partition(" ")[0] in keywords for line in self.status)

    def fields(self, keyword: str) -> list[list[str]]:
        """The words after ``keyword`` on each of its status lines."""
        words = (line.split(" ") for line in self.status)
        return [rest for first, *rest in words if first == keyword]

    def signers(self) -> frozenset[str]:
        """The fingerprints of the primary keys that have made the signatures; empty unless all are good.

        One signature that is not good, or is not one of the bytes as they are, is enough for an empty set.
        """
        valid = [fields for fields in self.fields("VALIDSIG") if len(fields) > _PRIMARY]
        if self.code != 0 or self.has(*REFUSING) or len(valid) != len(self.fields("GOODSIG")):
            return frozenset()
        if self.of_text():
            return frozenset()
        return frozenset(fields[_PRIMARY] for fields in valid)

    def of_text(self) -> bool:
        """Whether a signature is one of a text, in which other line ends are no change."""
        return any(fields[_CLASS : _CLASS + 1] != [_OF_BYTES] for fields in self.fields("VALIDSIG"))

    def why_not(self) -> str:
        """Why the signatures are not what is wanted, for people."""
        if self.of_text():
            return "it was made with --textmode and does not tell line ends apart"
        if signers := self.signers():
            return f"it was made by {', '.join(sorted(signers))}"
        return self.said or f"exit code {self.code}"


def run(program: str, *arguments: str, given: bytes = b"") -> Answer:
    """Call gpg, which asks nothing by itself; its agent may ask for a passphrase.

    Args:
        program: gpg, or the path of another program that is called like it.
        arguments: its command with options.
        given: what it reads from standard input.

    Raises:
        ConfigError: the program cannot be run, or does not come to its end.
    """
    with temporary_folder("gpg") as folder:
        status = folder / "status"
        command = [program, "--batch", "--status-file", str(status), *arguments]
        done = _called(command, given)
        told = status.read_bytes() if status.exists() else b""
    lines = [line.removesuffix(b"\r") for line in told.split(b"\n") if line.startswith(_STATUS)]
    return Answer(
        done.returncode,
        done.stdout,
        tuple(line.removeprefix(_STATUS).decode("utf-8", "replace") for line in lines),
        _last_line(done.stderr),
    )


def _called(command: list[str], given: bytes) -> "subprocess.CompletedProcess[bytes]":
    program = command[0]
    try:
        return subprocess.run(  # noqa: S603  (gpg, or what the user named)
            command, input=given, capture_output=True, env=_surroundings(), timeout=PATIENCE, check=False
        )
    except OSError as error:
        raise ConfigError(
            f"{program!r} cannot be run: {error.strerror}.",
            hint="Install GnuPG, or choose another program with `Signer(program=...)`.",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ConfigError(
            f"{program!r} took over {PATIENCE:.0f} s.", hint="Perhaps it waits for a passphrase somewhere."
        ) from error


def _surroundings() -> dict[str, str]:
    """The environment for gpg: its words in English, and where its agent can ask for a passphrase."""
    around = {**os.environ, "LC_ALL": "C"}
    with suppress(OSError, AttributeError):  # no terminal, or a system that has no names for them
        around.setdefault("GPG_TTY", os.ttyname(0))
    return around


def _last_line(printed: bytes) -> str:
    """The last line that was printed for people, fit to be repeated."""
    lines = [line.decode("utf-8", "replace").strip() for line in printed.split(b"\n")]
    last = next((line for line in reversed(lines) if line), "")
    plain = "".join(character if character.isprintable() else "?" for character in last)
    return plain.removeprefix("gpg: ")[:_LONGEST].rstrip(".")
