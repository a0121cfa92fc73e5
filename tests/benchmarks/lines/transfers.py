"""P1 and P2: a release of many wheels from a listing to an index, far away, near, and over TLS."""

from functools import partial

from tests.benchmarks.certificates import Certificates, make_certificates
from tests.benchmarks.commands import missing, present
from tests.benchmarks.material import shared_wheels
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import OURS, Result, Row, Runs, compared, seconds
from tests.benchmarks.way import laid_way

BY_HAND = "urllib + twine"
DOWNLOADS = ("curl", "aria2c")


def far(setting: Setting) -> Result:
    """P1: with a round trip of 50 ms to both sides."""
    runs, what = _travel(setting, "P1", milliseconds=50)
    work = f"relay {what}, 50 ms to both sides"
    pairs = [name for name in runs if name not in (OURS, BY_HAND)]
    rows = [compared("P1", work, 1 / 8, runs, [BY_HAND])] if BY_HAND in runs else []
    rows += [compared("P1", work, 1 / 2, runs, pairs)] if pairs else []
    return Result(rows, runs, missing(DOWNLOADS))


def real(setting: Setting) -> Result:
    """P1 over a line on which TCP has to open its windows, as on every real one."""
    runs, what = _travel(setting, "P1-real", milliseconds=50, slow_start=True)
    work = f"relay {what}, 50 ms to both sides, slow start"
    pairs = [name for name in runs if name not in (OURS, BY_HAND)]
    rows = [compared("P1", work, 1 / 8, runs, [BY_HAND]), compared("P1", work, 1 / 2, runs, pairs)]
    return Result(rows, runs, missing(DOWNLOADS))


def near(setting: Setting) -> Result:
    """P2: without latency."""
    runs, what = _travel(setting, "P2")
    return Result([_beside_the_best(f"relay {what}, HTTP", 0.5, runs)], runs, missing(DOWNLOADS))


def encrypted(setting: Setting) -> Result:
    """P2 over TLS on both sides."""
    runs, what = _travel(setting, "P2-tls", certificates=make_certificates(setting.folder("P2-tls")))
    return Result([_beside_the_best(f"relay {what}, TLS", 0.6, runs)], runs, missing(DOWNLOADS))


def _travel(
    setting: Setting,
    name: str,
    *,
    milliseconds: float = 0,
    slow_start: bool = False,
    certificates: Certificates | None = None,
) -> tuple[Runs, str]:
    wheels = shared_wheels(setting)
    names = [path.name for path in wheels.paths]
    downloads = present(DOWNLOADS)[: 1 if setting.small else None]
    with laid_way(
        setting,
        setting.folder(name),
        wheels.folder,
        names,
        certificates=certificates,
        milliseconds=milliseconds,
        slow_start=slow_start,
    ) as way:
        pairs = [(download, upload) for download in downloads for upload in ("twine", "uv")]
        pairs += [] if setting.small or slow_start else [("wheelhouse-uploader", "uv")]
        by_hand = [] if setting.small and pairs else [("urllib", "twine")]
        contenders = {f"{one} + {other}": partial(way.pair, one, other) for one, other in by_hand + pairs}
        contenders[OURS] = way.relay
        runs = seconds(setting.compete(contenders, warm=[OURS]))
    return runs, str(wheels)


def _beside_the_best(work: str, goal: float, runs: Runs) -> Row:
    return compared("P2", work, goal, runs, [name for name in runs if name != OURS])
