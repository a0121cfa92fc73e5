"""What the terminal itself does with keys: echo Ctrl-C, and keep what was typed before a question."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO


@contextmanager
def interrupts_not_echoed(stream: IO[str]) -> Iterator[None]:
    """Keep the terminal from showing ``^C`` within the context, which would move what is drawn there.

    Args:
        stream: A stream of the terminal; nothing changes if it is something else, or on Windows.
    """
    if sys.platform == "win32" or not _is_terminal(stream):
        yield
        return
    import termios

    terminal = stream.fileno()
    attributes = termios.tcgetattr(terminal)
    quiet = list(attributes)
    quiet[3] &= ~termios.ECHOCTL
    termios.tcsetattr(terminal, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        with suppress(termios.error, OSError):  # the terminal may be closed
            termios.tcsetattr(terminal, termios.TCSANOW, attributes)


def discard_typed_keys() -> None:
    """Drop what was typed before, so that it does not answer a question that comes now."""
    if sys.platform == "win32":
        import msvcrt

        while msvcrt.kbhit():
            msvcrt.getwch()
        return
    import termios

    with suppress(termios.error, OSError, ValueError):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def _is_terminal(stream: IO[str]) -> bool:
    try:
        return os.isatty(stream.fileno())
    except (OSError, ValueError):  # it is in memory
        return False
