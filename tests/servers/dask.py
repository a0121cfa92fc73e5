"""Dask clusters for tests: sources that kill a worker at some request, and clusters with TLS."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from tests.servers.pypi import PyPI
from tests.servers.pypi_troubles import Point
from tests.servers.web import Reply, Request, Web, run_web
from wheelrelay import DirectoryConfig, ListingConfig, Remote, Route
from wheelrelay.errors import ConfigError


class ActingWeb(Web):
    """A web server that calls a function at one of the requests for files.

    Attributes:
        act: The function; `None` does nothing.
        at: The number of the request, from 1.
        has_acted: Whether it was called.
        act_always: Whether it is called at each request.
    """

    act: Callable[[], object] | None = None
    at = 1
    has_acted = False
    act_always = False
    _count = 0
    _counting = threading.Lock()

    def reply_to(self, request: Request) -> Reply:
        """Return the reply to a request."""
        if not request.path.endswith("/"):
            with self._counting:
                self._count += 1
                is_due = self.act_always or self._count == self.at
            if is_due and self.act is not None:
                self.act()
                self.has_acted = True
        return super().reply_to(request)


@contextmanager
def acting_source(folder: Path, act: Callable[[], object], *, at: int) -> Iterator[ActingWeb]:
    """Serve a folder, and call a function before the reply to a request for a file."""
    with run_web(web=ActingWeb) as web:
        assert isinstance(web, ActingWeb)
        web.serve_folder(folder)
        web.act, web.at = act, at
        yield web


def kill_one(client: Any) -> None:
    """Kill one worker process, as the system does when memory runs out."""
    pids = client.run(os.getpid)
    os.kill(min(pids.values()), signal.SIGKILL)


@contextmanager
def explained_hang(client: Any, seconds: float = 90) -> Iterator[None]:
    """Print what the workers are doing if the context takes longer than some seconds: the test has hung."""

    def explain() -> None:
        print("Tasks by worker:", client.processing())
        print("Threads of running tasks:", client.call_stack())

    timer = threading.Timer(seconds, explain)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def route_to(out: Path, source: Web | Path, mode: str = "mirror", **keys: Any) -> Route:
    """Return a route from a listing, or from a directory, to a directory with pages."""
    where: Any = (
        ListingConfig(url=source.url)
        if isinstance(source, Web)
        else DirectoryConfig(path=source, shared=True)
    )
    sink = DirectoryConfig(path=out, pages=True, shared=True)
    return Route.model_validate(
        {"source": Remote("here", where), "sinks": [Remote("there", sink)], "mode": mode, **keys}
    )


def names_in(folder: Path) -> list[str]:
    """Return the names of the distribution files in a folder."""
    return sorted(path.name for path in folder.glob("sample*") if path.name.endswith((".whl", ".gz")))


def nothing(_: object) -> None:
    """Do nothing; a task."""


def failing(_: object) -> None:
    """Raise an error; a task.

    Raises:
        ConfigError: Always.
    """
    raise ConfigError("It failed.", hint="Do it.")


def exiting(_: object) -> None:
    """End the process of the worker; a task."""
    os._exit(3)


@dataclass(frozen=True)
class TlsCluster:
    """A scheduler and its workers, each a process.

    Attributes:
        address: The address of the scheduler.
        files: The certificate files, by the key of the configuration.
        scheduler: The process of the scheduler.
    """

    address: str
    files: dict[str, Path]
    scheduler: "subprocess.Popen[str]"


@contextmanager
def run_tls_cluster(folder: Path, *, workers: int = 1) -> Iterator[TlsCluster]:
    """Run a cluster as the command line of Dask starts it, with certificates of a new authority."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    names = ("ca_cert", "client_cert", "client_key")
    files = {name: folder / f"{name}.pem" for name in names}
    authority.cert_pem.write_to_path(str(files["ca_cert"]))
    certificate.cert_chain_pems[0].write_to_path(str(files["client_cert"]))
    certificate.private_key_pem.write_to_path(str(files["client_key"]))
    tls = [
        *("--tls-ca-file", str(files["ca_cert"])),
        *("--tls-cert", str(files["client_cert"]), "--tls-key", str(files["client_key"])),
    ]
    address_file = folder / "scheduler.json"
    with ExitStack() as stack:
        common = ["--host", "127.0.0.1", "--protocol", "tls", "--scheduler-file", str(address_file)]
        scheduler = _start(stack, folder, "dask_scheduler", [*common, "--no-dashboard", "--port", "0", *tls])
        address = scheduler.stderr_line("Scheduler at:").rpartition(" ")[2]
        for _ in range(workers):
            options = ["--host", "127.0.0.1", "--no-nanny", "--no-dashboard", "--nthreads", "2"]
            worker = _start(stack, folder, "dask_worker", [address, *options, "--memory-limit", "0", *tls])
            worker.stderr_line("Registered to:")
        yield TlsCluster(address, files, scheduler.process)


@dataclass(frozen=True)
class Started:
    """A process of a cluster."""

    process: "subprocess.Popen[str]"

    def stderr_line(self, text: str) -> str:
        """Wait for a line of the log that has a text, and return it; the rest of the log is discarded."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if text in line:
                threading.Thread(target=self._discard, daemon=True).start()
                return line.strip()
        raise AssertionError(f"The process ended before it wrote {text!r}.")

    def _discard(self) -> None:
        assert self.process.stderr is not None
        for _ in self.process.stderr:
            pass


def _start(stack: ExitStack, folder: Path, module: str, arguments: list[str]) -> Started:
    return start_process(stack, folder, [sys.executable, "-m", f"distributed.cli.{module}", *arguments])


def start_process(stack: ExitStack, folder: Path, command: list[str]) -> Started:
    """Start a process of a cluster and end it, and those that it has started, with the stack."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )

    def end() -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stderr is not None
        process.stderr.close()

    stack.callback(end)
    return Started(process)


class ActingPyPI(PyPI):
    """An index that calls a function at one of the moments at which it is asked for something.

    Attributes:
        act: The function.
        at: The number of the moment, from 1.
        moments: The moments so far.
    """

    act: Callable[[], object] | None = None
    at = 1
    moments = 0
    _counting = threading.Lock()

    @classmethod
    @contextmanager
    def run(cls, act: Callable[[], object], *, at: int) -> Iterator["ActingPyPI"]:
        """Run an index.

        Args:
            act: The function.
            at: The number of the moment.
        """
        with run_web(web=cls) as index:
            assert isinstance(index, cls)
            index.act, index.at = act, at
            yield index

    def meet(self, point: Point, filename: str = "") -> None:
        """Count a moment of an upload or a read."""
        self.count()
        super().meet(point, filename)

    def count(self) -> None:
        """Count a moment."""
        with self._counting:
            self.moments += 1
            is_due = self.moments == self.at
        if is_due and self.act is not None:
            self.act()
