"""P1 and P2: a release of many wheels from a listing to an index, far away, near, and over TLS."""

from functools import partial

from tests.benchmarks.certificates import Certificates, make_certificates
from tests.benchmarks.commands import missing, present
from tests.benchmarks.environment import Contender, Environment
from tests.benchmarks.material import shared_wheels
from tests.benchmarks.table import FLOOR, OURS, Result, Row, Runs, compared, seconds
from tests.benchmarks.transfer import open_transfer

BASELINE = "urllib + twine"
DOWNLOADS = ("curl", "aria2c")


def far(environment: Environment) -> Result:
    """P1: with a round trip of 50 ms to both sides."""
    runs, what = _travel(environment, "P1", milliseconds=50)
    work = f"relay {what}, 50 ms to both sides"
    pairs = [name for name in runs if name not in (OURS, BASELINE, FLOOR)]
    rows = [compared("P1", work, 0.15, runs, [BASELINE])] if BASELINE in runs else []
    rows += [compared("P1", work, 0.35, runs, pairs)] if pairs else []
    rows.append(_floor("P1", work, runs))
    return Result(rows, runs, missing(DOWNLOADS))


def real(environment: Environment) -> Result:
    """P1 over a line on which TCP has to open its windows, as on every real one."""
    runs, what = _travel(environment, "P1-real", milliseconds=50, slow_start=True)
    work = f"relay {what}, 50 ms to both sides, slow start"
    pairs = [name for name in runs if name not in (OURS, BASELINE, FLOOR)]
    rows = [
        compared("P1", work, 0.1, runs, [BASELINE]),
        compared("P1", work, 0.4, runs, pairs),
        _floor("P1", work, runs),
    ]
    return Result(rows, runs, missing(DOWNLOADS))


def near(environment: Environment) -> Result:
    """P2: without latency."""
    runs, what = _travel(environment, "P2")
    work = f"relay {what}, HTTP"
    return Result([_beside_the_best(work, 0.5, runs), _floor("P2", work, runs)], runs, missing(DOWNLOADS))


def encrypted(environment: Environment) -> Result:
    """P2 over TLS on both sides."""
    runs, what = _travel(environment, "P2-tls", certificates=make_certificates(environment.folder("P2-tls")))
    work = f"relay {what}, TLS"
    return Result([_beside_the_best(work, 0.6, runs), _floor("P2", work, runs)], runs, missing(DOWNLOADS))


def _travel(
    environment: Environment,
    name: str,
    *,
    milliseconds: float = 0,
    slow_start: bool = False,
    certificates: Certificates | None = None,
) -> tuple[Runs, str]:
    wheels = shared_wheels(environment)
    names = [path.name for path in wheels.paths]
    downloads = present(DOWNLOADS)[: 1 if environment.small else None]
    with open_transfer(
        environment,
        environment.folder(name),
        wheels.folder,
        names,
        certificates=certificates,
        milliseconds=milliseconds,
        slow_start=slow_start,
    ) as transfer:
        pairs = [(download, upload) for download in downloads for upload in ("twine", "uv")]
        pairs += [] if environment.small or slow_start else [("wheelhouse-uploader", "uv")]
        baselines = [] if environment.small and pairs else [("urllib", "twine")]
        contenders: dict[str, Contender] = {
            f"{download} + {upload}": partial(transfer.pair, download, upload)
            for download, upload in baselines + pairs
        }
        contenders[FLOOR] = transfer.floor
        contenders[OURS] = transfer.relay
        runs = seconds(environment.compete(contenders, warm=[OURS]))
    return runs, str(wheels)


def _beside_the_best(work: str, goal: float, runs: Runs) -> Row:
    return compared("P2", work, goal, runs, [name for name in runs if name not in (OURS, FLOOR)])


def _floor(line: str, work: str, runs: Runs) -> Row:
    return compared(line, work, 0, runs, [FLOOR])
