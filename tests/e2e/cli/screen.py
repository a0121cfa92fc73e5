"""A program on a terminal of some width, and what its screen shows."""

import fcntl
import os
import pty
import select
import struct
import termios
import time
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import pyte

PATIENCE = 60.0
"""Seconds to wait for what a program is to show."""

ROWS = 70


class Screen:
    """The screen of a terminal with a program on it.

    Attributes:
        code: the exit code of the program, once it has ended.
    """

    def __init__(self, process, file, columns):
        self.code = None
        self._process = process
        self._file = file
        self._screen = pyte.Screen(columns, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self):
        """The lines that are shown, without the empty ones at the end."""
        self._read(0)
        lines = [line.rstrip() for line in self._screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def text(self):
        """All that is shown."""
        return "\n".join(self.lines)

    def press(self, keys):
        """Press keys; ``\\x03`` is Ctrl-C."""
        os.write(self._file, keys.encode())

    def wait_for(self, text):
        """Wait until the screen shows a text."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.text:
            assert time.monotonic() < deadline, f"Not shown: {text}\n{self.text}"
            assert self._read(0.2) or self.code is None, f"Ended without: {text}\n{self.text}"
        return self.text

    def wait_for_end(self):
        """Wait until the program ends, and return its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read(0.2) or self.code is None:
            assert time.monotonic() < deadline, self.text
        return self.code

    def _read(self, seconds):
        """Read what the program wrote; return whether it wrote anything."""
        if self.code is not None or not select.select([self._file], [], [], seconds)[0]:
            return False
        try:
            output = os.read(self._file, 1 << 16)
        except OSError:  # the program has ended
            output = b""
        if not output:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
            return False
        self._stream.feed(output)
        return True

    def close(self):
        """End the program if it still runs."""
        os.close(self._file)
        if self.code is None:
            os.waitpid(self._process, 0)


@contextmanager
def on_screen(command: Sequence[object], folder: Path, *, columns: int = 80):
    """Run a program in ``folder`` on a terminal of this width; its end, or that of the context, closes it."""
    process, file = pty.fork()
    if process == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        os.chdir(folder)
        os.execvp(str(command[0]), [str(word) for word in command])
    screen = Screen(process, file, columns)
    try:
        yield screen
    finally:
        screen.close()
