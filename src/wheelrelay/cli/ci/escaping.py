"""Keep what is merely shown from being taken for a command: filenames and messages come from outside.

- GitHub takes a line that begins with ``::`` for a command and, as it once did, ``##[`` anywhere.
- Azure takes ``##vso[`` anywhere, and ``##[`` at the beginning of a line.
- GitLab takes ``section_start:`` and ``section_end:`` with a time.
"""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

_COMMANDS = re.compile(
    r"(?P<colon>(?:^|(?<=[\n\r]))[^\S\n\r]*:)(?=:)|(?P<sharp>#)(?=#(?:vso)?\[)|(?P<section>section_(?:start|end):)(?=\d)"
)


def disarmed(text: str) -> str:
    """The text with a space in everything that a CI system would take for a command.

    >>> disarmed("::error::all is lost")
    ': :error::all is lost'
    """
    return _COMMANDS.sub(r"\g<0> ", text)


class GuardedStream:
    """A text stream that writes what it is given without commands.

    Args:
        stream: where it goes.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text; the beginning of each piece counts as that of a line."""
        self._stream.write(disarmed(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # who asks for it would write past this
            raise AttributeError(name)
        return getattr(self._stream, name)


@contextmanager
def guarded_streams() -> Iterator[Callable[[str], None]]:
    """Guard standard output and standard error; gives what writes our own commands to the latter."""
    out, err = sys.stdout, sys.stderr

    def say(commands: str) -> None:
        with suppress(BrokenPipeError):  # nobody reads the log any more
            err.write(commands)
            err.flush()

    sys.stdout, sys.stderr = cast("TextIO", GuardedStream(out)), cast("TextIO", GuardedStream(err))
    try:
        yield say
    finally:
        sys.stdout, sys.stderr = out, err
