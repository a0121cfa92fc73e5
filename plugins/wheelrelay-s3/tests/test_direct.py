"""Small uploads are sent without botocore, are equal to its requests, and fail as they do."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.servers.gateway import run_gateway
from tests.servers.s3 import S3Server
from tests.servers.web import Reply, run_web

from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    BackendError,
    DigestMismatch,
    PermissionDenied,
    Rejected,
    Unavailable,
)
from wheelrelay.redaction import redact
from wheelrelay_s3.objects import S3Objects
from wheelrelay_s3.signing import DeclaredDigestAuth
from wheelrelay_s3.sigv4 import Keys, sign

CONTENT = b"content of the file"
SECRET = "s3cr3t/of+the=bucket"
NAMES = (
    "sample-1.0-py3-none-any.whl",
    "sample-1.0+cu129-py3-none-any.whl",
    "with space and ~tilde.whl",
    "ünï/çødé-☃.whl",
    "a!b$c&d'e(f)g*h,i;j=k:l@m%n",
    "folder/",
    ".wheelrelay-witness",
)


def as_header(content):
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def put(bucket, name, content=CONTENT, **parameters):
    declared = {"ChecksumSHA256": as_header(content), "ContentType": "application/zip"}
    return bucket.call("put_object", name, **{"Body": content, **declared, **parameters})


def is_by_botocore(request):
    return "amz-sdk-invocation-id" in request.headers


def refusal(status, code, **headers):
    body = f"<Error><Code>{code}</Code><Message>In the server's words.</Message></Error>"
    return Reply(body.encode(), status, "application/xml", headers)


class TestSignature:
    @pytest.mark.parametrize("token", [None, "t0ken+/=="])
    @pytest.mark.parametrize(
        ("base", "region"),
        [
            ("http://127.0.0.1:8333/wheels/", "us-east-1"),
            ("https://wheels.s3.eu-central-1.amazonaws.com/", "eu-central-1"),
        ],
    )
    def test_equals_that_of_botocore(self, base, region, token):
        auth = DeclaredDigestAuth(Credentials("AK", SECRET, token), "s3", region)
        for name in NAMES:
            headers = {
                "content-type": "application/zip",
                "if-none-match": "*",
                "x-amz-meta-sha256": "  ab   c ",
                "x-amz-checksum-sha256": as_header(CONTENT),
            }
            path = quote(name, safe="/~")
            request = AWSRequest(method="PUT", url=base + path, data=CONTENT, headers=headers)
            auth.add_auth(request)
            expected = {key.lower(): value for key, value in request.headers.items()}
            host = base.split("/")[2]
            signed = sign(
                Keys("AK", SECRET, token),
                region,
                "PUT",
                f"/{base.split('/', 3)[3]}{path}",
                {**headers, "host": host},
                hashlib.sha256(CONTENT).hexdigest(),
                expected["x-amz-date"],
            )
            assert signed == {**expected, "host": host}

    def test_keys_are_not_in_their_text(self):
        assert repr(Keys("AK", SECRET, "t0ken")) == "Keys('AK')"


class TestRealServers:
    @pytest.mark.parametrize("server", ["seaweed", "moto", "swift"])
    def test_store_every_name(self, server, request, configured, objects_of):
        real = request.getfixturevalue(server)
        with run_gateway(real.url) as gateway:
            objects = objects_of(configured(real, endpoint_url=gateway.url))
            for number, name in enumerate(NAMES[:5]):
                content = f"{number}".encode()
                objects.create_object(name, content, content_type="text/plain", metadata={"Name": name})
                stored = objects.stat_object(name)
                assert stored.size == len(content)
                assert stored.metadata == {"name": name}
                with pytest.raises(AlreadyExists):
                    objects.create_object(name, CONTENT, content_type="text/plain", metadata={})
            uploads = [request for request in gateway.requests if request.method == "PUT"]
        assert [is_by_botocore(request) for request in uploads[:1]] == [True]
        assert not any(map(is_by_botocore, uploads[2:]))

    @pytest.mark.parametrize("server", ["seaweed", "swift"])
    def test_refuse_other_bytes(self, server, request, empty_place):
        bucket = empty_place(request.getfixturevalue(server)).bucket
        put(bucket, "first")
        with pytest.raises(DigestMismatch, match="nothing was written"):
            put(bucket, "second", Body=b"other bytes")
        assert [entry["Key"] for entry in bucket.list_page("")["Contents"]] == [bucket.key("first")]

    def test_refuse_to_replace_what_another_writer_changed(self, seaweed, empty_place):
        bucket = empty_place(seaweed).bucket
        old = put(bucket, "page")["ETag"]
        put(bucket, "page", b"other", IfMatch=old)
        with pytest.raises(AlreadyExists):
            put(bucket, "page", b"late", IfMatch=old)


@pytest.fixture
def web():
    with run_web() as server:
        yield server


@pytest.fixture
def place(web, configured, objects_of, monkeypatch):
    """Gives a bucket of `web` into which uploads are sent without botocore."""

    def connected(**keys):
        for name in ("first", "second", "x"):
            web.serve(f"/wheels/{name}", headers={"ETag": '"1"'})
        server = S3Server(web.url.rstrip("/"), "AK", SECRET)
        bucket = objects_of(configured(server, bucket="wheels", prefix="", **keys)).bucket
        put(bucket, "first")
        put(bucket, "second")
        return bucket

    return connected


class TestFallingBack:
    def test_first_upload_is_sent_by_botocore(self, place, web):
        place()
        assert list(map(is_by_botocore, web.requests)) == [True, False]

    def test_requests_have_the_headers_of_botocore(self, place, web):
        place(requester_pays=True)
        first, second = ({*request.headers} for request in web.requests)
        assert first - second == {"amz-sdk-invocation-id", "amz-sdk-request"}
        assert second - first == set()
        assert "x-amz-request-payer" in second

    @pytest.mark.parametrize("parameters", [{"ACL": "private"}, {"CacheControl": "no-cache"}])
    def test_unusual_parameters_are_sent_by_botocore(self, parameters, place, web):
        put(place(), "x", **parameters)
        assert is_by_botocore(web.requests[-1])

    def test_a_client_with_an_additional_header_sends_all_uploads(self, web, configured, objects_of):
        web.serve("/wheels/x", headers={"ETag": '"1"'})
        server = S3Server(web.url.rstrip("/"), "AK", SECRET)
        bucket = objects_of(configured(server, bucket="wheels", prefix="")).bucket
        bucket.sessions.current.client.meta.events.register(
            "before-sign.s3", lambda request, **_: request.headers.add_header("x-amz-added", "1")
        )
        for _ in range(3):
            put(bucket, "x")
        assert all(map(is_by_botocore, web.requests))

    def test_redirect_to_another_region_is_followed_by_botocore(self, place, web):
        bucket = place()
        region = {"x-amz-bucket-region": "eu-central-1"}
        web.fail("/wheels/x", refusal(301, "PermanentRedirect", **region))
        web.fail("/wheels/x", refusal(301, "PermanentRedirect", **region))
        put(bucket, "x")
        regions = [request.headers["authorization"].split("/")[2] for request in web.requests[2:]]
        assert regions == ["us-east-1", "us-east-1", "eu-central-1"]
        put(bucket, "x")
        assert not is_by_botocore(web.requests[-1])
        assert "/eu-central-1/" in web.requests[-1].headers["authorization"]

    def test_redirect_to_another_host_is_not_followed(self, place, web):
        bucket = place(session_token={"env": "SECRET_OF_S3"})
        with run_web() as elsewhere:
            web.redirect("/wheels/x", elsewhere.url + "wheels/x", status=307)
            with pytest.raises(Rejected, match="307"):
                put(bucket, "x")
            assert elsewhere.requests == []

    def test_requests_that_only_botocore_can_send_are_sent_by_it(self, place, web):
        bucket = place()
        web.fail("/wheels/x", refusal(400, "InvalidRequest"))
        for _ in range(3):
            put(bucket, "x")
        assert list(map(is_by_botocore, web.requests[2:])) == [False, True, True, True]


class TestErrors:
    @pytest.mark.parametrize(
        ("reply", "error", "requests"),
        [
            (refusal(503, "SlowDown"), Unavailable, 1),
            (refusal(500, "InternalError"), Unavailable, 1),
            (refusal(409, "ConditionalRequestConflict"), Unavailable, 1),
            (refusal(429, "TooManyRequests"), Unavailable, 1),
            (Reply(b"<html>Bad gateway</html>", 502, "text/html"), Unavailable, 1),
            (refusal(412, "PreconditionFailed"), AlreadyExists, 1),
            (refusal(501, "NotImplemented"), Rejected, 1),
            (refusal(403, "AccessDenied"), PermissionDenied, 1),
            (refusal(403, "RequestTimeTooSkewed"), AuthenticationFailed, 1),
            (Reply(b"<html>Welcome", 404, "text/html"), BackendError, 1),
            (refusal(400, "ExpiredToken"), AuthenticationFailed, 2),
            (refusal(400, "RequestTimeout"), Unavailable, 2),
            (refusal(400, "BadDigest"), DigestMismatch, 2),
            (Reply(b"{'no': 'XML'}", 400, "application/json"), BackendError, 2),
        ],
    )
    def test_are_those_of_botocore(self, reply, error, requests, place, web):
        bucket = place()
        web.fail("/wheels/x", *[reply] * 4)
        with pytest.raises(error) as direct:
            put(bucket, "x")
        assert len(web.requests) == 2 + requests
        assert not is_by_botocore(web.requests[2])
        with pytest.raises(error) as by_botocore:
            put(bucket, "x", ACL="private")
        assert str(direct.value) == str(by_botocore.value)
        assert direct.value.hint == by_botocore.value.hint
        assert SECRET not in f"{direct.value} {direct.value.hint}"

    def test_name_the_time_to_wait(self, place, web):
        bucket = place()
        web.fail("/wheels/x", refusal(503, "SlowDown", **{"Retry-After": "7"}))
        with pytest.raises(Unavailable) as busy:
            put(bucket, "x")
        assert busy.value.retry_after == 7

    def test_report_a_server_that_is_no_s3_server(self, place, web):
        bucket = place()
        web.serve("/wheels/x", "<html>It works!</html>")
        with pytest.raises(BackendError, match="not the answer of an S3 server"):
            put(bucket, "x")

    def test_report_a_server_that_stored_other_bytes(self, place, web):
        objects = S3Objects(place())
        web.serve("/wheels/x", headers={"ETag": '"1"', "x-amz-checksum-sha256": as_header(b"other bytes")})
        with pytest.raises(DigestMismatch, match="received other bytes"):
            objects.replace_object("x", CONTENT, content_type="text/plain", metadata={})
        assert not is_by_botocore(web.requests[-1])

    def test_report_a_connection_that_breaks(self, place, web, configured, objects_of):
        place()
        with run_gateway(web.url) as gateway:
            server = S3Server(gateway.url.rstrip("/"), "AK", SECRET)
            bucket = objects_of(configured(server, bucket="wheels", prefix="")).bucket
            put(bucket, "first")
            gateway.fault(lambda _: True, None, times=2)
            with pytest.raises(Unavailable) as direct:
                put(bucket, "x")
            with pytest.raises(Unavailable) as by_botocore:
                put(bucket, "x", ACL="private")
        assert str(direct.value) == str(by_botocore.value)


def test_keys_that_their_provider_renews_sign_the_next_upload(web, configured, objects_of, monkeypatch):
    def provide(key):
        soon = (datetime.now(UTC) + timedelta(minutes=12)).isoformat()
        keys = {"AccessKeyId": key, "SecretAccessKey": SECRET, "Token": f"t0ken-of-{key}", "Expiration": soon}
        web.serve("/role", json.dumps(keys).encode())

    def sent():
        put(bucket, "x")
        request = [request for request in web.requests if request.method == "PUT"][-1]
        return is_by_botocore(request), request.headers["x-amz-security-token"]

    web.serve("/wheels/x", headers={"ETag": '"1"'})
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{web.url}role")
    provide("AK1")
    server = S3Server(web.url.rstrip("/"), "", "")
    keys = {"access_key_id": None, "secret_access_key": None}
    bucket = objects_of(configured(server, bucket="wheels", prefix="", **keys)).bucket
    assert [sent(), sent()] == [(True, "t0ken-of-AK1"), (False, "t0ken-of-AK1")]
    provide("AK2")
    assert sent() == (False, "t0ken-of-AK2")
    assert redact("a t0ken-of-AK2") == "a ***"
