"""What goes wrong on the way: cut connections, spoiled bytes, expired tokens, odd answers."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from time import sleep
from urllib.parse import quote

import pytest
from tests.servers.breaking import make_wheels, move, require_resumed, run_breaking
from tests.servers.silent import in_time, silent_server
from tests.servers.web import Reply, run_web
from tests.servers.wire import run_wire

from wheelrelay import dist_file
from wheelrelay.config import as_remote
from wheelrelay.containers import BLOCK_SIZE
from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    BackendError,
    DigestMismatch,
    NotFound,
    PermissionDenied,
    Rejected,
    SizeMismatch,
    Unavailable,
    WheelrelayError,
)
from wheelrelay.testing import stage_path, write_distribution
from wheelrelay_cloudfiles.config import SwiftConfig
from wheelrelay_cloudfiles.streams import Body

CONTENT = 8 << 20
TOKEN_LIFE = 2
EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT"


@pytest.fixture(scope="module")
def hasty_swift(cluster):
    """Swift whose tokens expire while one looks."""
    with cluster.proxy(token_life=TOKEN_LIFE) as swift:
        yield swift


@pytest.fixture
def wheel(tmp_path):
    return stage_path(write_distribution(tmp_path, "sample-1.0-py3-none-any.whl", size=CONTENT))


@pytest.fixture
def by_token(swift, container, monkeypatch):
    """Gives the configuration of the container at any address of the account, with a good token."""
    monkeypatch.setenv("SWIFT_TOKEN", swift.token())

    def make(url):
        storage_url = f"{url}/v1/AUTH_test"
        return SwiftConfig(container=container, storage_url=storage_url, token={"env": "SWIFT_TOKEN"})

    return make


def read(store, file):
    with store.open(file) as stream:
        while stream.read(BLOCK_SIZE):
            pass


def logins(swift):
    return swift.log.read_text().count("GET /auth/v1.0 ")


def test_broken_upload_leaves_nothing_and_can_be_repeated(swift, empty_container, by_token, wheel):
    with run_wire(swift.url) as wire, by_token(wire.url).open() as store:
        wire.cut_sent = CONTENT // 2
        with pytest.raises(Unavailable):
            store.put(wheel)
        assert swift.names(empty_container) == []
        wire.cut_sent = None
        store.put(wheel)
        assert [file.sha256 for file in store.inventory("sample")] == [wheel.sha256]


def test_server_crash_during_an_upload_leaves_nothing(
    cluster,
    swift,
    empty_container,
    config_for,
    wheel,
):
    with ExitStack() as life:
        doomed = life.enter_context(cluster.proxy())
        seen = []

        def die(size):
            seen.append(size)
            if sum(seen) == CONTENT // 2:
                life.close()

        with config_for(doomed).open() as store, pytest.raises(Unavailable):
            store.put(wheel.watched_by(die))
    with config_for(swift).open() as store:
        assert list(store.iter_files(None)) == []
        store.put(wheel)
        assert [file.sha256 for file in store.inventory("sample")] == [wheel.sha256]


def test_connections_are_reused(swift, by_token, tmp_path):
    with run_wire(swift.url) as wire, by_token(wire.url).open() as store:
        for number in range(4):
            name = f"sample-{number}.0-py3-none-any.whl"
            store.put(stage_path(write_distribution(tmp_path, name, size=2 << 20)))
        store.finalize(["sample"])
        for file in store.iter_files("sample"):
            read(store, file)
        store.delete(list(store.iter_files("sample")))
        assert wire.connections <= 3  # libcloud's, ours, and one for a last look while a body is on its way


def test_corrupted_upload_is_refused(swift, empty_container, by_token, wheel):
    with run_wire(swift.url) as wire, by_token(wire.url).open() as store:
        wire.spoil = CONTENT // 2
        with pytest.raises(DigestMismatch):
            store.put(wheel)
    assert swift.names(empty_container) == []


def test_truncated_download_is_an_error(swift, by_token, wheel):
    with run_wire(swift.url) as wire, by_token(wire.url).open() as store:
        store.put(wheel)
        [file] = store.iter_files("sample")
        wire.cut_received = CONTENT // 2
        with pytest.raises(SizeMismatch):
            read(store, file)


def test_corrupted_download_is_an_error(by_token, container):
    with run_web() as web, by_token(web.url.rstrip("/")).open() as store:
        file = dist_file("sample-1.0.tar.gz")
        web.serve(f"/v1/AUTH_test/{container}/{file.filename}", b"spoiled", headers={"Etag": "0" * 32})
        with pytest.raises(DigestMismatch):
            read(store, file)


def test_expired_token_is_renewed_during_transfers(hasty_swift, config_for, tmp_path):
    names = [f"sample-{n}.0-py3-none-any.whl" for n in range(2)]
    before = logins(hasty_swift)
    with config_for(hasty_swift).open() as store:
        for name in names:
            store.put(stage_path(write_distribution(tmp_path, name)))
            sleep(TOKEN_LIFE + 0.1)
        assert [file.filename for file in store.iter_files(None)] == names
    assert logins(hasty_swift) - before == 3


def test_eight_threads_renew_the_token_once(swift, empty_container, config_for, tmp_path):
    files = [stage_path(write_distribution(tmp_path, f"sample-{n}.0-py3-none-any.whl")) for n in range(8)]
    with config_for(swift).open() as store:
        assert list(store.iter_files(None)) == []
        swift.forget_tokens()
        before = logins(swift)
        together = threading.Barrier(8)

        def put(staged):
            together.wait()
            store.put(staged)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(put, files))
        assert len(list(store.iter_files(None))) == 8
    assert logins(swift) - before == 1


def test_large_body_is_sent_again_after_token_renewal(swift, empty_container, config_for, wheel):
    with config_for(swift).open() as store:
        store.make_ready()
        swift.forget_tokens()
        store._objects._client.put(f"/{empty_container}/{wheel.filename}", Body.of(wheel), {})
        assert [file.size for file in store.iter_files(None)] == [wheel.size]


def test_renewed_token_secret_is_read_again(swift, empty_container, tmp_path):
    path = tmp_path / "token"
    path.write_text(swift.token())
    keys = {"storage_url": swift.storage_url, "token": {"file": path}}
    with SwiftConfig(container=empty_container, **keys).open() as store:
        store.make_ready()
        swift.forget_tokens()
        path.write_text(swift.token())
        assert list(store.iter_files(None)) == []


def test_refused_token_is_an_authentication_error(swift, container, monkeypatch):
    monkeypatch.setenv("SWIFT_TOKEN", "AUTH_tk_of_yesterday")
    config = SwiftConfig(container=container, storage_url=swift.storage_url, token={"env": "SWIFT_TOKEN"})
    with config.open() as store, pytest.raises(AuthenticationFailed) as failure:
        list(store.iter_files(None))
    assert "AUTH_tk" not in str(failure.value)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (403, PermissionDenied),
        (404, NotFound),
        (408, Unavailable),
        (409, Unavailable),
        (412, AlreadyExists),
        (413, Rejected),
        (422, DigestMismatch),
        (429, Unavailable),
        (498, Unavailable),
        (301, Rejected),
        (503, Unavailable),
        (507, Unavailable),
    ],
)
def test_status_maps_to_error(status, expected, by_token, container):
    with run_web() as web, by_token(web.url.rstrip("/")).open() as store:
        web.serve(f"/v1/AUTH_test/{container}/a", b"because", status=status, content_type="text/plain")
        with pytest.raises(WheelrelayError, match=str(status)) as failure, store._objects.open_object("a"):
            pass
        assert type(failure.value) is expected
        assert "because" in str(failure.value)


def test_retry_after_is_parsed(by_token, container):
    with run_web() as web, by_token(web.url.rstrip("/")).open() as store:
        path = f"/v1/AUTH_test/{container}"
        busy = Reply(status=498, headers={"Retry-After": "7"})
        web.fail(f"{path}/a", busy)
        with pytest.raises(Unavailable) as failure:
            store._objects.stat_object("a")
        assert failure.value.retry_after == 7
        web.fail(path, Reply(status=429, headers={"Retry-After": "9"}), Reply(status=503))
        with pytest.raises(Unavailable) as failure:
            list(store.iter_files(None))
        assert failure.value.retry_after == 9
        with pytest.raises(Unavailable):
            list(store.iter_files(None))


def test_other_etag_after_an_upload_is_a_conflict(by_token, container):
    with run_web() as web, by_token(web.url.rstrip("/")).open() as store:
        web.serve(f"/v1/AUTH_test/{container}", status=204)  # and no /info: then Swift's own limit holds
        web.serve(f"/v1/AUTH_test/{container}/a", headers={"Etag": "theirs", "Last-Modified": EPOCH})
        web.fail(f"/v1/AUTH_test/{container}/a", Reply(status=201, headers={"Etag": "ours"}))
        with pytest.raises(AlreadyExists, match="same time"):
            store._objects.create_object("a", b"x", content_type="text/plain", metadata={})
        asked = [request.method for request in web.requests if request.path.endswith("/a")]
        assert asked == ["PUT", "HEAD"]


def test_404_of_an_existing_container_is_retryable(swift, empty_container, config_for, wheel):
    with config_for(swift).open() as store:
        store.make_ready()
        assert list(store.iter_files(None)) == []
        store._objects._require_container()
        swift.call("DELETE", quote(empty_container))
        with pytest.raises(Unavailable, match="does not find the container"):  # as while its servers are late
            store.put(wheel)
        swift.make_container(empty_container)
        store.put(wheel)
        assert [file.sha256 for file in store.inventory("sample")] == [wheel.sha256]


def test_token_does_not_follow_redirects(by_token, container):
    with run_web() as web, run_web() as elsewhere, by_token(web.url.rstrip("/")).open() as store:
        web.redirect(f"/v1/AUTH_test/{container}/a", elsewhere.url)
        web.redirect(f"/v1/AUTH_test/{container}", elsewhere.url)
        with pytest.raises(Rejected):
            store._objects.stat_object("a")
        with pytest.raises(WheelrelayError, match="redirects"):
            list(store.iter_files(None))
        assert elsewhere.requests == []


NOT_A_LISTING = [
    Reply(b'{"message": "hello"}', content_type="application/json"),
    Reply(b'"text"', content_type="application/json"),
    Reply(b"[1, 2]", content_type="application/json"),
    Reply(b'[{"name": "a"}]', content_type="application/json"),
    Reply(b"<html>Welcome</html>", content_type="text/html"),
    Reply(b"", content_type="application/json"),
    Reply(b"", content_type="text/plain"),
]


@pytest.mark.parametrize("reply", NOT_A_LISTING)
def test_invalid_listing_is_an_error(reply, by_token, container):
    with run_web() as web, by_token(web.url.rstrip("/")).open() as store:
        web.fail(f"/v1/AUTH_test/{container}", reply)
        with pytest.raises(BackendError, match="did not answer like a Swift service"):
            list(store.iter_files(None))


def test_409_is_not_an_empty_listing(by_token, container):
    with run_web() as web, by_token(web.url.rstrip("/")).open() as store:
        web.fail(f"/v1/AUTH_test/{container}", Reply(status=409))
        with pytest.raises(Unavailable):
            list(store.iter_files(None))


def test_repeated_listing_page_is_an_error(by_token, container):
    page = b'[{"subdir": "folder/"}]'
    with run_web() as web, by_token(web.url.rstrip("/")).open() as store:
        web.serve(f"/v1/AUTH_test/{container}", page, content_type="application/json")
        with pytest.raises(BackendError, match="did not answer like a Swift service"):
            list(store.iter_files(None))


def test_missing_headers_are_an_error(by_token, container):
    with run_web() as web, by_token(web.url.rstrip("/")).open() as store:
        web.serve(f"/v1/AUTH_test/{container}/a", b"", headers={"Etag": "0" * 32})
        with pytest.raises(BackendError, match="did not answer like a Swift service"):
            store._objects.stat_object("a")


LIMITED = [
    Reply(b"", 413, headers={"Retry-After": "7"}),
    Reply(b"Your account has been rate limited.", 413, "text/plain"),
]


@pytest.mark.parametrize("reply", LIMITED)
def test_413_for_rate_limits_is_retryable(reply, by_token, container):
    wait = 7 if reply.headers else None
    with run_web() as web, by_token(web.url.rstrip("/")).open() as store:
        web.fail(f"/v1/AUTH_test/{container}", reply)
        with pytest.raises(Unavailable) as failure:
            list(store.iter_files(None))
        assert failure.value.retry_after == wait
        web.fail(f"/v1/AUTH_test/{container}/a", reply)
        with pytest.raises(Unavailable) as failure, store._objects.open_object("a"):
            pass
        assert failure.value.retry_after == wait


class TestATimeout:
    """A server that takes connections and never answers; without the key, each call takes 50 seconds."""

    def test_counts_for_logging_in(self, config_for, swift):
        with silent_server() as url:
            config = config_for(swift, auth_url=f"{url}/v1.0", timeout=0.3)
            with config.open() as store, pytest.raises(Unavailable):
                in_time(store.make_ready)

    def test_counts_for_libcloud_and_for_objects(self, by_token):
        with silent_server() as url:
            config = by_token(url).model_copy(update={"timeout": 0.3})
            with config.open() as store:
                with pytest.raises(Unavailable):
                    in_time(lambda: list(store.iter_files(None)))
                file = dist_file("sample-1.0-py3-none-any.whl")
                with pytest.raises(Unavailable):
                    in_time(lambda: read(store, file))

    def test_counts_for_rackspace(self, cloudfiles_config):
        with silent_server() as url:
            config = cloudfiles_config.model_copy(update={"auth_url": url, "timeout": 0.3})
            with config.open() as store, pytest.raises(Unavailable):
                in_time(store.make_ready)


@pytest.mark.parametrize("seed", [2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 9))])
def test_interrupted_download_resumes(swift, by_token, tmp_path, seed):
    files = make_wheels(tmp_path / "dist", seed, 1_500_000)
    assert move(as_remote(str(tmp_path / "dist")), as_remote(by_token(swift.url))).is_complete
    with run_breaking(swift.url, seed) as (gateway, breaking):
        source = as_remote(by_token(gateway.url.rstrip("/")))
        assert move(source, as_remote(str(tmp_path / "out"))).is_complete
    require_resumed(breaking, files, tmp_path / "out")
