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
    """A running package index.

    Attributes:
        url: The root.
        simple_url: The address of the Simple API.
        upload_url: The address for uploads.
        username: The user that may upload; empty if uploads are anonymous.
        password: The password of this user.
        folder: The folder with the files, if the server uses a plain one.
    """

    url: str
    simple_url: str
    upload_url: str
    username: str = ""
    password: str = ""
    folder: Path | None = None

    def emptied(self) -> "IndexServer":
        """Remove all files and return the server."""
        assert self.folder is not None
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return self


@contextmanager
def run_pypiserver(
    root: Path, *, username: str = "", password: str = "", is_private: bool = False
) -> Iterator[IndexServer]:
    """Run pypiserver with its files in ``root / "files"``.

    Args:
        root: An empty folder.
        username: The user that may upload; uploads are anonymous without it.
        password: The password of this user.
        is_private: Whether reading requires the user, too.
    """
    folder = root / "files"
    folder.mkdir()
    passwords, protected = ".", "."
    if username:
        digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()
        (root / "htpasswd").write_text(f"{username}:{{SHA}}{digest}\n")
        passwords = str(root / "htpasswd")
        protected = "update,list,download" if is_private else "update"
    port = free_port()
    url = f"http://{HOST}:{port}/"
    command = [
        *(script("pypi-server"), "run", "-i", HOST, "-p", str(port)),
        *("-P", passwords, "-a", protected),
        *("--backend", "simple-dir", "--hash-algo", "sha256", "--disable-fallback", str(folder)),
    ]
    with running(command, log=root / "log", ready=lambda: answers(url if is_private else f"{url}simple/")):
        yield IndexServer(url, f"{url}simple/", url, username, password, folder)


@dataclass(frozen=True, slots=True)
class DevpiServer:
    """A running devpi-server."""

    url: str
    _numbers: Iterator[int]

    def new_index(self, *, volatile: bool = False, bases: Iterable[IndexServer] = ()) -> IndexServer:
        """Create a user with an empty index.

        Args:
            volatile: Whether files of the index can be replaced.
            bases: The indexes that it inherits files from.
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
        """Return a token; retry, because a busy server needs a moment after it created a user."""
        for _ in range(50):
            answer = self._call("POST", "+login", {"user": user, "password": password})
            if "password" in answer:
                return answer["password"]
            time.sleep(0.1)
        raise TimeoutError(f"devpi-server rejects {user}: {answer}")

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
