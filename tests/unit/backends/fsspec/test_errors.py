"""Errors of fsspec and its libraries become ours, in one clear sentence."""

import errno
import socket
import subprocess
import sys

import fsspec
import pytest
from tests.servers.process import free_port
from tests.servers.raw import run_raw
from tests.servers.silent import in_time, silent_server

from wheelrelay.backends.fsspec import FsspecConfig
from wheelrelay.backends.fsspec.errors import map_errors
from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    ConfigError,
    NotFound,
    PermissionDenied,
    PluginLoadError,
    TimedOut,
    Unavailable,
)
from wheelrelay.transfer.retry import RetryPolicy

ADDRESS = "sftp://host/w"


class StatusError(Exception):
    def __init__(self, status):
        super().__init__("no")
        self.status = status


def message_of(error):
    with pytest.raises(BackendError) as caught, map_errors(ADDRESS):
        raise error
    return caught.value.message


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (StatusError(401), AuthenticationFailed),
        (StatusError(403), PermissionDenied),
        (StatusError(404), NotFound),
        (StatusError(418), BackendError),
        (StatusError(429), Unavailable),
        (PermissionError(), PermissionDenied),
        (TimeoutError(), TimedOut),
        (OSError(errno.EBUSY, "slow down"), Unavailable),
        (ValueError("odd"), BackendError),
    ],
)
def test_library_errors_are_mapped_and_name_the_url(raised, expected):
    with pytest.raises(expected, match=ADDRESS) as caught, map_errors(ADDRESS):
        raise raised
    assert type(caught.value) is expected
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
            f"Cannot connect to {ADDRESS}: Connection refused.",
        ),
        (
            socket.gaierror(-2, "Name or service not known"),
            f"Cannot connect to {ADDRESS}: Name or service not known.",
        ),
        (TimeoutError(), f"{ADDRESS} did not respond in time."),
        (EOFError(), f"The connection to {ADDRESS} broke: the server closed it."),
        (
            ConnectionResetError(errno.ECONNRESET, "reset"),
            f"The connection to {ADDRESS} broke: Connection reset by peer.",
        ),
        (FileNotFoundError(), f"{ADDRESS} does not exist."),
        (ValueError("line\nbreak."), f"{ADDRESS}: line break."),
    ],
)
def test_messages_are_one_sentence_without_class_names(raised, message):
    assert message_of(raised) == message


PROTOCOLS = {
    "ftp": {},
    "sftp": {"username": "ci", "password": {"env": "SECRET"}},
    "http": {},
    "webhdfs": {},
    "s3": {"key": {"env": "SECRET"}, "secret": {"env": "SECRET"}},
    "az": {"account_name": "ci", "account_key": {"env": "SECRET"}},
}


def unreachable(protocol, port):
    """Return the configuration of a folder on a server that does not run."""
    options = dict(PROTOCOLS[protocol])
    if protocol == "s3":
        options["client_kwargs"] = {"endpoint_url": f"http://127.0.0.1:{port}"}
        options["config_kwargs"] = {"retries": {"max_attempts": 0}}
        return FsspecConfig(url="s3://bucket/w", options=options)
    if protocol == "az":
        options = {"connection_string": {"env": "AZURE"}}
        return FsspecConfig(url="az://box/w", options=options)
    return FsspecConfig(url=f"{protocol}://127.0.0.1:{port}/w", options=options)


@pytest.mark.parametrize("protocol", [protocol for protocol in PROTOCOLS if protocol != "az"])
def test_refused_connection_is_reported_in_one_sentence(protocol, monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    if protocol == "s3":
        fsspec.get_filesystem_class("s3").retries = 1
    config = unreachable(protocol, free_port())
    with pytest.raises(Unavailable) as caught, config.open() as store:
        list(store.iter_files(None))
    assert caught.value.message.startswith(f"Cannot connect to {protocol}://")
    assert "object at 0x" not in caught.value.message
    assert "Error" not in caught.value.message


def test_silent_webhdfs_server_times_out():
    with silent_server() as url:
        config = FsspecConfig(url=url.replace("http://", "webhdfs://") + "/w", timeout=0.3)
        with pytest.raises(TimedOut, match="did not respond in time"), config.open() as store:
            in_time(lambda: list(store.iter_files(None)))


def test_silent_s3_server_gets_each_request_twice(monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    with run_raw(lambda request: [b"" for _ in range(1) if server.ended.wait(30)]) as server:
        options = {
            "key": {"env": "SECRET"},
            "secret": {"env": "SECRET"},
            "client_kwargs": {"endpoint_url": server.url},
        }
        config = FsspecConfig(url="s3://bucket/w", options=options, timeout=0.3)
        with pytest.raises(TimedOut) as caught, config.open() as store:
            list(store.iter_files(None))
        assert caught.value.silence >= 0.6
        assert len(server.requests) == caught.value.requests == 2
        assert RetryPolicy(max_silence=0.6).is_last(1, caught.value)


def test_silent_azure_server_gets_each_request_twice(monkeypatch):
    with run_raw(lambda request: [b"" for _ in range(1) if server.ended.wait(30)]) as server:
        account = f"DefaultEndpointsProtocol=http;AccountName=devaccount;BlobEndpoint={server.url}devaccount"
        monkeypatch.setenv("SECRET", f"{account};AccountKey=c2VjcmV0")
        options = {"account_name": "devaccount", "connection_string": {"env": "SECRET"}}
        config = FsspecConfig(url="az://bucket/w", options=options, timeout=1)
        with pytest.raises(TimedOut) as caught, config.open() as store:
            list(store.iter_files(None))
        assert len(server.requests) == caught.value.requests == 2
        assert RetryPolicy(max_silence=2).is_last(1, caught.value)


def test_library_prints_nothing_when_the_server_closes_the_connection(tmp_path):
    with run_raw(lambda request: []) as server:
        url = server.url.replace("http://", "sftp://me@")
        command = [sys.executable, "-m", "wheelrelay", "list", f"{url}w"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Cannot connect to sftp://")
    assert len(done.stderr.splitlines()) == 1


def test_signature_in_a_url_is_not_repeated():
    with pytest.raises(BackendError, match=r"url=https://h/w no") as caught, map_errors("here"):
        raise ValueError("url=https://h/w?signature=hunter2 no")
    assert "hunter2" not in str(caught.value)


def test_missing_package_is_named():
    with pytest.raises(PluginLoadError, match="gcsfs"), FsspecConfig(url="gs://box/wheels").open():
        pass


def test_unknown_protocol_is_rejected_with_the_closest_name():
    with pytest.raises(ConfigError, match=r"'sft'.*sftp"), FsspecConfig(url="sft://host/wheels").open():
        pass


def test_options_that_do_not_fit_are_rejected():
    with pytest.raises(ConfigError, match=r"do not fit.*host"), FsspecConfig(url="webhdfs:///w").open():
        pass
