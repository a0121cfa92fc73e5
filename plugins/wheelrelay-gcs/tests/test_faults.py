"""Errors of the service, servers that fail, and what users read about them."""

import pytest
from tests.servers.breaking import make_wheels, move, require_resumed, run_breaking
from tests.servers.silent import in_time, silent_server
from tests.servers.web import Reply

from wheelrelay.config import as_remote
from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    DigestMismatch,
    NotFound,
    PermissionDenied,
    Rejected,
    TimedOut,
    Unavailable,
)
from wheelrelay_gcs.config import GcsConfig


def refusal(status, message="no", reason="forbidden", **headers):
    body = f'{{"error": {{"message": "{message}", "errors": [{{"reason": "{reason}"}}]}}}}'
    return Reply(body.encode(), status, "application/json", headers)


def always(_):
    return True


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal(401), AuthenticationFailed),
        (refusal(403), PermissionDenied),
        (refusal(403, reason="rateLimitExceeded"), Unavailable),
        (refusal(404), NotFound),
        (refusal(400), Rejected),
        (refusal(409), Unavailable),
        (refusal(429), Unavailable),
        (refusal(500), Unavailable),
        (refusal(501), Rejected),
        (Reply(status=302, headers={"Location": "https://example.org/"}), Rejected),
        (Reply(b"<html>", 403, "text/html"), PermissionDenied),
        (Reply(b"[1]", 503, "application/json"), Unavailable),
        (Reply(b"<html>hello</html>", content_type="text/html"), BackendError),
        (Reply(b"[]", content_type="application/json"), BackendError),
        (Reply(b"{}", content_type="application/json"), BackendError),
    ],
)
def test_answer_is_mapped_to_an_error(objects, gateway, reply, error):
    gateway.fault(always, reply, times=3)
    with pytest.raises(BackendError) as caught:
        list(objects.list_objects())
    assert type(caught.value) is error


def test_message_quotes_the_reason(objects, gateway):
    gateway.fault(always, refusal(403, "user@example.org does not have storage.objects.list access."))
    with pytest.raises(PermissionDenied) as caught:
        list(objects.list_objects())
    assert "returned 403: user@example.org does not have storage.objects.list access." in str(caught.value)
    assert "storage.objects.create" in caught.value.hint


def test_requested_pause_is_part_of_the_error(objects, gateway):
    gateway.fault(always, refusal(429, **{"Retry-After": "7"}))
    with pytest.raises(Unavailable) as caught:
        list(objects.list_objects())
    assert caught.value.retry_after == 7


def test_missing_bucket_is_not_an_empty_one(config, objects_of):
    with pytest.raises(NotFound):
        list(objects_of(config.model_copy(update={"bucket": "no-such-bucket"})).list_objects())


def test_listing_that_does_not_advance_is_an_error(objects, gateway):
    page = Reply(b'{"kind": "storage#objects", "nextPageToken": "again"}', content_type="application/json")
    gateway.fault(always, page, times=2)
    with pytest.raises(BackendError, match="incomplete listing"):
        list(objects.list_objects())


def test_listing_has_several_pages(objects, gateway):
    for name in ("a", "b", "c"):
        objects.create_object(name, b"", content_type="text/plain", metadata={})
    change = gateway.change
    gateway.change = lambda request: change(
        request if "?prefix" not in request.path else _with_path(request, request.path + "&maxResults=1")
    )
    assert [stored.name for stored in objects.list_objects()] == ["a", "b", "c"]


def _with_path(request, path):
    return type(request)(request.method, path, request.headers, request.body)


def test_project_to_bill_is_named_in_every_request(config, objects_of, gateway):
    objects = objects_of(config.model_copy(update={"project": "payer"}))
    objects.create_object("a", b"x", content_type="text/plain", metadata={})
    with objects.open_object("a") as stream:
        stream.read(10)
    objects.delete_object("a")
    list(objects.list_objects())
    assert {request.headers.get("x-goog-user-project") for request in gateway.requests} == {"payer"}


def test_awkward_names_are_preserved(objects):
    for name in ("sample-1.0+local/a+b", "100%/ü #?&.txt", "a//b"):
        objects.create_object(name, b"x", content_type="text/plain", metadata={})
        with objects.open_object(name) as stream:
            assert stream.read(10) == b"x"
        assert objects.stat_object(name).name == name
    assert objects.address_of("a+b").endswith("/a%2Bb")


def test_bytes_that_change_on_the_way_are_found_out(objects, gateway):
    objects.create_object("a", b"content", content_type="text/plain", metadata={})
    gateway.alter = lambda request, reply: (
        Reply(b"contenT", 200, "text/plain", reply.headers) if "alt=media" in request.path else reply
    )
    with objects.open_object("a") as stream, pytest.raises(DigestMismatch):
        b"".join(iter(lambda: stream.read(100), b""))


def test_silent_server_times_out(opened):
    with silent_server() as url:
        store = opened(
            GcsConfig(bucket="wheels", endpoint_url=url, token={"env": "TOKEN_FOR_TESTS"}, timeout=2)
        )
        with pytest.raises(TimedOut) as caught:
            in_time(lambda: list(store.iter_files(None)))
        assert 2 <= caught.value.waited < 4


def test_interrupted_download_resumes(config, fake_gcs, tmp_path):
    files = make_wheels(tmp_path / "dist", 2, 1_500_000)
    assert move(as_remote(str(tmp_path / "dist")), as_remote(config)).is_complete
    with run_breaking(fake_gcs.url, 2) as (gateway, breaking):
        source = config.model_copy(update={"endpoint_url": gateway.url})
        assert move(as_remote(source), as_remote(str(tmp_path / "out"))).is_complete
    require_resumed(breaking, files, tmp_path / "out")
