"""P1 and P2: a release of many wheels from a listing to an index, far away, near, and over TLS."""

from functools import partial
from pathlib import Path

from tests.benchmarks.certificates import Certificates, make_certificates
from tests.benchmarks.commands import present
from tests.benchmarks.material import make_wheels
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import OURS, Result, Runs, compared, seconds
from tests.benchmarks.way import laid_way

MB = 1_000_000
WHEELS = 40
BY_HAND = "urllib + twine"


def far(setting: Setting) -> Result:
    """P1: with a round trip of 50 ms to both sides."""
    runs, notes = _travel(setting, "P1", milliseconds=50)
    work = f"{WHEELS} wheels of 5 MB, 50 ms to both sides"
    rows = [compared("P1", work, 1 / 8, runs, [BY_HAND]), compared("P1", work, 1 / 2, runs, _others(runs))]
    return Result(rows, runs, notes)


def near(setting: Setting) -> Result:
    """P2: without latency."""
    runs, notes = _travel(setting, "P2")
    return Result(
        [compared("P2", f"{WHEELS} wheels of 5 MB, plain HTTP", 0.5, runs, _others(runs))], runs, notes
    )


def encrypted(setting: Setting) -> Result:
    """P2 over TLS on both sides."""
    runs, notes = _travel(setting, "P2-tls", certificates=make_certificates(setting.folder("P2-tls")))
    work = f"{WHEELS} wheels of 5 MB, TLS"
    return Result([compared("P2", work, 0.6, runs, _others(runs))], runs, notes)


def _travel(
    setting: Setting, name: str, *, milliseconds: float = 0, certificates: Certificates | None = None
) -> tuple[Runs, list[str]]:
    files = _wheels(setting)
    names = sorted(path.name for path in files.iterdir())
    downloads = present(["curl", "aria2c"])
    with laid_way(
        setting, setting.folder(name), files, names, certificates=certificates, milliseconds=milliseconds
    ) as way:
        pairs = [(download, upload) for download in downloads for upload in ("twine", "uv")]
        contenders = {
            BY_HAND: partial(way.pair, "urllib", "twine"),
            **{f"{one} + {other}": partial(way.pair, one, other) for one, other in pairs},
            OURS: way.relay,
        }
        runs = seconds(setting.compete(contenders, warm=[OURS]))
    return runs, [f"{tool} is missing." for tool in ("curl", "aria2c") if tool not in downloads]


def _wheels(setting: Setting) -> Path:
    folder = setting.root / "wheels"
    if not folder.is_dir():
        make_wheels(folder, count=WHEELS, size=5 * MB)
    return folder


def _others(runs: Runs) -> list[str]:
    return [name for name in runs if name not in (OURS, BY_HAND)]
