"""The smoke form fails on gross regressions only."""

import pytest

from tests.benchmarks.environment import Environment
from tests.benchmarks.smoke import LENIENCE, TRIES, passes
from tests.benchmarks.table import FLOOR, Result, Row

FINE = Row("P2", "work", 1.0, 0.5, "curl + uv", 2.0)
SLOW = Row("P2", "work", 1.0, 0.5, "curl + uv", 1.0)
"""It misses its goal, as on a busy machine."""
FAR_TOO_SLOW = Row("P2", "work", 2.0 * LENIENCE, 0.5, "curl + uv", 1.0)
TOO_MUCH = Row("P4", "requests", 4, 3, unit="requests")


class Script:
    """A line whose measurements are known beforehand."""

    def __init__(self, rows):
        self.rows = iter(rows)
        self.environments: list[Environment] = []

    def __call__(self, environment):
        self.environments.append(environment)
        return Result([next(self.rows)])


FLOOR_ROW = Row("P2", "work", 1.0, 0, FLOOR, 0.5)


@pytest.mark.parametrize(
    "rows", [[FLOOR_ROW], [FINE], [SLOW], [FAR_TOO_SLOW, FINE], [FAR_TOO_SLOW, TOO_MUCH, SLOW]]
)
def test_a_line_passes_that_is_tolerable_once(rows):
    line = Script(rows)
    assert passes(line)
    assert len(line.environments) == len(rows)
    assert all(environment.small for environment in line.environments)


@pytest.mark.parametrize("row", [FAR_TOO_SLOW, TOO_MUCH])
def test_a_line_fails_that_is_too_slow_or_asks_too_much_each_time(row):
    assert not passes(Script([row] * TRIES))
