"""Standard output and standard error: protected from secrets and control characters, and from closed pipes.

When a reader closes the pipe, as in ``wheelrelay list ... | head``, only the output stops: a relay must not
depend on who reads its output.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import IO, Any, TextIO, cast

from wheelrelay.redaction import redact

_DANGEROUS = re.compile("[\x80-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""C1 control characters, line separators, and characters that reverse text to make a name look different."""


class OutputLost(OSError):
    """Standard output cannot be written, for example because the disk is full."""


class ProtectedStream:
    r"""A standard stream that masks secrets and escapes characters that control a terminal.

    Terminals interpret C1 characters (U+0080 to U+009F) as the beginning of commands, and some other
    characters reverse the text after them. They are escaped as in ``\u009b``, which is valid in JSON as well.

    Args:
        stream: the stream to write to.
        is_output: whether failures raise `OutputLost`, which distinguishes them from those of other files.
    """

    def __init__(self, stream: TextIO, *, is_output: bool = False) -> None:
        self._stream = stream
        self._errors = _as_output_lost if is_output else nullcontext

    def write(self, text: str | bytes) -> int:
        """Write text; a secret is masked only if one piece has all of it.

        click writes shell completions as bytes. It also writes empty bytes to find out whether a stream is
        binary, which this one is not.
        """
        if isinstance(text, bytes):
            if not text:
                raise TypeError("this is a text stream")
            text = text.decode("utf-8", "replace")
        safe = redact(text)
        if not safe.isascii():
            safe = _DANGEROUS.sub(lambda match: f"\\u{ord(match[0]):04x}", safe)
        with self._errors():
            self._stream.write(safe)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several pieces of text."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush the stream."""
        with self._errors():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # writing to it would bypass the protection
            raise AttributeError(name)
        return getattr(self._stream, name)


@contextmanager
def protected_streams() -> Iterator[None]:
    """Replace standard output and standard error by `ProtectedStream` within the context.

    A failure to write to standard output raises `OutputLost`.
    """
    stdout, stderr = originals = sys.stdout, sys.stderr  # ``None`` if closed before this program started
    sys.stdout = stdout and cast("TextIO", ProtectedStream(stdout, is_output=True))
    sys.stderr = stderr and cast("TextIO", ProtectedStream(stderr))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = originals


@contextmanager
def _as_output_lost() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # the reader has closed the pipe, which is not an error
        raise
    except OSError as error:
        raise OutputLost(error.errno, error.strerror) from error


def write_output(text: str) -> None:
    """Write text to standard output.

    Raises:
        OSError: It cannot be written, for example because the disk is full.
    """
    write_flushed(sys.stdout, text)


def write_flushed(stream: IO[str] | None, text: str) -> bool:
    """Write text to a stream and flush it; return whether the stream is still open at its other end.

    Raises:
        OSError: It cannot be written, for example because the disk is full.
    """
    if stream is None:  # closed before this program started
        return False
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        discard_output(stream)
        return False
    return True


def discard_output(stream: IO[str]) -> None:
    """Discard everything that is still written to a stream, so that closing it does not raise either."""
    with suppress(OSError):  # a stream in memory has no file descriptor
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, stream.fileno())
        os.close(devnull)
