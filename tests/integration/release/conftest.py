"""A release, a configuration that publishes it to the test index, and the command line."""

import json
import logging
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.servers.pypi import TOKEN, run_pypi

import wheelrelay
from wheelrelay.cli import main
from wheelrelay.testing import make_sdist, make_wheel

TAGS = (
    "cp312-cp312-manylinux_2_17_x86_64",
    "cp313-cp313-macosx_11_0_arm64",
    "cp313-cp313-manylinux_2_17_x86_64",
    "cp313-cp313-win_amd64",
)
SDIST = "sample-1.0.tar.gz"
WHEELS = tuple(f"sample-1.0-{tag}.whl" for tag in TAGS)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a command.

    Attributes:
        code: its exit code.
        out: its standard output.
        err: its standard error.
    """

    code: int
    out: str
    err: str

    def json(self):
        """Return the JSON document on standard output."""
        return json.loads(self.out)


Run = Callable[..., Result]


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a release in ``dist`` and a configuration.

    Attributes:
        folder: the working directory.
        dist: the release.
    """

    folder: Path
    dist: Path

    def configure(self, *sinks, remotes="", route=""):
        """Write the configuration.

        Args:
            sinks: the names of the route's sinks.
            remotes: tables of remotes.
            route: further keys and tables of the route ``release``.
        """
        listed = ", ".join(f'"{sink}"' for sink in sinks)
        lines = [
            '[remotes.staging]\ntype = "directory"\npath = "dist"\n',
            remotes,
            f'[routes.release]\nsource = "staging"\nsinks = [{listed}]\n{route}\n',
        ]
        (self.folder / "wheelrelay.toml").write_text("\n".join(lines))

    def digests(self):
        """Return the sha256 of each file of the release, by name."""
        return {
            file.filename: file.sha256 or ""
            for file in wheelrelay.list_files(str(self.dist), with_digests=True)
        }


def index_table(index, name="warehouse", *, profile="pypi", keys=""):
    """Return the configuration table of the test index.

    Args:
        index: the index.
        name: of the remote.
        profile: of its checks, unless the keys name one.
        keys: further lines.
    """
    checks = f"[remotes.{name}.checks]"
    if checks not in keys:
        keys = f"{keys}\n{checks}"
    if "profile =" not in keys:
        keys = keys.replace(checks, f'{checks}\nprofile = "{profile}"')
    return (
        f'[remotes.{name}]\ntype = "index"\nurl = "{index.simple_url}"\nupload_url = "{index.upload_url}"\n'
        f'token = {{ env = "{name.upper()}_TOKEN" }}\n{keys}\n'
    )


@pytest.fixture
def project(tmp_path, monkeypatch, pypi):
    """A release of four wheels and an sdist, and a route to the test index."""
    dist = tmp_path / "dist"
    for tag in TAGS:
        make_wheel(dist, "sample", "1.0", tag, payload=tag.encode() * 100)
    make_sdist(dist, "sample", "1.0")
    project_folder = Project(tmp_path, dist)
    project_folder.configure("warehouse", remotes=index_table(pypi))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAREHOUSE_TOKEN", TOKEN)
    monkeypatch.setenv("MIRROR_TOKEN", TOKEN)
    return project_folder


@pytest.fixture
def second():
    """Another test index."""
    with run_pypi() as index:
        yield index


@pytest.fixture
def run(capsys):
    """Return a function that runs a command in this process."""
    before, logger = signal.getsignal(signal.SIGTERM), logging.getLogger("wheelrelay")

    def call(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        output = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)
        return Result(ended.value.code, output.out, output.err)

    yield call
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def relay(project, run):
    """Return a function that relays the configured release."""
    assert project
    return lambda *options: run("relay", "release", "--yes", *options)


@pytest.fixture
def relay_beside(project):
    """Return a function that relays in another thread."""
    with ThreadPoolExecutor(1) as pool:

        def begin(requirements=(), **options):
            route = wheelrelay.load_config(project.folder / "wheelrelay.toml").route("release")
            return pool.submit(wheelrelay.relay, route, requirements, **options)

        yield begin
