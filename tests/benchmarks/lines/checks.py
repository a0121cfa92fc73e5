"""P8: all checks on one wheel of many members."""

from functools import partial

from tests.benchmarks.commands import python
from tests.benchmarks.large_wheel import make_large_wheel
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import OURS, Result, compared, seconds

BY_HAND = "sha256 of the file, of its members once"


def check(setting: Setting) -> Result:
    """P8: a wheel of 100 MB with 5,000 members, half of them deflated."""
    folder = setting.folder("P8")
    megabytes, members = (30, 1500) if setting.small else (100, 5000)
    wheel = make_large_wheel(folder, size=megabytes * 1_000_000, members=members)
    contenders = {
        OURS: partial(setting.measure, folder, setting.wheelrelay("check", str(wheel))),
        BY_HAND: partial(setting.measure, folder, python("hash_once.py", str(wheel))),
    }
    measured = setting.compete(contenders, warm=[OURS])
    runs = seconds(measured)
    work = f"all checks on a wheel of {megabytes} MB with {members:,} members"
    return Result([compared("P8", work, 1.5, runs, [BY_HAND])], runs)
