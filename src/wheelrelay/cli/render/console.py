"""Consoles: rich draws on a terminal, and a log gets plain text.

If a log cannot be written, for example because the disk is full, this is reported once and further output is
dropped.
"""

import logging
import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from wheelrelay.cli.render.blocks import Blocks, Line, Table
from wheelrelay.cli.render.streams import discard_output, write_flushed

if TYPE_CHECKING:
    from rich.console import Console

LOG_WIDTH = 240
"""The width in columns where no terminal sets one: a log has no margin, and filenames are long."""

_TERMINAL_VARIABLES = ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
"""Environment variables that request the output of a terminal for a log."""

_COLOR_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "auto": {},
    "always": {"no_color": False, "color_system": "standard"},
    "never": {"no_color": True},
}

_log = logging.getLogger(__name__)

_color_options: dict[str, Any] = {}
"""The chosen color options, as arguments of `rich.console.Console`."""


class LogConsole:
    """Standard output or standard error if it is not a terminal.

    Args:
        stderr: whether to write to standard error.

    Attributes:
        quiet: whether output is dropped, because the reader has closed the pipe.
    """

    is_terminal = False
    width = LOG_WIDTH

    def __init__(self, *, stderr: bool) -> None:
        self._stderr = stderr
        self.quiet = False

    def print(self, content: Any, **options: Any) -> None:
        """Print text, blocks, or anything that rich can draw.

        Args:
            content: what to print.
            options: options of `rich.console.Console.print`; they apply only to what rich draws.
        """
        if self.quiet:
            return
        if isinstance(content, str):
            content = Line(content)
        if isinstance(content, Line | Table | Blocks):
            self._write("".join(f"{line}\n" for line in content.plain()))
        else:
            _rich_console(stderr=self._stderr, width=self.width).print(content, **options)

    def _write(self, text: str) -> None:
        stream = sys.stderr if self._stderr else sys.stdout
        try:
            self.quiet = not write_flushed(stream, text)
        except OSError as error:
            if not self._stderr:  # losing the result is an error; losing progress output is not
                raise
            self.quiet = True
            assert stream is not None
            discard_output(stream)
            _log.warning("Cannot write to standard error: %s.", error.strerror)


AnyConsole: TypeAlias = "Console | LogConsole"


def choose_color(choice: str) -> None:
    """Set whether output has colors: ``always``, ``never``, or depending on the terminal (``auto``)."""
    _color_options.clear()
    _color_options.update(_COLOR_OPTIONS[choice])


def console(*, stderr: bool = False) -> "AnyConsole":
    """Return a console for standard output or standard error.

    Colors and width follow the terminal, the variables ``NO_COLOR`` and ``COLUMNS``, and `choose_color`.
    """
    stream = sys.stderr if stderr else sys.stdout
    needs_rich = _color_options.get("color_system") or any(name in os.environ for name in _TERMINAL_VARIABLES)
    if not (needs_rich or (stream and stream.isatty())):
        return LogConsole(stderr=stderr)
    rich_console = _rich_console(stderr=stderr)
    if rich_console.is_terminal or "COLUMNS" in os.environ:
        return rich_console
    return _rich_console(stderr=stderr, width=LOG_WIDTH)


def _rich_console(**options: Any) -> "Console":
    return _console_class()(highlight=False, **options, **_color_options)


@cache
def _console_class() -> "type[Console]":
    """Return a class of consoles; it is defined here because importing rich takes long."""
    from rich.console import Console

    class PipeSafeConsole(Console):
        """A console that drops further output after the reader has closed the pipe."""

        def on_broken_pipe(self) -> None:
            """Drop further output."""
            self.quiet = True
            discard_output(self.file)

    return PipeSafeConsole
