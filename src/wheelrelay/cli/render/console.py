"""Standard output and standard error, protected from secrets, control characters and closed pipes.

Rich draws on a terminal, and a log gets plain text. When a reader closes the pipe, as in
``wheelrelay list ... | head``, only the output stops: a relay must not depend on who reads its output. If
a log cannot be written, for example because the disk is full, this is reported once and further output is
dropped.
"""

import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from typing import IO, TYPE_CHECKING, Any, TextIO, TypeAlias, cast

from wheelrelay.cli.render.blocks import Blocks, Line, Table
from wheelrelay.redaction import redact

if TYPE_CHECKING:
    from rich.console import Console

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


def wraps_words(output: "AnyConsole") -> bool:
    """Return whether sentences wrap at words: on a terminal, not in a log with colors (``FORCE_COLOR``)."""
    return not isinstance(output, LogConsole) and output.is_terminal and output.file.isatty()


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
