"""Bodies that are compared with the digest that their server declares."""

import hashlib

import pytest

from wheelrelay.errors import DigestMismatch
from wheelrelay.http import HttpClient, VerifiedBody


@pytest.fixture
def read(web):
    """Read a body whose server declares a digest, in blocks of three bytes."""

    def read_whole(content, declared):
        url = web.serve("/file", content)
        with HttpClient().get(url) as response:
            body = VerifiedBody(response, hashlib.sha256(), declared)
            return b"".join(iter(lambda: body.read(3), b""))

    return read_whole


def test_body_with_its_digest_is_read(read):
    assert read(b"content", hashlib.sha256(b"content").digest()) == b"content"


def test_empty_body_is_compared(read):
    assert read(b"", hashlib.sha256(b"").digest()) == b""
    with pytest.raises(DigestMismatch):
        read(b"", hashlib.sha256(b"x").digest())


def test_body_with_another_digest_is_refused(read):
    with pytest.raises(DigestMismatch, match="do not match the server's digest"):
        read(b"content", hashlib.sha256(b"contenT").digest())


def test_body_without_a_declared_digest_is_read(read):
    assert read(b"content", None) == b"content"
