"""Everything that is shown goes through here: the consoles, and what is written for programs to read.

A reader that goes away in the middle, as in ``wheelrelay list ... | head``, ends the showing and nothing
else: what a relay does must not depend on who watches.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any

from rich.console import Console

LOG_WIDTH = 240
"""Columns where no terminal sets them: a log has no right margin, and filenames are long."""


class PatientConsole(Console):
    """A console that falls silent when its reader has gone away."""

    def on_broken_pipe(self) -> None:
        """Show nothing any more."""
        self.quiet = True
        _give_up(self.file)


_chosen: dict[str, Any] = {}
"""What was chosen of colours, in the words of `rich.console.Console`."""


_CHOICES: Mapping[str, Mapping[str, Any]] = {
    "auto": {},
    "always": {"no_color": False, "color_system": "standard"},
    "never": {"no_color": True},
}


def choose_color(choice: str) -> None:
    """Colour what is shown from now on: ``always``, ``never``, or as the surroundings have it (``auto``)."""
    _chosen.clear()
    _chosen.update(_CHOICES[choice])


def console(*, stderr: bool = False) -> Console:
    """Standard output, or standard error, as it is now.

    Colour and width follow the terminal, and the variables ``NO_COLOR`` and ``COLUMNS``, unless colour was
    chosen.
    """
    made = PatientConsole(stderr=stderr, highlight=False, **_chosen)
    if made.is_terminal or "COLUMNS" in os.environ:
        return made
    return PatientConsole(stderr=stderr, highlight=False, width=LOG_WIDTH, **_chosen)


def write(text: str) -> None:
    """Write text to standard output as it is."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up(sys.stdout)


def _give_up(stream: IO[str]) -> None:
    """Let what is still written to a stream go nowhere, so that closing it raises nothing either."""
    with suppress(OSError):  # a stream within this process has no number, and nobody who goes away
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
