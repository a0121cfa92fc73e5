"""The matrix of a release for people: in a terminal, as Markdown, and as HTML."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from wheelrelay.expect import Expected
from wheelrelay.matrix import Cell, Matrix, matrix_of
from wheelrelay.model import DistFile, Kind, Release
from wheelrelay.select import releases_of

THERE, MISSING, UNEXPECTED = "✓", "✗", "+"
PLAIN = {THERE: "y", MISSING: "-"}
"""What stands for signs that a terminal may lack."""

LEGEND = {THERE: "there", MISSING: "expected and not there", UNEXPECTED: "there and not expected"}
STYLES = {THERE: "green", MISSING: "bold red", UNEXPECTED: "yellow"}


@dataclass(frozen=True, slots=True)
class ReleaseMatrix:
    """What is shown of one release.

    Attributes:
        title: project and version.
        matrix: its wheels.
        notes: what has no place in the matrix, a line each.
    """

    title: str
    matrix: Matrix
    notes: tuple[str, ...] = ()

    def signs(self) -> list[str]:
        """The signs that occur, in the order of the legend."""
        used = {sign for cell in self.matrix.cells.values() for sign in _signs(cell)}
        return [sign for sign in LEGEND if sign in used]


def matrices(files: Sequence[DistFile], expected: Expected | None = None) -> list[ReleaseMatrix]:
    """What is there of each release, and what is missing or not expected.

    Args:
        files: of any releases.
        expected: what each release has to consist of, if that is known.
    """
    wanted = expected or Expected()
    return [_matrix_of_release(release, wanted) for release in releases_of(files)]


class MatrixTable:
    """A matrix that fits the terminal: one with too many Pythons goes on below.

    Args:
        release: what to show.
    """

    def __init__(self, release: ReleaseMatrix) -> None:
        self._release = release

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Show it in the width that there is."""
        plain = not options.encoding.startswith("utf")
        matrix = self._release.matrix
        yield Text(self._release.title, style="bold")
        room = options.max_width - max(map(cell_len, matrix.platforms), default=0) - 2
        for pythons in _in_width(matrix.pythons, room):
            if matrix.platforms:
                yield _table(matrix, pythons, plain=plain)
        legend = [
            Text(f"{_as_plain(sign) if plain else sign} {LEGEND[sign]}", style=STYLES[sign])
            for sign in self._release.signs()
        ]
        if legend:
            yield Text("   ").join(legend)
        yield from (Text(note) for note in self._release.notes)


def matrix_table(releases: Sequence[ReleaseMatrix]) -> RenderableType:
    """The matrices of some releases, for a terminal."""
    parts: list[RenderableType] = []
    for release in releases:
        parts += [Text()] if parts else []
        parts.append(MatrixTable(release))
    return Group(*parts)


def matrix_markdown(releases: Sequence[ReleaseMatrix]) -> str:
    """The matrices of some releases as tables of GitHub's Markdown."""
    return "\n".join("\n".join(_markdown(release)) for release in releases)


def matrix_html(releases: Sequence[ReleaseMatrix]) -> str:
    """The matrices of some releases as HTML: a section each, with a class for each kind of cell."""
    return "\n".join("\n".join(_html(release)) for release in releases) + "\n"


def _matrix_of_release(release: Release, expected: Expected) -> ReleaseMatrix:
    names = set(expected.missing_from(release.files))
    absent = [wheel for wheel in expected.wheels or () if wheel.name in names]
    placed = [wheel for wheel in absent if "*" not in wheel.pattern.python]
    told = names - {wheel.name for wheel in placed}
    sdists = [file.filename for file in release.files if file.kind is Kind.SDIST]
    unexpected = expected.unexpected_in(release.files)
    matrix = matrix_of(
        [file.filename for file in release.files if file.kind is Kind.WHEEL],
        missing=[(wheel.pattern.python, wheel.pattern.abi, wheel.pattern.platform) for wheel in placed],
        unexpected=unexpected,
    )
    notes = [f"sdist: {', '.join(sdists) or 'none'}"]
    notes += [f"{MISSING} missing: {name}" for name in sorted(told)]
    notes += [f"{UNEXPECTED} not expected: {name}" for name in unexpected]
    return ReleaseMatrix(f"{release.project} {release.version}", matrix, tuple(notes))


def _in_width(pythons: Sequence[str], room: int) -> Iterator[Sequence[str]]:
    """The columns in groups that fit, each with at least one."""
    start = used = 0
    for number, python in enumerate(pythons):
        width = cell_len(python) + 2
        if number > start and used + width > room:
            yield pythons[start:number]
            start, used = number, 0
        used += width
    yield pythons[start:]


def _table(matrix: Matrix, pythons: Sequence[str], *, plain: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", no_wrap=True)
    for python in pythons:
        table.add_column(Text(python), justify="center", no_wrap=True)
    for platform in matrix.platforms:
        cells = [_styled(matrix.cell(platform, python), plain=plain) for python in pythons]
        table.add_row(Text(platform), *cells)
    return table


def _styled(cell: Cell, *, plain: bool) -> Text:
    said = Text()
    for sign in _signs(cell):
        count = str(len(cell.files)) if sign != MISSING and len(cell.files) > 1 else ""
        said.append((_as_plain(sign) if plain else sign) + count, style=STYLES[sign])
    return said


def _signs(cell: Cell) -> list[str]:
    signs = [UNEXPECTED if cell.unexpected else THERE] if cell.files else []
    return [*signs, MISSING] if cell.missing else signs


def _as_plain(sign: str) -> str:
    return PLAIN.get(sign, sign)


def _markdown(release: ReleaseMatrix) -> Iterator[str]:
    yield f"### {_inert(release.title)}"
    yield ""
    if release.matrix.platforms:
        yield from _markdown_table(release)
    yield from (f"- {_inert(note)}" for note in release.notes)
    yield ""


def _markdown_table(release: ReleaseMatrix) -> Iterator[str]:
    matrix = release.matrix
    yield f"| | {' | '.join(map(_inert, matrix.pythons))} |"
    yield f"|---|{':---:|' * len(matrix.pythons)}"
    for platform in matrix.platforms:
        cells = (_styled(matrix.cell(platform, python), plain=False).plain for python in matrix.pythons)
        yield f"| {_inert(platform)} | {' | '.join(cells)} |"
    yield ""
    yield ", ".join(f"{sign} {LEGEND[sign]}" for sign in release.signs()) + "."


def _inert(text: str) -> str:
    """Text that means nothing in Markdown: the names of files are strangers'."""
    return "".join(f"\\{sign}" if sign in r"\`*_[]<>|#!~" else sign for sign in text)


def _html(release: ReleaseMatrix) -> Iterator[str]:
    matrix = release.matrix
    yield f'<section class="wheelrelay-matrix">\n<h2>{escape(release.title)}</h2>\n<table>'
    heads = "".join(f'<th scope="col">{escape(python)}</th>' for python in matrix.pythons)
    yield f"<thead><tr><td></td>{heads}</tr></thead>\n<tbody>"
    for platform in matrix.platforms:
        cells = "".join(_html_cell(matrix.cell(platform, python)) for python in matrix.pythons)
        yield f'<tr><th scope="row">{escape(platform)}</th>{cells}</tr>'
    yield "</tbody>\n</table>"
    if release.notes:
        yield f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in release.notes)}</ul>"
    yield "</section>"


def _html_cell(cell: Cell) -> str:
    signs = _signs(cell)
    if not signs:
        return "<td></td>"
    names = {THERE: "there", MISSING: "missing", UNEXPECTED: "unexpected"}
    classes = " ".join(names[sign] for sign in signs)
    told = "; ".join([*cell.files, *(LEGEND[sign] for sign in signs if sign != THERE)])
    return f'<td class="{classes}" title="{escape(told)}">{_styled(cell, plain=False).plain}</td>'
