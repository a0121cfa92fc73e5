"""Objects above the cluster's limit, and objects that others have made of segments."""

import json
import re
from dataclasses import replace
from urllib.parse import quote

import pytest
from tests.servers.gateway import run_gateway
from tests.servers.web import Reply, run_web

from wheelrelay.containers import BLOCK_SIZE
from wheelrelay.errors import AlreadyExists, ChangedWhileReading, PermissionDenied, Rejected, Unavailable
from wheelrelay.testing import stage_path, write_distribution
from wheelrelay_cloudfiles.config import SwiftConfig
from wheelrelay_cloudfiles.objects import SwiftObjects

WHEEL = "sample-1!1.0+local-py3-none-any.whl"
PLAIN = {"content_type": "application/octet-stream", "metadata": {"sha256": "00"}}


@pytest.fixture
def store(tight_swift, config_for):
    with config_for(tight_swift, prefix="nightly", pages=False).open() as store:
        yield store


@pytest.fixture
def objects(store):
    objects = store._objects
    assert isinstance(objects, SwiftObjects)
    return objects


@pytest.fixture
def wheel(tmp_path):
    """Of four segments."""
    return stage_path(write_distribution(tmp_path, WHEEL, size=(3 << 20) + 1000))


def content_of(store):
    [file] = store.iter_files("sample")
    content = b""
    with store.open(file) as stream:
        while block := stream.read(BLOCK_SIZE):
            content += block
    assert file.size == len(content)
    return content


def test_file_above_the_limit_is_stored_in_segments(store, wheel, swift, container):
    store.put(wheel)
    assert content_of(store) == wheel.path.read_bytes()
    names = swift.names(container)
    assert len(names) == 5
    assert [name for name in names if "/.segments/" not in name] == [f"nightly/{WHEEL}"]
    assert [file.sha256 for file in store.inventory("sample")] == [wheel.sha256]


def test_file_at_the_limit_is_one_object(store, tmp_path, swift, container):
    path = tmp_path / WHEEL
    path.write_bytes(b"x" * 2**20)
    store.put(stage_path(path))
    assert swift.names(container) == [f"nightly/{WHEEL}"]


def test_conflict_leaves_no_segments(objects, wheel, swift, container):
    objects.create_object(WHEEL, b"old", **PLAIN)
    with pytest.raises(AlreadyExists):
        objects.create_object(WHEEL, wheel, **PLAIN)
    assert swift.names(container) == [f"nightly/{WHEEL}"]


def test_file_modified_between_segments_leaves_nothing(objects, wheel, swift, container):
    seen = []

    def tamper(size):
        seen.append(size)
        if sum(seen) == 2 << 20:
            with wheel.path.open("ab") as stream:
                stream.write(b"more")

    with pytest.raises(ChangedWhileReading):
        objects.create_object(WHEEL, wheel.watched_by(tamper), **PLAIN)
    assert sum(seen) >= 2 << 20
    assert swift.names(container) == []


def test_delete_removes_segments(store, objects, wheel, swift, container):
    store.put(wheel)
    objects.delete_object(WHEEL)
    assert swift.names(container) == []


def test_replace_removes_old_segments(store, objects, wheel, swift, container):
    store.put(wheel)
    before = set(swift.names(container))
    objects.replace_object(WHEEL, wheel, **PLAIN)
    after = set(swift.names(container))
    assert len(before) == len(after) == 5
    assert before & after == {f"nightly/{WHEEL}"}
    assert content_of(store) == wheel.path.read_bytes()


def test_dynamic_large_object_is_read_completely(store, swift, empty_container):
    for number, part in enumerate((b"first,", b"second,", b"third")):
        swift.put_object(empty_container, f"parts/{number}", part)
    pointer = {"X-Object-Manifest": quote(f"{empty_container}/parts/")}
    swift.put_object(empty_container, f"nightly/{WHEEL}", b"", pointer)
    assert content_of(store) == b"first,second,third"


def test_foreign_static_large_object_is_deleted_with_segments(store, objects, swift, empty_container):
    swift.put_object(empty_container, "elsewhere/1", b"first,")
    swift.put_object(empty_container, "elsewhere/2", b"second")
    manifest = json.dumps([{"path": f"/{empty_container}/elsewhere/{number}"} for number in (1, 2)]).encode()
    swift.put_object(empty_container, f"nightly/{WHEEL}", manifest, query="multipart-manifest=put")
    assert content_of(store) == b"first,second"
    objects.delete_object(WHEEL)
    assert swift.names(empty_container) == []


def test_cluster_without_large_objects_receives_no_segments(container, wheel, monkeypatch):
    monkeypatch.setenv("SWIFT_TOKEN", "any")
    with run_web() as web:
        web.serve("/info", json.dumps({"swift": {"max_file_size": 1000}}).encode())
        web.serve(f"/v1/AUTH_test/{container}", status=204)
        storage_url = f"{web.url}v1/AUTH_test"
        config = SwiftConfig(container=container, storage_url=storage_url, token={"env": "SWIFT_TOKEN"})
        with config.open() as store, pytest.raises(Rejected, match="does not support large objects"):
            store._objects.create_object(WHEEL, wheel, **PLAIN)
        assert "PUT" not in {request.method for request in web.requests}


@pytest.fixture
def gateway(tight_swift):
    with run_gateway(tight_swift.url) as gateway:
        yield gateway


@pytest.fixture
def far_store(gateway, tight_swift, container, monkeypatch):
    """The same container as `store`, reached through a gateway."""
    monkeypatch.setenv("SWIFT_TOKEN", tight_swift.token())
    storage_url = f"{gateway.url}v1/AUTH_test"
    token = {"env": "SWIFT_TOKEN"}
    keys = {"container": container, "prefix": "nightly", "pages": False}
    with SwiftConfig.model_validate({**keys, "storage_url": storage_url, "token": token}).open() as store:
        yield store


def is_manifest(request):
    return request.method == "PUT" and "multipart-manifest=put" in request.path


def is_look_at_manifest(request):
    return request.method == "GET" and "multipart-manifest=get" in request.path


@pytest.mark.parametrize("reply", [None, Reply(status=504), Reply(status=412)])
def test_accepted_manifest_with_a_lost_answer_is_a_success(reply, gateway, far_store, wheel):
    gateway.fault(is_manifest, reply, taken=True)
    far_store.put(wheel)
    assert content_of(far_store) == wheel.path.read_bytes()


def test_segments_stay_if_the_outcome_is_unknown(gateway, far_store, wheel, caplog):
    gateway.fault(is_manifest, Reply(status=504), taken=True)
    gateway.fault(is_look_at_manifest, Reply(status=503))
    with pytest.raises(Unavailable):
        far_store._objects.create_object(WHEEL, wheel, **PLAIN)
    assert "its 4 segments stay" in caplog.text
    assert content_of(far_store) == wheel.path.read_bytes()


def test_segments_stay_if_a_gateway_times_out(gateway, far_store, wheel):
    late = []

    def keep(request):
        if is_manifest(request):
            late.append(request)
        return is_manifest(request)

    gateway.fault(keep, Reply(status=504))
    with pytest.raises(Unavailable):
        far_store._objects.create_object(WHEEL, wheel, **PLAIN)
    gateway._pass_on(late[0])  # the cluster ends what it began
    assert content_of(far_store) == wheel.path.read_bytes()


def test_segments_of_a_refused_manifest_are_deleted(gateway, far_store, wheel, swift, container):
    gateway.fault(is_manifest, Reply(status=403))
    with pytest.raises(PermissionDenied):
        far_store._objects.create_object(WHEEL, wheel, **PLAIN)
    assert swift.names(container) == []


def age_segments(gateway):
    """Let the gateway show all segments as written years ago."""

    def age(request, reply):
        if "prefix=nightly%2F.segments%2F" not in request.path:
            return reply
        assert isinstance(reply.body, bytes)
        return replace(reply, body=re.sub(rb'("last_modified": ")\d{4}', rb"\g<1>2020", reply.body))

    gateway.alter = age


@pytest.fixture
def abandoned(gateway, far_store, wheel):
    """Segments whose manifest may have been accepted, and was not."""
    gateway.fault(is_manifest, Reply(status=504))
    with pytest.raises(Unavailable):
        far_store._objects.create_object(WHEEL, wheel, **PLAIN)


def update_pages(store):
    store.finalize({"sample"})


def rebuild_pages(store):
    store.rebuild_pages()


@pytest.mark.parametrize("update", [update_pages, rebuild_pages])
@pytest.mark.usefixtures("abandoned")
def test_sweep_deletes_old_segments_that_no_manifest_names(
    gateway,
    far_store,
    wheel,
    swift,
    container,
    update,
):
    far_store.put(wheel)
    assert len([name for name in swift.names(container) if "/.segments/" in name]) == 8
    list(far_store.iter_files("sample"))
    age_segments(gateway)
    update(far_store)
    assert len([name for name in swift.names(container) if "/.segments/" in name]) == 4
    assert content_of(far_store) == wheel.path.read_bytes()


@pytest.mark.usefixtures("abandoned")
def test_sweep_deletes_old_segments_of_a_file_that_does_not_exist(gateway, far_store, swift, container):
    assert list(far_store.iter_files("sample")) == []
    age_segments(gateway)
    far_store.finalize({"other"})
    assert len(swift.names(container)) == 4
    far_store.finalize({"sample"})
    assert swift.names(container) == []


@pytest.mark.usefixtures("abandoned")
def test_sweep_keeps_segments_of_the_last_day(far_store, swift, container):
    assert list(far_store.iter_files("sample")) == []
    far_store.finalize({"sample"})
    assert len(swift.names(container)) == 4


def test_sweep_keeps_objects_with_other_names_than_ours(gateway, far_store, swift, empty_container):
    foreign = [
        f"nightly/.segments/{WHEEL}/{'0' * 32}/1",
        f"nightly/.segments/{WHEEL}/{'0' * 32}/part/0001",
        f"nightly/.segments/{WHEEL}/backup/0001",
        "nightly/.segments/0001",
    ]
    for name in foreign:
        swift.put_object(empty_container, name, b"x")
    assert list(far_store.iter_files("sample")) == []
    age_segments(gateway)
    far_store.rebuild_pages()
    assert set(foreign) <= set(swift.names(empty_container))


def test_sweep_keeps_segments_if_the_cluster_contradicts_itself(gateway, far_store, wheel):
    far_store.put(wheel)
    assert len(list(far_store.iter_files("sample"))) == 1
    age_segments(gateway)
    gateway.fault(lambda request: request.method == "HEAD", Reply(status=404))
    far_store.finalize({"sample"})
    assert content_of(far_store) == wheel.path.read_bytes()


def test_sweep_sends_no_request_without_large_objects(gateway, far_store, tmp_path):
    far_store.put(stage_path(write_distribution(tmp_path, WHEEL, size=1000)))
    assert len(list(far_store.iter_files("sample"))) == 1
    far_store.finalize({"sample"})
    assert [request.path for request in gateway.requests if ".segments" in request.path] == []
