"""A GitLab for the tests, and an environment without tokens."""

import os

import pytest
from tests.servers.gitlab_packages import PROJECT, TOKEN, run_gitlab_packages

from wheelrelay_gitlab.config import GitLabPackagesConfig


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """An empty home folder, and nothing of GitLab's in the environment."""
    for name in os.environ:
        if name.upper().startswith(("GITLAB_", "CI_", "WHEELRELAY_", "HTTP", "ALL_PROXY")):
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TOKEN_FOR_TESTS", TOKEN)
    return folder


@pytest.fixture
def gitlab():
    """A project without packages."""
    with run_gitlab_packages() as server:
        yield server


@pytest.fixture
def config(gitlab):
    """The configuration of the project."""
    return GitLabPackagesConfig(project=PROJECT, api_url=gitlab.api_url, token={"env": "TOKEN_FOR_TESTS"})


@pytest.fixture
def store(config):
    """The packages of the project, connected."""
    with config.open() as store:
        yield store
