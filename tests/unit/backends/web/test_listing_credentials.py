"""A listing takes the credentials of its configuration, of its variables, and of netrc."""

import pytest
from tests.servers.web import run_web

from wheelrelay.backends.web.listing import ListingConfig
from wheelrelay.config import Remote
from wheelrelay.config.remote_types import make_config
from wheelrelay.errors import AuthenticationFailed, ConfigError

WHEEL = "foo-1.0-py3-none-any.whl"
REFERENCE = {"env": "SECRET"}
PAGE = f"<a href='{WHEEL}'>wheel</a>"


@pytest.fixture
def elsewhere():
    """A server on another port, and so another origin."""
    with run_web() as server:
        yield server


@pytest.fixture
def listing(web, home):
    web.serve("/list/", PAGE, content_type="text/html", credentials=("ci", "hunter2"))
    web.serve(f"/list/{WHEEL}", b"foo", credentials=("ci", "hunter2"))
    return f"{web.url}/list/"


def content(listing, **keys):
    """Return what the listing has under the name of the wheel."""
    with Remote("internal-wheels", ListingConfig(url=listing, **keys)).open() as source:
        (file,) = source.iter_files("foo")
        with source.open(file) as stream:
            return stream.read(100)


def test_reads_with_references_of_the_configuration(listing, monkeypatch):
    monkeypatch.setenv("SECRET", "hunter2")
    assert content(listing, username="ci", password={"env": "SECRET"}) == b"foo"


def test_reads_with_a_token(web, listing, monkeypatch):
    monkeypatch.setenv("SECRET", "hunter2")
    web.serve("/list/", PAGE, content_type="text/html", credentials=("__token__", "hunter2"))
    web.serve(f"/list/{WHEEL}", b"foo", credentials=("__token__", "hunter2"))
    assert content(listing, token={"env": "SECRET"}) == b"foo"


def test_reads_with_variables_of_the_remote(listing, monkeypatch):
    monkeypatch.setenv("WHEELRELAY_INTERNAL_WHEELS_USERNAME", "ci")
    monkeypatch.setenv("WHEELRELAY_INTERNAL_WHEELS_PASSWORD", "hunter2")
    assert content(listing) == b"foo"


def test_reads_with_a_login_of_netrc(listing, home):
    (home / ".netrc").write_text("machine 127.0.0.1 login ci password hunter2\n")
    (home / ".netrc").chmod(0o600)
    assert content(listing) == b"foo"


def test_missing_credentials_list_the_places_that_were_tried(listing):
    with pytest.raises(AuthenticationFailed) as caught:
        content(listing)
    assert "WHEELRELAY_INTERNAL_WHEELS_TOKEN" in caught.value.hint
    assert "netrc does not exist" in caught.value.hint


def test_refused_credentials_name_their_place_and_not_their_value(listing, monkeypatch):
    monkeypatch.setenv("WHEELRELAY_INTERNAL_WHEELS_TOKEN", "hunter3")
    with pytest.raises(AuthenticationFailed, match="the variable WHEELRELAY_INTERNAL_WHEELS_TOKEN") as caught:
        content(listing)
    assert "hunter3" not in str(caught.value)


def test_credentials_are_not_sent_to_another_host(web, elsewhere, listing, monkeypatch):
    monkeypatch.setenv("WHEELRELAY_INTERNAL_WHEELS_USERNAME", "ci")
    monkeypatch.setenv("WHEELRELAY_INTERNAL_WHEELS_PASSWORD", "hunter2")
    page = f"<a href='{elsewhere.serve(f'/{WHEEL}', b'bar')}'>wheel</a>"
    web.serve("/list/", page, content_type="text/html", credentials=("ci", "hunter2"))
    assert content(listing) == b"bar"
    assert "authorization" not in elsewhere.requests[-1].headers


def test_token_and_password_exclude_each_other(listing):
    with pytest.raises(ConfigError, match="set either token, or username and password"):
        make_config("listing", {"url": listing, "token": {"env": "A"}, "password": {"env": "B"}}, where="x")
