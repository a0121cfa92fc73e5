"""Find the lines of keys in a TOML file, which `tomllib` does not report."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

KeyPath = tuple[str, ...]


def key_lines(text: str) -> dict[KeyPath, int]:
    r"""Return the line of each key, counted from 1, by its path.

    Keys within an inline table or an array have the line on which its value begins.

    Args:
        text: A valid TOML document.

    >>> key_lines("[remotes.x]\ntype = 'index'\n")
    {('remotes',): 1, ('remotes', 'x'): 1, ('remotes', 'x', 'type'): 2}
    """
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, statement in _statements(text):
        paths = list(_paths(tomllib.loads(statement)))
        if statement.lstrip().startswith("["):
            table = max(paths, key=len, default=())
            for length in range(1, len(table) + 1):
                found.setdefault(table[:length], number)
        else:
            for path in paths:
                found.setdefault((*table, *path), number)
    return found


def line_of(path: KeyPath, lines: Mapping[KeyPath, int]) -> int:
    """Return the line of a key, or of the nearest table that has it; 1 if no part of its path exists."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield each table header and each key with its value, which may take several lines."""
    statement, first = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not statement and (not line.strip() or line.lstrip().startswith("#")):
            continue
        first = first if statement else number
        statement = f"{statement}\n{line}" if statement else line
        if _is_complete(statement):
            yield first, statement
            statement = ""


def _is_complete(statement: str) -> bool:
    try:
        tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the paths of all keys in nested tables."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from _paths(item, path)
