"""The consoles that everything is shown on."""

import os

from rich.console import Console

LOG_WIDTH = 160
"""Columns where no terminal sets them: a log has no right margin, and filenames are long."""


def console(*, stderr: bool = False) -> Console:
    """Standard output, or standard error, as it is now.

    Colour and width follow the terminal, and the variables ``NO_COLOR`` and ``COLUMNS``.
    """
    made = Console(stderr=stderr, highlight=False)
    if made.is_terminal or "COLUMNS" in os.environ:
        return made
    return Console(stderr=stderr, highlight=False, width=LOG_WIDTH)
