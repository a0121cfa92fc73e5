"""Names, addresses, configurations and backends can be used as remotes."""

from pathlib import Path

import pytest

from wheelrelay.backends.fsspec import FsspecConfig
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.config import Remote, RemoteConfig, as_remote
from wheelrelay.config.remote_types import config_class, make_config
from wheelrelay.errors import ConfigError, UnknownBackend
from wheelrelay.model import Confirm
from wheelrelay.testing.memory import MemoryStore


@pytest.mark.parametrize(
    ("text", "kind", "key", "value"),
    [
        ("./dist", "directory", "path", Path("dist")),
        ("../dist", "directory", "path", Path("../dist")),
        ("/srv/wheels", "directory", "path", Path("/srv/wheels")),
        ("build/wheels", "directory", "path", Path("build/wheels")),
        (".", "directory", "path", Path()),
        ("file:///srv/my%20wheels", "directory", "path", Path("/srv/my wheels")),
        ("index+https://example.org/simple/", "index", "url", "https://example.org/simple/"),
        ("listing+http://example.org/", "listing", "url", "http://example.org/"),
        ("https://example.org/wheels/", "web", "url", "https://example.org/wheels/"),
        ("memory://wheels", "fsspec", "url", "memory://wheels"),
        ("simplecache::memory://x", "fsspec", "url", "simplecache::memory://x"),
        ("zip://x::https://[::1]/w.zip", "fsspec", "url", "zip://x::https://[::1]/w.zip"),
        ("zip://x::./w.zip", "fsspec", "url", "zip://x::./w.zip"),
        ("github://org:repo@v1/dist", "fsspec", "url", "github://org:repo@v1/dist"),
        ("http://[::1]:8080/", "web", "url", "http://[::1]:8080/"),
        ("./odd::name", "directory", "path", Path("odd::name")),
        ("pypi", "pypi", "type", "pypi"),
        ("testpypi", "testpypi", "type", "testpypi"),
    ],
)
def test_reads_an_address(text, kind, key, value):
    remote = as_remote(text)
    assert remote.name == text
    assert remote.config is not None
    assert (remote.config.type, getattr(remote.config, key)) == (kind, value)


def test_expands_the_home_directory(home):
    assert as_remote("~/wheelhouse").config == DirectoryConfig(path=home / "wheelhouse")


def test_configured_name_takes_precedence_over_a_preset():
    mine = Remote("pypi", DirectoryConfig(path="x"))
    assert as_remote("pypi", configured={"pypi": mine}) is mine


def test_accepts_a_configuration():
    assert as_remote(DirectoryConfig(path="x")).name == "directory"


def test_accepts_a_connected_backend_and_leaves_it_open():
    store = MemoryStore()
    remote = as_remote(store)
    with remote.open() as opened:
        assert opened is store
    assert (remote.name, remote.confirm) == ("MemoryStore", Confirm.INDEX)
    assert as_remote(remote) is remote


def test_unknown_name_suggests_the_nearest_and_how_to_write_a_directory():
    with pytest.raises(ConfigError, match=r"no remote 'pipy'\. For a directory, write '\./pipy'.*pypi"):
        as_remote("pipy")


@pytest.mark.parametrize("text", ["carrier-pigeon://home", "carrier-pigeon+https://example.org/"])
def test_refuses_an_unknown_scheme(text):
    with pytest.raises(UnknownBackend, match="no backend of type 'carrier-pigeon'"):
        as_remote(text)


@pytest.mark.parametrize("text", ["pypi://x", "directory://x"])
def test_refuses_a_type_without_address_form(text):
    with pytest.raises(ConfigError, match=r"has no address form\. Configure it under \[remotes\]"):
        as_remote(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://ci:hunter2@example.org/",
        "index+https://ci:hunter2@example.org/",
        "simplecache::sftp://ci:hunter2@example.org/",
        "zip://x::https://ci:hunter2@example.org/w.zip",
        "zip://ci:hunter2@x::https://example.org/w.zip",
        "pypi://ci:hunter2@x",
        "https://ci:hunter2/with/slash@example.org/",
    ],
)
def test_refuses_a_password_in_an_address_without_repeating_it(text):
    with pytest.raises(ConfigError, match="a password does not belong in an address") as caught:
        as_remote(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["ci:hunter2@example.org/simple/", "ci:hun/ter2@127.0.0.1:80/x", "ci:hunter2@example.org", "x:@h:2@e/"],
)
def test_refuses_a_password_in_an_address_without_scheme(text):
    with pytest.raises(ConfigError, match="a password does not belong in an address") as caught:
        as_remote(text)
    assert "ter2" not in str(caught.value)
    assert as_remote(f"./{text}").config.type == "directory"


def test_accepts_a_user_name_in_an_address():
    assert as_remote("sftp://ci@example.org:22/wheels").name == "sftp://ci@example.org:22/wheels"


def test_refuses_a_token_in_a_url_without_repeating_it():
    with pytest.raises(ConfigError, match="a URL must not contain credentials") as caught:
        as_remote("https://hunter2@example.org/")
    assert "hunter2" not in str(caught.value)


def test_refuses_a_url_that_is_not_http():
    with pytest.raises(ConfigError, match="not an http or https URL"):
        as_remote("index+ftp://example.org/")


def test_configuration_is_frozen_and_strict():
    config = make_config("directory", {"path": "x"}, where="here", base=Path("/srv"))
    assert config.path == Path("/srv/x")
    with pytest.raises(ValueError, match="frozen"):
        config.path = Path()
    with pytest.raises(ConfigError, match=r"here: there is no key 'pth'\. Did you mean 'path'"):
        make_config("directory", {"path": "x", "pth": "y"}, where="here")


def test_finds_the_class_of_an_installed_type():
    assert config_class("directory") is DirectoryConfig


@pytest.mark.parametrize(
    ("text", "is_shared"),
    [
        ("./dist", False),
        ("file:///srv/wheels", False),
        ("memory://wheels", False),
        ("pypi", True),
        ("https://wheels.example.org/simple/", True),
        ("listing+https://wheels.example.org/", True),
        ("sftp://wheels.example.org/wheels", True),
    ],
)
def test_remotes_on_a_network_are_shared_with_other_machines(text, is_shared):
    assert as_remote(text).is_shared is is_shared


@pytest.mark.parametrize(
    ("url", "is_shared"),
    [
        ("zip://::file:///wheels.zip", False),
        ("zip://::/wheels.zip", False),
        ("simplecache::sftp://wheels.example.org/wheels", True),
    ],
)
def test_last_part_of_an_fsspec_chain_decides_whether_it_is_shared(url, is_shared):
    assert FsspecConfig(url=url).is_shared is is_shared


def test_directory_is_shared_if_its_configuration_declares_that(tmp_path):
    assert not as_remote(DirectoryConfig(path=tmp_path)).is_shared
    assert as_remote(DirectoryConfig(path=tmp_path, shared=True)).is_shared


def test_connected_backend_is_not_shared(tmp_path):
    with as_remote(str(tmp_path)).open() as backend:
        assert not as_remote(backend).is_shared


def test_backend_of_another_package_is_shared_by_default():
    assert RemoteConfig(type="other").is_shared


def test_address_of_a_vendor_goes_to_the_plugin_that_is_installed():
    assert as_remote("gs://bucket/nightly").config.type == "gcs"
