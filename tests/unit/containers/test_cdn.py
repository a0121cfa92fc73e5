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


def test_a_file_is_read_from_there_and_its_address_is_shown(objects, web, wheel):
    web.serve(f"/files/{NAME}", wheel)
    store = store_of(objects, web)
    assert read(store) == wheel.read_bytes()
    assert objects.opened() == []
    [file] = store.iter_files("sample")
    assert file.url == f"{web.url}files/sample-1.0%2Blocal-py3-none-any.whl"
    store.close()


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_where_that_fails_the_container_itself_is_read(objects, web, wheel, status):
    web.serve(f"/files/{NAME}", b"", status=status)
    assert read(store_of(objects, web)) == wheel.read_bytes()
    assert objects.opened() == [NAME]


def test_another_length_than_the_file_has_is_not_the_file(objects, web, wheel):
    web.serve(f"/files/{NAME}", b"<html>Welcome to our CDN</html>")
    assert read(store_of(objects, web)) == wheel.read_bytes()
    assert objects.opened() == [NAME]


def test_a_file_that_is_younger_than_the_lag_is_not_asked_for_there(objects, web, wheel):
    web.serve(f"/files/{NAME}", wheel)
    assert read(store_of(objects, web, lag=timedelta(minutes=15))) == wheel.read_bytes()
    assert web.requests == []
    assert objects.kept[NAME].modified > datetime.now(UTC) - timedelta(minutes=5)
