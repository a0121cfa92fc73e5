"""Staging brings bytes to local disk and proves them; what cannot be proved leaves nothing behind."""

import gzip
import os
import struct
import subprocess
import sys
import tarfile
import threading
import zipfile
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from tests.servers.places import MoodyStore, staged_files

from wheelrelay.archives.limits import MAX_MEMBERS
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.errors import (
    BackendError,
    ChangedWhileReading,
    DigestMismatch,
    IntegrityError,
    NotFound,
    SizeMismatch,
    Unavailable,
    WheelrelayError,
)
from wheelrelay.filenames import dist_file
from wheelrelay.model import Companion, Digests
from wheelrelay.staged import BLOCK_SIZE
from wheelrelay.testing import make_sdist, make_wheel
from wheelrelay.testing.contract_material import LARGE, write_distribution
from wheelrelay.transfer.download import stage
from wheelrelay.transfer.staging_area import StagingArea

WHEEL = "sample-1.0-py3-none-any.whl"


class Trickle(BytesIO):
    """A stream that gives few bytes at a time, as a slow network does."""

    def read(self, size: int = -1, /) -> bytes:
        return super().read(min(size, 1))


class Bytes:
    """A source of one file of these bytes."""

    def __init__(self, content: bytes, stream=BytesIO):
        self.content = content
        self.stream = stream

    def iter_files(self, project):
        yield dist_file(WHEEL)

    def open(self, file):
        return self.stream(self.content)


@pytest.fixture
def wheelhouse(tmp_path):
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    return StagingArea(folder)


@pytest.fixture
def content(tmp_path):
    return make_wheel(tmp_path / "made").read_bytes()


def contents(wheelhouse):
    return sorted(path.name for path in wheelhouse.folder.iterdir())


def test_a_file_is_copied_hashed_and_named(wheelhouse, tmp_path):
    [there] = staged_files(tmp_path, WHEEL)
    store = MoodyStore([there])
    [file] = store.iter_files("sample")
    staged = stage(store, file, wheelhouse)
    assert staged.path == wheelhouse.folder / WHEEL
    assert staged.path.read_bytes() == there.path.read_bytes()
    assert (staged.size, staged.sha256) == (there.size, there.sha256)
    assert (staged.file.size, staged.file.sha256) == (there.size, there.sha256)
    with staged.open() as stream:
        assert stream.read() == there.path.read_bytes()
    assert contents(wheelhouse) == [WHEEL]


def test_companions_come_along(wheelhouse, tmp_path):
    [there] = staged_files(tmp_path, WHEEL)
    signature = Companion(".asc", b"signature")
    store = MoodyStore([replace(there, companions=(signature,))])
    [file] = store.iter_files("sample")
    assert stage(store, file, wheelhouse).companions == (signature,)


def test_bytes_are_told_as_they_come(wheelhouse, tmp_path):
    content = write_distribution(tmp_path, WHEEL, size=LARGE).read_bytes()
    told = []
    stage(Bytes(content), dist_file(WHEEL), wheelhouse, watcher=told.append)
    assert sum(told) == len(content)
    assert max(told) <= BLOCK_SIZE


def test_a_stream_may_give_its_bytes_one_by_one(wheelhouse, content):
    assert stage(Bytes(content, Trickle), dist_file(WHEEL), wheelhouse).size == len(content)


def test_a_local_file_is_hashed_in_place_and_never_copied(wheelhouse, tmp_path):
    path = make_wheel(tmp_path / "dist")
    with DirectoryConfig(path=tmp_path / "dist").open() as store:
        [file] = store.iter_files("sample")
        staged = stage(store, file, wheelhouse)
    assert staged.path == path
    assert contents(wheelhouse) == []


def test_a_local_file_is_the_users_own_and_is_not_dropped(wheelhouse, tmp_path, content):
    with DirectoryConfig(path=make_wheel(tmp_path / "dist").parent).open() as store:
        [file] = store.iter_files("sample")
        local = stage(store, file, wheelhouse)
    copied = stage(Bytes(content), dist_file(WHEEL), wheelhouse)
    wheelhouse.drop(local)
    wheelhouse.drop(copied)
    assert local.path.exists()
    assert not copied.path.exists()


def test_a_local_file_that_is_touched_later_cannot_be_published(wheelhouse, tmp_path):
    path = make_wheel(tmp_path / "dist")
    with DirectoryConfig(path=tmp_path / "dist").open() as store:
        [file] = store.iter_files("sample")
        staged = stage(store, file, wheelhouse)
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(1, 1))
    with pytest.raises(ChangedWhileReading), staged.open():
        pass


def test_a_local_file_that_grows_while_it_is_hashed_is_refused(wheelhouse, tmp_path):
    path = write_distribution(tmp_path / "dist", WHEEL, size=LARGE)

    def grow(_):
        with path.open("ab") as stream:
            stream.write(b"more")

    with DirectoryConfig(path=tmp_path / "dist").open() as store:
        [file] = store.iter_files("sample")
        with pytest.raises(ChangedWhileReading):
            stage(store, file, wheelhouse, watcher=grow)


def test_a_local_file_that_went_away_is_not_found(wheelhouse, tmp_path):
    path = make_wheel(tmp_path / "dist")
    with DirectoryConfig(path=tmp_path / "dist").open() as store:
        [file] = store.iter_files("sample")
        path.unlink()
        with pytest.raises(NotFound):
            stage(store, file, wheelhouse)


def test_a_local_file_that_cannot_be_read_says_why(wheelhouse, tmp_path):
    path = make_wheel(tmp_path / "dist")
    with DirectoryConfig(path=tmp_path / "dist").open() as store:
        [file] = store.iter_files("sample")
        path.unlink()
        path.mkdir()
        with pytest.raises(BackendError, match="Is a directory"):
            stage(store, file, wheelhouse)


@pytest.mark.parametrize(
    ("declared", "error"),
    [
        ({"digests": Digests(sha256="0" * 64)}, DigestMismatch),
        ({"digests": Digests(md5="0" * 32)}, DigestMismatch),
        ({"digests": Digests(sha512="0" * 128)}, DigestMismatch),
        ({"digests": Digests.of({"sha1": "0" * 40})}, DigestMismatch),
        ({"digests": Digests.of({"blake2b": "0" * 128})}, DigestMismatch),
        ({"size": 10}, SizeMismatch),
        ({"size": 10_000_000}, SizeMismatch),
    ],
    ids=["sha256", "md5", "sha512", "sha1", "blake2b", "more bytes", "fewer bytes"],
)
def test_what_is_not_what_was_declared_leaves_nothing(wheelhouse, content, declared, error):
    with pytest.raises(error) as refused:
        stage(Bytes(content), dist_file(WHEEL, **declared), wheelhouse)
    assert WHEEL in str(refused.value)
    assert contents(wheelhouse) == []


def test_a_declared_digest_may_be_in_capitals(wheelhouse, tmp_path):
    [there] = staged_files(tmp_path, WHEEL)
    file = replace(there.file, digests=Digests(sha256=there.sha256.upper()))
    staged = stage(Bytes(there.path.read_bytes()), file, wheelhouse)
    assert staged.sha256 == staged.file.sha256 == there.sha256


@pytest.mark.parametrize("name", [WHEEL, "sample-1.0.tar.gz", "sample-1.0.zip", "sample-1.0.tar.bz2"])
def test_a_web_page_in_the_place_of_a_file_is_refused(wheelhouse, name):
    page = b"\n<!DOCTYPE html><html><body>Please log in.</body></html>"
    with pytest.raises(IntegrityError, match="web page"):
        stage(Bytes(page), dist_file(name), wheelhouse)
    assert contents(wheelhouse) == []


def test_an_empty_file_is_refused(wheelhouse):
    with pytest.raises(IntegrityError, match="empty"):
        stage(Bytes(b""), dist_file(WHEEL), wheelhouse)
    assert contents(wheelhouse) == []


@pytest.mark.parametrize("spoil", [lambda good: good[:-30], lambda good: good[:-1], lambda good: good[:10]])
@pytest.mark.parametrize("kind", ["wheel", "sdist", "bzip2"])
def test_a_short_body_is_refused_without_any_digest_to_compare(wheelhouse, tmp_path, kind, spoil):
    path = sample(tmp_path, kind)
    with pytest.raises(IntegrityError):
        stage(Bytes(spoil(path.read_bytes())), dist_file(path.name), wheelhouse)
    assert contents(wheelhouse) == []


@pytest.mark.parametrize("kind", ["wheel", "sdist", "bzip2"])
def test_a_corrupt_body_is_refused_without_any_digest_to_compare(wheelhouse, tmp_path, kind):
    path = sample(tmp_path, kind)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(IntegrityError, match="damaged"):
        stage(Bytes(bytes(content)), dist_file(path.name), wheelhouse)
    assert contents(wheelhouse) == []


@pytest.mark.parametrize("kind", ["wheel", "sdist", "bzip2"])
def test_a_whole_body_passes_without_any_digest_to_compare(wheelhouse, tmp_path, kind):
    path = sample(tmp_path, kind)
    assert stage(Bytes(path.read_bytes()), dist_file(path.name), wheelhouse).size == path.stat().st_size


def sample(folder: Path, kind: str) -> Path:
    if kind == "wheel":
        return write_distribution(folder, WHEEL, size=3_000)
    sdist = make_sdist(folder, payload=os.urandom(3_000))
    if kind == "sdist":
        return sdist
    import bz2

    path = folder / "sample-1.0.tar.bz2"
    path.write_bytes(bz2.compress(gzip.decompress(sdist.read_bytes())))
    return path


def test_a_source_that_fails_half_way_leaves_nothing(wheelhouse, content):
    class Failing:
        def iter_files(self, project):
            yield dist_file(WHEEL)

        @contextmanager
        def open(self, file):
            class Stream(BytesIO):
                def read(self, size=-1, /):
                    if self.tell():
                        raise Unavailable("The line broke.")
                    return super().read(100)

            yield Stream(content)

    with pytest.raises(Unavailable):
        stage(Failing(), dist_file(WHEEL), wheelhouse)
    assert contents(wheelhouse) == []


def test_a_full_disk_says_what_to_do(wheelhouse, content):
    wheelhouse.folder.rmdir()
    with pytest.raises(WheelrelayError, match="TMPDIR"):
        stage(Bytes(content), dist_file(WHEEL), wheelhouse)


def test_a_relay_that_is_to_end_gives_up_in_the_middle_of_a_file(wheelhouse, tmp_path):
    content = write_distribution(tmp_path, WHEEL, size=LARGE).read_bytes()
    stopped, told = threading.Event(), []

    def tell(count):
        told.append(count)
        stopped.set()

    with pytest.raises(WheelrelayError, match="interrupted"):
        stage(Bytes(content), dist_file(WHEEL), wheelhouse, watcher=tell, stopped=stopped)
    assert len(told) == 1
    assert contents(wheelhouse) == []


def test_a_member_with_a_wrong_checksum_is_named(wheelhouse, tmp_path):
    path = make_wheel(tmp_path, compression=zipfile.ZIP_STORED)
    content = path.read_bytes().replace(b"A sample distribution", b"A Sample distribution")
    with pytest.raises(IntegrityError, match="METADATA"):
        stage(Bytes(content), dist_file(WHEEL), wheelhouse)


def test_an_oversized_companion_or_a_lost_one_fails_the_file(wheelhouse, tmp_path):
    [there] = staged_files(tmp_path, WHEEL)
    store = MoodyStore([there])
    [file] = store.iter_files("sample")
    with pytest.raises(NotFound):
        stage(store, replace(file, companions=(".asc",)), wheelhouse)


def test_streams_may_be_context_managers_of_any_kind(wheelhouse, content):
    assert stage(Bytes(content, lambda c: nullcontext(BytesIO(c))), dist_file(WHEEL), wheelhouse).size


class TestAHostileArchiveWithoutADigest:
    """Nothing but the archive itself can prove it whole, and it is read within bounds."""

    def refused(self, wheelhouse, path):
        with pytest.raises(IntegrityError) as refused:
            stage(Bytes(path.read_bytes()), dist_file(path.name), wheelhouse)
        assert contents(wheelhouse) == []
        return str(refused.value)

    def test_one_that_inflates_beyond_plausibility_is_not_unpacked(self, wheelhouse, tmp_path):
        path = make_wheel(tmp_path, files={"sample/zeros": bytes(80 << 20)})
        assert "times its size" in self.refused(wheelhouse, path)

    def test_a_central_directory_of_too_many_members_is_not_read(self, wheelhouse, tmp_path):
        path = tmp_path / WHEEL
        entry = b"PK\1\2".ljust(46, b"\0")
        count = MAX_MEMBERS + 1
        end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 1, 1, len(entry) * count, 0, 0)
        path.write_bytes(entry * count + end)
        assert "members" in self.refused(wheelhouse, path)

    def test_headers_of_an_sdist_that_would_fill_the_memory_are_not_read(self, wheelhouse, tmp_path):
        path = tmp_path / "sample-1.0.tar.gz"
        info = tarfile.TarInfo("sample-1.0/x")
        info.type, info.size = tarfile.XHDTYPE, 2 << 20
        path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(2 << 20)))
        assert "headers" in self.refused(wheelhouse, path)

    def test_a_member_that_needs_a_dictionary_of_gigabytes_is_not_unpacked(self, wheelhouse, tmp_path):
        path = make_wheel(tmp_path, compression=zipfile.ZIP_LZMA)
        content = path.read_bytes()
        properties = struct.pack("<BBH", 9, 4, 5) + b"\x5d"
        assert properties in content
        start = content.index(properties) + len(properties)
        path.write_bytes(content[:start] + struct.pack("<L", 0xFFFFFFFF) + content[start + 4 :])
        code = (
            "import resource, sys\n"
            "from pathlib import Path\n"
            "from wheelrelay.transfer.download import _verify_archive\n"
            "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
            "_verify_archive(Path(sys.argv[1]), Path(sys.argv[1]).name)\n"
        )
        subprocess.run([sys.executable, "-c", code, str(path)], check=True)
