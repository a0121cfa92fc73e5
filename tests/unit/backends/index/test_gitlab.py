"""The PyPI registry of a GitLab project is a sink and a source, in a job without configured credentials."""

import logging
from contextlib import suppress

import pytest
from tests.servers.gitlab import DEPLOY_TOKEN, DEPLOY_USER, JOB_TOKEN, run_gitlab
from tests.servers.web import run_web

import wheelrelay
from wheelrelay.backends.index import IndexConfig
from wheelrelay.config import Remote
from wheelrelay.errors import AlreadyExists, AuthenticationFailed, BackendError
from wheelrelay.testing import make_sdist, make_wheel, stage_path


@pytest.fixture
def gitlab():
    with run_gitlab() as server:
        yield server


@pytest.fixture
def job(gitlab, monkeypatch):
    """The variables that GitLab sets for a job."""
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_API_V4_URL", gitlab.api_url)
    monkeypatch.setenv("CI_JOB_TOKEN", JOB_TOKEN)


@pytest.fixture
def dist(tmp_path):
    folder = tmp_path / "dist"
    make_wheel(folder, "sample", "1.0")
    make_sdist(folder, "sample", "1.0")
    return folder


def registry(gitlab, **keys):
    return Remote("gitlab", IndexConfig(url=gitlab.simple_url, upload_url=gitlab.upload_url, **keys))


def relay(source, sink):
    return wheelrelay.relay(wheelrelay.Route(source=source, sinks=[sink]))


@pytest.mark.parametrize("forwards", [True, False])
def test_first_release_is_published_and_read_back(gitlab, job, dist, forwards, tmp_path):
    gitlab.forwards = forwards
    assert relay(str(dist), registry(gitlab)).is_complete
    assert sorted(gitlab.packages) == sorted(path.name for path in dist.iterdir())
    assert relay(registry(gitlab), str(tmp_path / "copy")).is_complete
    copied = {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()}
    assert {name: copied[name] for name in gitlab.packages} == gitlab.packages


def test_second_run_uploads_nothing(gitlab, job, dist):
    relay(str(dist), registry(gitlab))
    gitlab.requests.clear()
    assert relay(str(dist), registry(gitlab)).is_complete
    assert {request.method for request in gitlab.requests} == {"GET"}


def test_taken_name_with_other_bytes_is_a_conflict(gitlab, job, dist):
    gitlab.packages["sample-1.0-py3-none-any.whl"] = b"other"
    with registry(gitlab).open() as index, pytest.raises(AlreadyExists, match="with other content"):
        index.put(stage_path(dist / "sample-1.0-py3-none-any.whl"))


def test_redirect_to_pypi_is_not_followed_and_explained(gitlab, job, caplog):
    with registry(gitlab).open() as index, caplog.at_level(logging.WARNING):
        assert list(index.inventory("numpy")) == []
    assert "redirects to https://pypi.org: the index does not have the project" in caplog.text


def test_configured_credentials_precede_the_token_of_the_job(gitlab, job, dist, monkeypatch):
    gitlab.logins = {DEPLOY_USER: DEPLOY_TOKEN}
    monkeypatch.setenv("DEPLOY_TOKEN", DEPLOY_TOKEN)
    sink = registry(gitlab, username=DEPLOY_USER, password={"env": "DEPLOY_TOKEN"})
    assert relay(str(dist), sink).is_complete


def test_token_of_the_job_is_not_sent_to_another_server(gitlab, job):
    with run_web() as other:
        other.serve(
            "/api/v4/projects/42/packages/pypi/simple/sample/", b"<html></html>", content_type="text/html"
        )
        config = IndexConfig(url=f"{other.url}api/v4/projects/42/packages/pypi/simple/")
        with Remote("other", config).open() as index, suppress(BackendError):
            list(index.iter_files("sample"))
        assert [request.headers.get("authorization") for request in other.requests] == [None]


def test_refused_token_is_named_and_not_shown(gitlab, job, dist):
    gitlab.logins = {}
    with registry(gitlab).open() as index, pytest.raises(AuthenticationFailed) as refused:
        index.put(stage_path(dist / "sample-1.0-py3-none-any.whl"))
    assert "CI_JOB_TOKEN" in str(refused.value)
    assert JOB_TOKEN not in str(refused.value)
