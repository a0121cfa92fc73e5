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


def test_wrong_credentials_are_reported_before_publishing(store, monkeypatch):
    assert isinstance(store, SupportsReadiness)
    monkeypatch.setenv("CLOUDFILES_KEY", "guessed")
    with pytest.raises(AuthenticationFailed):
        store.make_ready()


def test_clock_is_compared_with_the_server(store):
    list(store.iter_files(None))
    assert store.clock_offset() == pytest.approx(0, abs=2)


def test_cdn_is_enabled_and_has_addresses(store, rackspace, empty_container):
    assert store.cdn_addresses() is None
    addresses = store.enable_cdn()
    assert rackspace.enabled == {empty_container: True}
    assert addresses == store.cdn_addresses()
    assert addresses.https == "https://c1.ssl.cf1.example/nightly/wheels/"
    assert addresses.http == "http://c1.r1.cf1.example/nightly/wheels/"
    [switch] = [request for request in rackspace.requests if request.method == "PUT"]
    assert switch.headers["x-ttl"] == "900"


def test_changed_pages_are_purged(store, rackspace, empty_container, tmp_path):
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


def test_deleted_file_is_purged(store, rackspace, empty_container, tmp_path):
    publish(store, tmp_path, WHEEL)
    store.enable_cdn()
    store.delete(list(store.iter_files("sample")))
    assert f"{empty_container}/nightly/wheels/{WHEEL}" in rackspace.purged


def test_refused_purge_is_a_warning(
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


def test_cdn_request_is_repeated_with_a_new_token(store, rackspace):
    store.enable_cdn()
    rackspace.forget_tokens()
    assert store.cdn_addresses() is not None


def test_account_without_cdn_is_reported(rackspace, store):
    rackspace.has_cdn = False
    assert store.cdn_addresses() is None
    with pytest.raises(ConfigError, match="no CDN"):
        store.enable_cdn()


@pytest.mark.parametrize("hidden", [("X-CDN-SSL-URI",), ("X-CDN-SSL-URI", "X-CDN-URI")])
def test_cdn_without_addresses_is_purged(hidden, store, rackspace, tmp_path):
    publish(store, tmp_path, WHEEL)
    store.enable_cdn()
    rackspace.hidden = hidden
    publish(store, tmp_path, "sample-1.1.tar.gz")
    assert rackspace.purged


def test_cdn_without_https_address(store, rackspace):
    rackspace.hidden = ("X-CDN-SSL-URI",)
    addresses = store.enable_cdn()
    assert addresses.https is None
    assert addresses.http == "http://c1.r1.cf1.example/nightly/wheels/"


def test_cdn_without_addresses_is_an_error(store, rackspace):
    rackspace.hidden = ("X-CDN-SSL-URI", "X-CDN-URI")
    with pytest.raises(BackendError, match="has no address"):
        store.enable_cdn()
