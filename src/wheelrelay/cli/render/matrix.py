"""The matrix of a release, platforms by Pythons: for a terminal, as Markdown and as HTML."""

from collections.abc import Iterator, Sequence
from html import escape

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from wheelrelay.expect import Expected
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.matrix import Cell, Matrix, matrix_of
from wheelrelay.model import DistFile, Kind, Release
from wheelrelay.select import releases_of

PRESENT, MISSING, UNEXPECTED = "✓", "✗", "+"
ASCII_SIGNS = {PRESENT: "y", MISSING: "-"}
"""Replacements for signs that a terminal without UTF-8 cannot show."""

LEGEND = {PRESENT: "present", MISSING: "missing", UNEXPECTED: "unexpected"}
SEVERAL = "number: that many wheels, which differ in platform version or build tag"
"""The legend of numbers in cells."""

STYLES = {PRESENT: "green", MISSING: "bold red", UNEXPECTED: "yellow"}


@dataclass(frozen=True, slots=True)
class ReleaseMatrix:
    """The matrix of one release.

    Attributes:
        title: project and version.
        matrix: its wheels.
        notes: lines for files that do not fit into the matrix, such as the sdist.
    """

    title: str
    matrix: Matrix
    notes: tuple[str, ...] = ()

    @property
    def has_numbers(self) -> bool:
        """Whether a cell has several wheels, and so a number."""
        return any(len(cell.files) > 1 for cell in self.matrix.cells.values())

    def signs(self) -> list[str]:
        """Return the signs that occur, in the order of the legend."""
        used = {sign for cell in self.matrix.cells.values() for sign in _signs(cell)}
        return [sign for sign in LEGEND if sign in used]


def release_matrices(files: Sequence[DistFile], expected: Expected | None = None) -> list[ReleaseMatrix]:
    """Return the matrix of each release.

    Args:
        files: files of any releases.
        expected: the files that each release must have, to mark missing and unexpected ones.
    """
    return [_matrix_of_release(release, expected or Expected()) for release in releases_of(files)]


class MatrixTable:
    """A matrix as rich draws it; if it is wider than the terminal, further Pythons are shown below.

    Args:
        release: the matrix of a release.
    """

    def __init__(self, release: ReleaseMatrix) -> None:
        self._release = release

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it within the available width."""
        is_ascii = not options.encoding.startswith("utf")
        matrix = self._release.matrix
        yield Text(self._release.title, style="bold")
        width = options.max_width - max(map(cell_len, matrix.platforms), default=0) - 2
        for pythons in _split_columns(matrix.pythons, width):
            if matrix.platforms:
                yield _table(matrix, pythons, is_ascii=is_ascii)
        legend = [
            Text(f"{_as_ascii(sign) if is_ascii else sign} {LEGEND[sign]}", style=STYLES[sign])
            for sign in self._release.signs()
        ]
        legend += [Text(SEVERAL)] if self._release.has_numbers else []
        if legend:
            yield Text("   ").join(legend)
        yield from (Text(note) for note in self._release.notes)


def matrix_table(releases: Sequence[ReleaseMatrix]) -> RenderableType:
    """Return the matrices of releases, for a terminal."""
    parts: list[RenderableType] = []
    for release in releases:
        parts += [Text()] if parts else []
        parts.append(MatrixTable(release))
    return Group(*parts)


def matrix_markdown(releases: Sequence[ReleaseMatrix]) -> str:
    """Return the matrices of releases as GitHub's Markdown."""
    return "\n".join("\n".join(_markdown(release)) for release in releases)


def matrix_html(releases: Sequence[ReleaseMatrix]) -> str:
    """Return the matrices of releases as HTML sections; cells have the classes of their signs."""
    return "\n".join("\n".join(_html(release)) for release in releases) + "\n"


def _matrix_of_release(release: Release, expected: Expected) -> ReleaseMatrix:
    missing = set(expected.missing_from(release.files))
    missing_wheels = [wheel for wheel in expected.wheels or () if wheel.name in missing]
    in_matrix = [wheel for wheel in missing_wheels if "*" not in wheel.pattern.python]
    in_notes = missing - {wheel.name for wheel in in_matrix}
    sdists = [file.filename for file in release.files if file.kind is Kind.SDIST]
    unexpected = expected.unexpected_in(release.files)
    matrix = matrix_of(
        [file.filename for file in release.files if file.kind is Kind.WHEEL],
        missing=[(wheel.pattern.python, wheel.pattern.abi, wheel.pattern.platform) for wheel in in_matrix],
        unexpected=unexpected,
    )
    notes = [f"sdist: {', '.join(sdists) or 'none'}"]
    notes += [f"{MISSING} missing: {name}" for name in sorted(in_notes)]
    notes += [f"{UNEXPECTED} unexpected: {name}" for name in unexpected]
    return ReleaseMatrix(f"{release.project} {release.version}", matrix, tuple(notes))


def _split_columns(pythons: Sequence[str], width: int) -> Iterator[Sequence[str]]:
    """Yield the columns in groups that fit into the width, each with at least one column."""
    start = used = 0
    for number, python in enumerate(pythons):
        column_width = cell_len(python) + 2
        if number > start and used + column_width > width:
            yield pythons[start:number]
            start, used = number, 0
        used += column_width
    yield pythons[start:]


def _table(matrix: Matrix, pythons: Sequence[str], *, is_ascii: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", no_wrap=True)
    for python in pythons:
        table.add_column(Text(python), justify="center", no_wrap=True)
    for platform in matrix.platforms:
        cells = [_styled(matrix.cell(platform, python), is_ascii=is_ascii) for python in pythons]
        table.add_row(Text(platform), *cells)
    return table


def _styled(cell: Cell, *, is_ascii: bool = False) -> Text:
    text = Text()
    for sign in _signs(cell):
        count = str(len(cell.files)) if sign != MISSING and len(cell.files) > 1 else ""
        text.append((_as_ascii(sign) if is_ascii else sign) + count, style=STYLES[sign])
    return text


def _signs(cell: Cell) -> list[str]:
    signs = [UNEXPECTED if cell.unexpected else PRESENT] if cell.files else []
    return [*signs, MISSING] if cell.missing else signs


def _as_ascii(sign: str) -> str:
    return ASCII_SIGNS.get(sign, sign)


def _markdown(release: ReleaseMatrix) -> Iterator[str]:
    yield f"### {_escaped(release.title)}"
    yield ""
    if release.matrix.platforms:
        yield from _markdown_table(release)
    yield from (f"- {_escaped(note)}" for note in release.notes)
    yield ""


def _markdown_table(release: ReleaseMatrix) -> Iterator[str]:
    matrix = release.matrix
    yield f"| | {' | '.join(map(_escaped, matrix.pythons))} |"
    yield f"|---|{':---:|' * len(matrix.pythons)}"
    for platform in matrix.platforms:
        cells = (_styled(matrix.cell(platform, python)).plain for python in matrix.pythons)
        yield f"| {_escaped(platform)} | {' | '.join(cells)} |"
    yield ""
    yield ", ".join(_legend(release)) + "."


def _legend(release: ReleaseMatrix) -> list[str]:
    several = [SEVERAL] if release.has_numbers else []
    return [*(f"{sign} {LEGEND[sign]}" for sign in release.signs()), *several]


def _escaped(text: str) -> str:
    """Return text with Markdown escaped: filenames are untrusted."""
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
    if legend := _legend(release):
        yield f"<p>{escape(', '.join(legend))}.</p>"
    if release.notes:
        yield f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in release.notes)}</ul>"
    yield "</section>"


def _html_cell(cell: Cell) -> str:
    signs = _signs(cell)
    if not signs:
        return "<td></td>"
    classes = " ".join(LEGEND[sign] for sign in signs)
    title = "; ".join([*cell.files, *(LEGEND[sign] for sign in signs if sign != PRESENT)])
    return f'<td class="{classes}" title="{escape(title)}">{_styled(cell).plain}</td>'
