"""Signatures cover the digest that an upload declares; the body is not hashed a second time."""

import hashlib
from base64 import b64encode
from io import BytesIO

import pytest
from botocore.auth import AUTH_TYPE_MAPS
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from wheelrelay.errors import DigestMismatch, NotFound
from wheelrelay_s3.signing import DECLARED

NAME = "sample-1.0-py3-none-any.whl"
CONTENT = b"content of the file"
DIGEST = hashlib.sha256(CONTENT)
OTHER = hashlib.sha256(b"other content")


def as_header(digest):
    return b64encode(digest.digest()).decode()


class CountedBody(BytesIO):
    """A body that counts how often it is read."""

    reads = 0

    def read(self, size=-1):
        self.reads += 1
        return super().read(size)


@pytest.fixture
def auth(configured, seaweed, opened):
    """The class that signs requests once a client exists."""
    opened(configured(seaweed))
    return AUTH_TYPE_MAPS["wheelrelay-s3v4"](Credentials("key", "secret"), "s3", "us-east-1")


def signed(auth, method, body, headers):
    request = AWSRequest(method=method, url="http://s3.test/bucket/key", data=body, headers=headers)
    auth.add_auth(request)
    return request.headers["X-Amz-Content-SHA256"]


def test_declared_digest_is_signed_without_reading_the_body(auth):
    body = CountedBody(CONTENT)
    assert signed(auth, "PUT", body, {DECLARED: as_header(DIGEST)}) == DIGEST.hexdigest()
    assert body.reads == 0


@pytest.mark.parametrize(("method", "headers"), [("PUT", {}), ("POST", {DECLARED: as_header(OTHER)})])
def test_digest_of_other_requests_is_computed(auth, method, headers):
    body = CountedBody(CONTENT)
    assert signed(auth, method, body, headers) == DIGEST.hexdigest()
    assert body.reads > 0


@pytest.mark.parametrize("make", ["seaweed", "swift"])
def test_server_refuses_a_body_without_the_declared_digest(make, request, empty_place):
    objects = empty_place(request.getfixturevalue(make))
    with pytest.raises(DigestMismatch):
        objects.bucket.call("put_object", NAME, Body=CONTENT, ChecksumSHA256=as_header(OTHER))
    with pytest.raises(NotFound):
        objects.stat_object(NAME)


def test_client_signs_uploads_by_the_declared_digest(empty_place, seaweed):
    objects = empty_place(seaweed)
    client = objects.bucket.sessions.current.client
    signers = []
    client.meta.events.register_last("choose-signer.s3", lambda signature_version, **_: signers.append(1))
    objects.bucket.call("put_object", NAME, Body=CONTENT, ChecksumSHA256=as_header(DIGEST))
    assert signers == []  # botocore asks until there is an answer
