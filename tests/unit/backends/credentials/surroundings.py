"""An index, and every place that credentials for it can be in."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keyring as keyring_library
import pytest
from tests.servers.oidc import AUDIENCE, TrustingIndex

from wheelrelay import Remote
from wheelrelay.backends.index import IndexConfig
from wheelrelay.errors import AuthenticationFailed
from wheelrelay.testing import make_wheel, stage_path


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
