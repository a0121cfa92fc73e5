"""Addresses in fsspec's notation are sources: chains of protocols, and revisions of repositories."""

import io
import json
import zipfile

import pytest
from fsspec.implementations.github import GithubFileSystem
from tests.servers.web import run_web

from wheelrelay.config import as_remote
from wheelrelay.errors import BackendError
from wheelrelay.testing import make_wheel


@pytest.fixture
def web():
    with run_web() as server:
        yield server


@pytest.fixture
def wheel(tmp_path):
    return make_wheel(tmp_path, "sample", "1.0")


def contents(address):
    """Return the content of each file of a remote by its name."""
    found = {}
    with as_remote(address).open() as source:
        for file in source.iter_files("sample"):
            with source.open(file) as stream:
                found[file.filename] = stream.read(1 << 20)
    return found


def zip_of(wheel):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.write(wheel, f"wheels/{wheel.name}")
    return archive.getvalue()


# fsspec does not close the file in its cache.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("cache", ["simplecache", "filecache"])
def test_reads_files_in_a_zip_on_a_web_server(web, wheel, cache):
    url = web.serve("/wheels.zip", zip_of(wheel))
    assert contents(f"zip://wheels::{cache}::{url}") == {wheel.name: wheel.read_bytes()}


def test_zip_on_a_server_without_ranges_names_the_cache(web, wheel):
    url = web.serve("/wheels.zip", zip_of(wheel))
    with pytest.raises(BackendError, match=r"sends whole files only\. Write simplecache:: before its URL"):
        contents(f"zip://wheels::{url}")


def test_reads_files_in_a_local_zip(tmp_path, wheel):
    (tmp_path / "wheels.zip").write_bytes(zip_of(wheel))
    assert contents(f"zip://wheels::{tmp_path}/wheels.zip") == {wheel.name: wheel.read_bytes()}


def test_reads_files_of_a_revision_on_github(web, wheel, monkeypatch):
    entry = {"path": wheel.name, "type": "blob", "mode": "100644", "size": wheel.stat().st_size, "sha": "2"}
    tree = {"tree": [{"path": "dist", "type": "tree", "mode": "040000", "size": 0, "sha": "1"}]}
    web.serve("/org/repo/v1", json.dumps(tree).encode())
    web.serve("/org/repo/1", json.dumps({"tree": [entry]}).encode())
    url = web.serve(f"/files/{wheel.name}", wheel.read_bytes())
    monkeypatch.setattr(GithubFileSystem, "url", f"{web.url}/{{org}}/{{repo}}/{{sha}}")
    monkeypatch.setattr(GithubFileSystem, "content_url", f"{web.url}/contents/{{path}}")
    web.serve(f"/contents/dist/{wheel.name}", json.dumps({"content": None, "download_url": url}).encode())
    assert contents("github://org:repo@v1/dist") == {wheel.name: wheel.read_bytes()}
