"""P14: a release of many large wheels, from a directory to an index."""

import os
import shutil
from functools import partial
from pathlib import Path
from statistics import median

from tests.benchmarks.commands import missing, python
from tests.benchmarks.environment import Environment
from tests.benchmarks.material import make_wheels
from tests.benchmarks.measure import Measured
from tests.benchmarks.table import OURS, Result, Row, compared, seconds
from tests.benchmarks.transfer import Transfer, open_transfer

COUNT, SIZE = 60, 250_000_000
RESERVE = 5_000_000_000
"""Bytes of the disk that stay free."""
TOOLS = ("curl", "sha256sum")
PEER = "sha256sum, curl -F (8 at once)"
MB = 1_000_000


def large_release(environment: Environment) -> Result:
    """P14: as many wheels of 250 MB as the disk allows, 60 at most."""
    count, size = (8, 20_000_000) if environment.small else (_count(environment), SIZE)
    folder = environment.folder("P14")
    dist = folder / "dist"
    wheels = make_wheels(dist, count=count, size=size)
    total = sum(path.stat().st_size for path in wheels)
    lacking = missing(TOOLS)
    with open_transfer(environment, folder, dist, [path.name for path in wheels]) as transfer:
        contenders = {OURS: partial(_relay, transfer, dist)}
        if not lacking:
            contenders = {PEER: partial(_baseline, transfer, dist), **contenders}
        measured = environment.compete(contenders)
    shutil.rmtree(dist)
    runs = seconds(measured)
    work = f"relay {count} wheels of {size // MB} MB, directory to index"
    rows = [
        Row(
            "P14",
            f"{work}: bytes read from the disk, by those of the files",
            _read(measured[OURS], total),
            2.1,
            unit="x",
        ),
        Row("P14", f"{work}: peak memory", median(run.peak for run in measured[OURS]) / MB, 80, unit="MB"),
    ]
    if not lacking:
        rows.insert(0, compared("P14", work, 1.15, runs, [PEER]))
    return Result(rows, runs, lacking)


def _count(environment: Environment) -> int:
    free = shutil.disk_usage(environment.root).free
    return max(2, min(COUNT, (free - RESERVE) // SIZE))


def _read(runs: list[Measured], total: int) -> float:
    """Return how often each byte came from the disk: once to be hashed and checked, once to be sent."""
    return median(run.read for run in runs) / total


def _relay(transfer: Transfer, dist: Path) -> Measured:
    _evict(dist)
    return transfer.relay(str(dist), kind="directory")


def _baseline(transfer: Transfer, dist: Path) -> Measured:
    _evict(dist)
    run, index = transfer.fresh()
    return transfer.measure([python("hash_and_send.py", f"{index}legacy/", str(dist))], run, index)


def _evict(dist: Path) -> None:
    """Drop the files from the cache of the system, so that they have to come from the disk."""
    for path in dist.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
