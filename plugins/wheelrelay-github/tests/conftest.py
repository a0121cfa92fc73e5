"""A GitHub for the tests, and an environment without tokens."""

import os

import pytest
from tests.servers.github import REPOSITORY, TOKEN, run_github

from wheelrelay_github.config import GitHubArtifactsConfig, GitHubReleaseConfig


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """An empty home folder, and nothing of GitHub's in the environment."""
    for name in os.environ:
        if name.upper().startswith(("GITHUB_", "GH_", "WHEELRELAY_", "HTTP", "ALL_PROXY")):
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TOKEN_FOR_TESTS", TOKEN)
    return folder


@pytest.fixture
def github():
    """An empty repository on a GitHub Enterprise server."""
    with run_github() as server:
        yield server


@pytest.fixture
def release_config(github):
    """Make the configuration of its releases."""

    def configured(**keys):
        usual = {"repository": REPOSITORY, "api_url": github.api_url, "token": {"env": "TOKEN_FOR_TESTS"}}
        return GitHubReleaseConfig(**{**usual, **keys})

    return configured


@pytest.fixture
def artifacts_config(github):
    """Make the configuration of its artifacts."""

    def configured(**keys):
        usual = {"repository": REPOSITORY, "api_url": github.api_url, "token": {"env": "TOKEN_FOR_TESTS"}}
        return GitHubArtifactsConfig(**{**usual, **keys})

    return configured
