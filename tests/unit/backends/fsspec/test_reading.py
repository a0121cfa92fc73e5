"""Files are read over any protocol of fsspec, whole or in parts, and unknown is never taken for absent."""

import uuid
import zipfile
from datetime import UTC, datetime

import fsspec
import pytest

from wheelrelay.backends.fsspec import FsspecConfig
from wheelrelay.backends.fsspec.reading import state_of
from wheelrelay.backends.local.store import DirectoryStore
from wheelrelay.errors import NotFound, PermissionDenied, Rejected, SizeMismatch, Unavailable
from wheelrelay.protocols import Sink, Source
from wheelrelay.testing import SourceContract, StoreContract, make_wheel, stage_path

WHEEL = "sample-1.0-py3-none-any.whl"
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def new_memory():
    return f"memory://wheels-{uuid.uuid4().hex}"


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self):
        url = new_memory()
        fsspec.filesystem("memory").mkdir(url)
        with FsspecConfig(url=url).open() as store:
            yield store


class TestFolderWithinMemory(StoreContract):
    """The file system of a folder writes files under a temporary name and renames them."""

    @pytest.fixture
    def store(self):
        url = new_memory()
        fsspec.filesystem("memory").mkdir(url)
        with FsspecConfig(url="dir://", options={"path": url, "target_protocol": "memory"}).open() as store:
            yield store


class TestZip(SourceContract):
    @pytest.fixture
    def serve(self, tmp_path):
        def serve(folder):
            archive = tmp_path / f"{uuid.uuid4().hex}.zip"
            with zipfile.ZipFile(archive, "w") as writer:
                writer.mkdir("wheels")
                for path in folder.iterdir():
                    writer.write(path, f"wheels/{path.name}")
            with FsspecConfig(url=f"zip://wheels::file://{archive}").open() as source:
                return source

        return serve


def test_missing_folder_is_not_found_as_source_and_empty_as_sink():
    with FsspecConfig(url=new_memory()).open() as store:
        with pytest.raises(NotFound):
            list(store.iter_files(None))
        assert list(store.inventory("sample")) == []


def test_local_url_is_a_directory(tmp_path):
    with FsspecConfig(url=f"file://{tmp_path}").open() as store:
        assert isinstance(store, DirectoryStore)


def test_files_of_another_writer_are_listed_at_once(tmp_path):
    url = new_memory()
    with FsspecConfig(url=url).open() as store, FsspecConfig(url=url).open() as other:
        for version in ("1.0", "2.0"):
            store.put(stage_path(make_wheel(tmp_path, version=version)))
            assert {str(file.version) for file in other.inventory("sample")} >= {version}


def test_read_only_file_system_is_only_a_source(tmp_path):
    archive = tmp_path / "wheels.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.write(make_wheel(tmp_path), WHEEL)
    with FsspecConfig(url=f"zip://::file://{archive}").open() as source:
        assert isinstance(source, Source)
        assert not isinstance(source, Sink)


class TestWeb:
    """A folder of a web server, whose page fsspec parses."""

    PAGE = '<a href="../">..</a> <a href="sample-1.0%2Blocal-py3-none-any.whl">x</a> <a href="notes">n</a>'
    NAME = "sample-1.0+local-py3-none-any.whl"

    @pytest.fixture
    def wheel(self, tmp_path):
        return make_wheel(tmp_path, version="1.0+local")

    @pytest.fixture
    def serve(self, web, wheel):
        """Return a function that serves the wheel and returns the configuration of its folder."""

        def serve(content=None, **reply):
            page = web.serve("/wheels/", self.PAGE)
            web.serve(f"/wheels/{self.NAME}", wheel.read_bytes() if content is None else content, **reply)
            return FsspecConfig(url=page)

        return serve

    def test_links_are_files_with_their_size(self, serve, wheel):
        with serve().open() as source:
            [file] = source.iter_files("sample")
            assert (file.filename, file.size) == (self.NAME, wheel.stat().st_size)
            with source.open(file) as stream:
                assert stream.read(1 << 20) == wheel.read_bytes()
            assert not isinstance(source, Sink)

    @pytest.mark.parametrize(("status", "expected"), [(503, Unavailable), (403, PermissionDenied)])
    def test_unreadable_file_is_not_taken_for_absent(self, serve, status, expected):
        with serve(b"", status=status).open() as source, pytest.raises(expected):
            list(source.iter_files(None))

    def test_truncated_body_is_an_error(self, serve):
        with serve(cut_after=100).open() as source:
            [file] = source.iter_files("sample")
            with source.open(file) as stream, pytest.raises(SizeMismatch):
                stream.read(1 << 20)

    def test_server_that_ignores_ranges_is_reported_before_reading(self, serve):
        with serve().open() as source:
            [file] = source.iter_files("sample")
            with (
                pytest.raises(Rejected, match="only be read from its start"),
                source.open_range(file, 9, None),
            ):
                pass

    def test_server_error_is_not_an_empty_folder(self, web):
        page = web.serve("/wheels/", b"busy", status=503)
        with FsspecConfig(url=page).open() as source, pytest.raises(Unavailable):
            list(source.iter_files(None))


class TestState:
    """The state of a file changes when it is written."""

    def test_time_of_writing_counts(self):
        assert state_of({"mtime": NOON}) == str(NOON)
        assert state_of({"modify": "20260504030201"}) == "20260504030201"

    def test_etag_counts(self):
        assert state_of({"ETag": "abc", "mtime": NOON}) == f"abc-{NOON}"

    def test_is_empty_without_any(self):
        assert state_of({"size": 3}) == ""
