"""A server that supports no sha256 of parts, as Cloudflare R2 in August 2026, gets another checksum."""

import base64
import hashlib
from dataclasses import replace
from random import Random

import pytest
from tests.servers.gateway import run_gateway
from tests.servers.web import Reply

from wheelrelay.errors import AlreadyExists, BackendError, DigestMismatch
from wheelrelay.testing import stage_path
from wheelrelay_s3 import uploads
from wheelrelay_s3.uploads import PART

NAME = "sample-1.0-py3-none-any.whl"
NOT_IMPLEMENTED = Reply(
    b"<Error><Code>NotImplemented</Code><Message>x-amz-checksum-sha256 not implemented</Message></Error>",
    501,
    "application/xml",
)


def is_part(request):
    return request.method == "PUT" and "partNumber=" in request.path


def has_sha256(request):
    return is_part(request) and "x-amz-checksum-sha256" in request.headers


def begins_with_sha256(request):
    return request.path.endswith("?uploads") and "x-amz-checksum-algorithm" in request.headers


@pytest.fixture
def gateway(seaweed):
    with run_gateway(seaweed.url) as gateway:
        yield gateway


@pytest.fixture
def objects(seaweed, gateway, configured, objects_of):
    return objects_of(configured(seaweed, endpoint_url=gateway.url))


@pytest.fixture
def large(tmp_path):
    """A file of two parts."""
    path = tmp_path / NAME
    path.write_bytes(Random(0).randbytes(PART + 1_000))
    return stage_path(path)


def create(objects, content):
    objects.create_object(NAME, content, content_type="text/plain", metadata={})


def read(objects):
    with objects.open_object(NAME) as stream:
        return b"".join(iter(lambda: stream.read(1 << 20), b""))


@pytest.mark.parametrize("refused", [has_sha256, begins_with_sha256])
def test_parts_carry_their_md5_if_sha256_is_not_implemented(refused, objects, gateway, large):
    gateway.fault(refused, NOT_IMPLEMENTED, times=99)
    create(objects, large)
    assert read(objects) == large.path.read_bytes()
    *_, first, second = [request for request in gateway.requests if is_part(request)]
    for request, part in ((first, large.path.read_bytes()[:PART]), (second, large.path.read_bytes()[PART:])):
        digest = base64.b64encode(hashlib.md5(part).digest()).decode()
        assert request.headers["content-md5"] == digest
        assert "x-amz-checksum-sha256" not in request.headers


@pytest.mark.long
def test_refused_checksum_is_tried_once(objects, gateway, large):
    gateway.fault(has_sha256, NOT_IMPLEMENTED, times=99)
    create(objects, large)
    objects.replace_object(NAME, large, content_type="text/plain", metadata={})
    assert len(list(filter(has_sha256, gateway.requests))) == 1


@pytest.mark.long
def test_replaces_a_large_file_without_sha256_of_parts(objects, gateway, large):
    create(objects, b"old")
    gateway.fault(has_sha256, NOT_IMPLEMENTED, times=99)
    objects.replace_object(NAME, large, content_type="text/plain", metadata={})
    assert read(objects) == large.path.read_bytes()


@pytest.mark.long
def test_taken_name_of_a_large_file_is_refused(objects, gateway, large):
    create(objects, b"old")
    gateway.fault(has_sha256, NOT_IMPLEMENTED, times=99)
    with pytest.raises(AlreadyExists):
        create(objects, large)
    assert read(objects) == b"old"


@pytest.mark.long
def test_part_that_changes_on_its_way_is_refused(objects, gateway, large, seaweed):
    gateway.fault(has_sha256, NOT_IMPLEMENTED, times=99)
    gateway.change = lambda request: (
        replace(request, body=b"X" + request.body[1:]) if is_part(request) else request
    )
    with pytest.raises((DigestMismatch, BackendError)):
        create(objects, large)
    assert [found.name for found in objects.list_objects() if found.name == NAME] == []


class TestWithoutAnyPart:
    """A server that implements no upload in parts gets large files in one request."""

    @pytest.fixture
    def objects(self, objects, gateway):
        gateway.fault(lambda request: request.path.endswith("?uploads"), NOT_IMPLEMENTED, times=99)
        return objects

    def test_gets_the_file_in_one_request_with_its_sha256(self, objects, gateway, large):
        counted = []
        create(objects, large.watched_by(counted.append))
        assert read(objects) == large.path.read_bytes()
        (request,) = [one for one in gateway.requests if len(one.body) == large.size]
        assert request.headers["if-none-match"] == "*"
        digest = base64.b64encode(bytes.fromhex(large.sha256)).decode()
        assert request.headers["x-amz-checksum-sha256"] == digest
        assert sum(counted) == large.size

    def test_refuses_other_bytes_than_were_staged(self, objects, large):
        with pytest.raises(DigestMismatch):
            create(objects, replace(large, sha256="0" * 64))

    def test_refuses_a_file_that_is_too_large_for_one_request(self, objects, large):
        enormous = replace(large, size=uploads.MAX_PUT + 1)
        with pytest.raises(BackendError, match="has more than 5 GiB, and this server does not support"):
            create(objects, enormous)
