"""Files for people, as a table."""

from collections.abc import Sequence

from rich.filesize import decimal

from wheelrelay.cli.render.sheet import Column, Grid, Line, Sheet
from wheelrelay.cli.render.wording import counted
from wheelrelay.model import DistFile
from wheelrelay.select import releases_of

SIZE = Column("size", right=True, folds=False)
"""A column of sizes."""


def files_table(files: Sequence[DistFile]) -> Sheet:
    """Files by release, with what the remote says of them."""
    table = Grid([Column("file"), SIZE, Column("sha256", folds=False), Column("", folds=False)])
    for release in releases_of(files):
        for file in sorted(release.files, key=lambda file: file.filename):
            note = "yanked" if file.yanked is not None else ", ".join(file.companions)
            table.add(file.filename, size_text(file.size), _short(file.sha256), note)
    releases = counted(len(releases_of(files)), "release")
    return Sheet(table, Line(f"{counted(len(files))} in {releases}."))


def size_text(size: int | None) -> str:
    """A size in the units that people read; empty if it is not known."""
    return "" if size is None else decimal(size)


def _short(sha256: str | None) -> str:
    return f"{sha256[:12]}..." if sha256 else "not given"
