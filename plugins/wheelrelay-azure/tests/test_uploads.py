"""Small and large blobs arrive whole and verified, or not at all."""

import threading
from dataclasses import replace
from random import Random

import pytest
from tests.servers.web import Reply

from wheelrelay.errors import AlreadyExists, ChangedWhileReading, DigestMismatch, Unavailable
from wheelrelay.testing import stage_path
from wheelrelay_azure.uploads import BLOCK

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]

NAME = "sample-1.0-py3-none-any.whl"
BUSY = Reply(b"<Error><Code>ServerBusy</Code></Error>", 503, "application/xml")


@pytest.fixture
def large(tmp_path):
    """A file of three blocks."""
    path = tmp_path / NAME
    path.write_bytes(Random(0).randbytes(2 * BLOCK + 1_000))
    return stage_path(path)


def create(objects, content, name=NAME):
    metadata = {"requires-python": ">=3, <4"}
    return objects.create_object(name, content, content_type="text/plain", metadata=metadata)


def read(objects, name=NAME):
    with objects.open_object(name) as stream:
        return b"".join(iter(lambda: stream.read(1 << 20), b""))


def is_block(request):
    return "comp=block&" in request.path


def is_commit(request):
    return "comp=blocklist" in request.path


class TestOneRequest:
    def test_sends_digest_and_condition(self, objects, gateway):
        create(objects, b"content")
        [request] = gateway.requests
        assert request.headers["if-none-match"] == "*"
        assert request.headers["content-md5"] == "mgNkuembtIDdJeHwKEyFVQ=="

    def test_returns_the_etag_of_listings(self, objects):
        etag = create(objects, b"content")
        [stored] = objects.list_objects()
        assert (stored.name, stored.etag) == (NAME, etag)
        assert objects.stat_object(NAME).etag == etag

    def test_stores_content_type_and_metadata(self, objects):
        create(objects, b"content")
        assert objects.stat_object(NAME).metadata == {"requires-python": ">=3, <4"}
        assert objects.container.call("HEAD", NAME).headers["Content-Type"] == "text/plain"

    def test_refuses_a_taken_name(self, objects):
        create(objects, b"old")
        with pytest.raises(AlreadyExists):
            create(objects, b"new")
        assert read(objects) == b"old"


class TestBlocks:
    def test_arrive_as_one_blob(self, objects, gateway, large):
        etag = create(objects, large)
        assert read(objects) == large.path.read_bytes()
        assert len(list(filter(is_block, gateway.requests))) == 3
        assert objects.stat_object(NAME).etag == etag
        assert objects.stat_object(NAME).metadata == {"requires-python": ">=3, <4"}

    @pytest.mark.parametrize("fault", [BUSY, None])
    def test_failed_block_is_sent_again_and_no_other(self, objects, gateway, large, fault):
        gateway.fault(is_block, fault)
        create(objects, large)
        assert read(objects) == large.path.read_bytes()
        sent = [request.path for request in gateway.requests if is_block(request)]
        assert (len(sent), len(set(sent))) == (4, 3)

    def test_failed_last_request_is_repeated_alone(self, objects, gateway, large):
        gateway.fault(is_commit, BUSY)
        create(objects, large)
        assert len(list(filter(is_block, gateway.requests))) == 3

    def test_lost_answer_to_the_last_request_is_found_out(self, objects, gateway, large):
        gateway.fault(is_commit, None, taken=True)
        with pytest.raises(AlreadyExists):  # of the repeated request: the store then compares the bytes
            create(objects, large)
        assert read(objects) == large.path.read_bytes()

    def test_name_taken_during_the_upload_is_refused(self, objects, gateway, large, config, objects_of):
        other, seen = objects_of(config), []

        def other_writer(request):
            if is_commit(request) and not seen:
                seen.append(request)
                other.replace_object(NAME, b"other", content_type="text/plain", metadata={})
            return request

        gateway.change = other_writer
        with pytest.raises(AlreadyExists):
            create(objects, large)
        assert read(objects) == b"other"

    def test_blocks_of_two_writers_are_not_mixed(self, objects, gateway, large, tmp_path):
        (tmp_path / "other").mkdir()
        path = tmp_path / "other" / NAME
        path.write_bytes(Random(1).randbytes(2 * BLOCK + 1_000))
        gateway.fault(is_commit, Reply(status=400), times=1)
        with pytest.raises(Exception, match="400"):
            create(objects, large)  # leaves its blocks behind
        create(objects, stage_path(path))
        assert read(objects) == path.read_bytes()

    def test_replace_is_whole_or_not_at_all(self, objects, gateway, large):
        create(objects, b"old")
        gateway.fault(is_commit, Reply(status=400))
        with pytest.raises(Exception, match="400"):
            objects.replace_object(NAME, large, content_type="text/plain", metadata={})
        assert read(objects) == b"old"
        objects.replace_object(NAME, large, content_type="text/plain", metadata={})
        assert read(objects) == large.path.read_bytes()

    def test_changed_file_is_not_written(self, objects, gateway, large):
        def change(request):
            if is_block(request):
                large.path.write_bytes(b"x" * large.size)
            return request

        gateway.change = change
        with pytest.raises(ChangedWhileReading):
            create(objects, large)
        assert list(objects.list_objects()) == []

    def test_bytes_other_than_the_staged_ones_are_not_written(self, objects, large):
        with pytest.raises(DigestMismatch):
            create(objects, replace(large, sha256="0" * 64))
        assert list(objects.list_objects()) == []


class TestCorruption:
    """A byte changes on the way; Azurite compares the MD5 that was sent."""

    @pytest.fixture(autouse=True)
    def corrupted(self, gateway):
        gateway.change = lambda request: replace(request, body=request.body.replace(b"content", b"contenT"))

    def test_of_a_small_blob_is_refused_by_the_server(self, objects):
        with pytest.raises(DigestMismatch, match="Nothing was written"):
            create(objects, b"content")
        assert list(objects.list_objects()) == []

    def test_of_a_large_blob_is_refused_by_the_server(self, objects, tmp_path):
        path = tmp_path / NAME
        path.write_bytes(bytes(BLOCK) + b"content")
        with pytest.raises(DigestMismatch, match="Nothing was written"):
            create(objects, stage_path(path))
        assert list(objects.list_objects()) == []


def test_failed_upload_leaves_nothing_visible(objects, gateway, large):
    interrupted = threading.Event()
    interrupted.set()
    gateway.fault(is_commit, BUSY, times=9)
    with pytest.raises(Unavailable):
        create(objects, large.watched_by(lambda _: None, stopped=interrupted))
    assert list(objects.list_objects()) == []
