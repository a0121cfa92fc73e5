"""Each sink stores every file, and the first answer about each is lost: the reported outcomes are correct."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.servers.indexes import run_devpi, run_pypiserver
from tests.servers.lossy import WRITTEN, run_lossy
from tests.servers.openpgp import armored, signature
from tests.servers.pypi import TOKEN, run_pypi
from tests.servers.seaweed import run_seaweed
from tests.servers.swift import run_swift

import wheelrelay
from wheelrelay.backends.local.store import DirectoryObjects, DirectoryStore
from wheelrelay.config import load_config
from wheelrelay.errors import RelayFailed, Unavailable
from wheelrelay.testing import make_sdist, make_wheel

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

TAGS = ("py3-none-any", "cp312-cp312-win_amd64", "cp313-cp313-macosx_11_0_arm64")

AMBIENT = ("OS_", "ST_", "AWS_")


@pytest.fixture(autouse=True)
def _no_ambient_credentials(monkeypatch):
    for name in os.environ:
        if name.startswith(AMBIENT):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("SECRET", "testing")
    monkeypatch.setenv("S3_SECRET", "s3cret-of-ci")
    monkeypatch.setenv("PYPI_TOKEN", TOKEN)
    monkeypatch.setenv("DEVPI_PASSWORD", "correct horse")


@pytest.fixture
def release(tmp_path):
    """Create a release in ``dist`` with signatures; return the sha256 of each file."""
    folder = tmp_path / "dist"
    folder.mkdir()
    paths = [make_wheel(folder, "sample", "1.0", tag) for tag in TAGS]
    for path in [*paths, make_sdist(folder, "sample", "1.0")]:
        path.with_name(f"{path.name}.asc").write_bytes(armored(signature()))
    return {
        file.filename: file.sha256 or "" for file in wheelrelay.list_files(str(folder), with_digests=True)
    }


Place = Callable[[Path, ExitStack], tuple[str, Callable[[str], str]]]
"""Starts a server; returns its URL, and a function that returns the remote's table for a URL."""


def bucket(folder, stack):
    """SeaweedFS with the S3 API."""
    server = stack.enter_context(run_seaweed(folder))
    name = server.new_bucket()
    return (
        server.url,
        lambda url: (
            f"""
type = "s3"
bucket = "{name}"
prefix = "wheels"
region = "{server.region}"
endpoint_url = "{url}"
access_key_id = "{server.access_key_id}"
secret_access_key = {{ env = "S3_SECRET" }}
"""
        ),
    )


def swift(folder, stack):
    """OpenStack Swift."""
    server = stack.enter_context(run_swift(folder))
    server.make_container("wheels")
    return (
        server.url,
        lambda url: (
            f"""
type = "swift"
container = "wheels"
auth_url = "{url}/auth/v1.0"
username = "{server.username}"
password = {{ env = "SECRET" }}
"""
        ),
    )


def pypiserver(folder, stack):
    """pypiserver."""
    server = stack.enter_context(run_pypiserver(folder, username="me", password="testing"))
    return (
        server.url,
        lambda url: (
            f"""
type = "index"
url = "{url}/simple/"
upload_url = "{url}/"
username = "me"
password = {{ env = "SECRET" }}
"""
        ),
    )


def devpi(folder, stack):
    """devpi-server."""
    server = stack.enter_context(run_devpi(folder)).new_index()
    simple, upload = (
        address.removeprefix(server.url.rstrip("/")) for address in (server.simple_url, server.upload_url)
    )
    return (
        server.url,
        lambda url: (
            f"""
type = "index"
url = "{url}{simple}"
upload_url = "{url}{upload}"
username = "{server.username}"
password = {{ env = "DEVPI_PASSWORD" }}
"""
        ),
    )


def pypi(folder, stack):
    """The test index."""
    server = stack.enter_context(run_pypi())
    return (
        server.url,
        lambda url: (
            f"""
type = "index"
url = "{url}/simple/"
upload_url = "{url}/legacy/"
token = {{ env = "PYPI_TOKEN" }}
"""
        ),
    )


CONTAINERS = (bucket, swift)


@pytest.mark.parametrize("how", ["reset", "504"])
@pytest.mark.parametrize("place", [bucket, swift, pypiserver, devpi, pypi])
def test_relays_despite_lost_answers_of_servers(place, how, tmp_path, release):
    (tmp_path / "server").mkdir()
    with ExitStack() as stack:
        url, table = place(tmp_path / "server", stack)
        lossy = stack.enter_context(run_lossy(url, how))
        config = tmp_path / "wheelrelay.toml"
        config.write_text(f"[remotes.lossy]{table(lossy.url)}\n[remotes.plain]{table(url.rstrip('/'))}")
        remotes = load_config(config)
        complete = relayed(tmp_path, remotes.remote("lossy"))
        assert_lost(lossy, release, signed=place in CONTAINERS)
        assert_there(remotes.remote("plain"), release, signed=place in CONTAINERS)
        assert complete or place not in CONTAINERS
        assert relayed(tmp_path, remotes.remote("plain"))


class LosingObjects(DirectoryObjects):
    """A directory where the first write of each file fails after the file was written."""

    def __init__(self, path):
        super().__init__(path)
        self.lost: list[str] = []

    def create_object(self, name, content, **options):
        super().create_object(name, content, **options)
        self._lose(name)

    def replace_object(self, name, content, **options):
        super().replace_object(name, content, **options)
        self._lose(name)

    def _lose(self, name):
        if name not in self.lost and WRITTEN.search(name):
            self.lost.append(name)
            raise Unavailable("ETIMEDOUT: the file server does not answer.")


@pytest.fixture
def losing(tmp_path):
    """A directory with pages, where the first write of each file fails after the file was written."""
    (tmp_path / "box").mkdir()
    return DirectoryStore(LosingObjects(tmp_path / "box"), pages=True)


def test_relays_despite_lost_answers_of_a_file_system(losing, tmp_path, release):
    assert relayed(tmp_path, wheelrelay.Remote("box", connected=losing))
    assert {*release, *(f"{name}.asc" for name in release)} <= set(losing._objects.lost)
    assert_there(str(tmp_path / "box"), release, signed=True)
    assert losing.check_pages() == []


def relayed(folder, sink):
    """Relay the release; return whether it is reported as complete."""
    route = wheelrelay.Route(source=str(folder / "dist"), sinks=[sink])
    try:
        return wheelrelay.relay(
            route, ["sample==1.0"], options=wheelrelay.PublishOptions(confirm_timeout=20)
        ).is_complete
    except RelayFailed as failed:
        print(failed)
        return False


def assert_lost(lossy, release, *, signed):
    names = [*release, *(f"{name}.asc" for name in release if signed)]
    lost = [name.rpartition("/")[2] for name in lossy.lost]
    assert set(names) <= set(lost), f"not every answer was lost: {lost}"


def assert_there(sink, release, *, signed):
    """Assert that the sink holds exactly the files of the release, with signatures if ``signed``."""
    stored = list(wheelrelay.list_files(sink, with_digests=True))
    assert {file.filename: file.sha256 for file in stored} == release
    if signed:
        assert {file.companions for file in stored} == {(".asc",)}
