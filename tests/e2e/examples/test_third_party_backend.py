"""The backend among the examples is built, installed beside wheelrelay into a fresh environment, and used."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.servers.process import HOST, answers, free_port, running, script

from wheelrelay.testing import make_sdist, make_wheel

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "third_party_backend"
PASSWORD = "s3cret"

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Environment:
    """A virtual environment that has nothing but what a user of the example installs."""

    bin: Path

    def run(self, program, *arguments, folder, **env):
        """Run a program of it in a folder; gives what it says on standard output."""
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **env},
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment with the example's wheel, and wheelrelay's, as they are built from this checkout."""
    folder = tmp_path_factory.mktemp("environment")
    wheels = folder / "wheels"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", wheels, ROOT, EXAMPLE], check=True)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    environment = Environment(folder / "venv" / "bin")
    core, ours = (next(wheels.glob(f"{name}-*.whl")) for name in ("wheelrelay", "wheelrelay_webdav"))
    constraints = ["--constraint", str(ROOT / "tests" / "constraints.txt")]
    environment.run(
        "python",
        *("-m", "pip", "install", "--quiet", "--disable-pip-version-check", *constraints),
        *(f"{core}[testing]", f"{ours}[test]"),
        folder=folder,
    )
    return environment


@pytest.fixture
def share(tmp_path):
    """The address of an empty folder on wsgidav, started as people start it."""
    (tmp_path / "dav" / "wheels").mkdir(parents=True)
    port = free_port()
    config = tmp_path / "wsgidav.yaml"
    config.write_text(
        f"""\
host: {HOST}
port: {port}
provider_mapping: {{"/": "{tmp_path / "dav"}", "/open": "{tmp_path / "dav" / "wheels"}"}}
simple_dc: {{user_mapping: {{"*": {{ci: {{password: {PASSWORD}}}}}, "/open": true}}}}
http_authenticator: {{accept_basic: true, accept_digest: false, default_to_digest: false}}
"""
    )
    url = f"http://{HOST}:{port}/"
    command = [script("wsgidav"), "--config", str(config)]
    with running(command, log=tmp_path / "wsgidav.log", ready=lambda: answers(url)):
        yield f"{url}wheels/"


def test_example_passes_its_own_tests(installed, tmp_path):
    copy = tmp_path / "wheelrelay-webdav"
    shutil.copytree(EXAMPLE / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    said = installed.run("python", "-m", "pytest", "-rs", "-p", "no:cacheprovider", "tests", folder=copy)
    passed = re.search(r" (\d+) passed", said)
    assert passed
    assert int(passed[1]) >= 50
    assert "skipped" not in said


def test_example_is_listed_as_a_backend(installed, tmp_path):
    said = installed.run("wheelrelay", "backends", folder=tmp_path)
    [line] = [line for line in said.splitlines() if line.startswith("webdav")]
    assert line.split() == ["webdav", "wheelrelay-webdav", "0.1.0", "source,", "sink"]
    assert '"webdav"' in installed.run("wheelrelay", "config", "schema", folder=tmp_path)


def test_example_relays_a_release(installed, share, tmp_path):
    work = tmp_path / "work"
    wheel, sdist = make_wheel(work / "dist"), make_sdist(work / "dist")
    (work / "wheelrelay.toml").write_text(
        f"""
[remotes.share]
type = "webdav"
url = "{share}"
username = "ci"
password = {{ env = "DAV_PASSWORD" }}

[routes.release]
source = "share"
sinks = ["./wheelhouse"]
expect = {{ wheels = ["py3-none-any"], sdist = true }}
"""
    )
    for words in (
        ["push", "dist", "--to", "share"],
        ["index", "share", "--check"],
        ["relay", "release", "sample==1.0", "--yes"],
        ["verify", "release", "sample==1.0", "--download"],
    ):
        installed.run("wheelrelay", *words, folder=work, DAV_PASSWORD=PASSWORD)
    anybody = installed.run(
        "wheelrelay", "list", f"webdav+{share.replace('/wheels/', '/open/')}", folder=work
    )
    assert wheel.name in anybody
    for path in (wheel, sdist):
        assert (work / "wheelhouse" / path.name).read_bytes() == path.read_bytes()
        assert (tmp_path / "dav" / "wheels" / path.name).read_bytes() == path.read_bytes()
