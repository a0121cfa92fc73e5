"""A way from a source to a sink, and who takes it: wheelrelay in one go, others by download and upload."""

import json
import ssl
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.benchmarks import commands
from tests.benchmarks.certificates import Certificates
from tests.benchmarks.measure import Measured, measure
from tests.benchmarks.setting import Setting, module
from tests.servers.process import HOST, free_port

CONFIG = """\
[remotes.source]
type = "{kind}"
url = "{source}"

[remotes.sink]
type = "index"
url = "{index}simple/"
upload_url = "{index}legacy/"
username = "bench"
password = {{ env = "TWINE_PASSWORD" }}
"""


@dataclass(frozen=True, slots=True)
class Way:
    """From the files of a folder, served by a web server, to a sink that swallows them.

    Attributes:
        setting: of the whole benchmark.
        folder: where each run gets a folder of its own.
        source: the address of the served folder.
        sink: the address of the sink.
        names: the files.
        certificates: by which both servers speak TLS, if they do.
    """

    setting: Setting
    folder: Path
    source: str
    sink: str
    names: Sequence[str]
    certificates: Certificates | None = None
    _numbers: Iterator[int] = field(default_factory=count)

    def relay(self, *, source: str = "", kind: str = "listing") -> Measured:
        """One run of ``wheelrelay relay`` into an empty index.

        Args:
            source: where from, below the served folder.
            kind: the remote's type, ``listing`` or ``index``.
        """
        run, index = self._fresh()
        config = CONFIG.format(kind=kind, source=self.source + source, index=index)
        if self.certificates:
            config += f'ca_cert = "{self.certificates.bundle}"\n'
        (run / "wheelrelay.toml").write_text(config)
        return self._measure([commands.relay("--yes", "bench==1.0")], run, index)

    def pair(self, download: str, upload: str) -> Measured:
        """One run of two tools, one after the other, into an empty index."""
        run, index = self._fresh()
        bundle = self.certificates.bundle if self.certificates else None
        steps = [
            commands.DOWNLOADS[download]([self.source + name for name in self.names], bundle),
            commands.UPLOADS[upload](f"{index}legacy/", self.names),
        ]
        return self._measure(steps, run, index)

    def _fresh(self) -> tuple[Path, str]:
        """An empty folder, and the address of an empty index."""
        name = f"run{next(self._numbers)}"
        (self.folder / name).mkdir()
        return self.folder / name, f"{self.sink}{name}/"

    def _measure(self, steps: Sequence[Sequence[str]], run: Path, index: str) -> Measured:
        measured = measure(steps, env=self._environment(run), folder=run)
        arrived = self._arrived(index)
        if arrived != len(self.names):
            raise RuntimeError(f"{arrived} of {len(self.names)} files arrived with {steps}.")
        for path in run.glob("*.whl"):
            path.unlink()
        return measured

    def _arrived(self, index: str) -> int:
        trust = (
            ssl.create_default_context(cafile=str(self.certificates.bundle)) if self.certificates else None
        )
        with urllib.request.urlopen(index, context=trust) as answer:
            return int(json.load(answer)["files"])

    def _environment(self, run: Path) -> dict[str, str]:
        trust = self.certificates.environment() if self.certificates else {}
        cache = str(self.setting.folder("uv-cache"))
        return self.setting.environment(TMPDIR=str(run), UV_CACHE_DIR=cache, **commands.CREDENTIALS, **trust)


@contextmanager
def laid_way(
    setting: Setting,
    folder: Path,
    files: Path,
    names: Sequence[str],
    *,
    certificates: Certificates | None = None,
    milliseconds: float = 0,
) -> Iterator[Way]:
    """Start a source that serves ``files``, and a sink.

    Args:
        setting: of the whole benchmark.
        folder: for logs and runs.
        files: what the source serves.
        names: the files that travel, as they are called below ``files``.
        certificates: let both speak TLS.
        milliseconds: a round trip to each of them.
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
                port = servers.enter_context(distance(port, milliseconds, log))
            addresses.append(f"{scheme}://{HOST}:{port}/")
        yield Way(setting, folder, addresses[0], addresses[1], names, certificates)


@contextmanager
def distance(server: int, milliseconds: float, log: Path) -> Iterator[int]:
    """A port that leads to the port ``server``, a round trip of some milliseconds away."""
    port = free_port()
    with module("latency", str(port), str(server), str(milliseconds), log=log, port=port):
        yield port
