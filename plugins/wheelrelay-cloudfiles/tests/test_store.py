"""Containers as stores: made ready in time, served to pip, and the CDN before Cloud Files."""

import pytest

from wheelrelay.errors import AuthenticationFailed, BackendError, ConfigError
from wheelrelay.protocols import SupportsReadiness
from wheelrelay.testing import stage_path, write_distribution

WHEEL = "sample-1.0-py3-none-any.whl"


@pytest.fixture
def store(cloudfiles_config, empty_container):
    with cloudfiles_config.open() as store:
        yield store


def publish(store, folder, *names):
    for name in names:
        store.put(stage_path(write_distribution(folder, name)))
    store.finalize(["sample"])


def test_wrong_credentials_are_known_before_anything_is_published(store, monkeypatch):
    assert isinstance(store, SupportsReadiness)
    monkeypatch.setenv("CLOUDFILES_KEY", "guessed")
    with pytest.raises(AuthenticationFailed):
        store.make_ready()


def test_the_cdn_is_switched_on_and_says_its_address(store, rackspace, empty_container):
    assert store.cdn_addresses() is None
    addresses = store.enable_cdn()
    assert rackspace.enabled == {empty_container: True}
    assert addresses == store.cdn_addresses()
    assert addresses.https == "https://c1.ssl.cf1.example/nightly/wheels/"
    assert addresses.http == "http://c1.r1.cf1.example/nightly/wheels/"
    [switch] = [request for request in rackspace.requests if request.method == "PUT"]
    assert switch.headers["x-ttl"] == "900"


def test_pages_that_change_are_purged_once_the_cdn_is_on(store, rackspace, empty_container, tmp_path):
    publish(store, tmp_path, WHEEL)
    assert rackspace.purged == []
    store.enable_cdn()
    publish(store, tmp_path, "sample-1.1.tar.gz")
    pages = ("index.html", "simple/index.html", "simple/index.json", "simple/sample/index.html")
    below = f"{empty_container}/nightly/wheels/"
    unchanged = {f"{below}simple/index.html"}  # it names projects alone
    assert {below + page for page in pages} - set(rackspace.purged) <= unchanged
    assert f"{below}{WHEEL}" not in rackspace.purged
    rackspace.purged.clear()
    store.finalize(["sample"])
    assert rackspace.purged == []
    store._objects.delete_object("index.html")
    store.rebuild_pages()
    assert rackspace.purged == [f"{below}index.html"]


def test_a_file_that_is_taken_out_is_purged(store, rackspace, empty_container, tmp_path):
    publish(store, tmp_path, WHEEL)
    store.enable_cdn()
    store.delete(list(store.iter_files("sample")))
    assert f"{empty_container}/nightly/wheels/{WHEEL}" in rackspace.purged


def test_a_purge_that_is_refused_is_a_warning(
    store,
    rackspace,
    tmp_path,
    caplog,
):
    store.enable_cdn()
    rackspace.refuse_purges = True
    publish(store, tmp_path, WHEEL)
    assert "The CDN may show outdated files" in caplog.text
    assert [file.filename for file in store.iter_files("sample")] == [WHEEL]


def test_the_cdn_is_asked_again_with_a_new_token(store, rackspace):
    store.enable_cdn()
    rackspace.forget_tokens()
    assert store.cdn_addresses() is not None


def test_an_account_without_a_cdn_says_so(rackspace, store):
    rackspace.has_cdn = False
    assert store.cdn_addresses() is None
    with pytest.raises(ConfigError, match="no CDN"):
        store.enable_cdn()


@pytest.mark.parametrize("hidden", [("X-CDN-SSL-URI",), ("X-CDN-SSL-URI", "X-CDN-URI")])
def test_a_cdn_that_does_not_give_its_addresses_still_forgets_what_has_changed(
    hidden, store, rackspace, tmp_path
):
    publish(store, tmp_path, WHEEL)
    store.enable_cdn()
    rackspace.hidden = hidden
    publish(store, tmp_path, "sample-1.1.tar.gz")
    assert rackspace.purged


def test_a_cdn_without_an_address_by_tls_gives_none(store, rackspace):
    rackspace.hidden = ("X-CDN-SSL-URI",)
    addresses = store.enable_cdn()
    assert addresses.https is None
    assert addresses.http == "http://c1.r1.cf1.example/nightly/wheels/"


def test_a_cdn_without_any_address_is_an_error(store, rackspace):
    rackspace.hidden = ("X-CDN-SSL-URI", "X-CDN-URI")
    with pytest.raises(BackendError, match="has no address"):
        store.enable_cdn()
