"""Write the table of a run into README.md: ``python -m tests.benchmarks.readme [RESULT]``."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.benchmarks.__main__ import RESULT
from tests.benchmarks.machine import as_sentence
from tests.benchmarks.table import HEAD, Row

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- the last run begins -->", "<!-- the last run ends -->"


def as_markdown(document: dict[str, Any]) -> str:
    """The table, and under what circumstances it came about.

    Args:
        document: as `tests.benchmarks.table.as_document` makes it.
    """
    machine = document["machine"]
    tools = [f"{name} {version}" for name, version in {**document["versions"], **document["peers"]}.items()]
    system = [version or f"{name} is missing" for name, version in document["system tools"].items()]
    facts = [
        (
            f"Measured on {document['date'][:10]}, runs of each: {document['runs']} or more, on "
            f"{machine['cpus']} cores ({machine['processor']}) with {machine['memory'] / 2**30:.0f} GiB; "
            f"{as_sentence(machine)}"
        ),
        f"{machine['system']}, Python {machine['python']}.",
        f"{', '.join(sorted(tools))}.",
        f"{'; '.join(system)}.",
    ]
    rows = [Row(**_own(row)) for result in document["results"] for row in result["rows"]]
    lines = [HEAD, tuple("---" for _ in HEAD), *(row.cells() for row in rows)]
    notes = [f"- {note}" for result in document["results"] for note in result["notes"]]
    return "\n".join([*facts, "", *map(_line, lines), "", *dict.fromkeys(notes)]).strip()


def with_table(readme: str, table: str) -> str:
    """The text with the table in place of the one before."""
    before, _, rest = readme.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"The text has no {BEGIN} with {END} after it.")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _own(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("ratio", "met")}


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    result = Path(sys.argv[1]) if sys.argv[1:] else RESULT
    README.write_text(with_table(README.read_text(), as_markdown(json.loads(result.read_text()))))
