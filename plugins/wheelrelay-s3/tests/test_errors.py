"""What goes wrong is told in our words, once, and is never taken for absence."""

import pytest
from tests.servers.s3 import S3Server
from tests.servers.web import Reply, run_web

from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    NotFound,
    PermissionDenied,
    Rejected,
    SizeMismatch,
    Unavailable,
)
from wheelrelay_s3.config import S3Config
from wheelrelay_s3.objects import S3Objects


def refusal(status, code, **headers):
    body = f"<Error><Code>{code}</Code><Message>In the server's words.</Message></Error>"
    return Reply(body.encode(), status, "application/xml", headers)


def create(objects, name="x"):
    objects.create_object(name, b"x", content_type="text/plain", metadata={})


def read(objects, name="x"):
    with objects.open_object(name) as stream:
        return b"".join(iter(lambda: stream.read(1 << 20), b""))


def ways(objects):
    """Every way to ask, as functions of nothing."""
    return (
        lambda: list(objects.list_objects()),
        lambda: objects.stat_object("x"),
        lambda: read(objects),
        lambda: create(objects),
        lambda: objects.replace_object("x", b"", content_type="text/plain", metadata={}),
        lambda: objects.delete_object("x"),
    )


@pytest.fixture(scope="module")
def web():
    """A web server that answers what a test wants of an S3 server; one for all, as connecting takes long."""
    with run_web() as server:
        yield server


@pytest.fixture
def fake(web, configured, connection):
    """Objects in a bucket of `web`, of which nothing is known or was asked yet."""
    web.forget()
    server = S3Server(web.url.rstrip("/"), "AK", "SK")
    return S3Objects(connection(configured(server, bucket="wheels", prefix="")))


class TestCredentials:
    @pytest.mark.parametrize("name", ["seaweed", "swift"])
    @pytest.mark.parametrize("key", [None, "NOBODY"])
    def test_wrong_ones_are_called_so_however_one_asks(
        self, name, key, request, configured, objects_of, monkeypatch
    ):
        server = request.getfixturevalue(name)
        config = configured(server, access_key_id=key or server.access_key_id)
        monkeypatch.setenv("SECRET_OF_S3", "wrong")
        objects = objects_of(config)
        for ask in ways(objects):
            with pytest.raises(AuthenticationFailed, match="credentials"):
                ask()

    def test_that_may_only_read_are_an_error_when_they_write(
        self, seaweed, configured, objects_of, monkeypatch
    ):
        key, secret = seaweed.reader
        config = configured(seaweed, access_key_id=key)
        monkeypatch.setenv("SECRET_OF_S3", secret)
        objects = objects_of(config)
        assert list(objects.list_objects()) == []
        with pytest.raises(PermissionDenied):
            create(objects)

    def test_nobody_reads_what_is_not_public(self, seaweed, configured, opened):
        private = configured(seaweed, anonymous=True, access_key_id=None, secret_access_key=None)
        with pytest.raises(PermissionDenied):
            list(opened(private).iter_files(None))

    def test_a_session_token_does_not_follow_a_redirect(self, web, configured, objects_of, monkeypatch):
        monkeypatch.setenv("TOKEN_OF_S3", "t0ken")
        with run_web() as elsewhere:
            elsewhere.serve("/wheels/x", b"content")
            web.redirect("/wheels/x", elsewhere.url + "wheels/x", status=307)
            server = S3Server(web.url.rstrip("/"), "AK", "SK")
            token = {"env": "TOKEN_OF_S3"}
            objects = objects_of(configured(server, bucket="wheels", prefix="", session_token=token))
            with pytest.raises(Rejected, match="307"):
                read(objects)
            assert elsewhere.requests == []
        assert web.requests[0].headers["x-amz-security-token"] == "t0ken"


class TestAServerThatFails:
    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            (refusal(503, "SlowDown"), Unavailable),
            (refusal(500, "InternalError"), Unavailable),
            (refusal(400, "RequestTimeout"), Unavailable),
            (refusal(409, "OperationAborted"), Unavailable),
            (refusal(429, "TooManyRequests"), Unavailable),
            (Reply(b"<html><body>Bad gateway</body></html>", 502, "text/html"), Unavailable),
            (refusal(400, "InvalidArgument"), Rejected),
            (refusal(501, "NotImplemented"), Rejected),
            (refusal(400, "ExpiredToken"), AuthenticationFailed),
            (refusal(403, "RequestTimeTooSkewed"), AuthenticationFailed),
            (refusal(403, "AccessDenied"), PermissionDenied),
            (refusal(404, "NoSuchKey"), NotFound),
            (Reply(b"<html><body>Welcome", 404, "text/html"), BackendError),
            (Reply(b"{'no': 'XML'}", 400, "application/json"), BackendError),
        ],
    )
    def test_is_requested_once_and_its_error_is_reported(self, reply, error, fake, web):
        web.fail("/wheels/x", reply)
        with pytest.raises(error):
            read(fake)
        assert len(web.requests) == 1

    def test_is_quoted(self, fake, web):
        web.fail("/wheels/x", refusal(400, "InvalidArgument"))
        with pytest.raises(Rejected, match=r"/wheels/x: the server answered 400: In the server's words\.$"):
            read(fake)

    def test_may_say_when_to_come_back(self, fake, web):
        web.fail("/wheels/x", refusal(503, "SlowDown", **{"Retry-After": "7"}))
        with pytest.raises(Unavailable) as busy:
            read(fake)
        assert busy.value.retry_after == 7

    def test_a_writer_at_the_same_time_is_no_proof_that_the_name_is_taken(self, fake, web):
        web.fail("/wheels/.wheelrelay-witness", refusal(412, "PreconditionFailed"))
        web.fail("/wheels/x", refusal(409, "ConditionalRequestConflict"))
        with pytest.raises(Unavailable):
            create(fake)

    def test_one_that_is_no_s3_server_is_an_error_and_no_empty_bucket(self, fake, web):
        for path in ("/wheels", "/wheels/x", "/wheels/.wheelrelay-witness"):
            web.serve(path, "<html><body>It works!</body></html>")
        looking, asking, _, creating, *_ = ways(fake)
        for ask in (looking, asking, creating):
            with pytest.raises(BackendError, match="not the answer of an S3 server"):
                ask()

    def test_one_that_nobody_can_reach_may_come_back(self, web, configured, objects_of):
        with run_web() as gone:
            objects = objects_of(configured(S3Server(gone.url.rstrip("/"), "AK", "SK"), bucket="wheels"))
        for ask in ways(objects):
            with pytest.raises(Unavailable, match="Cannot connect to"):
                ask()

    def test_a_body_that_ends_early_is_noticed(self, fake, web):
        web.serve("/wheels/x", b"x" * 3_000_000, cut_after=2_000_000)
        with pytest.raises(SizeMismatch):
            read(fake)

    def test_a_private_authority_is_not_trusted_unasked(self, tls_url, opened):
        config = S3Config(bucket="wheels", endpoint_url=tls_url, region="us-east-1", anonymous=True)
        with pytest.raises(BackendError, match="certificate is not trusted"):
            list(opened(config).iter_files(None))
