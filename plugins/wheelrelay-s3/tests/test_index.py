"""A bucket is a package index where somebody serves it: by S3's own public reading, or by a web server."""

import json

import pytest
from tests.servers.installers import pip_download, pip_install, pip_resolve, uv_install

from wheelrelay.testing import make_wheel, stage_path

NAME = "sample-1!2.0+local.1-py3-none-any.whl"
INSTALLED = ["needed-1.0", "sample-1!2.0+local.1"]


def fill(store, folder):
    """Push two wheels, one of which needs the other."""
    for path in (
        make_wheel(folder, "sample", "1!2.0+local.1", metadata={"Requires-Dist": "needed"}),
        make_wheel(folder, "needed", "1.0"),
    ):
        store.put(stage_path(path))
    store.finalize({"sample", "needed"})


@pytest.fixture
def address(configured, opened, tmp_path):
    """Gives the public address of a bucket on a server, filled."""

    def filled(server):
        config = configured(server, bucket=server.new_bucket(public=True), prefix="some/prefix")
        fill(opened(config), tmp_path / "made")
        return f"{server.url}/{config.bucket}/some/prefix/"

    return filled


class TestAServerThatKeepsPagesOfFolders:
    """As Amazon's does; moto stands for it."""

    def test_is_an_index_for_pip_and_uv(self, address, moto, tmp_path):
        url = f"{address(moto)}simple/"
        assert pip_install(tmp_path / "pip", "--index-url", url, "sample") == INSTALLED
        assert uv_install(tmp_path / "uv", "--index-url", url, "sample") == INSTALLED

    def test_gives_metadata_alone_when_pip_only_resolves(self, address, moto):
        report = json.loads(pip_resolve("--index-url", f"{address(moto)}simple/", "sample"))
        assert {item["metadata"]["name"] for item in report["install"]} == {"sample", "needed"}


class TestAServerThatMakesFoldersOfThem:
    """As SeaweedFS: its flat page and the pages' full names serve all the same."""

    def test_serves_the_flat_page_to_pip_and_uv(self, address, seaweed, tmp_path):
        page = f"{address(seaweed)}index.html"
        assert pip_install(tmp_path / "pip", "--no-index", "--find-links", page, "sample") == INSTALLED
        assert uv_install(tmp_path / "uv", "--no-index", "--find-links", page, "sample") == INSTALLED

    def test_is_never_left_with_empty_pages_in_their_place(self, address, seaweed, opened, configured):
        bucket = address(seaweed).split("/")[3]
        store = opened(configured(seaweed, bucket=bucket, prefix="some/prefix"))
        assert store.check_pages() == []


class TestSwift:
    """It lets nobody read by its S3 API without keys, and serves the same objects as a web server."""

    def test_is_an_index_by_its_web_server(self, configured, opened, swift, swift_proxy, tmp_path):
        public = swift_proxy.make_container("public-wheels", public=True)
        fill(opened(configured(swift, bucket="public-wheels", prefix="some/prefix")), tmp_path / "made")
        url = f"{public}/some/prefix/simple/"
        assert pip_download(tmp_path / "there", "--index-url", url, "sample") == [
            "needed-1.0-py3-none-any.whl",
            NAME,
        ]


def test_public_bucket_is_read_without_credentials(address, seaweed, configured, opened):
    bucket = address(seaweed).split("/")[3]
    keys = {"access_key_id": None, "secret_access_key": None, "anonymous": True}
    source = opened(configured(seaweed, bucket=bucket, prefix="some/prefix", **keys))
    [file] = source.iter_files("sample")
    with source.open(file) as stream:
        assert stream.read(2) == b"PK"
    assert file.sha256
