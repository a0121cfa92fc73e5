"""Files are read from the container's public address where that shows them as they are."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.servers.objects import MemoryObjects

from wheelrelay.containers import ContainerStore
from wheelrelay.testing import make_wheel, stage_path

NAME = "sample-1.0+local-py3-none-any.whl"


@pytest.fixture
def wheel(tmp_path):
    return make_wheel(tmp_path, version="1.0+local")


@pytest.fixture
def objects(wheel):
    objects = MemoryObjects()
    ContainerStore(objects).put(stage_path(wheel))
    objects.asked.clear()
    return objects


def store_of(objects, web, lag=timedelta(0)):
    return ContainerStore(objects, public_url=f"{web.url}files", cdn_lag=lag)


def read(store):
    [file] = store.iter_files("sample")
    with store.open(file) as stream:
        return stream.read(1 << 20)


def test_public_url_is_read_and_shown(objects, web, wheel):
    web.serve(f"/files/{NAME}", wheel)
    store = store_of(objects, web)
    assert read(store) == wheel.read_bytes()
    assert objects.opened() == []
    [file] = store.iter_files("sample")
    assert file.url == f"{web.url}files/sample-1.0%2Blocal-py3-none-any.whl"
    store.close()


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_reads_the_container_if_the_public_url_fails(objects, web, wheel, status):
    web.serve(f"/files/{NAME}", b"", status=status)
    assert read(store_of(objects, web)) == wheel.read_bytes()
    assert objects.opened() == [NAME]


def test_public_copy_of_another_size_is_not_used(objects, web, wheel):
    web.serve(f"/files/{NAME}", b"<html>Welcome to our CDN</html>")
    assert read(store_of(objects, web)) == wheel.read_bytes()
    assert objects.opened() == [NAME]


def test_file_younger_than_the_lag_is_read_from_the_container(objects, web, wheel):
    web.serve(f"/files/{NAME}", wheel)
    assert read(store_of(objects, web, lag=timedelta(minutes=15))) == wheel.read_bytes()
    assert web.requests == []
    assert objects.kept[NAME].modified > datetime.now(UTC) - timedelta(minutes=5)
