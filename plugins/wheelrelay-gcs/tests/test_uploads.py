"""Small and large objects arrive whole and verified, or not at all."""

import re
import threading
from dataclasses import replace
from random import Random
from time import monotonic
from urllib.parse import urlsplit

import pytest
from tests.servers.gcs import crc32c
from tests.servers.web import Reply

from wheelrelay import Remote, push
from wheelrelay.config import as_remote
from wheelrelay.containers.parts import MAX_ATTEMPTS
from wheelrelay.errors import AlreadyExists, ChangedWhileReading, DigestMismatch, Unavailable
from wheelrelay.testing import make_wheel, stage_path
from wheelrelay_gcs.config import GcsConfig
from wheelrelay_gcs.uploads import PART

NAME = "sample-1.0-py3-none-any.whl"
BUSY = Reply(b"busy", 503, "text/plain")


@pytest.fixture
def large(tmp_path):
    """A file of three parts."""
    path = tmp_path / NAME
    path.write_bytes(Random(0).randbytes(2 * PART + 1_000))
    return stage_path(path)


def create(objects, content, name=NAME):
    return objects.create_object(name, content, content_type="text/plain", metadata={"sha256": "0" * 64})


def read(objects, name=NAME):
    with objects.open_object(name) as stream:
        return b"".join(iter(lambda: stream.read(1 << 20), b""))


def is_part(request):
    return request.method == "PUT" and request.headers["content-range"].startswith("bytes 0-") is False


def spans(gateway):
    return [request.headers["content-range"] for request in gateway.requests if request.method == "PUT"]


class TestOneRequest:
    def test_sends_checksum_and_condition(self, objects, gateway):
        create(objects, b"content")
        [request] = [request for request in gateway.requests if request.method == "POST"]
        assert "ifGenerationMatch=0" in request.path
        assert f'"crc32c": "{crc32c(b"content")}"'.encode() in request.body

    def test_returns_the_etag_of_listings(self, objects):
        etag = create(objects, b"content")
        [stored] = objects.list_objects()
        assert (stored.name, stored.etag) == (NAME, etag)

    def test_stores_content_type_and_metadata(self, objects, gateway, bucket, config):
        create(objects, b"content")
        assert objects.stat_object(NAME).metadata == {"sha256": "0" * 64}
        [entry] = [objects.bucket.describe(NAME)]
        assert entry["contentType"] == "text/plain"

    def test_refuses_a_taken_name(self, objects):
        create(objects, b"old")
        with pytest.raises(AlreadyExists):
            create(objects, b"new")
        assert read(objects) == b"old"


class TestParts:
    def test_arrive_as_one_object(self, objects, gateway, large):
        create(objects, large)
        assert read(objects) == large.path.read_bytes()
        assert len(spans(gateway)) == 3

    def test_are_sent_without_the_access_token(self, objects, gateway, large):
        create(objects, large)  # the gateway refuses a token there
        [begun] = [request for request in gateway.requests if request.method == "POST"]
        assert "authorization" in begun.headers

    @pytest.mark.parametrize("taken", [False, True])
    def test_failed_part_is_sent_again_from_the_first_missing_byte(self, objects, gateway, large, taken):
        gateway.fault(is_part, BUSY, taken=taken)
        create(objects, large)
        assert read(objects) == large.path.read_bytes()
        size = large.size
        second = f"bytes {PART}-{2 * PART - 1}/{size}"
        assert spans(gateway) == [
            f"bytes 0-{PART - 1}/{size}",
            second,
            f"bytes */{size}",
            *([] if taken else [second]),
            f"bytes {2 * PART}-{size - 1}/{size}",
        ]

    def test_partly_stored_part_continues(self, objects, gateway, large):
        stored = iter([PART, PART // 4])
        gateway.stored_of_part = lambda size: next(stored, size)
        create(objects, large)
        assert read(objects) == large.path.read_bytes()
        assert spans(gateway)[2] == f"bytes {PART + PART // 4}-{2 * PART - 1}/{large.size}"

    def test_lost_answer_to_the_last_part_is_found_out(self, objects, gateway, large):
        gateway.fault(
            lambda request: f"-{large.size - 1}/" in request.headers.get("content-range", ""),
            None,
            taken=True,
        )
        with pytest.raises(AlreadyExists):  # of the repeated request: the store then compares the bytes
            create(objects, large)
        assert read(objects) == large.path.read_bytes()

    def test_name_taken_during_the_upload_is_refused(self, objects, gateway, large):
        def other_writer(size):
            gateway.stored_of_part = lambda size: size
            create(objects, b"other")
            return size

        gateway.stored_of_part = other_writer
        with pytest.raises(AlreadyExists):
            create(objects, large)
        assert read(objects) == b"other"

    def test_failure_cancels_the_upload(self, objects, gateway, large):
        gateway.fault(is_part, BUSY, times=2 * MAX_ATTEMPTS)
        interrupted = threading.Event()
        interrupted.set()
        with pytest.raises(Unavailable):
            create(objects, large.watched_by(lambda _: None, stopped=interrupted))
        assert gateway.cancelled == 1
        assert list(objects.list_objects()) == []

    def test_changed_file_is_not_written(self, objects, gateway, large):
        def change(request):
            if is_part(request):
                large.path.write_bytes(b"x" * large.size)
            return False

        gateway.fault(change)
        with pytest.raises(ChangedWhileReading):
            create(objects, large)
        assert list(objects.list_objects()) == []

    def test_bytes_other_than_the_staged_ones_are_not_written(self, objects, large):
        with pytest.raises(DigestMismatch):
            create(objects, replace(large, sha256="0" * 64))
        assert list(objects.list_objects()) == []

    def test_interrupted_run_does_not_wait(self, objects, gateway, large):
        stopped = threading.Event()

        def slow_down(request):
            if is_part(request):
                stopped.set()
            return is_part(request)

        gateway.fault(slow_down, replace(BUSY, headers={"Retry-After": "20"}), times=MAX_ATTEMPTS)
        began = monotonic()
        with pytest.raises(Unavailable):
            create(objects, large.watched_by(lambda _: None, stopped=stopped))
        assert monotonic() - began < 10


class TestCorruption:
    """A byte changes on the way; the CRC32C that was sent does not match any more."""

    @pytest.fixture(autouse=True)
    def corrupted(self, gateway):
        def flip(request):
            changed = (
                request.body.replace(b"content", b"contenT") if request.method in ("POST", "PUT") else b""
            )
            return replace(request, body=changed or request.body)

        accepted = gateway.reply_to
        gateway.reply_to = lambda request: accepted(flip(request))

    def test_of_a_small_object_is_refused_by_the_server(self, objects):
        with pytest.raises(DigestMismatch, match="Nothing was written"):
            objects.create_object(NAME, b"content", content_type="text/plain", metadata={})
        assert list(objects.list_objects()) == []

    def test_of_a_large_object_is_refused_by_the_server(self, objects, tmp_path):
        path = tmp_path / NAME
        path.write_bytes(bytes(PART) + b"content")
        with pytest.raises(DigestMismatch, match="Nothing was written"):
            create(objects, stage_path(path))
        assert list(objects.list_objects()) == []


def test_object_with_another_checksum_is_deleted_again(objects, gateway):
    """A server that ignores the checksum in the request, as fake-gcs-server does."""
    gateway.alter = lambda request, reply: (
        replace(reply, body=reply.body.replace(crc32c(b"content").encode(), b"AAAAAA=="))
        if request.method == "POST"
        else reply
    )
    with pytest.raises(DigestMismatch):
        create(objects, b"content")
    assert list(objects.list_objects()) == []


class TestGcpStorageEmulator:
    """An independent emulator; it ignores conditions but checks checksums."""

    @pytest.fixture
    def objects(self, emulator, objects_of):
        return objects_of(
            GcsConfig(
                bucket=emulator.new_bucket(), endpoint_url=emulator.url, token={"env": "TOKEN_FOR_TESTS"}
            )
        )

    def test_accepts_small_and_large_objects(self, objects, large):
        create(objects, b"content", "small")
        create(objects, large)
        assert read(objects, "small") == b"content"
        assert read(objects) == large.path.read_bytes()
        assert sorted(stored.name for stored in objects.list_objects()) == sorted([NAME, "small"])

    def test_refuses_a_wrong_checksum(self, objects):
        resource = {"name": "x", "contentType": "text/plain", "crc32c": crc32c(b"other")}
        body = (
            b"--p\r\nContent-Type: application/json\r\n\r\n"
            + str(resource).replace("'", '"').encode()
            + b"\r\n--p\r\nContent-Type: text/plain\r\n\r\ncontent\r\n--p--\r\n"
        )
        with pytest.raises(DigestMismatch):
            objects.bucket.client.call(
                "POST",
                objects.bucket.upload_url("multipart", {}),
                headers={"Content-Type": "multipart/related; boundary=p"},
                body=body,
            )


def test_address_of_an_emulator_needs_no_credentials(fake_gcs, monkeypatch, tmp_path):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake_gcs.url.removeprefix("http://"))
    with as_remote(f"gs://{fake_gcs.new_bucket()}/nightly").open() as store:
        assert list(store.iter_files(None)) == []


def test_push_of_several_wheels_sends_one_request_for_each_object(config, gateway, tmp_path):
    wheels = [make_wheel(tmp_path, "sample", f"{number}.0") for number in range(8)]
    push(wheels, to=Remote("nightly", config))
    paths = [f"{request.method} {urlsplit(request.path).path}" for request in gateway.requests]
    assert len([path for path in paths if path.startswith("GET") and path.endswith(".whl")]) == 0
    bodies = [request.body for request in gateway.requests if request.method == "POST"]
    names = [re.search(rb'"name": "[^"]*/([^"/]*)"', body)[1].decode() for body in bodies]
    assert sorted(name for name in names if name.endswith(".whl")) == [wheel.name for wheel in wheels]
    assert len([name for name in names if name.endswith(".whl.metadata")]) == 8
