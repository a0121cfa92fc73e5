"""Errors of the service, servers that fail, and what users read about them."""

import pytest
from tests.servers.breaking import make_wheels, move, require_resumed, run_breaking
from tests.servers.silent import in_time, silent_server
from tests.servers.web import Reply

from wheelrelay.config import as_remote
from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    BackendError,
    DigestMismatch,
    NotFound,
    PermissionDenied,
    Rejected,
    TimedOut,
    Unavailable,
)
from wheelrelay_azure.config import AzureConfig

LISTING = "<EnumerationResults><Blobs>{}</Blobs><NextMarker>{}</NextMarker></EnumerationResults>"


def refusal(status, code, **headers):
    body = f"<Error><Code>{code}</Code><Message>About {code}.\nRequestId:1\nTime:2</Message></Error>"
    return Reply(body.encode(), status, "application/xml", headers)


@pytest.fixture
def fake(web, objects_of):
    """The objects of a server whose answers a test decides."""
    key = {"env": "KEY_FOR_TESTS"}
    return objects_of(AzureConfig(account="me", container="box", endpoint_url=web.url, account_key=key))


class TestAnswers:
    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            (refusal(401, "InvalidAuthenticationInfo"), AuthenticationFailed),
            (refusal(403, "AuthenticationFailed"), AuthenticationFailed),
            (refusal(403, "AuthorizationPermissionMismatch"), PermissionDenied),
            (refusal(403, "UnauthorizedBlobOverwrite"), AlreadyExists),
            (refusal(409, "PublicAccessNotPermitted"), PermissionDenied),
            (refusal(404, "ContainerNotFound"), NotFound),
            (refusal(409, "BlobAlreadyExists"), AlreadyExists),
            (refusal(412, "ConditionNotMet"), AlreadyExists),
            (refusal(412, "LeaseIdMissing"), Rejected),
            (refusal(409, "BlobImmutableDueToPolicy"), Rejected),
            (refusal(409, "ContainerBeingDeleted"), Unavailable),
            (refusal(400, "InvalidBlockList"), Unavailable),
            (refusal(400, "Md5Mismatch"), DigestMismatch),
            (refusal(400, "InvalidInput"), Rejected),
            (refusal(429, "TooManyRequests"), Unavailable),
            (refusal(500, "InternalError"), Unavailable),
            (refusal(503, "ServerBusy"), Unavailable),
            (Reply(status=302, headers={"Location": "https://example.org/"}), Rejected),
            (Reply(b"<html>hello</html>", content_type="text/html"), BackendError),
            (Reply(b"not XML", content_type="text/plain"), BackendError),
        ],
    )
    def test_is_mapped_to_an_error(self, fake, web, reply, error):
        web.fail("/box", *[reply] * 2)
        with pytest.raises((BackendError, DigestMismatch)) as caught:
            list(fake.list_objects())
        assert type(caught.value) is error

    def test_message_quotes_the_reason(self, fake, web):
        web.fail("/box", refusal(403, "AuthorizationPermissionMismatch"))
        with pytest.raises(PermissionDenied) as caught:
            list(fake.list_objects())
        assert "returned 403: About AuthorizationPermissionMismatch." in str(caught.value)
        assert "Storage Blob Data Contributor" in caught.value.hint

    def test_code_of_a_head_is_in_its_headers(self, fake, web):
        web.fail("/box/a", Reply(status=403, headers={"x-ms-error-code": "AuthenticationFailed"}))
        with pytest.raises(AuthenticationFailed):
            fake.stat_object("a")

    def test_requested_pause_is_part_of_the_error(self, fake, web):
        web.fail("/box", refusal(503, "ServerBusy", **{"Retry-After": "7"}))
        with pytest.raises(Unavailable) as caught:
            list(fake.list_objects())
        assert caught.value.retry_after == 7

    def test_listing_that_does_not_advance_is_an_error(self, fake, web):
        web.serve("/box", LISTING.format("", "again"), content_type="application/xml")
        with pytest.raises(BackendError, match="incomplete listing"):
            list(fake.list_objects())

    def test_entry_without_properties_is_an_error(self, fake, web):
        web.serve("/box", LISTING.format("<Blob><Name>a</Name></Blob>", ""), content_type="application/xml")
        with pytest.raises(BackendError, match="not the answer of Azure"):
            list(fake.list_objects())

    def test_silent_server_times_out(self, opened):
        with silent_server() as url:
            key = {"env": "KEY_FOR_TESTS"}
            config = AzureConfig(account="me", container="box", endpoint_url=url, account_key=key, timeout=2)
            store = opened(config)
            with pytest.raises(TimedOut) as caught:
                in_time(lambda: list(store.iter_files(None)))
            assert 2 <= caught.value.waited < 4


@pytest.mark.long
@pytest.mark.timeout(400)
class TestAzurite:
    def test_missing_container_is_not_an_empty_one(self, config, objects_of):
        with pytest.raises(NotFound, match="create it"):
            list(objects_of(config.model_copy(update={"container": "missing"})).list_objects())

    def test_listing_has_several_pages(self, objects, gateway):
        for name in ("a", "b", "c"):
            objects.create_object(name, b"", content_type="text/plain", metadata={})
        seen = []
        gateway.alter = lambda request, reply: seen.append(request) or reply
        page = objects.container.list_page("", "")
        assert [entry["Name"].rpartition("/")[2] for entry in page.entries] == ["a", "b", "c"]
        assert len(seen) == 1

    def test_awkward_names_are_preserved(self, objects):
        for name in ("sample-1.0+local/a+b", "100%/ü #?&.txt"):
            objects.create_object(name, b"x", content_type="text/plain", metadata={"comment": "ü, ~ %"})
            with objects.open_object(name) as stream:
                assert stream.read(10) == b"x"
            assert objects.stat_object(name).metadata == {"comment": "ü, ~ %"}
            folder = name.partition("/")[0] + "/"
            assert [stored.name for stored in objects.list_objects(folder)] == [name]
        assert objects.address_of("a+b").endswith("/a%2Bb")

    def test_bytes_that_change_on_the_way_are_found_out(self, objects, gateway):
        objects.create_object("a", b"content", content_type="text/plain", metadata={})
        gateway.alter = lambda request, reply: (
            Reply(b"contenT", 200, "text/plain", reply.headers) if request.method == "GET" else reply
        )
        with objects.open_object("a") as stream, pytest.raises(DigestMismatch):
            b"".join(iter(lambda: stream.read(100), b""))

    def test_interrupted_download_resumes(self, config, azurite, tmp_path):
        files = make_wheels(tmp_path / "dist", 2, 1_500_000)
        assert move(as_remote(str(tmp_path / "dist")), as_remote(config)).is_complete
        with run_breaking(azurite.url, 2) as (gateway, breaking):
            endpoint = f"{gateway.url}devstoreaccount1"
            source = config.model_copy(update={"endpoint_url": endpoint})
            assert move(as_remote(source), as_remote(str(tmp_path / "out"))).is_complete
        require_resumed(breaking, files, tmp_path / "out")
