"""A gateway before real servers fails, loses answers or passes over conditions."""

import threading
from contextlib import suppress
from dataclasses import replace
from random import Random
from time import monotonic

import pytest
from tests.servers.breaking import make_wheels, move, require_resumed, run_breaking
from tests.servers.gateway import run_gateway
from tests.servers.silent import in_time, silent_server
from tests.servers.web import Reply

from wheelrelay.config import as_remote
from wheelrelay.containers.folder_pages import FOLDER
from wheelrelay.containers.parts import MAX_ATTEMPTS
from wheelrelay.errors import (
    AlreadyExists,
    PermissionDenied,
    TimedOut,
    Unavailable,
)
from wheelrelay.testing import make_wheel, stage_path
from wheelrelay_s3.features import WITNESS
from wheelrelay_s3.uploads import PART

NAME = "sample-1.0-py3-none-any.whl"


def refusal(status, code):
    return Reply(f"<Error><Code>{code}</Code></Error>".encode(), status, "application/xml")


BUSY = refusal(503, "SlowDown")


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


def is_part(request, number=None):
    wanted = "partNumber=" if number is None else f"partNumber={number}&"
    return request.method == "PUT" and wanted in request.path and WITNESS not in request.path


def is_completion(request):
    ends = request.method == "POST" and "uploadId=" in request.path
    return ends and WITNESS not in request.path


def is_of_folder(request):
    return FOLDER in request.path


def create(objects, content, name=NAME):
    objects.create_object(name, content, content_type="text/plain", metadata={})


def read(objects, name=NAME):
    with objects.open_object(name) as stream:
        return b"".join(iter(lambda: stream.read(1 << 20), b""))


class TestAFileInParts:
    @pytest.mark.parametrize("fault", [BUSY, refusal(400, "IncompleteBody"), None])
    def test_sends_a_part_that_fails_again_and_no_other(self, fault, objects, gateway, large):
        gateway.fault(lambda request: is_part(request, 2), fault, times=2)
        create(objects, large)
        assert read(objects) == large.path.read_bytes()
        sent = [
            request.path.partition("partNumber=")[2][0] for request in gateway.requests if is_part(request)
        ]
        assert sent == ["1", "2", "2", "2"]

    def test_gives_up_after_some_attempts_and_leaves_nothing(self, objects, gateway, large, seaweed):
        gateway.fault(is_part, refusal(400, "IncompleteBody"), times=MAX_ATTEMPTS)
        with pytest.raises(Unavailable):
            create(objects, large)
        uploads = seaweed.client().list_multipart_uploads(Bucket=objects.bucket.bucket).get("Uploads", ())
        assert [upload for upload in uploads if upload["Key"].startswith(objects.bucket.prefix)] == []

    def test_stops_waiting_for_the_next_attempt_when_the_run_is_interrupted(self, objects, gateway, large):
        stopped = threading.Event()

        def slow_down(request):
            if is_part(request, 2):
                stopped.set()  # Ctrl-C while the part is sent
            return is_part(request, 2)

        busy = refusal(503, "SlowDown")
        gateway.fault(slow_down, replace(busy, headers={"Retry-After": "20"}), times=MAX_ATTEMPTS)
        began = monotonic()
        with pytest.raises(Unavailable):
            create(objects, large.watched_by(lambda _: None, stopped=stopped))
        assert monotonic() - began < 10
        assert len([request for request in gateway.requests if is_part(request, 2)]) == 1

    def test_repeats_the_last_request_alone(self, objects, gateway, large):
        gateway.fault(is_completion, BUSY)
        create(objects, large)
        assert read(objects) == large.path.read_bytes()
        assert len(list(filter(is_part, gateway.requests))) == 2

    def test_is_there_when_the_answer_to_the_last_request_is_lost(
        self, seaweed, gateway, configured, opened, tmp_path
    ):
        wheel = make_wheel(tmp_path, payload=Random(0).randbytes(PART + 1_000))
        store = opened(configured(seaweed, endpoint_url=gateway.url))
        gateway.fault(is_completion, BUSY, taken=True)
        with suppress(Unavailable):  # then it is looked for
            store.put(stage_path(wheel))
        [file] = store.iter_files("sample")
        assert read(store._objects, file.filename) == wheel.read_bytes()
        assert len(list(filter(is_part, gateway.requests))) == 2

    def test_takes_an_error_in_an_answer_of_success_for_an_error(self, objects, gateway, large):
        gateway.fault(is_completion, refusal(200, "InternalError"))
        create(objects, large)
        assert read(objects) == large.path.read_bytes()


class TestAServerThatPassesOverConditionsOfLargeFiles:
    """Its answers are those of moto, which checks no signature, so that the gateway may drop the header."""

    @pytest.fixture
    def objects(self, moto, configured, objects_of):
        def without_condition(request):
            if "uploadId=" not in request.path:
                return request
            headers = {name: text for name, text in request.headers.items() if name != "if-none-match"}
            return replace(request, headers=headers)

        with run_gateway(moto.url) as gateway:
            gateway.change = without_condition
            yield objects_of(configured(moto, endpoint_url=gateway.url))

    def test_gets_large_files_in_one_request(self, objects, large):
        create(objects, large)
        assert read(objects) == large.path.read_bytes()

    def test_keeps_the_file_of_a_taken_name(self, objects, large):
        create(objects, b"old")
        with pytest.raises(AlreadyExists):
            create(objects, large)
        assert read(objects) == b"old"

    def test_takes_small_files(self, objects):
        create(objects, b"old")
        with pytest.raises(AlreadyExists):
            create(objects, b"new")


@pytest.mark.parametrize("name", ["seaweed", "moto", "swift"])
def test_server_with_conditional_writes_accepts_large_files(name, request, empty_place, large):
    objects = empty_place(request.getfixturevalue(name))
    create(objects, large)
    assert read(objects) == large.path.read_bytes()
    assert read(objects, WITNESS).startswith(b"wheelrelay keeps")


class TestPagesOfFolders:
    @pytest.mark.parametrize(
        "reply", [refusal(400, "InvalidURI"), refusal(403, "AccessDenied"), refusal(501, "NotImplemented")]
    )
    def test_are_not_kept_where_their_name_is_refused(self, reply, objects, gateway):
        gateway.fault(is_of_folder, reply, times=9)
        assert objects.keeps_folder_pages() is False

    def test_are_not_kept_where_the_server_fails_over_their_name_again_and_again(
        self, moto, configured, objects_of
    ):
        with run_gateway(moto.url) as gateway:
            objects = objects_of(configured(moto, endpoint_url=gateway.url))
            gateway.fault(
                lambda request: is_of_folder(request) and request.method == "PUT",
                refusal(500, "InternalError"),
                times=3,
            )
            for _ in range(2):
                with pytest.raises(Unavailable):
                    objects.keeps_folder_pages()
            assert objects.keeps_folder_pages() is False

    def test_stay_where_a_server_fails_that_has_kept_them(self, moto, configured, objects_of):
        with run_gateway(moto.url) as gateway:
            config = configured(moto, endpoint_url=gateway.url)
            assert objects_of(config).keeps_folder_pages() is True
            objects = objects_of(config)
            gateway.fault(is_of_folder, refusal(500, "InternalError"), times=9)
            for _ in range(4):
                with pytest.raises(Unavailable):
                    objects.keeps_folder_pages()

    def test_that_are_refused_do_not_fail_a_push(self, seaweed, gateway, configured, opened, tmp_path):
        store = opened(configured(seaweed, endpoint_url=gateway.url))
        gateway.fault(
            lambda request: request.path.split("?")[0].endswith("/"), refusal(400, "InvalidURI"), times=9
        )
        store.put(stage_path(make_wheel(tmp_path)))
        store.finalize({"sample"})
        assert "sample" in read(store._objects, "simple/index.html").decode()


@pytest.mark.parametrize(
    "code",
    [
        "IncompleteBody",
        "RequestLimitExceeded",
        "RequestThrottled",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    ],
)
def test_error_code_is_retryable(code, objects, gateway):
    gateway.fault(lambda request: request.method == "GET", refusal(400, code))
    with pytest.raises(Unavailable):
        list(objects.list_objects())


def test_refused_head_is_explained_by_a_get(objects, gateway):
    create(objects, b"x", "x")
    gateway.fault(lambda request: request.method == "HEAD", Reply(status=403))
    gateway.fault(lambda request: request.method == "GET", refusal(403, "AccessDenied"))
    with pytest.raises(PermissionDenied):
        objects.stat_object("x")


def test_plus_in_a_key_is_preserved(objects):
    create(objects, b"x", "sample-1.0+local/a+b")
    assert [found.name for found in objects.list_objects("sample-1.0+local/")] == ["sample-1.0+local/a+b"]
    assert read(objects, "sample-1.0+local/a+b") == b"x"
    assert objects.address_of("a+b").endswith("/a%2Bb")


def test_silent_server_times_out(seaweed, configured, opened):
    with silent_server() as url:
        store = opened(configured(seaweed, endpoint_url=url, timeout=4))
        with pytest.raises(TimedOut) as caught:
            in_time(lambda: list(store.iter_files(None)))
        assert 4 <= caught.value.waited < 8  # an upload may take 8 s


@pytest.mark.parametrize("seed", [2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 9))])
def test_interrupted_download_resumes(seaweed, configured, tmp_path, seed):
    files = make_wheels(tmp_path / "dist", seed, 1_500_000)
    config = configured(seaweed)
    assert move(as_remote(str(tmp_path / "dist")), as_remote(config)).is_complete
    with run_breaking(seaweed.url, seed) as (gateway, breaking):
        source = config.model_copy(update={"endpoint_url": gateway.url})
        assert move(as_remote(source), as_remote(str(tmp_path / "out"))).is_complete
    require_resumed(breaking, files, tmp_path / "out")
