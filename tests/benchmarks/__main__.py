"""Measure, print one table, and write it as JSON: ``python -m tests.benchmarks``."""

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.environment import Environment
from tests.benchmarks.machine import Clock, as_sentence
from tests.benchmarks.scenarios import SCENARIOS
from tests.benchmarks.table import as_document, as_text, spreads

RESULT = Path(__file__).parent / "results" / "latest.json"


def main() -> None:
    """Read the options, measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=[*SCENARIOS], help="lines to measure")
    parser.add_argument("--runs", type=int, default=3, help="how often each side runs")
    parser.add_argument("--small", action="store_true", help="measure small amounts, which takes seconds")
    parser.add_argument("--result", type=Path, default=RESULT, help="where to write the table as JSON")
    options = parser.parse_args()
    before = Clock.now()
    results = []
    for line in [one for name in options.only for one in SCENARIOS[name]]:
        with TemporaryDirectory(prefix="benchmarks-of-wheelrelay-") as folder:
            results.append(line(Environment(Path(folder), options.runs, options.small)))
        print(as_text(results[-1].rows), *results[-1].notes, spreads(results[-1].runs), sep="\n", flush=True)
    machine = before.until(Clock.now())
    print(
        "",
        f"Machine: {as_sentence(machine)}",
        as_text(row for result in results for row in result.rows),
        sep="\n",
    )
    options.result.parent.mkdir(parents=True, exist_ok=True)
    options.result.write_text(json.dumps(as_document(results, options.runs, machine), indent=2) + "\n")


if __name__ == "__main__":
    main()
