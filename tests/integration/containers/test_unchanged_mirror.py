"""A second run of a mirror of an index reads one page, and nothing of the projects that have not changed."""

import hashlib
import json

import pytest
from tests.servers.web import run_web

import wheelrelay
from wheelrelay import Route
from wheelrelay.backends.index.simple_api import JSON_TYPE
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.disk.kept_files import CACHE_VARIABLE
from wheelrelay.engine.listing import MANY_PROJECTS
from wheelrelay.errors import RelayFailed
from wheelrelay.testing import make_wheel

PROJECTS = [f"sample{number}" for number in range(MANY_PROJECTS)]


class Index:
    """An index whose pages have serials."""

    def __init__(self, web, folder):
        self.web = web
        self.folder = folder
        self.serials = {}

    def publish(self, project, *versions):
        """Publish wheels of these versions."""
        serial = self.serials[project] = self.serials.get(project, 0) + 1
        files = []
        for version in versions:
            path = make_wheel(self.folder, project, version)
            content = path.read_bytes()
            hashes = {"sha256": hashlib.sha256(content).hexdigest()}
            files.append({"filename": path.name, "url": f"/files/{path.name}", "hashes": hashes})
            self.web.serve(f"/files/{path.name}", content)
        meta = {"api-version": "1.4", "_last-serial": serial}
        page = json.dumps({"meta": meta, "name": project, "files": files}).encode()
        self.web.serve(f"/simple/{project}/", page, content_type=JSON_TYPE)

    def publish_root(self):
        """Publish the list of projects."""
        projects = [{"name": name, "_last-serial": serial} for name, serial in self.serials.items()]
        root = json.dumps({"meta": {"api-version": "1.4"}, "projects": projects}).encode()
        self.web.serve("/simple/", root, content_type=JSON_TYPE)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Run an index with many projects."""
    with run_web() as web:
        index = Index(web, tmp_path_factory.mktemp("made"))
        for project in PROJECTS:
            index.publish(project, "1.0")
        index.publish_root()
        yield index


@pytest.fixture(scope="module")
def mirror(index, tmp_path_factory):
    """Return the folder of a mirror after its first run, and the folder for what it keeps."""
    folder, cache = tmp_path_factory.mktemp("mirror"), tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(cache))
        run(index, folder)
    return folder, cache


@pytest.fixture(autouse=True)
def cache(mirror, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(mirror[1]))


def run(index, folder):
    """Run the mirror, and return its receipt and the paths that were requested."""
    source = wheelrelay.IndexConfig(url=f"{index.web.url}simple/")
    sink = DirectoryConfig(path=folder, pages=True)
    route = Route(source=source, sinks=[sink], projects=PROJECTS, mode="mirror")
    index.web.requests.clear()
    return wheelrelay.relay(route), index.web.paths()


def test_run_without_changes_reads_one_page(index, mirror):
    receipt, requested = run(index, mirror[0])
    assert requested == ["/simple/"]
    assert receipt.is_complete
    assert len(receipt.files) == len(PROJECTS)
    assert all(file.sha256 and file.source_url for file in receipt.files)


def test_new_file_is_mirrored(index, mirror):
    index.publish("sample3", "1.0", "2.0")
    index.publish_root()
    receipt, requested = run(index, mirror[0])
    assert requested == ["/simple/", "/simple/sample3/", "/files/sample3-2.0-py3-none-any.whl"]
    assert len(receipt.files) == len(PROJECTS) + 1
    assert "sample3-2.0" in (mirror[0] / "simple" / "sample3" / "index.html").read_text()
    assert run(index, mirror[0])[1] == ["/simple/"]


def test_file_that_was_deleted_is_mirrored_again(index, mirror):
    name = "sample5-1.0-py3-none-any.whl"
    (mirror[0] / name).unlink()
    _, requested = run(index, mirror[0])
    assert requested == ["/simple/", "/simple/sample5/", f"/files/{name}"]
    assert (mirror[0] / name).exists()


@pytest.mark.parametrize("name", ["sample7/index.json", "index.json"])
def test_page_that_was_deleted_is_written_again(index, mirror, name):
    page = mirror[0] / "simple" / name
    content = page.read_bytes()
    page.unlink()
    run(index, mirror[0])
    assert page.read_bytes() == content


def test_file_that_was_damaged_is_a_conflict(index, mirror):
    path = mirror[0] / "sample9-1.0-py3-none-any.whl"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"x")
    for _ in range(2):
        with pytest.raises(RelayFailed, match="other bytes"):
            run(index, mirror[0])
    path.write_bytes(content)
    assert run(index, mirror[0])[0].is_complete
