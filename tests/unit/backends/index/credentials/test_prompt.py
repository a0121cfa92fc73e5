"""Passwords and tokens are entered at a prompt."""

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keyring as keyring_library
import pytest
from tests.servers.oidc import AUDIENCE, TrustingIndex, run_trusting_index

from wheelrelay import Remote
from wheelrelay.backends.index import IndexConfig
from wheelrelay.errors import AuthenticationFailed
from wheelrelay.testing import make_wheel, stage_path

Login = tuple[str, str]


@dataclass
class Surroundings:
    """An index, and the places around a remote of it that is called ``company-eu``."""

    index: TrustingIndex
    home: Path
    monkeypatch: pytest.MonkeyPatch
    keys: dict[str, Any] = field(default_factory=dict)
    name: str = "company-eu"

    def setenv(self, **variables):
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def pypirc(self, text, mode=0o600):
        path = self.home / ".pypirc"
        path.write_text(text.replace("INDEX", self.index.upload_url))
        path.chmod(mode)

    def netrc(self, text, mode=0o600):
        (self.home / ".netrc").write_text(text)
        (self.home / ".netrc").chmod(mode)

    def keyring(self, content):
        (self.home / "keyring.json").write_text(json.dumps(content))
        self.setenv(FILE_KEYRING=str(self.home / "keyring.json"))
        self.setenv(PYTHON_KEYRING_BACKEND="tests.servers.file_keyring.Keyring")
        keyring_library.core.init_backend()

    def job(self):
        self.setenv(**self.index.github())
        self.keys |= {"trusted_publishing": True, "audience": AUDIENCE}

    def remote(self, **keys):
        addresses = {"url": self.index.simple_url, "upload_url": self.index.upload_url}
        return Remote(self.name, IndexConfig(**{**addresses, **self.keys, **keys}))

    def opened(self, **keys):
        return self.remote(**keys).open()

    def upload(self, folder):
        """Upload a file, and tell by whose credentials."""
        with self.opened() as backend:
            backend.put(stage_path(make_wheel(folder, "sample", "1.0")))
        sent = next(one for one in reversed(self.index.requests) if one.path == "/legacy/")
        return login_of(sent.headers.get("authorization"))

    def read(self):
        """Read a project's page, and tell by whose credentials."""
        with self.opened() as backend:
            list(backend.inventory("sample"))
        return login_of(self.index.requests[-1].headers.get("authorization"))

    def refusal(self, folder):
        """What is said when the index takes nothing without credentials, and there are none."""
        self.index.status_for_bad_tokens = 401
        with pytest.raises(AuthenticationFailed) as caught:
            self.upload(folder)
        return str(caught.value)


@pytest.fixture
def around(home, monkeypatch):
    """Nothing in any place."""
    before = keyring_library.get_keyring()
    with run_trusting_index() as index:
        index.accounts |= {user: f"{user}'s" for user in ("ci", *(place.__name__ for place in PLACES))}
        yield Surroundings(index, home, monkeypatch)
    keyring_library.set_keyring(before)


def configuration(around):
    around.setenv(SECRET="configuration's")
    around.keys |= {"username": "configuration", "password": {"env": "SECRET"}}


def own_variables(around):
    around.setenv(WHEELRELAY_COMPANY_EU_USERNAME="own_variables")
    around.setenv(WHEELRELAY_COMPANY_EU_PASSWORD="own_variables's")


def twine_variables(around):
    around.setenv(TWINE_REPOSITORY="company-eu")
    around.setenv(TWINE_USERNAME="twine_variables", TWINE_PASSWORD="twine_variables's")


def pypirc(around):
    around.pypirc(
        "[distutils]\nindex-servers = company-eu\n"
        "[company-eu]\nrepository: INDEX\nusername: pypirc\npassword: pypirc's\n"
    )


def keyring(around):
    around.keyring({around.index.upload_url: {"keyring": "keyring's"}})


def netrc(around):
    around.netrc("machine 127.0.0.1 login netrc password netrc's\n")


def trusted_publishing(around):
    around.job()


PLACES = (*(configuration, own_variables, twine_variables, pypirc, keyring, netrc, trusted_publishing),)


def login_of(header):
    if header is None:
        return None
    user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    return user, password


class TestPrompt:
    """Run in a process of its own that has a terminal."""

    CODE = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from pathlib import Path
from wheelrelay.backends.index import IndexConfig, PyPIConfig, TestPyPIConfig
from wheelrelay.testing import make_wheel, stage_path
config = eval(sys.argv[1])
with config.named("company-eu").open() as index:
    index.make_ready()
    print("READY")
    if sys.argv[2]:
        index.put(stage_path(make_wheel(Path(sys.argv[2]), "sample", "1.0")))
"""

    def dialogue(self, config, folder="", *, typed=""):
        """All that the terminal shows; ``typed`` and a line end are typed when it asks for something."""
        ours, theirs = os.openpty()
        command = [sys.executable, "-c", self.CODE, config, str(folder)]
        with subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        ) as process:
            os.close(theirs)
            shown = b""
            while block := _read_terminal(ours):
                shown += block
                if block.endswith(b": "):
                    os.write(ours, f"{typed}\n".encode())
            os.close(ours)
            process.wait()
        return shown.decode()

    def config(self, around, **keys):
        addresses = {"url": around.index.simple_url, "upload_url": around.index.upload_url}
        return f"IndexConfig(**{ ({**addresses, **keys})!r})"

    def test_prompts_for_a_token_for_pypi(self):
        shown = self.dialogue("PyPIConfig()", typed="pypi-secret")
        assert "API token for 'company-eu', https://" in shown
        assert "READY" in shown

    def test_empty_prompt_is_missing_credentials(self):
        shown = self.dialogue("PyPIConfig()")
        assert "READY" not in shown
        assert "MissingSecret" in shown
        assert "nothing was entered" in shown

    def test_prompts_for_the_password_of_a_known_user(self, around, tmp_path):
        shown = self.dialogue(self.config(around, username="ci"), tmp_path, typed="ci's")
        assert "Password of ci for 'company-eu'" in shown
        assert login_of(around.index.requests[-1].headers["authorization"]) == ("ci", "ci's")

    def test_wrong_password_is_not_prompted_for_again(self, around, tmp_path):
        around.index.status_for_bad_tokens = 401
        shown = self.dialogue(self.config(around, username="ci"), tmp_path, typed="wrong")
        assert shown.count("Password of ci") == 1
        assert "The credentials come from the prompt." in shown

    def test_no_prompt_if_a_provider_has_credentials(self, around, tmp_path):
        netrc(around)
        shown = self.dialogue(self.config(around, username="netrc"), tmp_path)
        assert "Password" not in shown
        assert login_of(around.index.requests[-1].headers["authorization"]) == ("netrc", "netrc's")

    def test_no_prompt_if_the_index_accepts_anonymous_uploads(self, around):
        shown = self.dialogue(self.config(around))
        assert "READY" in shown
        assert " for " not in shown


def _read_terminal(terminal):
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # how Linux says that nobody has it open any more
        return b""
