"""By fsspec alone, S3 is a container that keeps to the contract: the server itself refuses a taken name."""

import gc
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from zipfile import ZIP_STORED

import pytest
from tests.servers.seaweed import run_seaweed
from tests.servers.shared import shared

from wheelrelay.backends.fsspec import FsspecConfig
from wheelrelay.backends.fsspec.capabilities import capabilities_of
from wheelrelay.backends.fsspec.connection import Connection
from wheelrelay.backends.fsspec.objects import FsspecObjects
from wheelrelay.backends.fsspec.writing import writer_for
from wheelrelay.containers import ContainerStore
from wheelrelay.errors import AlreadyExists, BackendError, ChangedWhileReading, PermissionDenied
from wheelrelay.testing import ConfigContract, StoreContract, make_wheel, stage_path


@pytest.fixture(scope="module")
def seaweed(request):
    """SeaweedFS, an S3 server."""
    return shared(request, run_seaweed)


@pytest.fixture(scope="module")
def bucket(seaweed):
    """A bucket on SeaweedFS: the server and the bucket's name."""
    return seaweed, seaweed.new_bucket()


@pytest.fixture(scope="module")
def options(bucket):
    """The options that reach it."""
    server, _ = bucket
    return {
        "key": {"env": "S3_KEY"},
        "secret": {"env": "S3_SECRET"},
        "client_kwargs": {"endpoint_url": server.url, "region_name": server.region},
    }


@pytest.fixture(autouse=True)
def secret(bucket, monkeypatch):
    """The secret where the options refer to, and nothing else of S3 in the environment."""
    for variable in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("S3_KEY", bucket[0].access_key_id)
    monkeypatch.setenv("S3_SECRET", bucket[0].secret_access_key)


@pytest.fixture
def config(bucket, options):
    return FsspecConfig(url=f"s3://{bucket[1]}/{uuid.uuid4().hex}", options=options, pages=True)


@pytest.fixture(scope="module")
def connection(bucket, options):
    """One connection for all cases of the contract: it takes longer than most of them."""
    server, name = bucket
    keys = {"key": server.access_key_id, "secret": server.secret_access_key}
    return Connection(f"s3://{name}", {**options, **keys})


@pytest.fixture
def store(connection):
    """A container in a folder of its own, which is there already."""
    folder = f"{connection.root}/{uuid.uuid4().hex}"
    connection.fs().pipe_file(f"{folder}/marker", b"so that the folder is there")
    writer = writer_for(connection.fs())
    capabilities = capabilities_of(connection.fs())
    objects = FsspecObjects(connection.fs, folder, f"s3://{folder}", writer, capabilities)
    return ContainerStore(objects, pages=True)


@pytest.mark.long
class TestS3(StoreContract):
    @pytest.fixture
    def store(self, store):
        return store


def test_of_rivals_that_put_one_name_the_server_lets_one_win(store, tmp_path):
    rivals = [stage_path(make_wheel(tmp_path / str(n), payload=bytes([n]))) for n in range(8)]

    def put(staged):
        try:
            store.put(staged)
        except AlreadyExists:
            return None
        return staged.sha256

    with ThreadPoolExecutor(len(rivals)) as pool:
        winners = [sha256 for sha256 in pool.map(put, rivals) if sha256]
    assert [file.sha256 for file in store.inventory("sample")] == winners


def test_a_large_file_that_changes_while_it_is_put_is_never_there(store, tmp_path):
    path = make_wheel(tmp_path, payload=os.urandom(12 << 20), compression=ZIP_STORED)
    staged = stage_path(path).watched_by(lambda size: os.utime(path, (1, 1)))
    with pytest.raises(ChangedWhileReading):
        store.put(staged)
    gc.collect()
    assert list(store.iter_files("sample")) == []


class TestS3Config(ConfigContract):
    @pytest.fixture
    def config(self, config):
        return config


def test_its_pages_are_kept(config, tmp_path):
    with config.open() as store:
        store.put(stage_path(make_wheel(tmp_path)))
        store.finalize({"sample"})
        assert store.check_pages() == []
        [file] = store.iter_files("sample")
        assert file.sha256 == stage_path(tmp_path / "sample-1.0-py3-none-any.whl").sha256


def test_keys_that_are_not_accepted_are_an_error_and_no_empty_place(config):
    wrong = config.model_copy(update={"options": {**config.options, "key": "nobody"}})
    with wrong.open() as store, pytest.raises(BackendError) as refused:
        list(store.inventory("sample"))
    assert isinstance(refused.value, PermissionDenied)
