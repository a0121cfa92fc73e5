"""P9 to P11: many small files into containers that are indexes."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from tests.benchmarks.commands import PARALLEL, python
from tests.benchmarks.environment import Environment, module
from tests.benchmarks.material import make_projects
from tests.benchmarks.measure import Measured
from tests.benchmarks.peers import peer
from tests.benchmarks.table import OURS, Result, Row, compared, seconds
from tests.servers.process import HOST, free_port
from tests.servers.seaweed import run_seaweed
from wheelrelay.testing.samples import make_wheel

SIZE = 50_000
FILES = 5
DISTANCE = 50
MB = 1_000_000

BANDERSNATCH = """\
[mirror]
directory = {run}/mirror
master = {url}
allow-non-https = true
api-method = simple
json = false
release-files = true
hash-index = false
stop-on-error = false
workers = 10
verifiers = 3
timeout = 30
compare-method = stat
"""

RELAY = """\
[remotes.upstream]
type = "index"
url = "{url}/simple/"

[remotes.mirror]
type = "directory"
path = "./mirror"
pages = true

[routes.mirror]
source = "upstream"
sinks = ["mirror"]
mode = "mirror"
projects = [{projects}]
"""


@dataclass(frozen=True, slots=True)
class _Mirrors:
    """Runs of both sides against one index.

    Attributes:
        environment: of the whole benchmark.
        folder: where each run gets a folder.
        url: the address of the index.
        projects: all projects of the index.
    """

    environment: Environment
    folder: Path
    url: str
    projects: Sequence[str]
    _numbers: Iterator[int] = field(default_factory=count)

    def bandersnatch(self, again: list[Measured]) -> Measured:
        """Mirror all projects with bandersnatch, and once more with nothing to do."""
        run = self._fresh()
        config = run / "bandersnatch.conf"
        config.write_text(BANDERSNATCH.format(run=run, url=self.url))
        command = [peer("bandersnatch"), "--config", str(config), "mirror"]
        return self._twice(run, command, len(self.projects), again)

    def ours(self, projects: Sequence[str], again: list[Measured]) -> Measured:
        """Mirror some projects with wheelrelay, and once more with nothing to do."""
        run = self._fresh()
        names = ", ".join(f'"{project}"' for project in projects)
        (run / "wheelrelay.toml").write_text(RELAY.format(url=self.url, projects=names))
        command = self.environment.wheelrelay("relay", "mirror", "--yes", "--receipt", "receipt.json")
        return self._twice(run, command, len(projects), again)

    def _twice(self, run: Path, command: Sequence[str], projects: int, again: list[Measured]) -> Measured:
        env = {"WHEELRELAY_CACHE_DIR": str(run / "cache")}
        first = self.environment.measure(run, command, **env)
        again.append(self.environment.measure(run, command, **env))
        arrived = sum(1 for _ in (run / "mirror").rglob("*.whl"))
        if arrived != projects * FILES:
            raise RuntimeError(f"{arrived} of {projects * FILES} files arrived with {command}.")
        shutil.rmtree(run)
        return first

    def _fresh(self) -> Path:
        run = self.folder / f"run{next(self._numbers)}"
        run.mkdir()
        return run


def mirror(environment: Environment) -> Result:
    """P9: mirror an index of small projects, 50 ms away, into a directory, beside bandersnatch."""
    folder = environment.folder("P9")
    projects = make_projects(
        folder / "files", count=40 if environment.small else 2000, files=FILES, size=SIZE
    )
    again: Mapping[str, list[Measured]] = {"bandersnatch": [], OURS: [], "half": []}
    with ExitStack() as servers:
        port, far = free_port(), free_port()
        log = folder / "servers.log"
        servers.enter_context(
            module("mirrored", str(folder / "files"), str(port), str(far), log=log, port=port)
        )
        servers.enter_context(module("latency", str(far), str(port), str(DISTANCE), log=log, port=far))
        mirrors = _Mirrors(environment, folder, f"http://{HOST}:{far}", projects)
        half = projects[: len(projects) // 2]
        measured = environment.compete(
            {
                "bandersnatch": partial(mirrors.bandersnatch, again["bandersnatch"]),
                OURS: partial(mirrors.ours, projects, again[OURS]),
                "half": partial(mirrors.ours, half, again["half"]),
            }
        )
    work = f"mirror {len(projects):,} projects of {FILES} files of {SIZE // 1000} kB, {DISTANCE} ms away"
    return Result(_mirror_rows(work, measured, again), seconds(measured))


def _mirror_rows(
    work: str, measured: Mapping[str, list[Measured]], again: Mapping[str, list[Measured]]
) -> list[Row]:
    peers = ["bandersnatch"]
    runs = seconds(measured)
    cpu = {name: [run.cpu for run in found] for name, found in measured.items()}
    return [
        compared("P9", work, 1, runs, peers),
        compared("P9", f"{work}: CPU time", 2, cpu, peers),
        Row("P9", f"{work}: peak memory", max(run.peak for run in measured[OURS]) / MB, 200, unit="MB"),
        Row(
            "P9",
            f"{work}: time by that for half of the projects",
            median(runs[OURS]) / median(runs["half"]),
            2.1,
            unit="x",
        ),
        compared("P9", f"{work}: again, nothing to do", 2, seconds(again), peers),
    ]


def small_files(environment: Environment) -> Result:
    """P10: push small files into S3 (SeaweedFS), beside rclone."""
    folder = environment.folder("P10")
    projects = 20 if environment.small else 400
    make_projects(folder / "projects", count=projects, files=FILES, size=SIZE)
    dist = folder / "dist"
    dist.mkdir()
    for path in (folder / "projects").rglob("*.whl"):
        path.rename(dist / path.name)
    (folder / "servers").mkdir()
    with run_seaweed(folder / "servers") as server:
        keys = {"ACCESS_KEY_ID": server.access_key_id, "SECRET_ACCESS_KEY": server.secret_access_key}
        rclone = {**keys, "TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": server.url}
        env = {
            **{f"AWS_{name}": value for name, value in keys.items()},
            "AWS_ENDPOINT_URL": server.url,
            "AWS_DEFAULT_REGION": server.region,
            **{f"RCLONE_CONFIG_PLACE_{name}": value for name, value in rclone.items()},
        }
        client = server.client()
        numbers = count()

        def run(command: Callable[[str], Sequence[str]]) -> Measured:
            bucket = f"files-{next(numbers)}"
            client.create_bucket(Bucket=bucket)
            measured = environment.measure(folder, command(bucket), **env)
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Delimiter="/")
            keys = [found["Key"] for page in pages for found in page["Contents"]]
            arrived = sum(key.endswith(".whl") for key in keys)
            if arrived != projects * FILES:
                raise RuntimeError(f"{arrived} of {projects * FILES} files arrived with {command(bucket)}.")
            return measured

        commands: dict[str, Callable[[str], Sequence[str]]] = {
            OURS: lambda bucket: environment.wheelrelay("push", str(dist), "--to", f"s3://{bucket}"),
            "rclone sync": lambda bucket: [
                *(peer("rclone"), "sync", "--quiet", "--transfers", PARALLEL),
                *(str(dist), f"place:{bucket}"),
            ],
        }
        contenders = {name: partial(run, command) for name, command in commands.items()}
        runs = seconds(environment.compete(contenders, warm=[OURS]))
    work = f"push {projects * FILES:,} files of {SIZE // 1000} kB into S3 (SeaweedFS)"
    return Result([compared("P10", work, 1.5, runs, ["rclone sync"])], runs)


def one_more(environment: Environment) -> Result:
    """P11: push one more file into a directory that is an index of very many files."""
    folder = environment.folder("P11")
    files = 10_000 if environment.small else 100_000
    place = folder / "place"
    place.mkdir()
    for number in range(files):
        (place / f"project{number // 10:05}-1.{number % 10}.tar.gz").write_bytes(b"%d" % number)
    environment.measure(folder, environment.wheelrelay("index", str(place)))
    numbers = count()

    def push() -> Measured:
        wheel = make_wheel(folder / "dist", "project00007", f"2.{next(numbers)}")
        return environment.measure(folder, environment.wheelrelay("push", str(wheel), "--to", str(place)))

    bare = python("list_all.py", "directory", str(place))
    listing = "bare listing"
    runs = seconds(
        environment.compete(
            {listing: partial(environment.measure, folder, bare), OURS: push}, warm=[listing, OURS]
        )
    )
    beyond = median(runs[OURS]) - median(runs[listing])
    work = f"push one more file into an index of {files:,} files in a directory"
    return Result([Row("P11", f"{work}: beyond the bare listing", beyond, 2)], runs)
