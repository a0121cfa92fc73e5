"""The lines of the table, by the goals that they measure."""

from collections.abc import Callable, Mapping, Sequence

from tests.benchmarks.lines import again, checks, large, plans, pushes, start, transfers
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Result

Line = Callable[[Setting], Result]
"""Measures, and says what came out."""

LINES: Mapping[str, Sequence[Line]] = {
    "P1": [transfers.far, transfers.real],
    "P2": [transfers.near, transfers.encrypted],
    "P3": [large.large],
    "P4": [again.again],
    "P5": [plans.directories, plans.buckets],
    "P6": [start.start],
    "P7": [pushes.into_swift, pushes.into_s3],
    "P8": [checks.check],
}
"""All of them."""

QUICK: Sequence[Line] = (transfers.far, transfers.near, again.again, start.start, checks.check)
"""Those that can be measured in small within seconds, and tell something then."""
