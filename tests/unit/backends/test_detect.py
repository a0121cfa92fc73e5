"""A bare web address is an index if it has the project's page, and a listing itself if not."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
from tests.servers.web import Reply, Web, run_web

from wheelrelay.backends.detect import WebConfig, WebSource
from wheelrelay.config import as_remote
from wheelrelay.errors import BackendError, NotFound, PermissionDenied, Unavailable
from wheelrelay.http import HttpClient
from wheelrelay.protocols import Sink
from wheelrelay.testing import ConfigContract, SourceContract, make_wheel

WHEEL = "foo-1.0-py3-none-any.whl"
OTHER = "bar-1.0-py3-none-any.whl"
JSON_TYPE = "application/vnd.pypi.simple.v1+json"


@contextmanager
def opened(url):
    with as_remote(url).open() as source:
        assert isinstance(source, WebSource)
        yield source


def names_at(url, project):
    with opened(url) as source:
        return [file.filename for file in source.iter_files(project)]


def links_to(*hrefs, meta=""):
    return f"<html><head>{meta}</head>" + "".join(f'<a href="{href}">x</a>' for href in hrefs) + "</html>"


def serve_index(web, root, media_type):
    """An index of foo and bar with an HTML page for each, whose root is what the media type says."""
    for project, name in (("foo", WHEEL), ("bar", OTHER)):
        web.serve(f"{root}{project}/", links_to(f"/files/{name}"))
        web.serve(f"/files/{name}", name.encode())
    if media_type == JSON_TYPE:
        body = json.dumps({"meta": {"api-version": "1.0"}, "projects": [{"name": "foo"}, {"name": "bar"}]})
        return web.serve(root, body.encode(), content_type=media_type)
    meta = '<meta name="pypi:repository-version" content="1.0">'
    return web.serve(root, links_to("foo/", "bar/", meta=meta), content_type=media_type)


class TestWebContract(SourceContract):
    @pytest.fixture
    def serve(self, web):
        with closing(HttpClient()) as http:
            yield lambda folder: WebSource(http, web.serve_folder(folder, "/wheels/"))


class TestWebConfig(ConfigContract):
    @pytest.fixture
    def config(self):
        return WebConfig(url="https://example.org/wheels/")


@pytest.mark.parametrize("root", [JSON_TYPE, "text/html"])
class TestIndex:
    def test_requests_only_the_project_page(self, web, root):
        assert names_at(serve_index(web, "/simple/", root), "foo") == [WHEEL]
        assert web.paths() == ["/simple/foo/"]

    def test_project_without_page_has_no_files(self, web, root, caplog):
        with opened(serve_index(web, "/simple/", root)) as source:
            for project in ("absent", "missing", "gone"):
                assert list(source.iter_files(project)) == []
        assert web.paths().count("/simple/") == 1, "what the address is was found out more than once"
        assert not caplog.records

    def test_reads_all_projects_by_default(self, web, root):
        assert names_at(serve_index(web, "/simple/", root), None) == [WHEEL, OTHER]


class TestListing:
    def test_page_is_read_if_the_project_has_no_page(self, web):
        url = web.serve("/wheels/", links_to(WHEEL, OTHER))
        assert names_at(url, "foo") == [WHEEL]
        assert web.paths()[0] == "/wheels/foo/"

    def test_reads_all_projects_by_default(self, web):
        assert names_at(web.serve("/wheels/", links_to(WHEEL, OTHER)), None) == [WHEEL, OTHER]

    def test_folder_of_the_project_is_read(self, web):
        url = web.serve("/wheels/", links_to("foo/", OTHER))
        web.serve("/wheels/foo/", links_to("../", WHEEL))
        assert names_at(url, "foo") == [WHEEL]
        assert names_at(url, "bar") == [OTHER]

    def test_can_be_the_flat_page_of_a_container(self, web):
        meta = '<meta name="pypi:repository-version" content="1.0">'
        assert names_at(web.serve("/wheels/", links_to(WHEEL, OTHER, meta=meta)), "foo") == [WHEEL]

    @pytest.mark.parametrize("project", ["foo", None])
    def test_can_be_the_page_of_a_project(self, project):
        class Index(Web):
            def reply_to(self, request):
                if request.path != "/simple/foo/":
                    return Reply(status=404)
                if JSON_TYPE in request.headers["accept"]:
                    body = {"meta": {"api-version": "1.0"}, "name": "foo", "files": []}
                    return Reply(json.dumps(body).encode(), content_type=JSON_TYPE)
                return Reply(links_to(WHEEL).encode(), content_type="text/html")

        with run_web(web=Index) as web:
            assert names_at(f"{web.url}simple/foo/", project) == [WHEEL]

    def test_can_be_a_page_with_any_name(self, web):
        assert names_at(web.serve("/wheels.html", links_to(WHEEL)), "foo") == [WHEEL]

    @pytest.mark.parametrize("project", ["foo", None])
    def test_url_with_query_is_a_listing(self, project):
        class Script(Web):
            def reply_to(self, request):
                found = request.path.startswith("/list.php")
                return (
                    Reply(links_to(WHEEL).encode(), content_type="text/html") if found else Reply(status=404)
                )

        with run_web(web=Script) as web:
            assert names_at(f"{web.url}list.php?dir=wheels", project) == [WHEEL]
            assert len(web.requests) == 1

    def test_can_be_the_root_of_a_host(self, web):
        web.serve("/", links_to(WHEEL))
        assert names_at(web.url.rstrip("/"), "foo") == [WHEEL]

    def test_page_with_folders_only_has_a_hint(self, open_pypiserver, caplog):
        assert open_pypiserver.folder is not None
        make_wheel(open_pypiserver.folder, "foo")
        assert names_at(open_pypiserver.simple_url, "foo") == [WHEEL]
        assert names_at(open_pypiserver.simple_url, None) == []
        [record] = caplog.records
        assert record.levelno == logging.WARNING
        assert "index+https://" in record.getMessage()


class TestErrors:
    def test_url_without_page_is_not_found(self, web):
        for project in ("foo", None):
            with pytest.raises(NotFound):
                names_at(f"{web.url}wheels/", project)

    @pytest.mark.parametrize(("status", "error"), [(403, PermissionDenied), (500, Unavailable)])
    def test_unreadable_project_page_is_an_error(self, web, status, error):
        url = web.serve("/wheels/", links_to(WHEEL))
        web.serve("/wheels/foo/", status=status)
        with pytest.raises(error):
            names_at(url, "foo")

    def test_unreadable_url_is_requested_again_later(self, web):
        with opened(web.serve("/wheels/", status=503)) as source:
            with pytest.raises(Unavailable):
                list(source.iter_files("foo"))
            web.serve("/wheels/", links_to(WHEEL))
            assert [file.filename for file in source.iter_files("foo")] == [WHEEL]

    def test_other_content_is_an_error(self, web):
        with pytest.raises(BackendError, match="not an HTML page"):
            names_at(web.serve("/data/", b"{}", content_type="application/json"), "foo")


def test_opens_files_and_companions_of_both_types(web):
    web.serve(f"/files/{WHEEL}.asc", b"signature")
    url = serve_index(web, "/simple/", JSON_TYPE)
    web.serve("/simple/foo/", links_to(f"/files/{WHEEL}", f"/files/{WHEEL}.asc"))
    with opened(url) as source:
        [file] = source.iter_files("foo")
        assert source.read_companion(file, ".asc") == b"signature"
        with source.open(file) as stream:
            assert stream.read(100) == WHEEL.encode()


def test_type_is_detected_once_for_all_threads(web):
    with opened(serve_index(web, "/simple/", JSON_TYPE)) as source, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: list(source.iter_files(f"absent{number}")), range(8)))
    assert found == [[]] * 8
    assert web.paths().count("/simple/") == 1


def test_is_read_only(web):
    with opened(web.url) as source:
        assert not isinstance(source, Sink)
