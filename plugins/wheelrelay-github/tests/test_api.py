"""Requests to the API: tokens, pages, rate limits and errors."""

import time

import pytest
from tests.servers.github import REPOSITORY, TOKEN
from tests.servers.web import Reply

from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    MissingSecret,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from wheelrelay_github.config import GitHubReleaseConfig

RELEASES = f"/api/v3/repos/{REPOSITORY}/releases"


@pytest.fixture
def listed(release_config):
    """List the files of all releases."""

    def names(**keys):
        with release_config(**keys).open() as store:
            return [file.filename for file in store.iter_files(None)]

    return names


def test_reads_every_page_of_releases_and_assets(github, listed):
    github.page_size = 2
    for minor in range(5):
        release = github.add_release(f"v1.{minor}")
        for build in range(3):
            github.add_asset(release, f"sample-1.{minor}-{build}-py3-none-any.whl", b"bytes")
    assert len(listed()) == 15


def test_refuses_a_next_page_at_another_host(github, listed):
    link = {"Link": '<http://127.0.0.2:1/more>; rel="next"'}
    github.fail(RELEASES, Reply(b"[]", content_type="application/json", headers=link))
    with pytest.raises(BackendError, match="refers to another host"):
        listed()


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (Reply(b"", 403, headers={"Retry-After": "7"}), 7),
        (Reply(b"", 429, headers={"Retry-After": "7"}), 7),
        (Reply(b'{"message": "You have exceeded a secondary rate limit"}', 403), 60),
        (Reply(b"", 429), 60),
        (Reply(b"", 403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "?"}), 60),
    ],
)
def test_a_rate_limit_may_pass_and_names_the_time_to_wait(github, listed, reply, seconds):
    github.fail(RELEASES, reply)
    with pytest.raises(Unavailable, match="rate limit") as caught:
        listed()
    assert caught.value.retry_after == seconds


def test_waits_until_the_primary_rate_limit_is_reset(github, listed):
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 100)}
    github.fail(RELEASES, Reply(b"", 403, headers=reset))
    with pytest.raises(Unavailable) as caught:
        listed()
    assert 90 < caught.value.retry_after < 110


def test_a_403_that_is_no_rate_limit_is_about_permissions(github, listed):
    github.fail(RELEASES, Reply(b'{"message": "Resource not accessible by integration"}', 403))
    with pytest.raises(PermissionDenied, match="not accessible by integration"):
        listed()


def test_reads_the_token_again_after_it_was_rejected(github, listed, monkeypatch):
    github.add_asset(github.add_release("v1.0"), "sample-1.0.tar.gz", b"bytes")
    github.tokens = {"renewed"}
    with pytest.raises(AuthenticationFailed, match="Bad credentials") as caught:
        listed()
    assert "expired" in caught.value.hint
    monkeypatch.setenv("TOKEN_FOR_TESTS", "renewed")
    assert listed() == ["sample-1.0.tar.gz"]


def test_takes_a_token_that_changed_during_the_run(github, release_config, monkeypatch):
    github.add_asset(github.add_release("v1.0"), "sample-1.0.tar.gz", b"bytes")
    with release_config().open() as store:
        list(store.iter_files(None))
        github.tokens = {"renewed"}
        monkeypatch.setenv("TOKEN_FOR_TESTS", "renewed")
        assert [file.filename for file in store.iter_files(None)] == ["sample-1.0.tar.gz"]


@pytest.mark.parametrize("token", [None, {"env": "TOKEN_FOR_TESTS"}])
def test_a_missing_repository_names_what_to_check(listed, token):
    with pytest.raises(NotFound) as caught:
        listed(repository="example/missing", token=token)
    assert ("private repository" in caught.value.hint) is (token is None)


def test_anything_but_json_is_an_error(github, listed):
    github.fail(RELEASES, Reply(b"<html>", content_type="text/html"))
    with pytest.raises(BackendError, match="did not return JSON"):
        listed()
    github.fail(RELEASES, Reply(b"{}", content_type="application/json"))
    with pytest.raises(BackendError, match="did not return a list"):
        listed()
    github.fail(RELEASES, Reply(b"[{}]", content_type="application/json"))
    with pytest.raises(BackendError, match="unexpected form"):
        listed()


class TestTokenInTheEnvironment:
    @pytest.fixture
    def used(self, github, monkeypatch):
        """The token that a request carries, with variables set."""

        def token(**variables):
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
            github.tokens |= set(variables.values())
            with GitHubReleaseConfig(repository=REPOSITORY, api_url=github.api_url).open() as store:
                list(store.iter_files(None))
            return github.requests[-1].headers.get("authorization")

        return token

    def test_is_none_without_variables(self, used):
        assert used() is None

    def test_is_that_of_the_job_on_its_own_server(self, github, used):
        assert used(GITHUB_TOKEN=TOKEN, GITHUB_API_URL=github.api_url) == f"Bearer {TOKEN}"

    def test_is_never_that_of_a_job_on_another_server(self, used):
        assert used(GITHUB_TOKEN=TOKEN) is None
        assert used(GITHUB_API_URL="https://github.example.org/api/v3") is None

    def test_is_that_of_the_gh_command_for_enterprise_servers(self, used):
        assert used(GH_TOKEN="public") is None
        assert used(GH_ENTERPRISE_TOKEN=TOKEN) == f"Bearer {TOKEN}"


def test_publishing_without_a_token_is_refused_before_anything_is_sent(github):
    anonymous = GitHubReleaseConfig(repository=REPOSITORY, api_url=github.api_url)
    with anonymous.open() as store, pytest.raises(MissingSecret, match="no GitHub token") as caught:
        store.make_ready()
    assert "GITHUB_TOKEN" in caught.value.hint
    assert github.requests == []
