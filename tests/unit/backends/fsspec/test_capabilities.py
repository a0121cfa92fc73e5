"""What is promised of each protocol is data: the documentation shows it, and servers have to prove it."""

import logging
import uuid
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import known_implementations
from tests.servers.gateway import run_gateway
from tests.servers.moto import run_moto
from tests.servers.shared import shared

from wheelrelay.backends.fsspec import FsspecConfig
from wheelrelay.backends.fsspec.capabilities import ANY_OTHER, PROMISES, Exclusive, promises_of, table
from wheelrelay.errors import AlreadyExists, BackendError
from wheelrelay.testing import make_wheel, stage_path


def test_the_documentation_shows_what_the_data_says(request: pytest.FixtureRequest) -> None:
    page: Path = request.config.rootpath / "docs" / "fsspec.md"
    assert table() in page.read_text(encoding="utf-8")


def test_every_protocol_is_one_of_fsspec_and_stands_in_one_row() -> None:
    protocols = [protocol for known in PROMISES for protocol in known.protocols]
    assert len(protocols) == len(set(protocols))
    unknown = {*protocols} - {*known_implementations} - {"webHDFS"}
    assert unknown == set()


def test_what_gives_the_name_with_the_last_byte_is_exclusive() -> None:
    assert all(known.exclusive is Exclusive.SERVER for known in PROMISES if known.commits)


def test_a_folder_within_a_file_system_that_only_moves_promises_nothing() -> None:
    assert promises_of(DirFileSystem("/w", fs=MemoryFileSystem())) is ANY_OTHER


@pytest.fixture(scope="module")
def moto(request):
    return shared(request, run_moto)


@pytest.fixture
def config_at(moto, monkeypatch):
    """Gives the configuration of a folder of S3 by fsspec alone, at any address of the server."""
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


def test_an_s3_server_that_overwrites_is_found_out_before_the_first_file(moto, config_at):
    """The condition is lost on its way; moto checks no signature of it."""
    with run_gateway(moto.url) as gateway, config_at(gateway.url).open() as store:
        gateway.change = without_condition
        with pytest.raises(BackendError, match="overwrites, although it is told not to"):
            create(store, b"new")
        with pytest.raises(BackendError, match="overwrites"):
            create(store, b"new")


def test_an_s3_server_that_overwrites_large_files_is_found_out(moto, config_at, tmp_path):
    def of_parts_alone(request):
        return without_condition(request) if "uploadId=" in request.path else request

    path = tmp_path / "sample-1.0-py3-none-any.whl"
    path.write_bytes(bytes(6 << 20))
    with run_gateway(moto.url) as gateway, config_at(gateway.url).open() as store:
        gateway.change = of_parts_alone
        create(store, b"small")
        with pytest.raises(BackendError, match="overwrites"):
            create(store, stage_path(path), path.name)
        assert [found.name for found in store._objects.list_objects() if found.name == path.name] == []


def test_an_s3_server_that_refuses_taken_names_is_asked_once(moto, config_at, tmp_path):
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


def test_pages_by_s3_have_their_content_type(moto, config_at, tmp_path):
    config = config_at(moto.url)
    with config.open() as store:
        store.put(stage_path(make_wheel(tmp_path)))
        store.finalize({"sample"})
    bucket, _, prefix = config.url.removeprefix("s3://").partition("/")
    page = moto.client().head_object(Bucket=bucket, Key=f"{prefix}/simple/sample/index.html")
    assert page["ContentType"] == "text/html; charset=utf-8"


def test_memory_is_guarded_and_warns_of_nothing(caplog):
    url = f"memory://{uuid.uuid4().hex}"
    fsspec.filesystem("memory").mkdir(url)
    with caplog.at_level(logging.WARNING), FsspecConfig(url=url).open() as store:
        create(store, b"x")
        with pytest.raises(AlreadyExists):
            create(store, b"y")
    assert caplog.records == []
