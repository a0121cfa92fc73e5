"""Write to standard output and standard error, whether or not anybody still reads there.

A reader that goes away in the middle, as in ``wheelrelay list ... | head``, ends the showing and nothing
else: what a relay does must not depend on who watches.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import IO, Any, TextIO, cast

from wheelrelay.redaction import redact

_STEERING = re.compile("[\x80-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""C1, line separators, and what turns the direction of text, so that a name looks like another one."""


class ResultLost(OSError):
    """Standard output cannot be written, as on a disk that is full."""


class BorderStream:
    r"""A standard stream that lets neither secrets nor characters that steer a terminal through.

    Terminals take those of C1 (U+0080 to U+009F) for the beginnings of commands, and turn what follows some
    others. They are written as in ``\u009b``, which is right within JSON too.

    Args:
        stream: where it goes.
        watched: whether what cannot be written is `ResultLost`, as for standard output, whose errors are to
            be told from those of other files.
    """

    def __init__(self, stream: TextIO, *, watched: bool = False) -> None:
        self._stream = stream
        self._apart = _told_apart if watched else nullcontext

    def write(self, text: str | bytes) -> int:
        """Write text; a secret is recognised within one piece.

        click writes what shells complete as bytes. Empty ones are its question whether this is a stream of
        bytes, which it is not.
        """
        if isinstance(text, bytes):
            if not text:
                raise TypeError("this is a stream of text")
            text = text.decode("utf-8", "replace")
        shown = redact(text)
        if not shown.isascii():
            shown = _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)
        with self._apart():
            self._stream.write(shown)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Let it be seen."""
        with self._apart():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # who asks for it would write past this
            raise AttributeError(name)
        return getattr(self._stream, name)


@contextmanager
def bordered_streams() -> Iterator[None]:
    """Within the context, standard output and standard error are `BorderStream`.

    What cannot be written to standard output is `ResultLost`, whoever writes.
    """
    out, err = before = sys.stdout, sys.stderr  # each may be closed before this program begins
    sys.stdout = out and cast("TextIO", BorderStream(out, watched=True))
    sys.stderr = err and cast("TextIO", BorderStream(err))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def _told_apart() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # the reader went away, which is its own affair
        raise
    except OSError as error:
        raise ResultLost(error.errno, error.strerror) from error


def write(text: str) -> None:
    """Write text to standard output as it is.

    Raises:
        OSError: it cannot be written, as to a disk that is full.
    """
    put(sys.stdout, text)


def put(stream: IO[str] | None, text: str) -> bool:
    """Write text to a stream at once; whether somebody is there to read it.

    Raises:
        OSError: it cannot be written, as to a disk that is full.
    """
    if stream is None:  # closed before this program began
        return False
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        give_up(stream)
        return False
    return True


def give_up(stream: IO[str]) -> None:
    """Let what is still written to a stream go nowhere, so that closing it raises nothing either."""
    with suppress(OSError):  # a stream within this process has no number, and nobody who goes away
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
