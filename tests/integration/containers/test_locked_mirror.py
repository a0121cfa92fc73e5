"""A container that is mirrored by a lock file is all that pip and uv need to install the environment."""

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.servers.installers import pip_download, pip_install, uv_install
from tests.servers.process import script
from tests.servers.pypi import run_pypi

import wheelrelay
from wheelrelay.testing import make_sdist, make_wheel

WINDOWS = "extension-1.0-cp312-cp312-win_amd64.whl"
LOCKED = [
    WINDOWS,
    "extension-1.0-py3-none-any.whl",
    "needed-2.0-py3-none-any.whl",
    "needed-2.0.tar.gz",
    "windows_only-3.0-py3-none-win_amd64.whl",
]
LOCKS = ["pylock.toml", "requirements.txt", "uv.lock"]
WINDOWS_EXTENSIONS = {"pywinpty", "pyzmq", "markupsafe"}
INSTALLED = ["extension-1.0", "needed-2.0"]

PROJECT = """\
[project]
name = "application"
version = "0"
requires-python = ">=3.11"
dependencies = ["extension", "windows-only; sys_platform == 'win32'"]
"""


class Handler(SimpleHTTPRequestHandler):
    """Serves files without logging."""

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    """A server that accepts as many connections at once as uv opens."""

    request_queue_size = 128


@contextmanager
def served(folder):
    """Serve a folder, and yield its address."""
    server = Server(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def only_loopback(monkeypatch):
    """Send the requests of installers to other hosts to a proxy that does not exist."""
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def require_offline(folder):
    """Require that neither installer reaches its default index."""
    with pytest.raises(RuntimeError, match="from versions: none"):
        pip_download(folder, "--retries", "0", "six")
    with pytest.raises(RuntimeError, match="tunnel error"):
        uv_install(folder, "six")


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "application"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PROJECT)
    return folder


def uv(home, *arguments):
    """Run uv in a folder, without its configuration."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    command = [script("uv"), *arguments, "--no-config", "--quiet"]
    subprocess.run(command, cwd=home, check=True, capture_output=True, text=True, env=env)


def lock_all(home, index):
    """Let uv write a lock, and export it to both other formats."""
    uv(home, "lock", "--no-cache", *(("--default-index", index) if index else ()))
    for name, form in (("pylock.toml", "pylock.toml"), ("requirements.txt", "requirements.txt")):
        uv(home, "export", "--frozen", "--no-emit-project", "--format", form, "--output-file", name)


def offered(folder):
    """Return the names of the distribution files of a container."""
    return sorted(path.name for path in folder.iterdir() if path.name.endswith((".whl", ".tar.gz")))


def mirror(source, folder, lock, **keys):
    container = wheelrelay.DirectoryConfig(path=folder, pages=True)
    route = wheelrelay.Route(
        source=source, sinks=[wheelrelay.Remote("mirror", container)], mode="mirror", lock=lock, **keys
    )
    return wheelrelay.relay(route)


@pytest.mark.parametrize("lock", LOCKS)
def test_pip_and_uv_install_from_the_container_alone(home, tmp_path, lock, only_loopback, monkeypatch):
    monkeypatch.setenv("PATH", str(Path(script("uv")).parent), prepend=os.pathsep)
    folder = tmp_path / "mirror"
    with run_pypi() as index:
        made = tmp_path / "made"
        for path in (
            make_wheel(made, "extension", "1.0", metadata={"Requires-Dist": "needed<3"}),
            make_wheel(
                made, "extension", "1.0", "cp312-cp312-win_amd64", metadata={"Requires-Dist": "needed<3"}
            ),
            make_wheel(made, "needed", "2.0"),
            make_sdist(made, "needed", "2.0"),
            make_wheel(made, "needed", "3.0"),
            make_wheel(made, "windows-only", "3.0", "py3-none-win_amd64"),
        ):
            index.take(path)
        lock_all(home, index.simple_url)
        source = wheelrelay.Remote("index", wheelrelay.IndexConfig(url=index.simple_url))
        assert mirror(source, folder, home / lock).is_complete
    assert offered(folder) == LOCKED
    assert (
        wheelrelay.verify(str(folder), selection=wheelrelay.Selection(lock=wheelrelay.read_lock(home / lock)))
        == []
    )
    with served(folder) as address:
        arguments = from_index(address, "-r", str(home / "requirements.txt"))
        assert pip_install(tmp_path / "pip", *arguments) == INSTALLED
        assert uv_install(tmp_path / "uv", *arguments) == INSTALLED


def from_index(address, *arguments):
    """Return the arguments of installers that use one index and no other, and require hashes."""
    return ("--index-url", f"{address}simple/", "--require-hashes", *arguments)


def lock_for_windows(home, address):
    """Let uv write the requirements of Windows, without markers: pip evaluates those for this machine."""
    index = ("--default-index", f"{address}simple/", "--no-deps", "--generate-hashes", "--no-cache")
    platform = ("--python-platform", "x86_64-pc-windows-msvc")
    uv(home, "pip", "compile", "requirements.txt", *platform, *index, "--output-file", "windows.txt")
    return str(home / "windows.txt")


@pytest.mark.long
def test_real_environment_for_two_platforms(home, tmp_path, only_loopback, monkeypatch):
    monkeypatch.setenv("PATH", str(Path(script("uv")).parent), prepend=os.pathsep)
    (home / "pyproject.toml").write_text(
        '[project]\nname = "environment"\nversion = "0"\nrequires-python = ">=3.11"\n'
        'dependencies = ["jupyter-server==2.17.*"]\n'
    )
    with monkeypatch.context() as online:
        online.delenv("ALL_PROXY")
        lock_all(home, None)
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    platforms = "{any,manylinux*_x86_64,win_amd64}"
    wheels = (f"{python}-*-{platforms}", f"cp3*-abi3-{platforms}", f"py*-none-{platforms}")
    folder = tmp_path / "mirror"
    with monkeypatch.context() as online:
        online.delenv("ALL_PROXY")
        assert mirror("pypi", folder, home / "uv.lock", wheels=wheels, sdist=False).is_complete
    names = offered(folder)
    assert {name.partition("-")[0] for name in names if name.endswith("win_amd64.whl")} >= WINDOWS_EXTENSIONS
    assert not [name for name in names if "macosx" in name or "musllinux" in name]
    for lock in LOCKS:
        patterns = tuple(pattern for text in wheels for pattern in wheelrelay.TagPattern.parse(text))
        selection = wheelrelay.Selection(wheels=patterns, sdist=False, lock=wheelrelay.read_lock(home / lock))
        assert len(selection.lock.projects()) >= 40
        assert wheelrelay.verify(str(folder), selection=selection) == []
    require_offline(tmp_path / "offline")
    with served(folder) as address:
        here = from_index(address, "-r", str(home / "requirements.txt"))
        installed_here = pip_install(tmp_path / "pip", *here)
        assert len(installed_here) >= 40
        assert uv_install(tmp_path / "uv", *here) == installed_here
        assert not (tmp_path / "uv" / "winpty").exists()

        windows = from_index(address, "-r", lock_for_windows(home, address))
        there = uv_install(tmp_path / "windows", *windows, "--python-platform", "x86_64-pc-windows-msvc")
        assert len(there) >= 40
        assert (tmp_path / "windows" / "winpty").exists()
        downloaded = pip_download(tmp_path / "wheels", *windows, "--no-deps", "--platform", "win_amd64")
        assert len(downloaded) == len(there)
        assert {n.partition("-")[0] for n in downloaded if n.endswith("win_amd64.whl")} >= WINDOWS_EXTENSIONS
