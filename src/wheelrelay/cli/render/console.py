"""All that people are shown goes through here: to a terminal drawn by rich, to a log as plain text.

A log that cannot be written, as on a disk that is full, is said to be so once, and ends the showing alone.
"""

import logging
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wheelrelay.cli.render.sheet import Grid, Line, Sheet
from wheelrelay.cli.render.streams import give_up, put

if TYPE_CHECKING:
    from rich.console import Console

LOG_WIDTH = 240
"""Columns where no terminal sets them: a log has no right margin, and filenames are long."""

_LIKE_A_TERMINAL = ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
"""Variables by which a log can be given what a terminal has."""

_log = logging.getLogger(__name__)

_chosen: dict[str, Any] = {}
"""What was chosen of colours, in the words of `rich.console.Console`."""

_CHOICES: Mapping[str, Mapping[str, Any]] = {
    "auto": {},
    "always": {"no_color": False, "color_system": "standard"},
    "never": {"no_color": True},
}


class LogConsole:
    """Standard output or standard error where it is no terminal.

    Args:
        stderr: which of them.

    Attributes:
        quiet: whether nothing is shown any more, since the reader has gone away.
    """

    is_terminal = False
    width = LOG_WIDTH

    def __init__(self, *, stderr: bool) -> None:
        self._stderr = stderr
        self.quiet = False

    def print(self, what: Any, **options: Any) -> None:
        """Show text as it is, or what is drawn.

        Args:
            what: a text, or a part of a sheet, or anything that rich can draw.
            options: as `rich.console.Console.print` has them; they count for what only rich can draw.
        """
        if self.quiet:
            return
        if isinstance(what, str):
            what = Line(what)
        if isinstance(what, Line | Grid | Sheet):
            self._write("".join(f"{line}\n" for line in what.plain()))
        else:
            _drawn(stderr=self._stderr, width=self.width).print(what, **options)

    def _write(self, text: str) -> None:
        stream = sys.stderr if self._stderr else sys.stdout
        try:
            self.quiet = not put(stream, text)
        except OSError as error:
            if not self._stderr:  # whoever asked for a result has to learn that it is lost
                raise
            self.quiet = True
            assert stream is not None
            give_up(stream)
            _log.warning("What is shown cannot be written: %s.", error.strerror)


def choose_color(choice: str) -> None:
    """Colour what is shown from now on: ``always``, ``never``, or as the surroundings have it (``auto``)."""
    _chosen.clear()
    _chosen.update(_CHOICES[choice])


def console(*, stderr: bool = False) -> "Console | LogConsole":
    """Standard output, or standard error, as it is now.

    Colour and width follow the terminal, and the variables ``NO_COLOR`` and ``COLUMNS``, unless colour was
    chosen.
    """
    stream = sys.stderr if stderr else sys.stdout
    asked = _chosen.get("color_system") or any(name in os.environ for name in _LIKE_A_TERMINAL)
    if not (asked or (stream and stream.isatty())):
        return LogConsole(stderr=stderr)
    made = _drawn(stderr=stderr)
    return made if made.is_terminal or "COLUMNS" in os.environ else _drawn(stderr=stderr, width=LOG_WIDTH)


def _drawn(**options: Any) -> "Console":
    from wheelrelay.cli.render.terminal import PatientConsole

    return PatientConsole(highlight=False, **options, **_chosen)
