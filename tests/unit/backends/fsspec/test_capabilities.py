"""The capabilities of protocols are data, which the documentation shows and servers must prove."""

import logging
import uuid
from dataclasses import replace

import fsspec
import pytest
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import known_implementations
from tests.servers.gateway import run_gateway
from tests.servers.moto import run_moto
from tests.servers.shared import shared

from wheelrelay.backends.fsspec import FsspecConfig
from wheelrelay.backends.fsspec.capabilities import (
    KNOWN,
    OTHER,
    Exclusive,
    capabilities_of,
    capabilities_table,
    with_timeout,
)
from wheelrelay.errors import AlreadyExists, BackendError
from wheelrelay.testing import make_wheel, stage_path


def test_table_has_a_row_for_each_storage():
    rows = capabilities_table().splitlines()[2:]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == [known.name for known in KNOWN]


def test_every_protocol_is_known_to_fsspec_and_has_one_row():
    protocols = [protocol for known in KNOWN for protocol in known.protocols]
    assert len(protocols) == len(set(protocols))
    unknown = {*protocols} - {*known_implementations} - {"webHDFS"}
    assert unknown == set()


def test_protocols_that_commit_on_close_are_exclusive():
    assert all(known.exclusive is Exclusive.SERVER for known in KNOWN if known.commits_on_close)


def test_folder_in_a_file_system_that_renames_has_no_capabilities():
    assert capabilities_of(DirFileSystem("/w", fs=MemoryFileSystem())) is OTHER


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        ("ftp", {"timeout": 2.5}),
        ("smb", {"timeout": 2}),
        ("sftp", {"timeout": 2.5, "banner_timeout": 2.5, "auth_timeout": 2.5}),
        ("gs", {"requests_timeout": 2.5}),
        ("az", {"connection_timeout": 2, "read_timeout": 2}),
        ("memory", {}),
    ],
)
def test_timeout_becomes_an_option_of_the_protocol(protocol, expected):
    assert with_timeout(protocol, {}, 2.5) == expected


def test_timeout_of_http_limits_connecting_and_reading():
    timeout = with_timeout("https", {}, 2.5)["client_kwargs"]["timeout"]
    assert (timeout.total, timeout.sock_connect, timeout.sock_read) == (None, 2.5, 2.5)


def test_configured_options_take_precedence_over_the_timeout():
    options = {"config_kwargs": {"read_timeout": 90}, "anon": True}
    assert with_timeout("s3", options, 2.5) == {
        "config_kwargs": {
            "connect_timeout": 2.5,
            "read_timeout": 90,
            "retries": {"total_max_attempts": 1, "mode": "standard"},
        },
        "anon": True,
    }


@pytest.fixture(scope="module")
def moto(request):
    return shared(request, run_moto)


@pytest.fixture
def config_at(moto, monkeypatch):
    """Return a function that configures a new folder of S3 at a URL of the server."""
    monkeypatch.setenv("S3_KEY", moto.access_key_id)
    monkeypatch.setenv("S3_SECRET", moto.secret_access_key)
    bucket = moto.new_bucket(public=True)

    def config(url):
        options = {
            "key": {"env": "S3_KEY"},
            "secret": {"env": "S3_SECRET"},
            "default_block_size": 5 << 20,
            "client_kwargs": {"endpoint_url": url, "region_name": moto.region},
        }
        return FsspecConfig(url=f"s3://{bucket}/{uuid.uuid4().hex}", options=options, pages=True)

    return config


def create(store, content, name="a.txt"):
    store._objects.create_object(name, content, content_type="text/plain", metadata={})


def read(store, name="a.txt"):
    with store._objects.open_object(name) as stream:
        return stream.read(100)


def without_condition(request):
    kept = {name: text for name, text in request.headers.items() if name != "if-none-match"}
    return replace(request, headers=kept)


def test_s3_server_that_overwrites_is_rejected_before_the_first_file(moto, config_at):
    """The gateway removes the condition, which moto's signature check does not notice."""
    with run_gateway(moto.url) as gateway, config_at(gateway.url).open() as store:
        gateway.change = without_condition
        with pytest.raises(BackendError, match="overwrites existing files"):
            create(store, b"new")
        with pytest.raises(BackendError, match="overwrites"):
            create(store, b"new")


def test_s3_server_that_overwrites_multipart_uploads_is_rejected(moto, config_at, tmp_path):
    def without_condition_for_parts(request):
        return without_condition(request) if "uploadId=" in request.path else request

    path = tmp_path / "sample-1.0-py3-none-any.whl"
    path.write_bytes(bytes(6 << 20))
    with run_gateway(moto.url) as gateway, config_at(gateway.url).open() as store:
        gateway.change = without_condition_for_parts
        create(store, b"small")
        with pytest.raises(BackendError, match="overwrites"):
            create(store, stage_path(path), path.name)
        assert path.name not in [stored.name for stored in store._objects.list_objects()]


def test_s3_server_that_rejects_existing_names_is_tested_once(moto, config_at, tmp_path):
    path = tmp_path / "sample-1.0-py3-none-any.whl"
    path.write_bytes(bytes(6 << 20))
    with run_gateway(moto.url) as gateway, config_at(gateway.url).open() as store:
        create(store, stage_path(path), path.name)
        create(store, b"x")
        with pytest.raises(AlreadyExists):
            create(store, b"y")
        assert read(store) == b"x"
        sent = [request for request in gateway.requests if "witness" in request.path]
        assert (
            len([request for request in sent if request.method == "PUT" and "upload" not in request.path])
            == 2
        )


def test_pages_in_s3_have_their_content_type(moto, config_at, tmp_path):
    config = config_at(moto.url)
    with config.open() as store:
        store.put(stage_path(make_wheel(tmp_path)))
        store.finalize({"sample"})
    bucket, _, prefix = config.url.removeprefix("s3://").partition("/")
    page = moto.client().head_object(Bucket=bucket, Key=f"{prefix}/simple/sample/index.html")
    assert page["ContentType"] == "text/html; charset=utf-8"


def test_memory_rejects_existing_names_without_a_warning(caplog):
    url = f"memory://{uuid.uuid4().hex}"
    fsspec.filesystem("memory").mkdir(url)
    with caplog.at_level(logging.WARNING), FsspecConfig(url=url).open() as store:
        create(store, b"x")
        with pytest.raises(AlreadyExists):
            create(store, b"y")
    assert caplog.records == []
