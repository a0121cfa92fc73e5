"""A transfer from a source to a sink, by wheelrelay or by a download and an upload with other tools."""

import json
import ssl
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.benchmarks import commands
from tests.benchmarks.certificates import Certificates
from tests.benchmarks.environment import Environment, module
from tests.benchmarks.measure import Measured
from tests.servers.process import HOST, free_port

CONFIG = """\
[remotes.source]
type = "{kind}"
{key} = "{source}"

[remotes.sink]
type = "index"
url = "{index}simple/"
upload_url = "{index}legacy/"
username = "bench"
password = {{ env = "TWINE_PASSWORD" }}
"""


@dataclass(frozen=True, slots=True)
class Transfer:
    """From the files of a folder, served by a web server, to a sink that swallows them.

    Attributes:
        environment: of the whole benchmark.
        folder: where each run gets a folder of its own.
        source: the address of the served folder.
        sink: the address of the sink.
        names: the files.
        certificates: by which both servers speak TLS, if they do.
    """

    environment: Environment
    folder: Path
    source: str
    sink: str
    names: Sequence[str]
    certificates: Certificates | None = None
    _numbers: Iterator[int] = field(default_factory=count)

    def relay(self, source: str = "", *, kind: str = "listing", index: str = "") -> Measured:
        """One run of ``wheelrelay relay``.

        Args:
            source: where from; the served folder if not said.
            kind: the source's type.
            index: the index at the sink; a new one if not said.
        """
        run, index = self.fresh(index)
        key = "path" if kind == "directory" else "url"
        config = CONFIG.format(kind=kind, key=key, source=source or self.source, index=index)
        if self.certificates:
            config += f'ca_cert = "{self.certificates.bundle}"\n'
        (run / "wheelrelay.toml").write_text(config)
        relay = self.environment.wheelrelay(
            "relay", "--from", "source", "--to", "sink", "--yes", "bench==1.0"
        )
        return self.measure([relay], run, index)

    def pair(self, download: str, upload: str) -> Measured:
        """One run of two tools, one after the other, into an empty index."""
        run, index = self.fresh()
        bundle = self.certificates.bundle if self.certificates else None
        steps = [
            commands.DOWNLOADS[download]([self.source + name for name in self.names], bundle),
            commands.UPLOADS[upload](f"{index}legacy/", self.names),
        ]
        return self.measure(steps, run, index)

    def floor(self) -> Measured:
        """One run of the least program that moves and hashes the files."""
        run, index = self.fresh()
        step = commands.python("floor_relay.py", self.source, f"{index}legacy/", *self.names)
        return self.measure([step], run, index)

    def publish_again(self, dist: Path, index: str) -> Measured:
        """One run of ``uv publish`` that finds everything there already."""
        run, index = self.fresh(index)
        files = [str(dist / name) for name in self.names]
        return self.measure(
            [commands.uv(f"{index}legacy/", ["--check-url", f"{index}simple/", *files])], run, index
        )

    def measure(self, steps: Sequence[Sequence[str]], run: Path, index: str) -> Measured:
        """Take the time of commands, and make sure that all files are at the index after them."""
        trust = self.certificates.environment() if self.certificates else {}
        cache = str(self.environment.folder("uv-cache"))
        env = {"TMPDIR": str(run), "UV_CACHE_DIR": cache, **commands.CREDENTIALS, **trust}
        measured = self.environment.measure(run, *steps, **env)
        arrived = self.told(index)["files"]
        if arrived != len(self.names):
            raise RuntimeError(f"{arrived} of {len(self.names)} files arrived with {steps}.")
        for path in run.glob("*.whl"):
            path.unlink()
        return measured

    def told(self, index: str) -> dict[str, Any]:
        """What the sink tells of an index: how many files it has, and how many requests there were."""
        bundle = self.certificates.bundle if self.certificates else None
        trust = ssl.create_default_context(cafile=bundle) if bundle else None
        with urllib.request.urlopen(index, context=trust) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    def fresh(self, index: str = "") -> tuple[Path, str]:
        """An empty folder, and the address of an index, a new one if none is given."""
        name = f"run{next(self._numbers)}"
        (self.folder / name).mkdir()
        return self.folder / name, index or f"{self.sink}{name}/"


@contextmanager
def open_transfer(
    environment: Environment,
    folder: Path,
    files: Path,
    names: Sequence[str],
    *,
    certificates: Certificates | None = None,
    milliseconds: float = 0,
    slow_start: bool = False,
) -> Iterator[Transfer]:
    """Start a source that serves ``files``, and a sink.

    Args:
        environment: of the whole benchmark.
        folder: for logs and runs.
        files: what the source serves.
        names: the files that travel, as they are called below ``files``.
        certificates: let both speak TLS.
        milliseconds: a round trip to each of them.
        slow_start: let each connection open its windows as TCP does over a distance.
    """
    tls = [str(certificates.server)] if certificates else []
    scheme = "https" if certificates else "http"
    with ExitStack() as servers:
        addresses = []
        for name, words in (("source", [str(files)]), ("sink", [])):
            port = free_port()
            log = folder / f"{name}.log"
            servers.enter_context(module(name, *words, str(port), *tls, log=log, port=port))
            if milliseconds:
                port = servers.enter_context(distance(port, milliseconds, log, slow_start=slow_start))
            addresses.append(f"{scheme}://{HOST}:{port}/")
        yield Transfer(environment, folder, addresses[0], addresses[1], names, certificates)


@contextmanager
def distance(server: int, milliseconds: float, log: Path, *, slow_start: bool = False) -> Iterator[int]:
    """A port that leads to the port ``server``, a round trip of some milliseconds away."""
    port = free_port()
    how = ["slow-start"] if slow_start else []
    with module("latency", str(port), str(server), str(milliseconds), *how, log=log, port=port):
        yield port
