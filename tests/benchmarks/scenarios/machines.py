"""P15: what several machines are worth, each a process of a Dask cluster with a line of its own."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from tests.benchmarks.environment import Environment, module
from tests.benchmarks.material import make_projects
from tests.benchmarks.measure import Measured
from tests.benchmarks.table import OURS, Result, compared, seconds
from tests.servers.dask import TlsCluster, run_tls_cluster
from tests.servers.process import HOST, free_port

WORKERS = 4
ONE = "1 worker"
MB = 1_000_000
RATE = 20 * MB
DISTANCE = 50
JOBS = 4
IN_FLIGHT = 2
"""Batches that a worker has at once."""

CONFIG = """\
[remotes.upstream]
type = "index"
url = "{url}/simple/"

[remotes.mirror]
type = "directory"
path = "./mirror"
shared = true

[routes.mirror]
source = "upstream"
sinks = ["mirror"]
mode = "mirror"
projects = [{projects}]

[engines.farm]
type = "dask"
address = "{cluster.address}"
ca_cert = "{cluster.files[ca_cert]}"
client_cert = "{cluster.files[client_cert]}"
client_key = "{cluster.files[client_key]}"
host_limit = {connections}
"""


@dataclass(frozen=True, slots=True)
class _Relays:
    """Relays of one index on clusters of different sizes, which run already, as those of several machines do.

    Attributes:
        environment: of the whole benchmark.
        folder: where each run gets a folder.
        url: the address of the index.
        projects: all projects of the index.
        files: how many files each has.
        clusters: by the number of workers.
    """

    environment: Environment
    folder: Path
    url: str
    projects: list[str]
    files: int
    clusters: Mapping[int, TlsCluster]
    _numbers: Iterator[int] = field(default_factory=count)

    def on(self, workers: int) -> Measured:
        """Relay all files; the cluster runs already."""
        run = self.folder / f"run{next(self._numbers)}"
        run.mkdir()
        names = ", ".join(f'"{project}"' for project in self.projects)
        config = CONFIG.format(
            url=self.url,
            projects=names,
            cluster=self.clusters[workers],
            connections=JOBS * IN_FLIGHT * workers,
        )
        (run / "wheelrelay.toml").write_text(config)
        command = [sys.executable, "-m", "wheelrelay", "relay", "mirror", "--yes", "--quiet"]
        measured = self.environment.measure(run, [*command, "--engine", "farm"])
        arrived = sum(1 for _ in (run / "mirror").glob("*.whl"))
        if arrived != len(self.projects) * self.files:
            raise RuntimeError(f"{arrived} of {len(self.projects) * self.files} files arrived.")
        shutil.rmtree(run)
        return measured


def capped(environment: Environment) -> Result:
    """P15: 40 wheels of 50 MB over lines of 20 MB/s, one line for each worker."""
    amount, size = (8, 1 * MB) if environment.small else (40, 50 * MB)
    work = f"relay {amount} wheels of {size // MB} MB, {RATE // MB} MB/s for each worker"
    return _measured(environment, "capped", (amount, 1, size), ["capped", str(RATE)], work, 1 / 3.2)


def distant(environment: Environment) -> Result:
    """P15: 2,000 small files from an index 50 ms away."""
    projects = 20 if environment.small else 400
    work = f"relay {projects * 5:,} files of 50 kB, {DISTANCE} ms away, {JOBS} transfers for each batch"
    return _measured(environment, "distant", (projects, 5, 50_000), ["latency", str(DISTANCE)], work, 1 / 2.5)


def _measured(
    environment: Environment,
    name: str,
    amounts: tuple[int, int, int],
    line: list[str],
    work: str,
    goal: float,
) -> Result:
    folder = environment.folder(f"P15-{name}")
    count_of_projects, files, size = amounts
    projects = make_projects(folder / "files", count=count_of_projects, files=files, size=size)
    with ExitStack() as servers:
        port, far = free_port(), free_port()
        log = folder / "servers.log"
        servers.enter_context(
            module("mirrored", str(folder / "files"), str(port), str(far), log=log, port=port)
        )
        kind, limit = line
        servers.enter_context(module(kind, str(far), str(port), limit, log=log, port=far))
        clusters = {}
        for number in (1, WORKERS):
            (folder / f"cluster{number}").mkdir()
            cluster = run_tls_cluster(folder / f"cluster{number}", workers=number)
            clusters[number] = servers.enter_context(cluster)
        relays = _Relays(environment, folder, f"http://{HOST}:{far}", projects, files, clusters)
        contenders = {ONE: partial(relays.on, 1), OURS: partial(relays.on, WORKERS)}
        measured = environment.compete(contenders, turns=1)
    runs = seconds(measured)
    return Result([compared("P15", f"{WORKERS} workers: {work}", goal, runs, [ONE])], runs)
