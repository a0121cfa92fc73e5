"""Whatever fsspec reaches is a container, or a source where it cannot be written."""

import errno
import uuid
import zipfile

import fsspec
import pytest
from pydantic import ValidationError

from wheelrelay.backends.fsspec import FsspecConfig
from wheelrelay.backends.fsspec.config import _resolved
from wheelrelay.backends.fsspec.errors import mapped
from wheelrelay.backends.local.store import DirectoryStore
from wheelrelay.config.remote_types import make_config
from wheelrelay.config.remotes import from_address
from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    ConfigError,
    MissingSecret,
    NotFound,
    PermissionDenied,
    PluginLoadError,
    SizeMismatch,
    Unavailable,
)
from wheelrelay.protocols import Sink, Source
from wheelrelay.testing import (
    ConfigContract,
    SourceContract,
    StoreContract,
    make_wheel,
    stage_path,
)

WHEEL = "sample-1.0-py3-none-any.whl"


def new_memory() -> str:
    return f"memory://wheels-{uuid.uuid4().hex}"


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self):
        url = new_memory()
        fsspec.filesystem("memory").mkdir(url)
        with FsspecConfig(url=url).open() as store:
            yield store


class TestFolderWithinMemory(StoreContract):
    """A file system that only moves files shows what is written by a temporary name."""

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


class TestFsspecConfig(ConfigContract):
    @pytest.fixture
    def config(self, monkeypatch):
        monkeypatch.setenv("WHERE", "s3cret")
        return FsspecConfig(url=new_memory(), options={"password": {"env": "WHERE"}})


def test_a_missing_folder_is_not_found_as_a_source_and_empty_as_a_sink():
    with FsspecConfig(url=new_memory()).open() as store:
        with pytest.raises(NotFound):
            list(store.iter_files(None))
        assert list(store.inventory("sample")) == []


def test_a_local_address_is_a_directory(tmp_path):
    with FsspecConfig(url=f"file://{tmp_path}").open() as store:
        assert isinstance(store, DirectoryStore)


def test_what_another_writes_is_seen_at_once(tmp_path):
    url = new_memory()
    with FsspecConfig(url=url).open() as one, FsspecConfig(url=url).open() as other:
        for version in ("1.0", "2.0"):
            one.put(stage_path(make_wheel(tmp_path, version=version)))
            assert {str(file.version) for file in other.inventory("sample")} >= {version}


def test_what_cannot_be_written_is_a_source_alone(tmp_path):
    archive = tmp_path / "wheels.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.write(make_wheel(tmp_path), WHEEL)
    with FsspecConfig(url=f"zip://::file://{archive}").open() as source:
        assert isinstance(source, Source)
        assert not isinstance(source, Sink)


def test_a_missing_package_is_named():
    with pytest.raises(PluginLoadError, match="gcsfs"), FsspecConfig(url="gs://box/wheels").open():
        pass


def test_an_unknown_protocol_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match=r"'sft'.*sftp"), FsspecConfig(url="sft://host/wheels").open():
        pass


def test_options_that_do_not_fit_are_refused():
    with (
        pytest.raises(ConfigError, match=r"do not fit.*host"),
        FsspecConfig(url="webhdfs:///w").open(),
    ):
        pass


def test_a_password_in_the_address_or_in_plain_text_is_refused_and_not_shown():
    with pytest.raises(ConfigError, match="does not belong in an address") as refused:
        make_config("fsspec", {"url": "ftp://me:hunter2@host/wheels"}, where="remotes.x")
    assert "hunter2" not in str(refused.value)
    options = {"sftp": {"password": "hunter2"}}
    with pytest.raises(ConfigError, match="plain text") as refused:
        make_config("fsspec", {"url": "sftp://host/wheels", "options": options}, where="remotes.x")
    assert "hunter2" not in str(refused.value)


def test_what_may_be_secret_in_an_address_is_not_shown(tmp_path):
    address = "zip://wheels::https://127.0.0.1:9/wheels.zip?signature=hunter2"
    with pytest.raises(Unavailable) as refused, FsspecConfig(url=address).open():
        pass
    assert "https://127.0.0.1:9/wheels.zip" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_words_that_are_no_secrets_pass_as_tokens():
    assert FsspecConfig(url="gs://bucket", options={"token": "anon"}).options == {"token": "anon"}


def test_references_are_resolved_when_the_place_is_opened(monkeypatch):
    config = FsspecConfig(url=new_memory(), options={"dir": {"password": {"env": "FTP_PASSWORD"}}, "n": 3})
    with pytest.raises(MissingSecret, match="FTP_PASSWORD"), config.open():
        pass
    monkeypatch.setenv("FTP_PASSWORD", "s3cret")
    with config.open():
        pass


def test_a_table_for_the_protocol_file_is_no_reference_and_a_bad_reference_is_an_error():
    assert FsspecConfig(url="./x", options={"file": {"auto_mkdir": True}}).options == {
        "file": {"auto_mkdir": True}
    }
    with pytest.raises(ValidationError):
        FsspecConfig(url="./x", options={"password": {"env": 3}})


class TestWeb:
    """A folder of a web server, by fsspec's own reading of its page."""

    PAGE = '<a href="../">..</a> <a href="sample-1.0%2Blocal-py3-none-any.whl">x</a> <a href="notes">n</a>'
    NAME = "sample-1.0+local-py3-none-any.whl"

    @pytest.fixture
    def wheel(self, tmp_path):
        return make_wheel(tmp_path, version="1.0+local")

    def test_its_links_are_files_of_known_size(self, web, wheel):
        page = web.serve("/wheels/", self.PAGE)
        web.serve("/wheels/sample-1.0+local-py3-none-any.whl", wheel.read_bytes())
        with from_address_of_fsspec(page) as source:
            [file] = source.iter_files("sample")
            assert (file.filename, file.size) == (self.NAME, wheel.stat().st_size)
            with source.open(file) as stream:
                assert stream.read(1 << 20) == wheel.read_bytes()
            assert not isinstance(source, Sink)

    @pytest.mark.parametrize(("status", "expected"), [(503, Unavailable), (403, PermissionDenied)])
    def test_a_file_that_cannot_be_asked_for_is_not_taken_for_absent(self, web, wheel, status, expected):
        page = web.serve("/wheels/", self.PAGE)
        web.serve("/wheels/sample-1.0+local-py3-none-any.whl", b"", status=status)
        with from_address_of_fsspec(page) as source, pytest.raises(expected):
            list(source.iter_files(None))

    def test_a_body_that_ends_early_is_found_out(self, web, wheel):
        page = web.serve("/wheels/", self.PAGE)
        web.serve("/wheels/sample-1.0+local-py3-none-any.whl", wheel.read_bytes(), cut_after=100)
        with from_address_of_fsspec(page) as source:
            [file] = source.iter_files("sample")
            with source.open(file) as stream, pytest.raises(SizeMismatch):
                stream.read(1 << 20)

    def test_an_error_of_the_server_is_no_empty_folder(self, web):
        page = web.serve("/wheels/", b"busy", status=503)
        with from_address_of_fsspec(page) as source, pytest.raises(Unavailable):
            list(source.iter_files(None))


class Refusal(Exception):
    def __init__(self, status):
        super().__init__("no")
        self.status = status


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (Refusal(401), AuthenticationFailed),
        (Refusal(403), PermissionDenied),
        (Refusal(404), NotFound),
        (Refusal(418), BackendError),
        (Refusal(429), Unavailable),
        (PermissionError(), PermissionDenied),
        (TimeoutError(), Unavailable),
        (OSError(errno.EBUSY, "slow down"), Unavailable),
        (ValueError("odd"), BackendError),
    ],
)
def test_whatever_a_library_raises_becomes_our_error_with_the_address(raised, expected):
    with pytest.raises(expected, match=r"^sftp://host/w") as caught, mapped("sftp://host/w"):
        raise raised
    assert type(caught.value) is expected
    assert caught.value.__cause__ is raised


def test_a_signature_in_what_a_library_says_is_not_repeated():
    with pytest.raises(BackendError, match=r"url=https://h/w no") as caught, mapped("here"):
        raise ValueError("url=https://h/w?signature=hunter2 no")
    assert "hunter2" not in str(caught.value)


def from_address_of_fsspec(url):
    return FsspecConfig(url=url).open()


def test_an_address_that_only_fsspec_knows_opens_by_it():
    url = new_memory()
    assert from_address(url).config == FsspecConfig(url=url)


@pytest.mark.parametrize(
    "options",
    [
        {"auth": "hunter2"},
        {"auth": ["ci", "hunter2"]},
        {"headers": {"X-Custom": "hunter2"}},
        {"client_kwargs": {"headers": {"Accept": "hunter2"}}},
        {"client_kwargs": {"cookies": {"session": "hunter2"}}},
        {"key": "hunter2"},
        {"Access-Key": "hunter2"},
        {"Authorization": "hunter2"},
        {"hosts": [{"password": "hunter2"}]},
    ],
)
def test_all_below_an_option_that_is_secret_must_be_referred_to(options):
    with pytest.raises(ConfigError, match="is a secret in plain text") as refused:
        make_config("fsspec", {"url": "sftp://host/wheels", "options": options}, where="remotes.x")
    assert "hunter2" not in str(refused.value)


def test_references_are_followed_wherever_they_lie(monkeypatch):
    monkeypatch.setenv("SECRET", "hunter2")
    options = {
        "auth": ["ci", {"env": "SECRET"}],
        "client_kwargs": {"headers": {"X-Token": {"env": "SECRET"}}},
    }
    with pytest.raises(ConfigError, match="'auth' is a secret"):
        config_with(options)
    options["auth"][0] = {"env": "SECRET"}
    assert _resolved(config_with(options).options) == {
        "auth": ["hunter2", "hunter2"],
        "client_kwargs": {"headers": {"X-Token": "hunter2"}},
    }


def config_with(options):
    return make_config("fsspec", {"url": "memory://x", "options": options}, where="remotes.x")
