"""Configuration, tokens and errors."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.servers.anaconda import OWNER, TOKEN
from tests.servers.web import Reply

from wheelrelay.config import load_config
from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    ConfigError,
    MissingSecret,
    NotFound,
    PermissionDenied,
    Rejected,
    Unavailable,
)
from wheelrelay.testing import make_wheel, stage_path
from wheelrelay_anaconda.config import AnacondaConfig

README = Path(__file__).parents[1] / "README.md"
PACKAGE = f"/api/package/{OWNER}/sample"


def failure(status, text="", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    body = f'{{"error": "{text}"}}'.encode() if text else b""
    return Reply(body, status, "application/json", headers=names)


class TestAddresses:
    def test_name_owner_and_label(self):
        assert AnacondaConfig.from_address("anaconda://nightly-wheels").labels == ("main",)
        config = AnacondaConfig.from_address("anaconda://nightly-wheels/dev")
        assert (config.owner, config.labels) == ("nightly-wheels", ("dev",))

    @pytest.mark.parametrize("address", ["anaconda://", "anaconda://a/b/c", "anaconda://a b"])
    def test_without_an_owner_are_refused(self, address):
        with pytest.raises(ConfigError, match="not the address of packages"):
            AnacondaConfig.from_address(address)

    def test_are_shown_as_those_of_installers(self):
        owner = AnacondaConfig(owner="nightly-wheels")
        assert owner.address() == "https://pypi.anaconda.org/nightly-wheels/simple/"
        label = AnacondaConfig(owner="nightly-wheels", labels=["dev"])
        assert label.address() == "https://pypi.anaconda.org/nightly-wheels/label/dev/simple/"


@pytest.mark.parametrize("keys", [{"owner": "../x"}, {"labels": []}, {"labels": ["a/b"]}])
def test_names_that_would_change_an_address_are_refused(keys):
    with pytest.raises(ValidationError):
        AnacondaConfig(**{"owner": "sample", **keys})


class TestTokens:
    @pytest.fixture
    def used(self, anaconda, config, monkeypatch):
        """The header with the token of a request, with variables set."""

        def header(**variables):
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
            with config(token=None).open() as store:
                list(store.iter_files(None))
            return anaconda.requests[-1].headers.get("authorization")

        return header

    def test_are_read_from_the_environment_as_by_the_client(self, anaconda, used):
        anaconda.tokens.add("second")
        assert used() is None
        assert used(ANACONDA_API_TOKEN=TOKEN) == f"token {TOKEN}"
        assert used(BINSTAR_API_TOKEN="second") == "token second"

    def test_are_resolved_again_after_they_were_rejected(self, anaconda, config, monkeypatch):
        with config().open() as store:
            list(store.iter_files(None))
            anaconda.tokens = {"renewed"}
            with pytest.raises(AuthenticationFailed, match="401: The token is not valid"):
                list(store.iter_files(None))
            monkeypatch.setenv("TOKEN_FOR_TESTS", "renewed")
            assert list(store.iter_files(None)) == []

    def test_are_required_before_anything_is_sent(self, anaconda, config):
        with config(token=None).open() as store, pytest.raises(MissingSecret) as caught:
            store.make_ready()
        assert "ANACONDA_API_TOKEN" in caught.value.hint
        assert anaconda.requests == []

    def test_are_not_quoted_from_an_answer(self, anaconda, store):
        anaconda.fail(f"/api/packages/{OWNER}", *[failure(403, f"{TOKEN} lacks a scope")])
        with pytest.raises(PermissionDenied) as caught:
            list(store.iter_files(None))
        assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "error", "message"),
    [
        (failure(403, "no access"), PermissionDenied, "returned 403: no access."),
        (failure(413, "too large"), Rejected, "returned 413: too large."),
        (failure(429, "slow down", Retry_After="7"), Unavailable, "returned 429: slow down."),
        (failure(500, "Internal server error"), Unavailable, "returned 500: Internal server error."),
        (failure(502), Unavailable, "returned 502"),
        (Reply(b"<html>", content_type="text/html"), BackendError, "did not return JSON"),
        (Reply(b"[]", content_type="application/json"), BackendError, "unexpected form"),
        (Reply(b'{"files": [{}]}', content_type="application/json"), BackendError, "unexpected form"),
    ],
)
def test_answers_become_errors_in_one_sentence(anaconda, store, reply, error, message):
    anaconda.fail(PACKAGE, reply)
    with pytest.raises(error, match=message) as caught:
        list(store.iter_files("sample"))
    assert getattr(caught.value, "retry_after", None) == (7 if reply.status == 429 else None)


def test_an_owner_that_does_not_exist_is_an_error(config):
    with config(owner="missing").open() as store, pytest.raises(NotFound, match="404") as caught:
        list(store.iter_files("sample"))
    assert "owner" in caught.value.hint


def test_a_redirected_upload_is_refused(anaconda, store, tmp_path):
    wheel = stage_path(make_wheel(tmp_path, "sample", "1.0"))
    store.put(stage_path(make_wheel(tmp_path, "sample", "0.9")))
    moved = Reply(status=301, headers={"Location": "https://example.org/"})
    anaconda.fail(f"/api/release/{OWNER}/sample/1.0", moved)
    with pytest.raises(Rejected, match=r"redirects to https://example\.org/") as caught:
        store.put(wheel)
    assert "api_url" in caught.value.hint


def test_the_configuration_of_the_readme_is_valid(tmp_path):
    text = README.read_text().partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "wheelrelay.toml").write_text(text)
    remote = load_config(tmp_path / "wheelrelay.toml").remote("nightlies")
    assert (remote.config.retention.keep, remote.config.retention.max_age.days) == (3, 14)
