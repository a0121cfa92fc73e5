"""What is uploaded is there whole and verified, or not at all, however large it is and whatever happens."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random

import pytest
from tests.servers.gateway import run_gateway
from tests.servers.seaweed import free_ports, run_seaweed

from wheelrelay.errors import AlreadyExists, ChangedWhileReading, DigestMismatch, Unavailable
from wheelrelay.testing import stage_path
from wheelrelay_s3.objects import S3Objects
from wheelrelay_s3.uploads import PART

NAME = "sample-1.0-py3-none-any.whl"
SMALL, LARGE = 1_000, PART + 1_000


def staged(folder, size=SMALL, seed=0):
    """A staged file of a wheel's name; what is in it does not matter here."""
    folder.mkdir(exist_ok=True)
    path = folder / NAME
    path.write_bytes(Random(seed).randbytes(size))
    return stage_path(path)


def create(objects, file):
    objects.create_object(file.filename, file, content_type="application/octet-stream", metadata={"a": "b"})


def read(objects):
    with objects.open_object(NAME) as stream:
        return b"".join(iter(lambda: stream.read(1 << 20), b""))


@pytest.fixture
def config(server, configured):
    return configured(server)


@pytest.fixture
def objects(config, connection):
    return S3Objects(connection(config))


@pytest.fixture
def seen(server, config):
    """What a stranger sees below the prefix: the objects, and the uploads that were begun and not ended."""

    def look():
        below = {"Bucket": config.bucket, "Prefix": f"{config.prefix}/sample"}
        objects = server.client().list_objects_v2(**below).get("Contents", ())
        uploads = server.client().list_multipart_uploads(Bucket=config.bucket).get("Uploads", ())
        begun = [upload for upload in uploads if upload["Key"].startswith(below["Prefix"])]
        return [*objects, *begun]

    return look


@pytest.mark.parametrize("size", [0, PART, 3 * PART + 1])
def test_uploads_files_of_any_size(size, seaweed, empty_place, tmp_path):
    objects = empty_place(seaweed)
    file = staged(tmp_path / "w", size)
    create(objects, file)
    assert read(objects) == file.path.read_bytes()


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("size", [SMALL, PART])
def test_file_of_one_part_takes_one_request(size, count, seaweed, configured, objects_of, tmp_path):
    file = staged(tmp_path / "w", size)
    with run_gateway(seaweed.url) as gateway:
        objects = objects_of(configured(seaweed, endpoint_url=gateway.url))
        objects.create_object("first.txt", b"", content_type="text/plain", metadata={})
        gateway.forget()  # the first upload also tests the server
        for number in range(count):
            objects.create_object(f"{number}.whl", file, content_type="application/zip", metadata={})
        assert [request.method for request in gateway.requests] == ["PUT"] * count


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_taken_name_is_refused_without_leftovers(size, objects, seen, tmp_path):
    file = staged(tmp_path / "w", size)
    create(objects, file)
    with pytest.raises(AlreadyExists):
        create(objects, staged(tmp_path / "other", size, seed=1))
    assert read(objects) == file.path.read_bytes()
    assert objects.stat_object(NAME).metadata == {"a": "b"}
    assert len(seen()) == 1


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_replaces_a_file(size, objects, tmp_path):
    create(objects, staged(tmp_path / "w"))
    file = staged(tmp_path / "other", size, seed=1)
    objects.replace_object(NAME, file, content_type="application/octet-stream", metadata={})
    assert read(objects) == file.path.read_bytes()


def test_one_of_two_writers_of_a_large_file_wins(seaweed, empty_place, tmp_path):
    objects = empty_place(seaweed)
    rivals = [staged(tmp_path / str(seed), LARGE, seed) for seed in range(2)]

    def rival(file):
        try:
            create(objects, file)
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        won = list(pool.map(rival, rivals))
    assert sorted(won) == [False, True]
    assert read(objects) == rivals[won.index(True)].path.read_bytes()


@pytest.mark.parametrize("name", ["seaweed", "swift"])
def test_server_refuses_other_bytes_than_staged(name, request, empty_place, tmp_path):
    objects = empty_place(request.getfixturevalue(name))
    with pytest.raises(DigestMismatch):
        create(objects, replace(staged(tmp_path / "w"), sha256="0" * 64))
    assert [found.name for found in objects.list_objects() if found.name == NAME] == []


def test_large_object_requires_the_staged_bytes(objects, seen, tmp_path):
    with pytest.raises(DigestMismatch):
        create(objects, replace(staged(tmp_path / "w", LARGE), sha256="0" * 64))
    assert seen() == []


def test_file_modified_between_parts_leaves_nothing(objects, seen, tmp_path):
    file = staged(tmp_path / "w", LARGE)

    def touch(_):
        os.utime(file.path, ns=(1, 1))

    with pytest.raises(ChangedWhileReading):
        create(objects, file.watched_by(touch))
    assert seen() == []


@pytest.mark.long
def test_upload_can_be_repeated_after_a_server_crash(configured, objects_of, tmp_path):
    ports = free_ports()
    file = staged(tmp_path / "w", LARGE)
    (tmp_path / "server").mkdir()
    with run_seaweed(tmp_path / "server", ports) as server:
        config = configured(server)
        objects = objects_of(config)
        list(objects.list_objects())

        def kill(_):
            os.kill(server.pid, signal.SIGKILL)

        with pytest.raises(Unavailable):
            create(objects, file.watched_by(kill))
        with pytest.raises(Unavailable):
            list(objects.list_objects())
    with run_seaweed(tmp_path / "server", ports):
        assert [found.name for found in objects.list_objects() if found.name == NAME] == []
        create(objects, file)
        assert read(objects) == file.path.read_bytes()


TRANSFER = """
import sys
from pathlib import Path
from wheelrelay.testing import stage_path
from wheelrelay_s3.config import S3Config
from wheelrelay_s3.objects import S3Objects

config = S3Config.model_validate_json(sys.argv[1])
staged = stage_path(Path(sys.argv[2]))
with config.connect() as bucket:
    objects = S3Objects(bucket)
    objects.create_object(staged.filename, staged, content_type="application/octet-stream", metadata={})
    with objects.open_object(staged.filename) as stream:
        size = sum(map(len, iter(lambda: stream.read(1 << 20), b"")))
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(size, int(peak) // 1024)
"""


@pytest.mark.long
def test_file_of_400_mb_needs_little_memory(seaweed, configured, tmp_path):
    path = tmp_path / NAME
    with path.open("wb") as stream:
        stream.truncate(400_000_000)
    config = configured(seaweed).model_dump_json(exclude_unset=True)
    command = [sys.executable, "-c", TRANSFER, config, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    size, peak = map(int, done.stdout.split())
    assert size == 400_000_000
    assert peak < 120, "MiB"
