"""Files for people, as a table that fits the terminal, and what all tables share."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from wheelrelay.model import DistFile
from wheelrelay.report.words import counted
from wheelrelay.select import releases_of


def files_table(files: Sequence[DistFile]) -> RenderableType:
    """Files by release, with what the remote says of them."""
    table = bare_table()
    table.add_column("file", overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("sha256", no_wrap=True)
    table.add_column("", no_wrap=True)
    for release in releases_of(files):
        for file in sorted(release.files, key=lambda file: file.filename):
            note = "yanked" if file.yanked is not None else ", ".join(file.companions)
            table.add_row(escape(file.filename), size_text(file.size), _short(file.sha256), escape(note))
    releases = counted(len(releases_of(files)), "release")
    return Group(table, Text(f"{counted(len(files))} in {releases}."))


def bare_table() -> Table:
    """A table without lines."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")


def size_text(size: int | None) -> str:
    """A size in the units that people read; empty if it is not known."""
    return "" if size is None else decimal(size)


def _short(sha256: str | None) -> str:
    return f"{sha256[:12]}..." if sha256 else "not given"
