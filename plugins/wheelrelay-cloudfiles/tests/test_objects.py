"""Objects of a real Swift: listed, written, read and removed."""

import time

import pytest

from wheelrelay.containers import BLOCK_SIZE, SupportsSearch
from wheelrelay.errors import AlreadyExists, NotFound, PermissionDenied, Rejected
from wheelrelay.testing import stage_path, write_distribution
from wheelrelay_cloudfiles.objects import SwiftObjects

PLAIN = {"content_type": "application/octet-stream", "metadata": {}}

AWKWARD = (
    "u p%20l+oad #1.whl",
    "a+b!c,d;e=f&g?h.txt",
    "%2e%2e/~tilde/100%.html",
    "ünïcode-☃.bin",
    "simple/foo/index.html",
)


@pytest.fixture
def objects(swift_config):
    with swift_config.open() as store:
        yield objects_of(store)


@pytest.fixture
def wheel(tmp_path):
    return stage_path(write_distribution(tmp_path, "sample-1.0-py3-none-any.whl", size=4 << 20))


def objects_of(store):
    objects = store._objects
    assert isinstance(objects, SwiftObjects)
    return objects


def read(objects, name):
    content = b""
    with objects.open_object(name) as stream:
        while block := stream.read(BLOCK_SIZE):
            content += block
    return content


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (3, 7), (7, None), (3, 100)])
def test_range_of_an_object_has_the_right_bytes(objects, start, stop):
    objects.create_object("part of it.bin", b"0123456789", **PLAIN)
    with objects.open_part("part of it.bin", start, stop) as stream:
        assert stream.read(BLOCK_SIZE) == b"0123456789"[start:stop]
        assert stream.read(BLOCK_SIZE) == b""


def test_range_beyond_the_end_is_refused(objects):
    objects.create_object("part.bin", b"0123456789", **PLAIN)
    with pytest.raises(Rejected), objects.open_part("part.bin", 10, None):
        pass
    with pytest.raises(NotFound), objects.open_part("absent.bin", 1, None):
        pass


def test_names_are_quoted(objects, swift, container):
    for name in AWKWARD:
        objects.create_object(name, name.encode(), **PLAIN)
    assert sorted(swift.names(container)) == sorted(AWKWARD)
    for name in AWKWARD:
        assert read(objects, name) == name.encode()
        objects.delete_object(name)
    assert swift.names(container) == []


def test_listing_shows_the_folder_only(objects):
    for name in ("a.whl", "simple/index.html", "simple/foo/index.html", "z.whl"):
        objects.create_object(name, b"x", **PLAIN)
    assert [found.name for found in objects.list_objects()] == ["a.whl", "z.whl"]
    assert [found.name for found in objects.list_objects("simple/")] == ["simple/index.html"]
    assert list(objects.list_objects("nothing/")) == []


def test_search_skips_other_names(objects):
    assert isinstance(objects, SupportsSearch)
    for name in ("a.whl", "b.whl", "simple/a.whl"):
        objects.create_object(name, b"x", **PLAIN)
    assert [found.name for found in objects.list_named(lambda name: name.startswith("a"))] == ["a.whl"]


def test_listing_has_size_time_and_etag(
    objects,
):
    objects.create_object("a.whl", b"one", **PLAIN)
    [first] = objects.list_objects()
    objects.replace_object("a.whl", b"two", **PLAIN)
    [second] = objects.list_objects()
    assert (first.size, second.size) == (3, 3)
    assert first.etag != second.etag
    assert first.modified is not None
    assert second.modified is not None
    assert abs(second.modified.timestamp() - time.time()) < 60
    assert first.modified <= second.modified


def test_returned_etag_matches_the_listing(objects, wheel):
    contents = {"wheel": wheel, "bytes": b"content"}
    told = {name: objects.create_object(name, content, **PLAIN) for name, content in contents.items()}
    assert {found.name: found.etag for found in objects.list_objects()} == told


def test_prefix_isolates_objects(swift, config_for):
    prefixes = ("wheels", "wheels-old", "")
    for prefix in prefixes:
        with config_for(swift, prefix=prefix).open() as store:
            objects_of(store).create_object(f"in-{prefix}", b"x", **PLAIN)
    for prefix in prefixes:
        with config_for(swift, prefix=f"/{prefix}/").open() as store:
            assert [found.name for found in objects_of(store).list_objects()] == [f"in-{prefix}"]


def test_folder_marker_is_not_listed(swift, empty_container, config_for):
    swift.put_object(empty_container, "wheels/", b"", {"Content-Type": "application/directory"})
    with config_for(swift, prefix="wheels").open() as store:
        assert list(objects_of(store).list_objects()) == []


def test_metadata_and_content_type_are_stored(objects):
    metadata = {"sha256": "ab" * 32, "origin-job": "tëst % (3.12,\n linux)"}
    objects.create_object("page", b"x", content_type="text/html; charset=utf-8", metadata=metadata)
    assert objects.stat_object("page").metadata == metadata
    headers = objects._client.head(objects._path("page"))
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_too_long_metadata_is_left_out_with_a_warning(objects, caplog):
    metadata = {"sha256": "ab" * 32, "origin-job": "j" * 300}
    objects.create_object("a", b"x", content_type="text/plain", metadata=metadata)
    assert objects.stat_object("a").metadata == {"sha256": "ab" * 32}
    assert "origin-job" in caplog.text


def test_first_object_creates_the_container(
    objects,
):
    with pytest.raises(NotFound, match="no container"):
        list(objects.list_objects())
    objects.create_object("a", b"x", **PLAIN)
    assert [found.name for found in objects.list_objects()] == ["a"]


def test_absent_object_is_not_found(objects):
    objects.create_object("a", b"x", **PLAIN)
    for ask in (objects.stat_object, lambda name: read(objects, name)):
        with pytest.raises(NotFound):
            ask("b")
    objects.delete_object("b")


def test_taken_name_is_refused_and_can_be_replaced(objects):
    objects.create_object("a", b"old", **PLAIN)
    with pytest.raises(AlreadyExists):
        objects.create_object("a", b"new", **PLAIN)
    assert read(objects, "a") == b"old"
    objects.replace_object("a", b"new", **PLAIN)
    assert read(objects, "a") == b"new"


def test_last_of_two_overlapping_uploads_is_refused(swift_config, wheel):
    with swift_config.open() as one, swift_config.open() as other:
        quick, slow = objects_of(one), objects_of(other)
        sent = []

        def overtake(size):
            if not sent:
                quick.create_object(wheel.filename, b"quick", **PLAIN)
            sent.append(size)

        with pytest.raises(AlreadyExists, match="same time"):
            slow.create_object(wheel.filename, wheel.watched_by(overtake), **PLAIN)
        assert read(quick, wheel.filename) == b"quick"


def test_forbidden_request_is_permission_denied(
    swift,
    empty_container,
    config_for,
    monkeypatch,
):
    monkeypatch.setenv("READER_KEY", "reading")
    config = config_for(swift, username="test:reader", password={"env": "READER_KEY"})
    with config.open() as store, pytest.raises(PermissionDenied):
        list(store.iter_files(None))


def test_progress_counts_every_byte_once(objects, wheel):
    seen = []
    objects.create_object(wheel.filename, wheel.watched_by(seen.append), **PLAIN)
    assert sum(seen) == wheel.size


def test_address_is_in_the_cluster(objects, swift, container):
    assert container.startswith("wheels & more ")
    quoted = container.replace(" ", "%20").replace("&", "%26")
    assert objects.address_of("a+b.whl") == f"{swift.storage_url}/{quoted}/a%2Bb.whl"


def test_listing_of_10050_objects_is_complete(objects, cluster, empty_container):
    names = sorted(f"sample-{number}.0-py3-none-any.whl" for number in range(10_050))
    cluster.fill(empty_container, [*names, "simple/index.html", "simple/sample/index.html"])
    assert [found.name for found in objects.list_objects()] == names
