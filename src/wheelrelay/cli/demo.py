"""What ``demo`` does: the main job, from PyPI to a package index that runs here for a moment.

A real release is read from PyPI, planned, staged and published to a pypiserver on a free port of this
machine; pip installs from there; and the same relay again finds nothing left to do.
"""

import os
import platform
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelrelay.cli.options import common, jobs_option

if TYPE_CHECKING:
    from rich.console import Console

    from wheelrelay.cli.render.console import LogConsole
    from wheelrelay.config import Remote, Route


PROJECT, VERSION = "markupsafe", "3.0.2"
NEWEST_WHEELS = (3, 13)
"""The newest Python that the release has wheels for."""

REQUIRE_PYPI = "WHEELRELAY_DEMO_REQUIRE_PYPI"
"""Set in CI: the demo must not fall back to samples."""

SERVER = "waitress"
"""The HTTP server that pypiserver takes if it is installed.

If none is, it takes wsgiref, which answers one request at a time and lets five connections wait: the system
closes more of them unanswered.
"""

START_TIMEOUT = 30.0


def demonstrate(jobs: int | None) -> None:
    """Run the demo.

    Args:
        jobs: how many files to move at once.

    Raises:
        WheelrelayError: pypiserver is not installed or does not start, or pip cannot install from it.
    """
    from wheelrelay.cli.render.console import console as make_console
    from wheelrelay.cli.render.sheet import Line
    from wheelrelay.disk.folders import temporary_folder

    console = make_console()
    with (
        temporary_folder("demo") as folder,
        running_index(folder) as index,
    ):
        route, requirement = _route(console, folder, index)
        _heading(console, 1, f"Relay {requirement} to a package index on this machine, {index.name}")
        first = _relay(console, route, requirement, jobs)
        _heading(console, 2, f"pip installs from there: pip install {requirement}")
        console.print(_pip_install(folder, index, requirement), markup=False)
        _heading(console, 3, "The same relay again")
        _relay(console, route, requirement, jobs)
        said = f" {len(first)} files arrived, each sha256 confirmed, and nothing is left. "
        said += "Everything that the demo started is stopped."
        console.print(Line("\n").append("Done.", "bold green").append(said))


@contextmanager
def running_index(folder: Path) -> "Iterator[Remote]":
    """A pypiserver on a free port of this machine, as a remote; stopped at the end.

    Args:
        folder: where it may keep its files and its log.

    Raises:
        WheelrelayError: it is not installed, or does not start.
    """
    from wheelrelay.config import Remote
    from wheelrelay.errors import WheelrelayError

    for package in ("pypiserver", SERVER):
        if find_spec(package) is None:
            raise WheelrelayError(
                f"The demo needs {package}.", hint="Install it: pip install 'wheelrelay[demo]'."
            )
    from wheelrelay.backends.index import IndexConfig

    packages, log, port = folder / "packages", folder / "pypiserver.log", _free_port()
    packages.mkdir()
    command = [sys.executable, "-m", "pypiserver", "run", "-i", "127.0.0.1", "-p", str(port)]
    command += [
        "-P",
        ".",
        "-a",
        ".",
        "--hash-algo",
        "sha256",
        "--disable-fallback",
        str(packages),
    ]
    address = f"http://127.0.0.1:{port}/"
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)  # noqa: S603
    try:
        _await_start(server, port, log)
        config = IndexConfig(url=f"{address}simple/", upload_url=address)
        yield Remote(f"127.0.0.1:{port}", config)
    finally:
        server.terminate()
        server.wait()


def _route(console: "Console | LogConsole", folder: Path, index: "Remote") -> "tuple[Route, str]":
    """The route from PyPI, or from samples built on the spot, and the requirement to take along it."""
    from wheelrelay.api import list_files
    from wheelrelay.cli.render.sheet import Line
    from wheelrelay.config import Route
    from wheelrelay.errors import Unavailable

    requirement = f"{PROJECT}=={VERSION}"
    try:
        list_files("pypi", [requirement])
    except Unavailable as error:
        if os.environ.get(REQUIRE_PYPI):
            raise
        said = Line("PyPI cannot be reached, so sample wheels take its place.", "yellow")
        console.print(said.append(f" ({error})"))
        _make_samples(folder / "samples")
        return Route(source=str(folder / "samples"), sinks=[index]), "sample==1.0"
    return Route(source="pypi", sinks=[index]), requirement


def _make_samples(folder: Path) -> None:
    from wheelrelay.testing.samples import make_sdist, make_wheel

    folder.mkdir()
    make_wheel(folder, "sample", "1.0")
    make_sdist(folder, "sample", "1.0")


def _relay(console: "Console | LogConsole", route: "Route", requirement: str, jobs: int | None) -> list[str]:
    from wheelrelay import api
    from wheelrelay.cli.render.progress import shown_on
    from wheelrelay.cli.render.tables import receipt_table

    with shown_on(console) as progress:
        receipt = api.relay(route, [requirement], jobs=jobs, progress=progress)
    console.print(receipt_table(receipt))
    return [file.filename for file in receipt.files]


def _pip_install(folder: Path, index: "Remote", requirement: str) -> str:
    """Install into a throw-away environment, from the index alone; what pip says at the end."""
    from wheelrelay.backends.index import IndexConfig
    from wheelrelay.cli.subprocesses import run_whole
    from wheelrelay.errors import WheelrelayError

    assert isinstance(index.config, IndexConfig)
    # What these programs leave when they are interrupted lies in the folder too, which goes at the end.
    # And no configuration file of this machine may lead pip to another index.
    scratch = {name: str(folder) for name in ("TMPDIR", "TEMP", "TMP")}
    environment = {**os.environ, **scratch, "PIP_CONFIG_FILE": os.devnull}
    venv.create(folder / "venv")
    python = str(folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    made = run_whole([python, "-I", "-m", "ensurepip", "--default-pip"], environment)
    if made.returncode:
        raise WheelrelayError(f"This Python cannot put pip into an environment: {made.stderr.strip()}")
    command = [python, "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--no-cache-dir"]
    command += ["--no-deps", "--index-url", str(index.config.url)]
    if sys.version_info[:2] > NEWEST_WHEELS and requirement.startswith(PROJECT):
        newest = ".".join(map(str, NEWEST_WHEELS))
        target = str(folder / f"for-python-{newest}")
        command += ["--only-binary", ":all:", "--python-version", newest, "--target", target]
    done = run_whole([*command, requirement], environment)
    if done.returncode:
        raise WheelrelayError(f"pip could not install {requirement} from {index.name}: {done.stderr.strip()}")
    return done.stdout.strip()


def _heading(console: "Console | LogConsole", number: int, text: str) -> None:
    from wheelrelay.cli.render.sheet import Line

    console.print(Line(f"\n{number}. {text}\n", "bold"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_start(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    from wheelrelay.errors import WheelrelayError

    ends = time.monotonic() + START_TIMEOUT
    while time.monotonic() < ends and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    said = log.read_text(encoding="utf-8", errors="replace").strip()[-500:]
    raise WheelrelayError(f"pypiserver does not start on {platform.system()}: {said}")


@click.command()
@jobs_option
@common
def demo(jobs: int | None) -> None:
    """Run the main job on this machine; no account is needed.

    MarkupSafe 3.0.2 is read from PyPI and published to a package index that the demo starts here; then pip
    installs it from there. Where PyPI cannot be reached, sample wheels take its place. Nothing is left
    behind.

    \b
    Example:
      wheelrelay demo
    """
    from wheelrelay.cli.demo import demonstrate

    demonstrate(jobs)
