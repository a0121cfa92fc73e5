"""Measure, print one table, and write it as JSON: ``python -m tests.benchmarks``."""

import argparse
import json
import os
import platform
import statistics
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.material import make_wheels
from tests.benchmarks.measure import Measured, measure
from tests.servers.process import HOST, answers, free_port, running, script

ROOT = Path(__file__).parent.parent.parent
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Attributes:
        work: what was measured.
        ours: wheelrelay's figure.
        peer: the figure of what people do without it, where it is compared.
        unit: of both.
        runs: every single figure, ours and then the peer's, in the order of the runs.
    """

    work: str
    ours: float
    peer: float | None
    unit: str
    runs: tuple[tuple[float, ...], tuple[float, ...]]

    @property
    def ratio(self) -> float | None:
        """Ours by the peer's: below 1 is better than the peer."""
        return self.ours / self.peer if self.peer else None


class Bench:
    """A source, a sink, and how to run wheelrelay and its peer from one to the other."""

    def __init__(self, root: Path, listing: str, sink: str) -> None:
        self.root = root
        self.listing = listing
        self.sink = sink
        self._numbers = count(1)
        home = root / "home"
        home.mkdir(exist_ok=True)
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "TWINE_USERNAME": "bench",
            "TWINE_PASSWORD": "bench",
        }

    def relay(self, expected: int) -> Measured:
        """One run of ``wheelrelay relay`` into an empty index."""
        folder, index = self._fresh()
        config = folder / "wheelrelay.toml"
        config.write_text(
            f'[remotes.bench]\ntype = "index"\nurl = "{index}simple/"\nupload_url = "{index}legacy/"\n'
            'username = "bench"\npassword = { env = "TWINE_PASSWORD" }\n'
        )
        command = [script("wheelrelay"), "relay", "--from", f"listing+{self.listing}", "--to", "bench"]
        options = ["--config", str(config), "--yes", "bench==1.0"]
        return self._run([*command, *options], folder, index, expected)

    def sequential(self, expected: int) -> Measured:
        """One run of the peer into an empty index."""
        folder, index = self._fresh()
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.sequential",
            self.listing,
            str(folder),
            f"{index}legacy/",
        ]
        return self._run(command, folder, index, expected)

    def _fresh(self) -> tuple[Path, str]:
        """An empty folder, and the address of an empty index."""
        name = f"run{next(self._numbers)}"
        (self.root / name).mkdir()
        return self.root / name, f"{self.sink}{name}/"

    def _run(self, command: list[str], folder: Path, index: str, expected: int) -> Measured:
        measured = measure(command, env={**self.env, "TMPDIR": str(folder)}, folder=folder)
        with urllib.request.urlopen(f"{index}simple/bench/") as page:
            arrived = len(json.load(page)["files"])
        if arrived != expected:
            raise RuntimeError(f"{arrived} of {expected} files arrived with {command}")
        for path in folder.glob("*.whl"):
            path.unlink()
        return measured


@contextmanager
def benchmark_of(root: Path, *, wheels: int, size: int) -> Iterator[Bench]:
    """A source that holds ``wheels`` wheels of ``size`` bytes, and a sink, each a process of its own."""
    make_wheels(root / "wheels", count=wheels, size=size)
    ports = free_port(), free_port()
    addresses = [f"http://{HOST}:{port}/" for port in ports]
    module = [sys.executable, "-m"]
    source = [*module, "tests.benchmarks.source", str(root / "wheels"), str(ports[0])]
    sink = [*module, "tests.benchmarks.sink", str(ports[1])]
    env = {"PYTHONPATH": str(ROOT)}
    with (
        running(source, log=root / "source.log", ready=lambda: answers(addresses[0]), env=env),
        running(sink, log=root / "sink.log", ready=lambda: answers(addresses[1]), env=env),
    ):
        yield Bench(root, *addresses)


def speed(root: Path, options: argparse.Namespace) -> Line:
    """The time for a release of many wheels, beside download and twine; runs alternate."""
    with benchmark_of(root, wheels=options.wheels, size=options.megabytes * MB) as bench:
        bench.relay(options.wheels)  # warms the file cache and the bytecode for both
        ours, peers = [], []
        for _ in range(options.rounds):
            peers.append(bench.sequential(options.wheels).seconds)
            ours.append(bench.relay(options.wheels).seconds)
    work = f"relay {options.wheels} wheels of {options.megabytes} MB; peer: download one by one, twine upload"
    return Line(work, statistics.median(ours), statistics.median(peers), "s", (tuple(ours), tuple(peers)))


def memory(root: Path, options: argparse.Namespace) -> Line:
    """The peak memory of a relay of one large wheel."""
    with benchmark_of(root, wheels=1, size=options.large * MB) as bench:
        peak = bench.relay(1).peak / MB
    return Line(
        f"peak memory while relaying one wheel of {options.large} MB", peak, None, "MB", ((peak,), ())
    )


def print_table(lines: list[Line]) -> None:
    """Show the lines on standard output."""
    print(f"{'work':<82} {'wheelrelay':>11} {'peer':>9} {'ratio':>6}")
    for line in lines:
        peer = "" if line.peer is None else f"{line.peer:.2f} {line.unit}"
        ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
        print(f"{line.work:<82} {f'{line.ours:.2f} {line.unit}':>11} {peer:>9} {ratio:>6}")


def document(lines: list[Line]) -> dict[str, object]:
    """The table with what is needed to compare it with another."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": platform.platform(),
            "cpus": os.cpu_count(),
            "python": platform.python_version(),
        },
        "versions": {name: version(name) for name in ("wheelrelay", "twine", "requests", "urllib3")},
        "lines": [{**asdict(line), "ratio": line.ratio} for line in lines],
    }


def main() -> None:
    """Read the options, measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--wheels", type=int, default=40, help="how many wheels, 40 at most")
    parser.add_argument("--megabytes", type=int, default=5, help="size of each of them")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs")
    parser.add_argument("--large", type=int, default=500, help="size in MB of the one large wheel")
    default = Path(__file__).parent / "results" / "latest.json"
    parser.add_argument("--result", type=Path, default=default, help="where to write the table as JSON")
    options = parser.parse_args()
    measures: list[Callable[[Path, argparse.Namespace], Line]] = [speed, memory]
    lines = []
    for measured in measures:
        with TemporaryDirectory(prefix="wheelrelay-bench-") as folder:
            lines.append(measured(Path(folder), options))
    print_table(lines)
    options.result.parent.mkdir(parents=True, exist_ok=True)
    options.result.write_text(json.dumps(document(lines), indent=2) + "\n")


if __name__ == "__main__":
    main()
