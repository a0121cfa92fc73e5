"""The command ``demo``."""

import os
import platform
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelrelay.cli.options import common_options, complete_file, jobs_option

if TYPE_CHECKING:
    from wheelrelay.cli.render.console import AnyConsole
    from wheelrelay.config import Remote, Route

PROJECT, VERSION = "markupsafe", "3.0.2"
NEWEST_WHEELS = (3, 13)
"""The newest Python with wheels of this release."""

REQUIRE_PYPI = "WHEELRELAY_DEMO_REQUIRE_PYPI"
"""An environment variable; if set, as in CI, the demo does not fall back to sample wheels."""

SERVER = "waitress"
"""The HTTP server that pypiserver uses if it is installed.

Without it, pypiserver uses wsgiref, which handles one request at a time and queues five connections; the
operating system resets further ones.
"""

START_TIMEOUT = 30.0
"""Seconds to wait until pypiserver accepts connections."""


@click.command()
@click.option(
    "--keep",
    "folder_to_keep",
    metavar="DIRECTORY",
    shell_complete=complete_file,
    help="Create this directory with a sample release and a configuration to try the commands on, and do "
    "nothing else.",
)
@jobs_option
@common_options
def demo(folder_to_keep: str | None, jobs: int | None) -> None:
    """Publish a real release to a package index on this machine.

    Publishes MarkupSafe 3.0.2 from PyPI to a temporary local index, installs it from there with pip, and
    relays it again to show that nothing is left to do. Needs no account and cleans up afterwards. If PyPI
    cannot be reached, sample wheels are used.

    With --keep, creates a directory for your own commands instead: a container with a release that is not
    complete yet, the missing builds, and a configuration with a local index.

    \b
    Examples:
      wheelrelay demo
      wheelrelay demo --keep ./tour
    """
    if folder_to_keep is not None:
        _keep(Path(folder_to_keep))
        return
    from wheelrelay.cli.render.blocks import Line
    from wheelrelay.cli.render.console import console as make_console
    from wheelrelay.disk.folders import temporary_folder

    console = make_console()
    with (
        temporary_folder("demo") as folder,
        running_index(folder) as index,
    ):
        route, requirement = _route(console, folder, index)
        _heading(console, 1, f"Relay {requirement} to a package index on this machine, {index.name}")
        filenames = _relay(console, route, requirement, jobs)
        _heading(console, 2, f"Install it with pip: pip install {requirement}")
        console.print(_pip_install(folder, index, requirement), markup=False)
        _heading(console, 3, "Relay it again: nothing is left to do")
        _relay(console, route, requirement, jobs)
        done = Line("\n").append("Done.", "bold green")
        done.append(f" Published and confirmed {len(filenames)} files by sha256. The index is stopped.")
        console.print(done)


def _keep(folder: Path) -> None:
    from wheelrelay.cli.demo_folder import REQUIREMENT, make_demo_folder
    from wheelrelay.printable import printable

    make_demo_folder(folder)
    click.echo(
        f"Created {printable(str(folder))} with a sample release. Try it:\n\n"
        f"  cd {printable(str(folder))}\n  wheelrelay list staging --matrix\n"
        f"  wheelrelay relay release {REQUIREMENT}"
    )


@contextmanager
def running_index(folder: Path) -> "Iterator[Remote]":
    """Run pypiserver on a free local port, and yield it as a remote.

    Args:
        folder: a directory for its files and its log.

    Raises:
        WheelrelayError: pypiserver is not installed, or does not start.
    """
    from wheelrelay.config import Remote
    from wheelrelay.errors import WheelrelayError

    for package in ("pypiserver", SERVER):
        if find_spec(package) is None:
            raise WheelrelayError(
                f"The demo needs {package}.", hint="Install it with `pip install 'wheelrelay[demo]'`."
            )
    from wheelrelay.backends.index import IndexConfig

    packages, log, port = folder / "packages", folder / "pypiserver.log", _free_port()
    packages.mkdir()
    command = [sys.executable, "-m", "pypiserver", "run", "-i", "127.0.0.1", "-p", str(port)]
    command += ["-P", ".", "-a", ".", "--hash-algo", "sha256", "--disable-fallback", str(packages)]
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


def _route(console: "AnyConsole", folder: Path, index: "Remote") -> "tuple[Route, str]":
    """Return the route from PyPI, or from sample wheels if PyPI is unreachable, and the requirement."""
    from wheelrelay.api import list_files
    from wheelrelay.cli.render.blocks import Line
    from wheelrelay.config import Route
    from wheelrelay.errors import Unavailable

    requirement = f"{PROJECT}=={VERSION}"
    try:
        list_files("pypi", [requirement])
    except Unavailable as error:
        if os.environ.get(REQUIRE_PYPI):
            raise
        notice = Line("PyPI cannot be reached; using sample wheels instead.", "yellow")
        console.print(notice.append(f" ({error})"))
        _make_samples(folder / "samples")
        return Route(source=str(folder / "samples"), sinks=[index]), "sample==1.0"
    return Route(source="pypi", sinks=[index]), requirement


def _make_samples(folder: Path) -> None:
    from wheelrelay.testing.samples import make_sdist, make_wheel

    folder.mkdir()
    make_wheel(folder, "sample", "1.0")
    make_sdist(folder, "sample", "1.0")


def _relay(console: "AnyConsole", route: "Route", requirement: str, jobs: int | None) -> list[str]:
    from wheelrelay import api
    from wheelrelay.cli.output import progress_on
    from wheelrelay.cli.render.tables import receipt_table

    with progress_on(console) as progress:
        receipt = api.relay(route, [requirement], jobs=jobs, progress=progress)
    console.print(receipt_table(receipt))
    return [file.filename for file in receipt.files]


def _pip_install(folder: Path, index: "Remote", requirement: str) -> str:
    """Install from the index into a temporary environment, and return the output of pip."""
    from wheelrelay.backends.index import IndexConfig
    from wheelrelay.errors import WheelrelayError

    assert isinstance(index.config, IndexConfig)
    # Temporary files go into the folder, so that nothing remains if pip is interrupted. The pip configuration
    # of this machine is ignored, because it may name another index.
    temporary = {name: str(folder) for name in ("TMPDIR", "TEMP", "TMP")}
    environment = {**os.environ, **temporary, "PIP_CONFIG_FILE": os.devnull}
    venv.create(folder / "venv")
    python = str(folder / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    ensurepip = run_program([python, "-I", "-m", "ensurepip", "--default-pip"], environment)
    if ensurepip.returncode:
        raise WheelrelayError(f"Cannot install pip into a virtual environment: {ensurepip.stderr.strip()}")
    command = [python, "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--no-cache-dir"]
    command += ["--no-deps", "--index-url", str(index.config.url)]
    if sys.version_info[:2] > NEWEST_WHEELS and requirement.startswith(PROJECT):
        newest = ".".join(map(str, NEWEST_WHEELS))
        target = str(folder / f"for-python-{newest}")
        command += ["--only-binary", ":all:", "--python-version", newest, "--target", target]
    pip = run_program([*command, requirement], environment)
    if pip.returncode:
        raise WheelrelayError(f"pip cannot install {requirement} from {index.name}: {pip.stderr.strip()}")
    return pip.stdout.strip()


def _heading(console: "AnyConsole", number: int, text: str) -> None:
    from wheelrelay.cli.render.blocks import Line

    console.print(Line(f"\n{number}. {text}\n", "bold"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_start(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    from wheelrelay.errors import WheelrelayError

    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    output = log.read_text(encoding="utf-8", errors="replace").strip()[-500:]
    raise WheelrelayError(f"pypiserver does not start on {platform.system()}: {output}")


GRACE_PERIOD = 5.0
"""Seconds that an interrupted program has to clean up before it is killed."""


def run_program(command: Sequence[str], env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end and capture its output.

    If this is interrupted, the program and all its children are ended first.

    Args:
        command: the program and its arguments.
        env: its complete environment.

    Raises:
        OSError: The program cannot be started.
    """
    with subprocess.Popen(  # noqa: S603  (callers name the program)
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            stdout, stderr = process.communicate()
        except BaseException:
            _end(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def _end(process: "subprocess.Popen[str]") -> None:
    """End a program and its children, which share its session, after a grace period."""
    if sys.platform == "win32":
        process.kill()
        return
    try:
        _signal(process, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_PERIOD)
    finally:
        _signal(process, signal.SIGKILL)


def _signal(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    if sys.platform == "win32":
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
