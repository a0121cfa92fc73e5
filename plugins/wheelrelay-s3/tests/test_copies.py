"""From place to place of one server a file is copied by the server, if that is proved to be safe."""

import os
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from tests.servers.wire import run_wire

import wheelrelay
from wheelrelay import Remote, Route
from wheelrelay.errors import AlreadyExists, ChangedWhileReading
from wheelrelay.testing import make_wheel, stage_path
from wheelrelay_s3.bucket import Bucket
from wheelrelay_s3.objects import S3Objects

WHEEL = "sample-1.0-py3-none-any.whl"
SIZE = 1_000_000
"""More than all the questions and pages around a file take together."""


@pytest.fixture
def wheel(tmp_path):
    return make_wheel(tmp_path / "dist", payload=Random(0).randbytes(SIZE))


@pytest.fixture
def staged(wheel):
    return stage_path(wheel)


@pytest.fixture
def wire(seaweed):
    with run_wire(seaweed.url) as wire:
        yield wire


@pytest.fixture
def places(seaweed, configured, wire):
    """Two buckets of one server, at the end of a wire."""
    return [configured(seaweed, endpoint_url=wire.url, bucket=seaweed.new_bucket()) for _ in range(2)]


def lay(server, config, content, **parameters):
    """Write an object as somebody else would."""
    server.client().put_object(
        Bucket=config.bucket, Key=f"{config.prefix}/{WHEEL}", Body=content, **parameters
    )


def head(server, config):
    return server.client().head_object(Bucket=config.bucket, Key=f"{config.prefix}/{WHEEL}")


def read(store):
    [file] = store.iter_files("sample")
    with store.open(file) as stream:
        return b"".join(iter(lambda: stream.read(1 << 20), b""))


def copied(source, sink, staged):
    return sink.copy_object(source, staged, content_type="application/octet-stream", metadata={})


def relay(source, sink):
    route = Route(source=Remote("source", source), sinks=[Remote("sink", sink)])
    return wheelrelay.relay(route, ["sample==1.0"])


class TestARelayWithinOneServer:
    def test_sends_no_bytes_of_a_file(self, wheel, places, wire, opened):
        wheelrelay.push([wheel], to=Remote("source", places[0]))
        before = wire.sent
        assert relay(*places).is_complete
        assert wire.sent - before < SIZE / 4
        assert read(opened(places[1])) == wheel.read_bytes()

    def test_leaves_there_what_an_upload_leaves(self, wheel, places, seaweed, configured, opened):
        uploaded = configured(seaweed)
        wheelrelay.push([wheel], to=Remote("source", places[0]))
        relay(*places)
        relay(places[0], uploaded)
        first, second = (head(seaweed, config) for config in (places[1], uploaded))
        assert first["Metadata"] == second["Metadata"]
        assert first["ContentType"] == second["ContentType"]
        assert opened(places[1]).check_pages() == []

    def test_works_within_one_bucket(self, wheel, places, wire, opened):
        other = places[0].model_copy(update={"prefix": "other"})
        wheelrelay.push([wheel], to=Remote("source", places[0]))
        before = wire.sent
        assert relay(places[0], other).is_complete
        assert wire.sent - before < SIZE / 4
        assert read(opened(other)) == wheel.read_bytes()


class TestTheStagedBytesAreSent:
    @pytest.fixture
    def arrives_by_upload(self, staged, opened, wire, places):
        """Whether a file that a source may have arrives whole, over our own wire."""

        def arrives(source):
            sink, before = opened(places[1]), wire.sent
            sink.put_from(opened(source), staged)
            return read(sink) == staged.path.read_bytes() and wire.sent - before > SIZE

        return arrives

    def test_to_another_server(self, seaweed, configured, wheel, arrives_by_upload):
        source = configured(seaweed)  # the same one by an address of its own: nobody can know
        wheelrelay.push([wheel], to=Remote("source", source))
        assert arrives_by_upload(source)

    def test_from_a_source_that_is_read_anonymously(self, seaweed, wheel, places, arrives_by_upload):
        bucket = seaweed.new_bucket(public=True)
        source = places[0].model_copy(update={"bucket": bucket})
        wheelrelay.push([wheel], to=Remote("source", source))
        nobody = {"anonymous": True, "access_key_id": None, "secret_access_key": None}
        assert arrives_by_upload(source.model_copy(update=nobody))

    def test_if_the_source_has_changed(self, seaweed, wheel, places, arrives_by_upload):
        lay(seaweed, places[0], bytes(wheel.stat().st_size), ChecksumAlgorithm="SHA256")
        assert arrives_by_upload(places[0])

    def test_if_the_source_changes_after_it_was_asked(self, seaweed, staged, configured, objects_of):
        source, sink = configured(seaweed), configured(seaweed)
        lay(seaweed, source, staged.path.read_bytes(), ChecksumAlgorithm="SHA256")

        class Unsteady(Bucket):
            def call(self, operation, name, /, **parameters):
                answer = super().call(operation, name, **parameters)
                lay(seaweed, source, bytes(staged.size), ChecksumAlgorithm="SHA256")
                return answer

        told = objects_of(source).bucket
        unsteady = S3Objects(Unsteady(told.sessions, told.bucket, told.prefix))
        assert not copied(unsteady, objects_of(sink), staged)
        assert list(objects_of(sink).list_objects("sample")) == []

    def test_if_only_hearsay_tells_the_digest(self, seaweed, wheel, staged, places, arrives_by_upload):
        hearsay = {"sha256": staged.sha256}
        lay(seaweed, places[0], wheel.read_bytes(), Metadata=hearsay)
        assert arrives_by_upload(places[0])

    def test_if_the_source_has_gone(self, places, arrives_by_upload):
        assert arrives_by_upload(places[0])


class TestATakenName:
    def test_is_refused_and_keeps_its_bytes(self, seaweed, wheel, staged, places, opened):
        wheelrelay.push([wheel], to=Remote("source", places[0]))
        lay(seaweed, places[1], b"other")
        with pytest.raises(AlreadyExists):
            opened(places[1]).put_from(opened(places[0]), staged)
        assert read(opened(places[1])) == b"other"

    def test_is_not_copied_over_on_any_server(self, server, wheel, staged, configured, objects_of):
        """Not even by those that would: moto heeds no condition of a copy."""
        source, sink = configured(server), configured(server)
        lay(server, source, wheel.read_bytes(), ChecksumAlgorithm="SHA256")
        lay(server, sink, b"other")
        assert not copied(objects_of(source), objects_of(sink), staged)
        assert head(server, sink)["ContentLength"] == len(b"other")

    def test_of_many_copies_at_once_one_wins(self, seaweed, wheel, staged, configured, objects_of):
        source, sink = (objects_of(configured(seaweed)) for _ in range(2))
        source.create_object(WHEEL, staged, content_type="application/octet-stream", metadata={})
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda _: copied(source, sink, staged), range(8)))
        assert sorted(done) == [False] * 7 + [True]


def test_file_modified_since_staging_is_not_published(wheel, staged, places, opened):
    wheelrelay.push([wheel], to=Remote("source", places[0]))
    os.utime(wheel, (1, 1))
    with pytest.raises(ChangedWhileReading):
        opened(places[1]).put_from(opened(places[0]), staged)
    assert list(opened(places[1]).iter_files("sample")) == []
