"""Fixtures for the command line: run it in this process, or as the process that users start."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass

import pytest
from tests.servers.proxy import run_proxy

from wheelrelay.cli import main
from wheelrelay.testing import make_sdist, make_wheel

WHEEL = "sample-1.0-py3-none-any.whl"
SDIST = "sample-1.0.tar.gz"


@dataclass(frozen=True)
class Ended:
    """What a command left: its exit code, and what it said on standard output and standard error."""

    code: int
    out: str
    err: str


class CommandLine:
    """Runs commands; calling it runs one within this process."""

    def __init__(self, capture, started):
        self._capture = capture
        self._started = started

    def __call__(self, *arguments):
        """Run a command within this process."""
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = self._capture.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    def start(self, *arguments, **env):
        """Start the command as a process of its own."""
        process = subprocess.Popen(
            [sys.executable, "-m", "wheelrelay", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **env},
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def apart(self, *arguments, **env):
        """Run the command as a process of its own, to its end."""
        return end_of(self.start(*arguments, **env))


def end_of(process):
    """What a process left, once it has ended."""
    out, err = process.communicate(timeout=60)
    return Ended(process.returncode, out, err)


@pytest.fixture
def wheelrelay(capsys):
    """The command line; what it does to this process is undone."""
    handler = signal.getsignal(signal.SIGTERM)
    started = []
    yield CommandLine(capsys, started)
    signal.signal(signal.SIGTERM, handler)
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def dist(here):
    """A release of one wheel and one sdist in ``./dist``."""
    make_wheel(here / "dist")
    make_sdist(here / "dist")
    return here / "dist"


@pytest.fixture
def proxy(open_pypiserver):
    """A real index, with a proxy in front of it that loses answers when told to."""
    with run_proxy(open_pypiserver) as running:
        yield running


@pytest.fixture
def config(here, proxy):
    """A configuration with the remote ``index`` and the route ``release`` from ``./dist`` to it."""
    path = here / "wheelrelay.toml"
    path.write_text(
        f"""
[remotes.index]
type = "index"
url = "{proxy.index.simple_url}"
upload_url = "{proxy.index.upload_url}"

[remotes.staging]
type = "directory"
path = "dist"

[routes.release]
source = "staging"
sinks = ["index"]
"""
    )
    return path
