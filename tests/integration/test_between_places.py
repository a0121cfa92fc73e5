"""Releases travel between containers and indexes of every kind; installers take them where they arrive."""

import os
from itertools import pairwise

import pytest
from tests.servers.installers import pip_install, pip_resolve, uv_install
from tests.servers.rackspace import API_KEY, USERNAME, run_rackspace
from tests.servers.seaweed import run_seaweed
from tests.servers.shared import shared, shared_swift

import wheelrelay
from wheelrelay.config import load_config
from wheelrelay.testing.samples import make_sdist, make_wheel

pytestmark = pytest.mark.long

TAGS = ("py3-none-any", "cp312-cp312-win_amd64", "cp313-cp313-macosx_11_0_arm64")
AMBIENT = ("OS_", "ST_", "RACKSPACE_", "AWS_")


@pytest.fixture(autouse=True)
def _no_ambient_credentials(monkeypatch):
    for name in os.environ:
        if name.startswith(AMBIENT):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="module")
def swift(request):
    """OpenStack Swift."""
    return shared_swift(request)


@pytest.fixture
def rackspace(swift):
    """Rackspace's identity service before it."""
    with run_rackspace(swift) as server:
        yield server


@pytest.fixture(scope="module")
def seaweed(request):
    """SeaweedFS."""
    return shared(request, run_seaweed)


@pytest.fixture
def release(tmp_path):
    """A release as CI leaves it."""
    folder = tmp_path / "dist"
    folder.mkdir()
    wheels = [make_wheel(folder, "sample", "1.0", tag) for tag in TAGS]
    return [*wheels, make_sdist(folder, "sample", "1.0")]


@pytest.fixture
def places(
    tmp_path,
    monkeypatch,
    swift,
    rackspace,
    seaweed,
    pypiserver,
    devpi,
):
    """All places under the names of their kinds, written down as a user would."""
    secrets = {
        "API_KEY": API_KEY,
        "SWIFT_KEY": swift.password,
        "S3_KEY": seaweed.secret_access_key,
        "INDEX_PASSWORD": pypiserver.password,
        "DEVPI_PASSWORD": devpi.password,
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    config = tmp_path / "wheelrelay.toml"
    config.write_text(f"""
[remotes.cloud]
type = "cloudfiles"
container = "{tmp_path.name}-cloud"
region = "ORD"
auth_url = "{rackspace.auth_url}"
username = "{USERNAME}"
api_key = {{ env = "API_KEY" }}

[remotes.swift]
type = "swift"
container = "{tmp_path.name}-swift"
auth_url = "{swift.auth_url}/v1.0"
username = "{swift.username}"
password = {{ env = "SWIFT_KEY" }}

[remotes.bucket]
type = "s3"
bucket = "{seaweed.new_bucket(public=True)}"
prefix = "wheels"
region = "{seaweed.region}"
endpoint_url = "{seaweed.url}"
access_key_id = "{seaweed.access_key_id}"
secret_access_key = {{ env = "S3_KEY" }}

[remotes.folder]
type = "directory"
path = "dist"

[remotes.pypiserver]
type = "index"
url = "{pypiserver.simple_url}"
upload_url = "{pypiserver.upload_url}"
username = "{pypiserver.username}"
password = {{ env = "INDEX_PASSWORD" }}

[remotes.devpi]
type = "index"
url = "{devpi.simple_url}"
upload_url = "{devpi.upload_url}"
username = "{devpi.username}"
password = {{ env = "DEVPI_PASSWORD" }}
""")
    return load_config(config)


def travels(places, release, *names):
    """Push the release to the first place and relay it from place to place; the last has the very bytes."""
    if names[0] != "folder":
        assert wheelrelay.push(release, to=places.remote(names[0])).is_complete
    for source, sink in pairwise(names):
        route = wheelrelay.Route(source=places.remote(source), sinks=[places.remote(sink)])
        assert wheelrelay.relay(route, ["sample==1.0"]).is_complete
        again = wheelrelay.plan(route, ["sample==1.0"])
        assert not again.has_work
    last = wheelrelay.list_files(places.remote(names[-1]), ["sample==1.0"])
    assert [file.filename for file in last] == sorted(path.name for path in release)
    to_the_files = wheelrelay.Route(source=places.remote("folder"), sinks=[places.remote(names[-1])])
    assert wheelrelay.verify(to_the_files, ["sample==1.0"], download=True) == []


def test_from_cloud_files_to_devpi(places, release, devpi, tmp_path):
    travels(places, release, "cloud", "devpi")
    assert uv_install(tmp_path / "site", "--index-url", devpi.simple_url, "sample==1.0") == ["sample-1.0"]


def test_from_s3_to_pypiserver(places, release, pypiserver, tmp_path):
    travels(places, release, "bucket", "pypiserver")
    assert pip_install(tmp_path / "site", "--index-url", pypiserver.simple_url, "sample") == ["sample-1.0"]


def test_from_an_index_to_s3(places, release, seaweed, tmp_path):
    travels(places, release, "folder", "pypiserver", "bucket")
    bucket = places.remote("bucket").config
    page = f"{seaweed.url}/{bucket.bucket}/wheels/index.html"
    assert pip_install(tmp_path / "site", "--no-index", "--find-links", page, "sample") == ["sample-1.0"]


def test_from_a_directory_to_swift(places, release, swift, tmp_path):
    swift.make_container(f"{tmp_path.name}-swift", public=True)
    travels(places, release, "folder", "swift")
    simple = f"{swift.storage_url}/{tmp_path.name}-swift/simple/"
    before = len(swift.log.read_text())
    pip_resolve("--index-url", simple, "sample")
    asked = swift.log.read_text()[before:]
    assert "sample-1.0-py3-none-any.whl.metadata " in asked
    assert "sample-1.0-py3-none-any.whl " not in asked
    assert pip_install(tmp_path / "pip", "--index-url", simple, "sample") == ["sample-1.0"]
    assert uv_install(tmp_path / "uv", "--index-url", simple, "sample") == ["sample-1.0"]
