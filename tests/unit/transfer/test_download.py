"""Staging downloads and verifies a file; a file that fails verification leaves nothing."""

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

import pytest
from tests.servers.faulty_store import FaultyStore, staged_files

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
from wheelrelay.testing.contract_helpers import LARGE, write_distribution
from wheelrelay.transfer.download import stage
from wheelrelay.transfer.staging_area import StagingArea

WHEEL = "sample-1.0-py3-none-any.whl"


class Trickle(BytesIO):
    """A stream that returns one byte at a time, like a slow network."""

    def read(self, size=-1, /):
        return super().read(min(size, 1))


class Bytes:
    """A source of one file of these bytes."""

    def __init__(self, content, stream=BytesIO):
        self.content = content
        self.stream = stream

    def iter_files(self, project):
        yield dist_file(WHEEL)

    def open(self, file):
        return self.stream(self.content)


@pytest.fixture
def staging_area(tmp_path):
    folder = tmp_path / "staging_area"
    folder.mkdir()
    return StagingArea(folder)


@pytest.fixture
def content(tmp_path):
    return make_wheel(tmp_path / "made").read_bytes()


def contents(staging_area):
    return sorted(path.name for path in staging_area.folder.iterdir())


def test_stages_a_file_under_its_name(staging_area, tmp_path):
    [there] = staged_files(tmp_path, WHEEL)
    store = FaultyStore([there])
    [file] = store.iter_files("sample")
    staged = stage(store, file, staging_area)
    assert staged.path == staging_area.folder / WHEEL
    assert staged.path.read_bytes() == there.path.read_bytes()
    assert (staged.size, staged.sha256) == (there.size, there.sha256)
    assert (staged.file.size, staged.file.sha256) == (there.size, there.sha256)
    with staged.open() as stream:
        assert stream.read() == there.path.read_bytes()
    assert contents(staging_area) == [WHEEL]


def test_stages_companions(staging_area, tmp_path):
    [there] = staged_files(tmp_path, WHEEL)
    signature = Companion(".asc", b"signature")
    store = FaultyStore([replace(there, companions=(signature,))])
    [file] = store.iter_files("sample")
    assert stage(store, file, staging_area).companions == (signature,)


def test_reports_bytes_to_the_watcher(staging_area, tmp_path):
    content = write_distribution(tmp_path, WHEEL, size=LARGE).read_bytes()
    reported = []
    stage(Bytes(content), dist_file(WHEEL), staging_area, watcher=reported.append)
    assert sum(reported) == len(content)
    assert max(reported) <= BLOCK_SIZE


def test_accepts_a_stream_of_single_bytes(staging_area, content):
    assert stage(Bytes(content, Trickle), dist_file(WHEEL), staging_area).size == len(content)


def test_hashes_local_file_in_place(staging_area, tmp_path):
    path = make_wheel(tmp_path / "dist")
    with DirectoryConfig(path=tmp_path / "dist").open() as store:
        [file] = store.iter_files("sample")
        staged = stage(store, file, staging_area)
    assert staged.path == path
    assert contents(staging_area) == []


def test_drops_staged_files_but_not_local_ones(staging_area, tmp_path, content):
    with DirectoryConfig(path=make_wheel(tmp_path / "dist").parent).open() as store:
        [file] = store.iter_files("sample")
        local = stage(store, file, staging_area)
    copied = stage(Bytes(content), dist_file(WHEEL), staging_area)
    staging_area.drop(local)
    staging_area.drop(copied)
    assert local.path.exists()
    assert not copied.path.exists()


def test_refuses_to_open_local_file_touched_after_staging(staging_area, tmp_path):
    path = make_wheel(tmp_path / "dist")
    with DirectoryConfig(path=tmp_path / "dist").open() as store:
        [file] = store.iter_files("sample")
        staged = stage(store, file, staging_area)
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(1, 1))
    with pytest.raises(ChangedWhileReading), staged.open():
        pass


def test_refuses_local_file_that_grows_while_hashed(staging_area, tmp_path):
    path = write_distribution(tmp_path / "dist", WHEEL, size=LARGE)

    def grow(_):
        with path.open("ab") as stream:
            stream.write(b"more")

    with DirectoryConfig(path=tmp_path / "dist").open() as store:
        [file] = store.iter_files("sample")
        with pytest.raises(ChangedWhileReading):
            stage(store, file, staging_area, watcher=grow)


def test_removed_local_file_is_not_found(staging_area, tmp_path):
    path = make_wheel(tmp_path / "dist")
    with DirectoryConfig(path=tmp_path / "dist").open() as store:
        [file] = store.iter_files("sample")
        path.unlink()
        with pytest.raises(NotFound):
            stage(store, file, staging_area)


def test_unreadable_local_file_reports_the_reason(staging_area, tmp_path):
    path = make_wheel(tmp_path / "dist")
    with DirectoryConfig(path=tmp_path / "dist").open() as store:
        [file] = store.iter_files("sample")
        path.unlink()
        path.mkdir()
        with pytest.raises(BackendError, match="Is a directory"):
            stage(store, file, staging_area)


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
def test_refuses_file_that_differs_from_its_declaration(staging_area, content, declared, error):
    with pytest.raises(error) as refused:
        stage(Bytes(content), dist_file(WHEEL, **declared), staging_area)
    assert WHEEL in str(refused.value)
    assert contents(staging_area) == []


def test_accepts_declared_digest_in_capitals(staging_area, tmp_path):
    [there] = staged_files(tmp_path, WHEEL)
    file = replace(there.file, digests=Digests(sha256=there.sha256.upper()))
    staged = stage(Bytes(there.path.read_bytes()), file, staging_area)
    assert staged.sha256 == staged.file.sha256 == there.sha256


@pytest.mark.parametrize("name", [WHEEL, "sample-1.0.tar.gz", "sample-1.0.zip", "sample-1.0.tar.bz2"])
def test_refuses_web_page_instead_of_archive(staging_area, name):
    page = b"\n<!DOCTYPE html><html><body>Please log in.</body></html>"
    with pytest.raises(IntegrityError, match="web page"):
        stage(Bytes(page), dist_file(name), staging_area)
    assert contents(staging_area) == []


def test_refuses_empty_file(staging_area):
    with pytest.raises(IntegrityError, match="empty"):
        stage(Bytes(b""), dist_file(WHEEL), staging_area)
    assert contents(staging_area) == []


@pytest.mark.parametrize("spoil", [lambda good: good[:-30], lambda good: good[:-1], lambda good: good[:10]])
@pytest.mark.parametrize("kind", ["wheel", "sdist", "bzip2"])
def test_refuses_truncated_archive_without_declared_digest(staging_area, tmp_path, kind, spoil):
    path = sample(tmp_path, kind)
    with pytest.raises(IntegrityError):
        stage(Bytes(spoil(path.read_bytes())), dist_file(path.name), staging_area)
    assert contents(staging_area) == []


@pytest.mark.parametrize("kind", ["wheel", "sdist", "bzip2"])
def test_refuses_corrupt_archive_without_declared_digest(staging_area, tmp_path, kind):
    path = sample(tmp_path, kind)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(IntegrityError, match="damaged"):
        stage(Bytes(bytes(content)), dist_file(path.name), staging_area)
    assert contents(staging_area) == []


@pytest.mark.parametrize("kind", ["wheel", "sdist", "bzip2"])
def test_accepts_intact_archive_without_declared_digest(staging_area, tmp_path, kind):
    path = sample(tmp_path, kind)
    assert stage(Bytes(path.read_bytes()), dist_file(path.name), staging_area).size == path.stat().st_size


def sample(folder, kind):
    if kind == "wheel":
        return write_distribution(folder, WHEEL, size=3_000)
    sdist = make_sdist(folder, payload=os.urandom(3_000))
    if kind == "sdist":
        return sdist
    import bz2

    path = folder / "sample-1.0.tar.bz2"
    path.write_bytes(bz2.compress(gzip.decompress(sdist.read_bytes())))
    return path


def test_leaves_nothing_after_source_failed(staging_area, content):
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
        stage(Failing(), dist_file(WHEEL), staging_area)
    assert contents(staging_area) == []


def test_write_error_names_tmpdir(staging_area, content):
    staging_area.folder.rmdir()
    with pytest.raises(WheelrelayError, match="TMPDIR"):
        stage(Bytes(content), dist_file(WHEEL), staging_area)


def test_stops_in_the_middle_of_a_file(staging_area, tmp_path):
    content = write_distribution(tmp_path, WHEEL, size=LARGE).read_bytes()
    stopped, reported = threading.Event(), []

    def tell(count):
        reported.append(count)
        stopped.set()

    with pytest.raises(WheelrelayError, match="interrupted"):
        stage(Bytes(content), dist_file(WHEEL), staging_area, watcher=tell, stopped=stopped)
    assert len(reported) == 1
    assert contents(staging_area) == []


def test_names_archive_member_with_wrong_checksum(staging_area, tmp_path):
    path = make_wheel(tmp_path, compression=zipfile.ZIP_STORED)
    content = path.read_bytes().replace(b"A sample distribution", b"A Sample distribution")
    with pytest.raises(IntegrityError, match="METADATA"):
        stage(Bytes(content), dist_file(WHEEL), staging_area)


def test_missing_companion_fails_the_file(staging_area, tmp_path):
    [there] = staged_files(tmp_path, WHEEL)
    store = FaultyStore([there])
    [file] = store.iter_files("sample")
    with pytest.raises(NotFound):
        stage(store, replace(file, companions=(".asc",)), staging_area)


def test_accepts_any_context_manager_as_stream(staging_area, content):
    assert stage(Bytes(content, lambda c: nullcontext(BytesIO(c))), dist_file(WHEEL), staging_area).size


class TestHostileArchiveWithoutDigest:
    """Nothing but the archive itself can prove it whole, and it is read within bounds."""

    def refused(self, staging_area, path):
        with pytest.raises(IntegrityError) as refused:
            stage(Bytes(path.read_bytes()), dist_file(path.name), staging_area)
        assert contents(staging_area) == []
        return str(refused.value)

    def test_refuses_implausible_compression_ratio(self, staging_area, tmp_path):
        path = make_wheel(tmp_path, files={"sample/zeros": bytes(80 << 20)})
        assert "times its size" in self.refused(staging_area, path)

    def test_refuses_too_many_members(self, staging_area, tmp_path):
        path = tmp_path / WHEEL
        entry = b"PK\1\2".ljust(46, b"\0")
        count = MAX_MEMBERS + 1
        end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 1, 1, len(entry) * count, 0, 0)
        path.write_bytes(entry * count + end)
        assert "members" in self.refused(staging_area, path)

    def test_refuses_oversized_tar_headers(self, staging_area, tmp_path):
        path = tmp_path / "sample-1.0.tar.gz"
        info = tarfile.TarInfo("sample-1.0/x")
        info.type, info.size = tarfile.XHDTYPE, 2 << 20
        path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(2 << 20)))
        assert "headers" in self.refused(staging_area, path)

    def test_does_not_unpack_lzma_with_huge_dictionary(self, staging_area, tmp_path):
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
