"""What people are shown: paragraphs and tables, for terminals and for logs.

On a terminal rich draws them, with colours and within its width. A log gets them as plain text, each
paragraph and each row in one line, and need not wait until rich is imported.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

from wheelrelay.redaction import redact

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

GAP = 2
"""Blanks between two columns."""

MOST = 1000
"""Rows that a terminal is shown of a table: more of them scroll away, and take long to be drawn."""

_UNSEEN = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)))
"""Control characters, which could make a terminal do anything, also one that shows a log later."""


class Line:
    """A paragraph, or the content of a cell; pieces of it may have a style, in rich's words."""

    def __init__(self, text: str = "", style: str = "") -> None:
        self._pieces: list[tuple[str, str]] = []
        self.append(text, style)

    def append(self, text: str, style: str = "") -> Self:
        """Add a piece at the end."""
        self._pieces.append((redact(text).translate(_UNSEEN), style))
        return self

    @property
    def text(self) -> str:
        """The text alone."""
        return "".join(text for text, _ in self._pieces)

    def plain(self) -> Iterator[str]:
        """The lines of a log."""
        yield from self.text.split("\n")

    def __rich__(self) -> "Text":
        """As rich draws it."""
        from rich.text import Text

        return Text.assemble(*self._pieces)


class Column(NamedTuple):
    """A column: its title, whether it stands at the right, and whether long cells may be folded."""

    title: str
    right: bool = False
    folds: bool = True


class Grid:
    """A table without lines.

    Args:
        columns: from left to right.
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        self._columns = list(columns)
        self._rows: list[Sequence[Line]] = []

    def add(self, *cells: str | Line) -> None:
        """Add a row."""
        self._rows.append([cell if isinstance(cell, Line) else Line(cell) for cell in cells])

    def plain(self) -> Iterator[str]:
        """The lines of a log."""
        rows = [[column.title for column in self._columns]]
        rows += [[" ".join(cell.plain()) for cell in row] for row in self._rows]
        widths = [max(map(_width, cells)) for cells in zip(*rows, strict=True)]
        for row in rows:
            padded = (
                _padded(text, width, right=column.right)
                for text, width, column in zip(row, widths, self._columns, strict=True)
            )
            yield (" " * GAP).join(padded).rstrip()

    def __rich__(self) -> "Table":
        """As rich draws it."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
        for column in self._columns:
            table.add_column(
                Text(column.title),
                justify="right" if column.right else "left",
                no_wrap=not column.folds,
                overflow="fold",
            )
        for row in self._rows[:MOST]:
            table.add_row(*row)
        if len(self._rows) > MOST:
            table.add_row(Line(f"and {len(self._rows) - MOST} more, as a file or a pipe gets them", "dim"))
        return table


class Sheet:
    """Paragraphs and tables, one below the other."""

    def __init__(self, *parts: Line | Grid) -> None:
        self._parts = parts

    def plain(self) -> Iterator[str]:
        """The lines of a log."""
        for part in self._parts:
            yield from part.plain()

    def __rich__(self) -> "Group":
        """As rich draws it."""
        from rich.console import Group

        return Group(*self._parts)


def _padded(text: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - _width(text))
    return blanks + text if right else text + blanks


def _width(text: str) -> int:
    """The cells of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
