"""Measure, print one table, and write it as JSON: ``python -m tests.benchmarks``."""

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.lines import again, checks, large, start, transfers
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Result, as_document, as_text

LINES: Mapping[str, Sequence[Callable[[Setting], Result]]] = {
    "P1": [transfers.far],
    "P2": [transfers.near, transfers.encrypted],
    "P3": [large.large],
    "P4": [again.again],
    "P6": [start.start],
    "P8": [checks.check],
}
RESULT = Path(__file__).parent / "results" / "latest.json"


def main() -> None:
    """Read the options, measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=LINES, default=[*LINES], help="lines to measure")
    parser.add_argument("--runs", type=int, default=3, help="how often each side runs")
    parser.add_argument("--result", type=Path, default=RESULT, help="where to write the table as JSON")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    results = []
    with TemporaryDirectory(prefix="wheelrelay-bench-") as folder:
        setting = Setting(Path(folder), options.runs)
        for measure in [one for name in options.only for one in LINES[name]]:
            results.append(measure(setting))
            print(as_text(results[-1].rows), *results[-1].notes, sep="\n", flush=True)
    print("", as_text(row for result in results for row in result.rows), sep="\n")
    options.result.parent.mkdir(parents=True, exist_ok=True)
    options.result.write_text(json.dumps(as_document(results, options.runs, load), indent=2) + "\n")


if __name__ == "__main__":
    main()
