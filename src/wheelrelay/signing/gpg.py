"""Run gpg and read what it says: the one place that knows its command line and its status lines.

Nothing secret is on a command line: gpg asks for a passphrase by itself, through its agent.
"""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from wheelrelay.errors import ConfigError

GPG = "gpg"

PATIENCE = 600.0
"""Seconds that one call may take: somebody may have to type a passphrase, and files may be large."""

_STATUS = "[GNUPG:] "
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one call.

    Attributes:
        code: the exit code.
        output: what was printed.
        status: the status lines, keyword first; the same in all languages.
        said: what was told to people, the last line of it.
    """

    code: int
    output: bytes
    status: tuple[str, ...]
    said: str

    def has(self, *keywords: str) -> bool:
        """Whether a status line begins with one of the keywords."""
        return any(line.partition(" ")[0] in keywords for line in self.status)


def run(program: str, *arguments: str, given: bytes = b"") -> Answer:
    """Call gpg, which asks nothing by itself; its agent may ask for a passphrase.

    Args:
        program: gpg, or the path of another program that is called like it.
        arguments: its command with options.
        given: what it reads from standard input.

    Raises:
        ConfigError: the program cannot be run, or does not come to its end.
    """
    command = [program, "--batch", "--status-fd", "2", *arguments]
    try:
        done = subprocess.run(  # noqa: S603  (gpg, or what the user named)
            command, input=given, capture_output=True, env=_surroundings(), timeout=PATIENCE, check=False
        )
    except OSError as error:
        raise ConfigError(
            f"{program!r} cannot be run: {error.strerror}.",
            hint="Signatures need GnuPG: install it. `wheelrelay` takes another program with --sign-with.",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ConfigError(
            f"{program!r} took over {PATIENCE:.0f} s.", hint="Perhaps it waits for a passphrase somewhere."
        ) from error
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    status = tuple(line.removeprefix(_STATUS) for line in lines if line.startswith(_STATUS))
    words = [line for line in lines if not line.startswith(_STATUS)]
    return Answer(done.returncode, done.stdout, status, _fit_to_repeat(words[-1]) if words else "")


def _surroundings() -> dict[str, str]:
    """The environment for gpg: its words in English, and where its agent can ask for a passphrase."""
    around = {**os.environ, "LC_ALL": "C"}
    with suppress(OSError, AttributeError):  # no terminal, or a system that has no names for them
        around.setdefault("GPG_TTY", os.ttyname(0))
    return around


def _fit_to_repeat(line: str) -> str:
    plain = "".join(character if character.isprintable() else "?" for character in line)
    return plain.removeprefix("gpg: ")[:_LONGEST].rstrip(".")
