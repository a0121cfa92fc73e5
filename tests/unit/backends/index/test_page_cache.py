"""Pages of an index that have not changed are not read again by later runs."""

import json
import os
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from tests.servers.web import Web, run_web

from wheelrelay.backends.index.backend import IndexReader
from wheelrelay.backends.index.page_cache import PageCache
from wheelrelay.backends.index.simple_api import JSON_TYPE, SimpleApi
from wheelrelay.backends.web.pages import WebPage
from wheelrelay.disk.kept_files import CACHE_VARIABLE, KeptFiles
from wheelrelay.http import HttpClient

URL = "https://index.example.org/simple/sample/"

PROJECTS = [f"sample{number}" for number in range(5)]


class Index(Web):
    """An index whose pages have entity tags or serials."""

    etags = False
    serials = False

    def publish(self, *projects, serial=1):
        """Publish a file of the version ``serial`` of each project."""
        for project in projects:
            file = {"filename": f"{project}-{serial}.0.tar.gz", "url": f"/{serial}", "hashes": {}}
            meta = {"api-version": "1.4", **({"_last-serial": serial} if self.serials else {})}
            page = json.dumps({"meta": meta, "name": project, "files": [file]}).encode()
            headers = {"ETag": f'"{serial}"'} if self.etags else {}
            self.serve(f"/simple/{project}/", page, content_type=JSON_TYPE, headers=headers)

    def list_projects(self, serials):
        """Publish the root page."""
        projects = [{"name": name, "_last-serial": serial} for name, serial in serials.items()]
        root = json.dumps({"meta": {"api-version": "1.4"}, "projects": projects}).encode()
        self.serve("/simple/", root, content_type=JSON_TYPE)

    def reply_to(self, request):
        reply = super().reply_to(request)
        is_same = request.headers.get("if-none-match") == reply.headers.get("ETag", "")
        return replace(reply, body=b"", status=304) if is_same else reply


@pytest.fixture
def index():
    with run_web(web=Index) as server:
        yield server


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Return the folder for the pages."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache" / "pages"


@contextmanager
def opened(index):
    """Connect the index as a run does."""
    with closing(HttpClient()) as http:
        yield IndexReader(SimpleApi(http, f"{index.url}simple/"))


def run(index, projects=PROJECTS):
    """Read the projects as a run does, and return the filenames and the paths that were requested."""
    index.requests.clear()
    with opened(index) as reader:
        reader.reuse_pages(projects)
        names = [file.filename for project in projects for file in reader.iter_files(project)]
        statuses = {reader.project_status(project) for project in projects}
    assert None not in statuses
    return names, index.paths()


def test_one_request_finds_that_nothing_changed(index):
    index.serials = True
    index.publish(*PROJECTS)
    index.list_projects(dict.fromkeys(PROJECTS, 1))
    names, requested = run(index)
    assert requested == [f"/simple/{project}/" for project in PROJECTS]
    assert run(index) == (names, ["/simple/"])


def test_requests_of_a_run_without_changes_do_not_depend_on_the_number_of_projects(index):
    index.serials = True
    counts = []
    for count in (10, 40):
        projects = [f"other{number}" for number in range(count)]
        index.publish(*projects)
        index.list_projects(dict.fromkeys(projects, 1))
        run(index, projects)
        counts.append(len(run(index, projects)[1]))
    assert counts == [1, 1]


def test_changed_project_is_read_again(index):
    index.serials = True
    index.publish(*PROJECTS)
    index.list_projects(dict.fromkeys(PROJECTS, 1))
    run(index)
    index.publish("sample3", serial=2)
    index.list_projects({**dict.fromkeys(PROJECTS, 1), "sample3": 2})
    names, requested = run(index)
    assert requested == ["/simple/", "/simple/sample3/"]
    assert names[3] == "sample3-2.0.tar.gz"
    assert run(index) == (names, ["/simple/"])


def test_root_page_that_is_behind_causes_a_read(index):
    index.serials = True
    index.publish(*PROJECTS, serial=2)
    index.list_projects(dict.fromkeys(PROJECTS, 1))
    run(index)
    assert len(run(index)[1]) == 1 + len(PROJECTS)


def test_project_that_is_gone_has_no_files(index):
    index.serials = True
    index.publish(*PROJECTS)
    index.list_projects(dict.fromkeys(PROJECTS, 1))
    run(index)
    index.list_projects(dict.fromkeys(PROJECTS[1:], 1))
    index.serve("/simple/sample0/", status=404)
    with opened(index) as reader:
        reader.reuse_pages(PROJECTS)
        assert list(reader.iter_files("sample0")) == []


def test_unreadable_root_page_is_not_needed(index):
    index.serials = True
    index.publish(*PROJECTS)
    names, _ = run(index)
    assert run(index) == (names, ["/simple/", *(f"/simple/{project}/" for project in PROJECTS)])


def test_conditional_requests_return_kept_pages(index):
    index.etags = True
    index.publish(*PROJECTS)
    names, _ = run(index)
    index.publish("sample3", serial=2)
    changed, requested = run(index)
    assert [*names[:3], "sample3-2.0.tar.gz", *names[4:]] == changed
    assert len(requested) == len(PROJECTS)
    assert {request.headers["if-none-match"] for request in index.requests} == {'"1"'}


def test_status_304_that_was_not_requested_is_an_error(index):
    index.serve("/simple/sample0/", status=304)
    with opened(index) as reader, pytest.raises(Exception, match="returned 304"):
        list(reader.iter_files("sample0"))


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda _: b"", lambda _: b"[]\n"])
def test_damaged_page_is_read_again(index, folder, damage):
    index.etags = True
    index.publish(*PROJECTS)
    names, requested = run(index)
    for path in folder.iterdir():
        path.write_bytes(damage(path.read_bytes()))
    assert run(index) == (names, requested)
    assert all("if-none-match" not in request.headers for request in index.requests)


@pytest.mark.parametrize(
    "change",
    [{"page_url": 5}, {"etag": ["x"]}, {"media_type": None}, {"serial": "1"}],
    ids=["address", "entity tag", "media type", "serial"],
)
def test_page_with_values_of_wrong_types_is_read_again(tmp_path, change):
    cache = PageCache(KeptFiles(tmp_path))
    cache.put(URL, WebPage(URL, JSON_TYPE, b"{}", etag='"1"'), 1)
    [kept] = tmp_path.iterdir()
    header, _, packed = kept.read_bytes().partition(b"\n")
    kept.write_bytes(json.dumps({**json.loads(header), **change}).encode() + b"\n" + packed)
    assert cache.get(URL) is None


def test_deeply_nested_page_is_read_again(tmp_path):
    cache = PageCache(KeptFiles(tmp_path))
    cache.put(URL, WebPage(URL, JSON_TYPE, b"{}"), 1)
    [kept] = tmp_path.iterdir()
    kept.write_bytes(b"[" * 200_000)
    assert cache.get(URL) is None


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs owners of files")
def test_page_of_another_user_is_not_used(tmp_path, monkeypatch):
    cache = PageCache(KeptFiles(tmp_path))
    cache.put(URL, WebPage(URL, JSON_TYPE, b"{}"), 1)
    assert cache.get(URL) is not None
    another = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: another)
    assert cache.get(URL) is None


def test_nothing_is_kept_if_the_folder_cannot_be_written(index, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    index.etags = True
    index.publish(*PROJECTS)
    assert run(index) == run(index)


def test_inventories_are_read_fresh(index):
    index.serials = index.etags = True
    index.publish(*PROJECTS)
    index.list_projects(dict.fromkeys(PROJECTS, 1))
    run(index)
    index.requests.clear()
    with opened(index) as reader:
        reader.reuse_pages(PROJECTS)
        index.publish("sample0", serial=2)
        assert [file.filename for file in reader.inventory("sample0")] == ["sample0-2.0.tar.gz"]
    assert "if-none-match" not in index.requests[-1].headers


def test_old_pages_are_removed(index, folder):
    index.etags = True
    index.publish(*PROJECTS)
    run(index)
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    run(index, PROJECTS[:1])
    assert len(list(folder.iterdir())) == 1


def test_pages_are_readable_by_their_owner_only(index, folder):
    index.etags = True
    index.publish(*PROJECTS)
    run(index)
    assert folder.stat().st_mode & 0o777 == 0o700
