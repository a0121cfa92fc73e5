"""The environment variables."""

import tomllib
from pathlib import Path

from generators.markdown import codes, table

DOCS = Path(__file__).parents[1]


def environment() -> str:
    """Return a section with a table for each group of variables in ``environment.toml``."""
    groups = tomllib.loads((DOCS / "environment.toml").read_text(encoding="utf-8"))["group"]
    return "\n".join(map(_section, groups))


def _section(group: dict[str, list[dict[str, list[str]]]]) -> str:
    rows = [(codes(row["names"]), str(row["meaning"])) for row in group["variables"]]
    return f"## {group['title']}\n\n{table(['variable', 'meaning'], rows)}"
