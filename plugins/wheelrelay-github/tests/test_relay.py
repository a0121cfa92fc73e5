"""From the artifacts of a run to a release, and from there into a directory, by configuration."""

import tomllib
from pathlib import Path

import pytest
from tests.servers.github import REPOSITORY

import wheelrelay
from wheelrelay.testing import make_sdist, make_wheel

README = Path(__file__).parents[1] / "README.md"

CONFIG = """
[remotes.wheels]
type = "github-artifacts"
repository = "{repository}"
api_url = "{api_url}"
run = "this"

[remotes.release]
type = "github-release"
repository = "{repository}"
api_url = "{api_url}"
create = true

[routes.release]
source = "wheels"
sinks = ["release"]

[routes.download]
source = "release"
sinks = ["{folder}"]
"""


@pytest.fixture
def config(github, tmp_path, monkeypatch):
    run = github.add_run()
    for path in (make_wheel(tmp_path, "sample", "1.0"), make_sdist(tmp_path, "sample", "1.0")):
        github.add_artifact(run, path.name.replace(".", "-"), {path.name: path.read_bytes()})
    monkeypatch.setenv("GITHUB_RUN_ID", str(run.id))
    monkeypatch.setenv("GITHUB_API_URL", github.api_url)
    monkeypatch.setenv("GITHUB_TOKEN", next(iter(github.tokens)))
    path = tmp_path / "wheelrelay.toml"
    folder = tmp_path / "downloads"
    path.write_text(CONFIG.format(repository=REPOSITORY, api_url=github.api_url, folder=folder))
    return path


def test_artifacts_become_a_release_that_can_be_downloaded(github, config):
    routes = wheelrelay.load_config(config).routes
    receipt = wheelrelay.relay(routes["release"])
    assert receipt.is_complete
    assert github.names() == ["sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"]
    assert wheelrelay.relay(routes["download"]).is_complete
    assert len(list((config.parent / "downloads").glob("sample-1.0*"))) >= 2


def test_a_second_relay_uploads_nothing(github, config):
    route = wheelrelay.load_config(config).routes["release"]
    wheelrelay.relay(route)
    github.requests.clear()
    assert wheelrelay.relay(route).is_complete
    assert {request.method for request in github.requests} == {"GET"}


def test_an_upload_that_github_loses_is_repeated(github, config):
    github.loses = ["sample-1.0.tar.gz"]
    assert wheelrelay.relay(wheelrelay.load_config(config).routes["release"]).is_complete
    assert {asset.state for asset in github.state.assets.values()} == {"uploaded"}


def test_the_configurations_of_the_readme_are_valid(tmp_path):
    blocks = README.read_text().split("```toml\n")[1:]
    text = "\n".join(block.partition("```")[0] for block in blocks)
    assert set(tomllib.loads(text)["remotes"]) == {"release", "wheels"}
    (tmp_path / "wheelrelay.toml").write_text(text)
    assert set(wheelrelay.load_config(tmp_path / "wheelrelay.toml").remotes) >= {"release", "wheels"}
