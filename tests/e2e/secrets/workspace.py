"""A workspace with secrets in every place that wheelrelay reads, and a search for them in all output."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.canaries import canary, seen, text_below
from tests.servers.oidc import AUDIENCE, REQUEST_TOKEN, TrustingIndex
from tests.servers.process import script

UNREACHABLE = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
"""Environment variables that prevent a command from reaching the web."""


LOUD = ("-vv", "--debug")


ROOT = Path(__file__).parents[3]


@dataclass
class Workspace:
    """A working directory, an index that requires credentials, and secrets in every place.

    Attributes:
        index: the index.
        work: the working directory; all its files are searched.
        secrets: a folder next to it for files with secrets.
        home: the home folder.
        env: environment variables for the commands.
        canaries: all secrets, by place.
        remote: keys of the remote ``company``, which is the index.
    """

    index: TrustingIndex
    work: Path
    secrets: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)
    canaries: dict[str, str] = field(default_factory=dict)
    remote: str = ""

    def make(self, place: str) -> str:
        """Create a secret for a place, which the index accepts as a password."""
        self.canaries[place] = canary(place)
        self.index.accounts[f"ci-{place}"] = self.canaries[place]
        return self.canaries[place]

    def write(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o600)

    def configure(self, more: str = "") -> None:
        self.write(
            self.work / "wheelrelay.toml",
            f'[remotes.company]\ntype = "index"\nurl = "{self.index.simple_url}"\n'
            f'upload_url = "{self.index.upload_url}"\n{self.remote}\n'
            '[remotes.store]\ntype = "directory"\npath = "store"\n'
            "[remotes.store.retention]\nkeep = 1\n"
            '[routes.release]\nsource = "./dist"\nsinks = ["company"]\n' + more,
        )

    def run(self, *arguments: str, program: str = "wheelrelay") -> "Result":
        """Run a command, and search its output, its files and its child processes."""
        started, command = ProcessRecorder(), [script(program), *arguments]
        with started:
            done = subprocess.run(
                command,
                cwd=self.work,
                env={**os.environ, **self.env, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        started.forget(arguments)  # the arguments of this command may contain secrets
        result = Result(done.returncode, done.stdout + done.stderr, started.commands)
        self.search(result)
        return result

    def search(self, result: "Result") -> None:
        """Fail if any secret is found."""
        words = [*self.canaries.values(), REQUEST_TOKEN, *self.index.identities, *self.index.tokens]
        everything = "\n".join((result.output, text_below(self.work), *sorted(result.commands)))
        assert not seen(everything, words), result.output

    def logins(self) -> set[str]:
        """The passwords of all uploads, decoded."""
        uploads = (one.headers for one in self.index.requests if one.path == "/legacy/")
        sent = [headers["authorization"] for headers in uploads if "authorization" in headers]
        clear = (base64.b64decode(value.removeprefix("Basic ")).decode() for value in sent)
        return {login.partition(":")[2] for login in clear}


@dataclass(frozen=True)
class Result:
    """The exit code and the output of a command, and the commands that ran meanwhile."""

    code: int
    output: str
    commands: set[str] = field(repr=False)


class ProcessRecorder:
    """Records the command lines of all processes within the context."""

    def __init__(self) -> None:
        self.commands: set[str] = set()
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._collect, daemon=True)

    def __enter__(self) -> None:
        self._watch.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

    def forget(self, arguments: tuple[str, ...]) -> None:
        """Remove the command with these arguments."""
        typed = " ".join((*arguments, ""))
        self.commands = {command for command in self.commands if not command.endswith(typed)}

    def _collect(self) -> None:
        while not self._over.wait(0.1):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.commands.add(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                except OSError:
                    continue  # the process has ended


def by_config_env(workspace: Workspace) -> None:
    workspace.env["SECRET"] = workspace.make("env")
    workspace.remote = 'username = "ci-env"\npassword = { env = "SECRET" }'
    workspace.configure()


def by_config_file(workspace: Workspace) -> None:
    workspace.write(workspace.secrets / "token", workspace.make("file") + "\n")
    workspace.remote = f'username = "ci-file"\npassword = {{ file = "{workspace.secrets / "token"}" }}'
    workspace.configure()


def by_config_command(workspace: Workspace) -> None:
    workspace.write(workspace.secrets / "token", workspace.make("command"))
    read = f"import sys, time; time.sleep(0.2); print(open({str(workspace.secrets / 'token')!r}).read())"
    workspace.remote = (
        f'username = "ci-command"\npassword = {{ command = ["{sys.executable}", "-c", """{read}"""] }}'
    )
    workspace.configure()


def by_config_keyring(workspace: Workspace) -> None:
    by_keyring(workspace, service="company", place="config-keyring")
    workspace.remote = (
        'username = "ci-config-keyring"\npassword = { keyring = "company", username = "ci-config-keyring" }'
    )
    workspace.configure()


def by_own_variables(workspace: Workspace) -> None:
    workspace.env |= {
        "WHEELRELAY_COMPANY_USERNAME": "ci-own",
        "WHEELRELAY_COMPANY_PASSWORD": workspace.make("own"),
    }


def by_twine_variables(workspace: Workspace) -> None:
    workspace.env |= {"TWINE_REPOSITORY": "company", "TWINE_USERNAME": "ci-twine"}
    workspace.env["TWINE_PASSWORD"] = workspace.make("twine")


def by_pypirc(workspace: Workspace) -> None:
    workspace.write(
        workspace.home / ".pypirc",
        f"[distutils]\nindex-servers = warehouse\n[warehouse]\nrepository = {workspace.index.upload_url}\n"
        f"username = ci-pypirc\npassword = {workspace.make('pypirc')}\n",
    )


def by_keyring(workspace: Workspace, service: str = "", place: str = "keyring") -> None:
    path = workspace.secrets / "keyring.json"
    held = json.loads(path.read_text()) if path.exists() else {}
    held[service or workspace.index.upload_url] = {f"ci-{place}": workspace.make(place)}
    workspace.write(path, json.dumps(held))
    workspace.env["FILE_KEYRING"] = str(workspace.secrets / "keyring.json")
    workspace.env["PYTHON_KEYRING_BACKEND"] = "tests.servers.file_keyring.Keyring"


def by_netrc(workspace: Workspace) -> None:
    workspace.write(
        workspace.home / ".netrc", f"machine 127.0.0.1 login ci-netrc password {workspace.make('netrc')}\n"
    )


def by_trusted_publishing(workspace: Workspace) -> None:
    workspace.env |= workspace.index.github()
    workspace.remote += f'\ntrusted_publishing = true\naudience = "{AUDIENCE}"'
    workspace.configure()


PLACES: tuple[Callable[[Workspace], None], ...] = (
    *(by_config_env, by_config_file, by_config_command, by_config_keyring, by_own_variables),
    *(by_twine_variables, by_pypirc, by_keyring, by_netrc, by_trusted_publishing),
)


def all_places(workspace: Workspace) -> None:
    """Create a secret in every place; that of the configuration is used."""
    for place in PLACES:
        place(workspace)


COMMANDS = {
    "audit": (0, ("company", "sample")),
    "backends": (0, ()),
    "check": (0, ("dist",)),
    "compare": (0, ("company", "sample==1.0", "sample==1.0")),
    "completion": (0, ("bash",)),
    "config check": (0, ()),
    "config schema": (0, ()),
    "config show": (0, ()),
    "expect": (0, ("--from", "company", "sample==1.0")),
    "index": (0, ("store",)),
    "init": (2, ("--to", "company")),  # a configuration exists already
    "list": (0, ("company", "--json")),
    "plan": (0, ("release", "--json")),
    "preflight": (0, ("release",)),
    "prune": (0, ("store",)),
    "push": (0, ("dist", "--to", "store")),
    "receipt merge": (2, ("receipt.json", "-o", "merged.json")),  # there is no receipt
    "receipt show": (2, ("receipt.json",)),
    "relay": (0, ("release", "--yes", "--json")),
    "remove": (0, ("store", "old-1.0-py3-none-any.whl")),
    "verify": (3, ("release",)),
    "yank": (2, ("store", "old-1.0-py3-none-any.whl")),  # the container has no pages
}
