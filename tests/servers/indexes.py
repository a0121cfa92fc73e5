"""Package indexes as people run them: pypiserver and devpi-server."""

import base64
import hashlib
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.servers.process import HOST, answers, free_port, running, script


@dataclass(frozen=True, slots=True)
class IndexServer:
    """A package index that runs.

    Attributes:
        url: its root.
        simple_url: of its Simple API.
        upload_url: that distribution files are posted to.
        username: of somebody who may upload; empty where everybody may.
        password: theirs.
        folder: where the server keeps the files, if in a plain folder.
    """

    url: str
    simple_url: str
    upload_url: str
    username: str = ""
    password: str = ""
    folder: Path | None = None

    def emptied(self) -> "IndexServer":
        """The same server, without any files."""
        assert self.folder is not None
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return self


@contextmanager
def run_pypiserver(root: Path, *, username: str = "", password: str = "") -> Iterator[IndexServer]:
    """Run pypiserver with its files in ``root / "files"``.

    Args:
        root: an empty folder.
        username: who may upload; everybody may if not given.
        password: theirs.
    """
    folder = root / "files"
    folder.mkdir()
    passwords, protected = ".", "."
    if username:
        digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()
        (root / "htpasswd").write_text(f"{username}:{{SHA}}{digest}\n")
        passwords, protected = str(root / "htpasswd"), "update"
    port = free_port()
    url = f"http://{HOST}:{port}/"
    command = [
        *(script("pypi-server"), "run", "-i", HOST, "-p", str(port)),
        *("-P", passwords, "-a", protected),
        *("--backend", "simple-dir", "--hash-algo", "sha256", "--disable-fallback", str(folder)),
    ]
    with running(command, log=root / "log", ready=lambda: answers(f"{url}simple/")):
        yield IndexServer(url, f"{url}simple/", url, username, password, folder)


@dataclass(frozen=True, slots=True)
class DevpiServer:
    """A devpi-server that runs; `new_index` gives an index of one's own."""

    url: str
    _numbers: Iterator[int]

    def new_index(self, *, volatile: bool = False, bases: Iterable[IndexServer] = ()) -> IndexServer:
        """A fresh user with a fresh index.

        Args:
            volatile: whether the index lets files be replaced.
            bases: indexes whose files it shows as well.
        """
        user, password = f"user{next(self._numbers)}", "correct horse"
        self._call("PUT", user, {"password": password})
        token = self._login(user, password)
        inherited = [f"{base.username}/dev" for base in bases]
        index = {"type": "stage", "bases": inherited, "volatile": volatile}
        self._call("PUT", f"{user}/dev", index, token=f"{user}:{token}")
        root = f"{self.url}{user}/dev/"
        return IndexServer(self.url, f"{root}+simple/", root, user, password)

    def _login(self, user: str, password: str) -> str:
        """A token; a busy server may need a moment until it knows a user that it has just taken."""
        for _ in range(50):
            told = self._call("POST", "+login", {"user": user, "password": password})
            if "password" in told:
                return told["password"]
            time.sleep(0.1)
        raise TimeoutError(f"devpi-server lets {user} not in: {told}")

    def _call(self, method: str, path: str, body: dict[str, object], *, token: str = "") -> dict[str, str]:
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("Accept", "application/json")
        if token:
            request.add_header("X-Devpi-Auth", base64.b64encode(token.encode()).decode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            result: dict[str, str] = json.load(answer).get("result", {})
            return result


@contextmanager
def run_devpi(root: Path) -> Iterator[DevpiServer]:
    """Run devpi-server with its state in ``root``, an empty folder."""
    port = free_port()
    url = f"http://{HOST}:{port}/"
    state = ("--serverdir", str(root / "state"))
    subprocess.run(
        [script("devpi-init"), *state, "--no-root-pypi", "--root-passwd", "root"],
        check=True,
        capture_output=True,
    )
    command = [script("devpi-server"), *state, "--host", HOST, "--port", str(port)]
    with running(command, log=root / "log", ready=lambda: answers(f"{url}+api")):
        yield DevpiServer(url, count())
