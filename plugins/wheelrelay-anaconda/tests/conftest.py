"""An anaconda.org for the tests, and an environment without tokens."""

import os

import pytest
from tests.servers.anaconda import OWNER, TOKEN, run_anaconda

from wheelrelay_anaconda.config import AnacondaConfig


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """An empty home folder, and no tokens in the environment."""
    for name in os.environ:
        if name.upper().startswith(("ANACONDA_", "BINSTAR_", "CONDA", "WHEELRELAY_", "HTTP", "ALL_PROXY")):
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TOKEN_FOR_TESTS", TOKEN)
    return folder


@pytest.fixture
def anaconda():
    """A server without packages."""
    with run_anaconda() as server:
        yield server


@pytest.fixture
def config(anaconda):
    """Make the configuration of its owner."""

    def configured(**keys):
        usual = {
            "owner": OWNER,
            "api_url": anaconda.api_url,
            "url": anaconda.simple_url,
            "token": {"env": "TOKEN_FOR_TESTS"},
        }
        return AnacondaConfig(**{**usual, **keys})

    return configured


@pytest.fixture
def store(config):
    """The packages with the label main."""
    with config().open() as store:
        yield store
