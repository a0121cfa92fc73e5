"""P8: all checks on one wheel of many members."""

from functools import partial

from tests.benchmarks.commands import python
from tests.benchmarks.environment import Environment
from tests.benchmarks.large_wheel import make_large_wheel
from tests.benchmarks.table import OURS, Result, compared, seconds

BASELINE = "sha256 of the file, of its members once"


def check(environment: Environment) -> Result:
    """P8: a wheel of 100 MB with 5,000 members, half of them deflated."""
    folder = environment.folder("P8")
    megabytes, members = (30, 1500) if environment.small else (100, 5000)
    wheel = make_large_wheel(folder, size=megabytes * 1_000_000, members=members)
    contenders = {
        OURS: partial(environment.measure, folder, environment.wheelrelay("check", str(wheel))),
        BASELINE: partial(environment.measure, folder, python("hash_once.py", str(wheel))),
    }
    measured = environment.compete(contenders, warm=[OURS])
    runs = seconds(measured)
    work = f"all checks on a wheel of {megabytes} MB with {members:,} members"
    return Result([compared("P8", work, 1.5, runs, [BASELINE])], runs)
