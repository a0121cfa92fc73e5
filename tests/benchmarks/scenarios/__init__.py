"""The lines of the table, by the goals that they measure."""

from collections.abc import Callable, Mapping, Sequence

from tests.benchmarks.environment import Environment
from tests.benchmarks.scenarios import (
    again,
    checks,
    large,
    machines,
    many,
    mirrors,
    plans,
    pushes,
    small,
    start,
    transfers,
)
from tests.benchmarks.table import Result

Scenario = Callable[[Environment], Result]
"""Measures, and says what came out."""

SCENARIOS: Mapping[str, Sequence[Scenario]] = {
    "P1": [transfers.far, transfers.real],
    "P2": [transfers.near, transfers.encrypted],
    "P3": [large.large],
    "P4": [again.again],
    "P5": [plans.directories, plans.buckets],
    "P6": [start.start],
    "P7": [pushes.into_swift, pushes.into_s3],
    "P8": [checks.check],
    "P9": [mirrors.mirror],
    "P10": [mirrors.small_files],
    "P11": [mirrors.one_more],
    "P12": [small.release],
    "P14": [many.large_release],
    "P15": [machines.capped, machines.distant],
}
"""All of them."""

QUICK: Sequence[Scenario] = (
    transfers.far,
    transfers.near,
    again.again,
    start.start,
    checks.check,
    mirrors.one_more,
)
"""Those that can be measured in small within seconds, and tell something then."""
