"""Escape output so that a CI system does not read it as a command: filenames and messages are untrusted.

- GitHub reads a line that begins with ``::`` as a command and, in old versions, ``##[`` anywhere.
- Azure reads ``##vso[`` anywhere, and ``##[`` at the beginning of a line.
- GitLab reads ``section_start:`` and ``section_end:`` with a time.
"""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

_COMMANDS = re.compile(
    r"(?P<colon>(?:^|(?<=[\n\r]))[^\S\n\r]*:)(?=:)|(?P<sharp>#)(?=#(?:vso)?\[)|(?P<section>section_(?:start|end):)(?=\d)"
)


def escape_commands(text: str) -> str:
    """Return the text with a space inserted into everything that a CI system would read as a command.

    >>> escape_commands("::error::all is lost")
    ': :error::all is lost'
    """
    return _COMMANDS.sub(r"\g<0> ", text)


class EscapedStream:
    """A text stream that escapes commands in everything that is written to it.

    Args:
        stream: the stream to write to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text; the beginning of each piece counts as the beginning of a line."""
        self._stream.write(escape_commands(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # writing to it would bypass the escaping
            raise AttributeError(name)
        return getattr(self._stream, name)


@contextmanager
def escaped_streams() -> Iterator[Callable[[str], None]]:
    """Escape standard output and standard error; yield a function that writes our own commands unescaped."""
    stdout, stderr = sys.stdout, sys.stderr

    def write_command(command: str) -> None:
        with suppress(BrokenPipeError):  # the reader of the log has exited
            stderr.write(command)
            stderr.flush()

    sys.stdout, sys.stderr = cast("TextIO", EscapedStream(stdout)), cast("TextIO", EscapedStream(stderr))
    try:
        yield write_command
    finally:
        sys.stdout, sys.stderr = stdout, stderr
