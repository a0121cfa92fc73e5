"""Fail on gross regressions, within a minute: ``python -m tests.benchmarks.smoke``.

Small amounts are measured, where the time to start weighs more, so each ratio may be `LENIENCE` times its
goal. A machine that is busy with other things spoils a measurement now and then: a line fails only if it does
so in each of a few tries.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.environment import Environment
from tests.benchmarks.scenarios import QUICK, Scenario
from tests.benchmarks.table import Row, as_text

LENIENCE = 4
TRIES = 3


def tolerable(row: Row) -> bool:
    """Whether a row is not far from its goal; of limits without a peer, whether it is met."""
    if not row.has_goal:
        return True
    return row.met if row.ratio is None else row.ratio <= LENIENCE * row.goal


def passes(line: Scenario) -> bool:
    """Measure a line until it is tolerable, a few times at most, and show it; gives whether it was."""
    for _ in range(TRIES):
        with TemporaryDirectory(prefix="benchmarks-of-wheelrelay-") as folder:
            result = line(Environment(Path(folder), runs=3, small=True))
        print(as_text(result.rows), *result.notes, sep="\n", flush=True)
        if all(map(tolerable, result.rows)):
            return True
    return False


def main() -> int:
    """Measure all lines; gives the exit code."""
    failed = [line for line in QUICK if not passes(line)]
    for line in failed:
        print(f"Too slow, in each of {TRIES} tries: {line.__doc__}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
