"""P5: a plan for one release out of a container of very many objects."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from tests.benchmarks.commands import python
from tests.benchmarks.environment import Environment, module
from tests.benchmarks.material import many_names
from tests.benchmarks.table import OURS, Result, Row, compared, seconds
from tests.servers.process import HOST, free_port

MANY = 100_000
FEW = 10_000
MB = 1_000_000
BUCKET = 'type = "s3"\nbucket = "{name}"\nendpoint_url = "{url}"\n'
KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}


def directories(environment: Environment) -> Result:
    """P5 over directories."""
    folder = environment.folder("P5-directory")
    listings, remotes = {}, {}
    for count in (FEW, MANY):
        place = folder / str(count)
        place.mkdir()
        for name in many_names(count):
            (place / name).touch()
        listings[count] = ["directory", str(place)]
        remotes[count] = f'type = "directory"\npath = "{place}"\n'
    return _plans(environment, folder, "directory", listings, remotes)


def buckets(environment: Environment) -> Result:
    """P5 over S3."""
    folder = environment.folder("P5-s3")
    with _server(folder) as url:
        names = {count: f"wheels-{count}" for count in (FEW, MANY)}
        listings = {count: ["s3", url, name] for count, name in names.items()}
        remotes = {count: BUCKET.format(name=name, url=url) for count, name in names.items()}
        return _plans(environment, folder, "S3", listings, remotes)


def _plans(
    environment: Environment, folder: Path, kind: str, listings: dict[int, list[str]], remotes: dict[int, str]
) -> Result:
    config = "".join(f"[remotes.of{count}]\n{remote}" for count, remote in remotes.items())
    (folder / "wheelrelay.toml").write_text(config)
    contenders = {}
    for count, listing in listings.items():
        plan = environment.wheelrelay("plan", "--from", f"of{count}", "--to", "./empty", "project7==1.3")
        bare = python("list_all.py", *listing)
        contenders[_listing_of(count)] = partial(environment.measure, folder, bare, **KEYS)
        contenders[_plan_of(count)] = partial(environment.measure, folder, plan, **KEYS)
    measured = environment.compete(contenders, warm=[_listing_of(FEW), _plan_of(FEW)])
    runs = seconds(measured)
    work = f"plan a release out of {MANY:,} objects, {kind}"
    peak = max(one.peak for one in measured[_plan_of(MANY)]) / MB
    few, many = (median(runs[_plan_of(count)]) for count in (FEW, MANY))
    rows = [
        compared("P5", work, 3, runs, [_listing_of(MANY)], ours=_plan_of(MANY)),
        Row("P5", f"{work}: peak memory", peak, 300, unit="MB"),
        Row("P5", f"{work}: time by that for {FEW:,}", many / few, MANY / FEW, unit="x"),
    ]
    return Result(rows, runs)


def _plan_of(count: int) -> str:
    return f"{OURS} plan, {count:,}"


def _listing_of(count: int) -> str:
    return f"bare listing, {count:,}"


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    port = free_port()
    with module("bucket", str(port), log=folder / "bucket.log", port=port):
        yield f"http://{HOST}:{port}"
