"""Write to standard output and standard error, whether or not anybody still reads there.

A reader that goes away in the middle, as in ``wheelrelay list ... | head``, ends the showing and nothing
else: what a relay does must not depend on who watches.
"""

import os
import sys
from contextlib import suppress
from typing import IO


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
