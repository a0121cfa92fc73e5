"""Write Markdown."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown in one line."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(_row(line) for line in lines)


def code(text: str) -> str:
    """Return a text as inline code."""
    return f"`{text}`"


def codes(texts: Iterable[str]) -> str:
    """Return texts as inline code, separated by commas."""
    return ", ".join(map(code, texts))


def _row(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |\n"
