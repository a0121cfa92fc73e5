"""Paragraphs and tables, which a terminal shows with colors and a log shows as plain text.

On a terminal, rich draws them within its width. In a log, each paragraph and each row is one line, and rich
is not imported, because its import takes long.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

from wheelrelay.redaction import redact

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, Group, RenderResult
    from rich.text import Text

COLUMN_GAP = 2
"""Spaces between two columns."""

MIN_NAME_WIDTH = 36
"""Columns of a terminal that filenames have next to long texts, which wrap."""

MIN_WIDTH = 60
"""Columns of a terminal below which long filenames wrap as well: shortened ones would be too short."""

MAX_ROWS = 1000
"""Rows that a terminal shows of a table: more would scroll away and take long to draw."""

_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)))
"""Control characters, which could control a terminal, including one that shows a log later."""


def counted(number: int, noun: str = "file") -> str:
    """Return a number with its noun: ``1 file``, ``2 files``."""
    return f"{number} {noun}{'s' if number != 1 else ''}"


class Line:
    """A paragraph or the content of a cell; its pieces may have a style of rich, such as ``bold red``."""

    def __init__(self, text: str = "", style: str = "") -> None:
        self._pieces: list[tuple[str, str]] = []
        self.append(text, style)

    def append(self, text: str, style: str = "") -> Self:
        """Append a piece, with secrets and control characters removed."""
        self._pieces.append((redact(text).translate(_CONTROLS), style))
        return self

    @property
    def text(self) -> str:
        """The text without styles."""
        return "".join(text for text, _ in self._pieces)

    def plain(self) -> Iterator[str]:
        """Yield the lines for a log."""
        yield from self.text.split("\n")

    def __rich__(self) -> "Text":
        """Return what rich draws."""
        from rich.text import Text

        return Text.assemble(*self._pieces)


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        title: the heading.
        align_right: whether cells are aligned to the right.
        can_wrap: whether long cells may take several lines on a terminal.
        has_filenames: whether the cells are filenames, which a terminal shows shortened where it is narrow.
    """

    title: str
    align_right: bool = False
    can_wrap: bool = True
    has_filenames: bool = False


class Table:
    """A table without rules.

    Args:
        columns: from left to right.
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        self._columns = list(columns)
        self._rows: list[Sequence[Line]] = []

    def add(self, *cells: str | Line) -> None:
        """Append a row."""
        self._rows.append([cell if isinstance(cell, Line) else Line(cell) for cell in cells])

    def plain(self) -> Iterator[str]:
        """Yield the lines for a log."""
        rows = [[column.title for column in self._columns]]
        rows += [[" ".join(cell.plain()) for cell in row] for row in self._rows]
        widths = [max(map(_width, cells)) for cells in zip(*rows, strict=True)]
        for row in rows:
            padded = (
                _padded(text, width, align_right=column.align_right)
                for text, width, column in zip(row, widths, self._columns, strict=True)
            )
            yield (" " * COLUMN_GAP).join(padded).rstrip()

    def __rich_console__(self, _: "Console", options: "ConsoleOptions") -> "RenderResult":
        """Draw the table within the available width."""
        from rich.table import Table as RichTable
        from rich.text import Text

        from wheelrelay.cli.render.names import ASCII_ELLIPSIS, ELLIPSIS, shortened

        ellipsis = ASCII_ELLIPSIS if options.ascii_only else ELLIPSIS
        can_shorten = options.max_width >= MIN_WIDTH
        name_width = self._name_width(options.max_width) if can_shorten else options.max_width

        def fitting(column: Column, cell: Line) -> "Text":
            text = cell.__rich__()
            if column.has_filenames and _width(text.plain) > name_width:
                return Text(shortened(text.plain, name_width, ellipsis=ellipsis), style=text.style)
            return text

        table = RichTable(box=None, pad_edge=False, padding=(0, COLUMN_GAP, 0, 0), header_style="bold")
        for column in self._columns:
            table.add_column(
                Text(column.title),
                justify="right" if column.align_right else "left",
                no_wrap=not column.can_wrap or (column.has_filenames and can_shorten),
                overflow="fold",
            )
        for row in self._rows[:MAX_ROWS]:
            table.add_row(*map(fitting, self._columns, row))
        yield table
        if len(self._rows) > MAX_ROWS:
            hidden = len(self._rows) - MAX_ROWS
            yield Line(f"and {hidden} more; redirect the output to a file to see them", "dim").__rich__()

    def _name_width(self, width: int) -> int:
        """Return how wide filenames may be: what the other columns leave, unless these can wrap."""
        shown = self._rows[:MAX_ROWS]
        others = sum(
            max([_width(column.title), *(_width(row[number].text) for row in shown)]) + COLUMN_GAP
            for number, column in enumerate(self._columns)
            if not column.has_filenames
        )
        can_wrap = any(column.can_wrap and not column.has_filenames for column in self._columns)
        return max(width - others, min(MIN_NAME_WIDTH, width // 2) if can_wrap else 1)


class Blocks:
    """Paragraphs and tables, one below the other."""

    def __init__(self, *parts: Line | Table) -> None:
        self._parts = parts

    def plain(self) -> Iterator[str]:
        """Yield the lines for a log."""
        for part in self._parts:
            yield from part.plain()

    def __rich__(self) -> "Group":
        """Return what rich draws."""
        from rich.console import Group

        return Group(*self._parts)


def _padded(text: str, width: int, *, align_right: bool) -> str:
    spaces = " " * (width - _width(text))
    return spaces + text if align_right else text + spaces


def _width(text: str) -> int:
    """Return the number of terminal cells that a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
