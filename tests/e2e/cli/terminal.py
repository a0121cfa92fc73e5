"""Programs on a terminal: what is typed there, and what they show."""

import os
import pty
import select
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30.0
"""Seconds to wait for what a program is to show."""


class Terminal:
    """A terminal with a program on it."""

    def __init__(self, file: int) -> None:
        self._file = file

    def type(self, keys: str, *, until: str) -> str:
        """Type keys and give what is shown from then on, up to something that is waited for."""
        os.write(self._file, keys.encode())
        shown, deadline = "", time.monotonic() + PATIENCE
        while until not in shown and time.monotonic() < deadline:
            if select.select([self._file], [], [], 0.2)[0]:
                shown += self._read()
        return shown

    def _read(self) -> str:
        try:
            return os.read(self._file, 4096).decode(errors="replace").replace("\r", "")
        except OSError:  # the program has ended
            return ""


@contextmanager
def on_terminal(command: Sequence[str], folder: Path) -> Iterator[Terminal]:
    """Run a program in ``folder`` on a terminal of its own, to its end or to that of the context."""
    child, file = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execvp(command[0], list(command))
    try:
        yield Terminal(file)
    finally:
        os.close(file)
        os.waitpid(child, 0)
