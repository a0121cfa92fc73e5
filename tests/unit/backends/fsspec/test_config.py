"""The configuration of an fsspec remote keeps secrets out of the file, and out of messages."""

import uuid

import pytest
from pydantic import ValidationError

from wheelrelay.backends.fsspec import FsspecConfig
from wheelrelay.backends.fsspec.config import resolve_options
from wheelrelay.config.remote_types import make_config
from wheelrelay.config.remotes import from_address
from wheelrelay.errors import (
    ConfigError,
    MissingSecret,
    Unavailable,
)
from wheelrelay.testing import (
    ConfigContract,
)

WHEEL = "sample-1.0-py3-none-any.whl"


def new_memory():
    return f"memory://wheels-{uuid.uuid4().hex}"


class TestFsspecConfig(ConfigContract):
    @pytest.fixture
    def config(self, monkeypatch):
        monkeypatch.setenv("WHERE", "s3cret")
        return FsspecConfig(url=new_memory(), options={"password": {"env": "WHERE"}})


def test_plain_text_password_is_rejected_and_not_shown():
    with pytest.raises(ConfigError, match="must not contain a password") as refused:
        make_config("fsspec", {"url": "ftp://me:hunter2@host/wheels"}, where="remotes.x")
    assert "hunter2" not in str(refused.value)
    options = {"sftp": {"password": "hunter2"}}
    with pytest.raises(ConfigError, match="plain-text secret") as refused:
        make_config("fsspec", {"url": "sftp://host/wheels", "options": options}, where="remotes.x")
    assert "hunter2" not in str(refused.value)


def test_query_of_a_url_is_not_shown(tmp_path):
    address = "zip://wheels::https://127.0.0.1:9/wheels.zip?signature=hunter2"
    with pytest.raises(Unavailable) as refused, FsspecConfig(url=address).open():
        pass
    assert "https://127.0.0.1:9/wheels.zip" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_keywords_are_accepted_as_tokens():
    assert FsspecConfig(url="gs://bucket", options={"token": "anon"}).options == {"token": "anon"}


def test_references_are_resolved_on_open(monkeypatch):
    config = FsspecConfig(url=new_memory(), options={"dir": {"password": {"env": "FTP_PASSWORD"}}, "n": 3})
    with pytest.raises(MissingSecret, match="FTP_PASSWORD"), config.open():
        pass
    monkeypatch.setenv("FTP_PASSWORD", "s3cret")
    with config.open():
        pass


def test_options_for_protocol_file_are_not_a_reference():
    assert FsspecConfig(url="./x", options={"file": {"auto_mkdir": True}}).options == {
        "file": {"auto_mkdir": True}
    }
    with pytest.raises(ValidationError):
        FsspecConfig(url="./x", options={"password": {"env": 3}})


def test_url_of_a_protocol_of_fsspec_selects_fsspec():
    url = new_memory()
    assert from_address(url).config == FsspecConfig(url=url)


@pytest.mark.parametrize(
    "options",
    [
        {"auth": "hunter2"},
        {"auth": ["ci", "hunter2"]},
        {"headers": {"X-Custom": "hunter2"}},
        {"client_kwargs": {"headers": {"Accept": "hunter2"}}},
        {"client_kwargs": {"cookies": {"session": "hunter2"}}},
        {"key": "hunter2"},
        {"Access-Key": "hunter2"},
        {"Authorization": "hunter2"},
        {"hosts": [{"password": "hunter2"}]},
    ],
)
def test_plain_text_below_a_secret_option_is_rejected(options):
    with pytest.raises(ConfigError, match="is a plain-text secret") as refused:
        make_config("fsspec", {"url": "sftp://host/wheels", "options": options}, where="remotes.x")
    assert "hunter2" not in str(refused.value)


def test_references_are_resolved_at_any_depth(monkeypatch):
    monkeypatch.setenv("SECRET", "hunter2")
    options = {
        "auth": ["ci", {"env": "SECRET"}],
        "client_kwargs": {"headers": {"X-Token": {"env": "SECRET"}}},
    }
    with pytest.raises(ConfigError, match="'auth' is a plain-text secret"):
        config_with(options)
    options["auth"][0] = {"env": "SECRET"}
    assert resolve_options(config_with(options).options) == {
        "auth": ["hunter2", "hunter2"],
        "client_kwargs": {"headers": {"X-Token": "hunter2"}},
    }


def config_with(options):
    return make_config("fsspec", {"url": "memory://x", "options": options}, where="remotes.x")


def test_tuples_are_written_as_a_table_and_may_hold_references(monkeypatch):
    monkeypatch.setenv("SECRET", "hunter2")
    config = config_with({"auth": {"tuple": [{"env": "SECRET"}, {"env": "SECRET"}]}, "sizes": {"tuple": [1]}})
    assert resolve_options(config.options) == {"auth": ("hunter2", "hunter2"), "sizes": (1,)}
    with pytest.raises(ConfigError, match="'auth' is a plain-text secret"):
        config_with({"auth": {"tuple": ["ci", "hunter2"]}})
