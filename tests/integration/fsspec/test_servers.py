"""FTP and SFTP, before servers that fail: nothing is overwritten, lost or taken for absent."""

import logging
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from tests.servers.ftp import PASSWORD, USER, run_ftp
from tests.servers.sftp import run_sftp

from wheelrelay import Route, relay
from wheelrelay.backends.fsspec import FsspecConfig
from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    BackendError,
    NotFound,
    SizeMismatch,
    Unavailable,
    WheelrelayError,
)
from wheelrelay.testing import ObjectsContract, StoreContract, make_wheel, stage_path

WHEEL = "sample-1.0-py3-none-any.whl"
LOGIN = {"username": USER, "password": {"env": "FTP_PASSWORD"}}


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv("FTP_PASSWORD", PASSWORD)


@pytest.fixture
def ftp(tmp_path):
    (tmp_path / "served").mkdir()
    with run_ftp(tmp_path / "served") as server:
        yield server


@pytest.fixture
def sftp(tmp_path):
    (tmp_path / "served").mkdir()
    with run_sftp(tmp_path / "served") as server:
        yield server


@pytest.fixture(params=["ftp", "sftp"])
def server(request):
    return request.getfixturevalue(request.param)


def opened(server, folder="w"):
    return FsspecConfig(url=f"{server.url}/{folder}", options=LOGIN).open()


@pytest.fixture
def store(server):
    """A store in a folder that is there."""
    (server.root / "w").mkdir()
    with opened(server) as store:
        yield store


@pytest.fixture
def objects(store):
    return store._objects


def create(objects, content, name="a.txt"):
    objects.create_object(name, content, content_type="text/plain", metadata={})


def change(objects, content, name="a.txt"):
    objects.replace_object(name, content, content_type="text/plain", metadata={})


def read(objects, name="a.txt"):
    with objects.open_object(name) as stream:
        return b"".join(iter(lambda: stream.read(1 << 20), b""))


@pytest.mark.long
class TestFtpContract(StoreContract):
    atomic = False

    @pytest.fixture
    def store(self, ftp):
        (ftp.root / "w").mkdir()
        with opened(ftp) as store:
            yield store


@pytest.mark.long
class TestSftpContract(StoreContract):
    @pytest.fixture
    def store(self, sftp):
        (sftp.root / "w").mkdir()
        with opened(sftp) as store:
            yield store


@pytest.mark.long
class TestFtpObjects(ObjectsContract):
    atomic = stores_metadata = False
    etag_resolution = 1.0

    @pytest.fixture
    def objects(self, ftp):
        (ftp.root / "w").mkdir()
        with opened(ftp) as store:
            yield store._objects


def test_creates_replaces_reads_and_deletes_a_file(objects):
    create(objects, b"old")
    with pytest.raises(AlreadyExists):
        create(objects, b"new")
    assert read(objects) == b"old"
    change(objects, b"newer")
    assert read(objects) == b"newer"
    assert objects.stat_object("a.txt").size == 5
    objects.delete_object("a.txt")
    objects.delete_object("a.txt")
    with pytest.raises(NotFound):
        objects.stat_object("a.txt")


def test_leaves_no_temporary_files(objects, server):
    create(objects, b"old")
    change(objects, b"new")
    assert set(server.names("w")) <= {".wheelrelay-witness", "a.txt"}


def test_eight_writers_create_a_folder_once(server, tmp_path):
    staged = [stage_path(make_wheel(tmp_path / str(n), version=f"{n}.0")) for n in range(8)]
    with opened(server, "made/by/push") as store:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(store.put, staged))
        assert len(list(store.iter_files("sample"))) == 8


def test_folder_created_by_another_writer_is_not_an_error(ftp):
    (ftp.root / "w").mkdir()
    with opened(ftp, "w/sub") as store:
        ftp.faults.append(("MKD", "550 File exists."))
        change(store._objects, b"x")
        assert read(store._objects) == b"x"


class TestUnknownIsNotAbsent:
    def test_when_sftp_cannot_look(self, sftp):
        """Its renaming would replace the file that the failing look did not see."""
        (sftp.root / "w").mkdir()
        with opened(sftp) as store:
            create(store._objects, b"old")
            sftp.replaces = True
            with opened(sftp) as other:
                create(other._objects, b"first", "b.txt")  # which finds out about its renaming
                sftp.faults += ["stat"] * 9
                with pytest.raises(BackendError) as refused:
                    create(other._objects, b"new")
                assert not isinstance(refused.value, AlreadyExists | NotFound)
            sftp.faults.clear()
            assert read(store._objects) == b"old"

    @pytest.mark.parametrize("reply", ["425 Cannot open data connection.", "421 Shutting down.", ""])
    def test_when_ftp_cannot_list(self, reply, ftp):
        (ftp.root / "w").mkdir()
        with opened(ftp) as store:
            create(store._objects, b"old")
            ftp.faults += [("MLSD", reply), ("LIST", reply), ("NLST", reply)] * 9
            with pytest.raises(Unavailable):
                list(store._objects.list_objects())
            with pytest.raises(Unavailable):
                store._objects.stat_object("a.txt")
            with pytest.raises(Unavailable):
                create(store._objects, b"new")
            ftp.faults.clear()
            assert read(store._objects) == b"old"

    def test_when_ftp_lists_at_the_second_attempt_only(self, ftp):
        (ftp.root / "w").mkdir()
        with opened(ftp) as store:
            create(store._objects, b"old")
            ftp.faults.append(("MLSD", "425 Cannot open data connection."))
            with pytest.raises(Unavailable):
                list(store._objects.list_objects())

    def test_when_ftp_refuses_to_delete(self, ftp):
        (ftp.root / "w").mkdir()
        with opened(ftp) as store:
            create(store._objects, b"old")
            ftp.faults.append(("DELE", "550 Permission denied."))
            with pytest.raises(BackendError, match="Permission denied"):
                store._objects.delete_object("a.txt")


class TestFailedReplacement:
    def test_keeps_the_old_bytes_when_sftp_refuses(self, sftp):
        (sftp.root / "w").mkdir()
        with opened(sftp) as store:
            create(store._objects, b"old")
            sftp.faults += ["posix_rename"]
            change(store._objects, b"new")
            assert read(store._objects) == b"new"
            sftp.faults += ["posix_rename", "rename"]
            with pytest.raises(WheelrelayError):
                change(store._objects, b"newer")
            sftp.faults.clear()
            assert read(store._objects) == b"new"
            assert sorted(sftp.names("w")) == [".wheelrelay-witness", "a.txt"]

    def test_restores_the_file_when_the_second_rename_fails(self, sftp):
        """As where the server knows the plain renaming alone."""
        (sftp.root / "w").mkdir()
        sftp.extended = False
        with opened(sftp) as store:
            create(store._objects, b"old")
            change(store._objects, b"new")
            assert read(store._objects) == b"new"
            sftp.faults += ["rename ok", "rename"]
            with pytest.raises(WheelrelayError):
                change(store._objects, b"newer")
            assert read(store._objects) == b"new"
            assert sorted(sftp.names("w")) == [".wheelrelay-witness", "a.txt"]

    def test_keeps_the_old_bytes_when_ftp_refuses(self, ftp):
        (ftp.root / "w").mkdir()
        with opened(ftp) as store:
            create(store._objects, b"old")
            ftp.faults += [("RNTO", "553 No."), ("RNTO", "451 Later.")]
            with pytest.raises(WheelrelayError):
                change(store._objects, b"new")
            assert read(store._objects) == b"old"
            assert ftp.names("w") == ["a.txt"]

    def test_keeps_the_old_bytes_when_the_connection_breaks(self, ftp):
        (ftp.root / "w").mkdir()
        with opened(ftp) as store:
            create(store._objects, b"old")
            ftp.faults.append(("RNTO", ""))
            with pytest.raises(Unavailable):
                change(store._objects, b"new")
            assert read(store._objects) == b"old"


def test_truncated_upload_does_not_get_its_name(ftp):
    (ftp.root / "w").mkdir()
    ftp.shorten = 3
    with opened(ftp) as store:
        with pytest.raises(SizeMismatch, match="5 of 8 bytes"):
            create(store._objects, b"contents")
        assert ftp.names("w") == []


def test_reconnects_after_a_broken_connection(ftp):
    (ftp.root / "w").mkdir()
    with opened(ftp) as store:
        create(store._objects, b"old")
        ftp.faults.append(("MLSD", ""))
        with pytest.raises(Unavailable):
            list(store._objects.list_objects())
        assert [found.name for found in store._objects.list_objects()] == ["a.txt"]


class TestOverwriteWarning:
    def text(self, caplog):
        return [
            record.getMessage()
            for record in caplog.records
            if "does not reject existing names" in record.getMessage()
        ]

    def test_is_logged_once_if_the_server_overwrites_files(self, ftp, caplog):
        (ftp.root / "w").mkdir()
        with caplog.at_level(logging.WARNING), opened(ftp) as store:
            for name in ("a", "b"):
                create(store._objects, b"x", name)
        assert len(self.text(caplog)) == 1

    def test_is_not_logged_if_sftp_refuses_to_overwrite(self, sftp, caplog):
        (sftp.root / "w").mkdir()
        with caplog.at_level(logging.WARNING), opened(sftp) as store:
            create(store._objects, b"x")
        assert self.text(caplog) == []

    def test_is_logged_if_sftp_overwrites(self, sftp, caplog):
        (sftp.root / "w").mkdir()
        sftp.replaces = True
        with caplog.at_level(logging.WARNING), opened(sftp) as store:
            create(store._objects, b"x")
            with pytest.raises(AlreadyExists):
                create(store._objects, b"y")
        assert len(self.text(caplog)) == 1

    def test_is_not_logged_for_reading(self, ftp, caplog):
        (ftp.root / "w").mkdir()
        with caplog.at_level(logging.WARNING), opened(ftp) as store:
            assert list(store.iter_files(None)) == []
        assert self.text(caplog) == []


def test_rejected_password_is_reported(server, monkeypatch):
    monkeypatch.setenv("FTP_PASSWORD", "guessed")
    with pytest.raises(AuthenticationFailed), opened(server):
        pass


class TestSweep:
    """Temporary files of killed runs are removed when they are a day old."""

    NAME = ".wheelrelay-" + "0123456789abcdef" * 2

    @pytest.fixture
    def leave(self, server):
        """Return a function that leaves a file of some age on the server."""
        (server.root / "w").mkdir()

        def leave(name, hours):
            path = server.root / "w" / name
            path.write_bytes(b"partial")
            then = time.time() - hours * 3600
            os.utime(path, (then, then))

        return leave

    def push(self, server, tmp_path):
        with opened(server) as store:
            store.put(stage_path(make_wheel(tmp_path)))

    def test_old_temporary_file_is_removed(self, server, leave, tmp_path):
        leave(self.NAME, 25)
        self.push(server, tmp_path)
        assert self.NAME not in server.names("w")

    @pytest.mark.parametrize(
        ("name", "hours"),
        [(NAME, 23), (NAME[:-1], 25), (NAME + ".whl", 25), (".wheelrelay-old-" + NAME[12:], 25), ("x", 25)],
        ids=["recent", "other length", "other extension", "backup", "other name"],
    )
    def test_other_files_are_kept(self, server, leave, tmp_path, name, hours):
        leave(name, hours)
        self.push(server, tmp_path)
        assert name in server.names("w")

    def test_reading_removes_nothing(self, server, leave):
        leave(self.NAME, 25)
        with opened(server) as store:
            assert list(store.iter_files(None)) == []
        assert self.NAME in server.names("w")


def test_broken_download_resumes_at_the_block_that_broke(ftp, tmp_path):
    (ftp.root / "w").mkdir()
    wheel = make_wheel(tmp_path, payload=random.Random(2).randbytes(12 << 20))
    config = FsspecConfig(url=f"{ftp.url}/w", options=LOGIN, pages=True)
    with config.open() as store:
        store.put(stage_path(wheel))
        store.finalize({"sample"})
    ftp.break_after_start = wheel.name
    ftp.commands.clear()
    assert relay(Route(source=config, sinks=[str(tmp_path / "out")])).is_complete
    assert ftp.break_after_start == ""
    assert (tmp_path / "out" / wheel.name).read_bytes() == wheel.read_bytes()
    requests = [
        int(offset)
        for (_, offset), (name, path) in pairwise(ftp.commands)
        if name == "RETR" and WHEEL in path
    ]
    assert requests.count(0) == 1
    assert 0 < requests[2] <= requests[1]  # the second request broke
