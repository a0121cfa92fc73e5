"""An index is read by the Simple API: requests, absent projects, redirects and real indexes."""

import hashlib
import json
from collections import defaultdict
from contextlib import closing

import pytest
from tests.servers.process import free_port
from tests.servers.web import run_web
from tests.unit.backends.index.simple_pages import (
    HTML_TYPE,
    WHEEL,
    files_of,
    json_page,
    names_of,
    only,
    serve_html,
    serve_json,
)

from wheelrelay.backends.index.backend import IndexReader
from wheelrelay.backends.index.simple_api import ACCEPT, JSON_TYPE, SimpleApi
from wheelrelay.backends.index.upload import upload
from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    NotFound,
    PermissionDenied,
    Rejected,
    SizeMismatch,
    Unavailable,
)
from wheelrelay.filenames import parse_filename
from wheelrelay.http import BasicAuth, HttpClient
from wheelrelay.model import ProjectStatus
from wheelrelay.testing import SourceContract, make_sdist, make_wheel, stage_path


@pytest.fixture
def elsewhere():
    """A server on another port, and so of another origin."""
    with run_web() as server:
        yield server


def serve_index(web, folder, write):
    """Serve the distribution files of a folder as an index whose project pages ``write`` writes."""
    projects = defaultdict(list)
    for path in sorted(folder.iterdir()):
        web.serve(f"/files/{path.name}", path)
        try:
            projects[parse_filename(path.name.removesuffix(".asc")).project].append(path)
        except Exception:  # noqa: BLE001  (litter, which an index of whatever make may show all the same)
            projects["sample"].append(path)
    for project, paths in projects.items():
        body, media_type = write(paths)
        web.serve(f"/simple/{project}/", body, content_type=media_type)
    links = "".join(f'<a href="{project}/">{project}</a>' for project in projects)
    return web.serve("/simple/", f"<html><title>Simple index</title>{links}</html>")


def as_html(paths):
    """A page as pypiserver writes it: signatures are files like others."""
    links = "".join(
        f'<a href="../../files/{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">x</a>\n'
        for path in paths
    )
    return f"<html><title>Links for it</title>{links}</html>".encode(), "text/html"


def as_json(paths):
    """A page as PyPI writes it, and as it once wrote of signatures."""
    files = [
        {
            "filename": path.name,
            "url": f"../../files/{path.name}",
            "size": path.stat().st_size,
            "hashes": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
            "upload-time": "2026-01-02T03:04:05.000006Z",
            "gpg-sig": path.with_name(f"{path.name}.asc") in paths,
        }
        for path in paths
        if path.suffix != ".asc"
    ]
    return json_page(*files), JSON_TYPE


class TestContractOfHtmlIndex(SourceContract):
    @pytest.fixture
    def serve(self, web, http):
        return lambda folder: IndexReader(SimpleApi(http, serve_index(web, folder, as_html)))


class TestContractOfJsonIndex(SourceContract):
    @pytest.fixture
    def serve(self, web, http):
        return lambda folder: IndexReader(SimpleApi(http, serve_index(web, folder, as_json)))


class TestRequests:
    @pytest.mark.parametrize("spelling", ["Foo.Bar", "foo_bar", "FOO--BAR"])
    def test_requests_the_normalized_name_with_a_slash(self, web, api, spelling):
        files_of(api, spelling)
        assert web.paths() == ["/simple/foo-bar/"]

    def test_root_url_can_lack_its_slash(self, web, http):
        serve_json(web, {"filename": WHEEL})
        assert names_of(SimpleApi(http, f"{web.url}simple")) == [WHEEL]

    def test_prefers_json(self, web, api):
        files_of(api)
        assert web.requests[0].headers["accept"] == ACCEPT
        assert f"{JSON_TYPE}, {HTML_TYPE};q=0.2, text/html;q=0.01" == ACCEPT

    def test_fresh_requests_bypass_caches(self, web, api):
        list(api.files("foo", fresh=True))
        list(api.files("foo", fresh=False))
        fresh, usual = (request.headers for request in web.requests)
        assert (fresh["cache-control"], fresh["pragma"]) == ("no-cache", "no-cache")
        assert "cache-control" not in usual


class TestAbsence:
    @pytest.mark.parametrize("status", [404, 410])
    def test_missing_project_page_means_no_files(self, web, api, status):
        serve_html(web, "", status=status)
        assert files_of(api) == []
        assert api.project("foo") is None

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (401, AuthenticationFailed),
            (403, PermissionDenied),
            (406, Rejected),
            (429, Unavailable),
            (500, Unavailable),
            (502, Unavailable),
        ],
    )
    def test_other_status_is_an_error(self, web, api, status, error):
        serve_html(web, f'<a href="{WHEEL}">x</a>', status=status)
        with pytest.raises(error):
            files_of(api)

    def test_refused_connection_is_an_error(self, http):
        with pytest.raises(Unavailable):
            files_of(SimpleApi(http, f"http://127.0.0.1:{free_port()}/simple/"))

    @pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/zip", ""])
    def test_other_content_type_is_an_error(self, web, api, media_type):
        web.serve("/simple/foo/", json_page({"filename": WHEEL}), content_type=media_type)
        with pytest.raises(BackendError, match="not a page of a package index"):
            files_of(api)

    @pytest.mark.parametrize("cut_after", [0, 500])
    def test_truncated_page_is_an_error(self, web, api, cut_after):
        body = json_page(*({"filename": f"foo-{n}.tar.gz"} for n in range(100)))
        web.serve("/simple/foo/", body, content_type=JSON_TYPE, cut_after=cut_after)
        with pytest.raises(SizeMismatch):
            files_of(api)


class TestRedirects:
    @pytest.mark.parametrize("target", ["/mirror/foo/", "/simple/Foo", "/simple/foo/index.html"])
    def test_redirect_to_the_same_project_is_followed(self, web, api, target):
        web.serve(target, json_page({"filename": WHEEL, "url": f"x/{WHEEL}"}), content_type=JSON_TYPE)
        web.redirect("/simple/foo/", target)
        assert only(api).url == f"{web.url.rstrip('/')}{target.rpartition('/')[0]}/x/{WHEEL}"

    def test_redirect_to_another_page_is_an_error(self, web, api):
        web.serve("/login", "<html>Links for you</html>")
        web.redirect("/simple/foo/", "/login?next=/simple/foo/")
        with pytest.raises(BackendError, match="not the page of foo"):
            files_of(api)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirect_to_another_host_is_an_error(self, web, api, elsewhere, status):
        elsewhere.serve("/simple/foo/", json_page({"filename": WHEEL}), content_type=JSON_TYPE)
        web.redirect("/simple/foo/", f"{elsewhere.url}simple/foo/", status=status)
        with pytest.raises(Rejected, match="another host") as raised:
            files_of(api)
        assert raised.value.status == status
        assert "--disable-fallback" in str(raised.value)
        assert elsewhere.paths() == []

    def test_redirect_to_another_host_is_not_followed_for_missing_project(self, web, api, elsewhere):
        web.redirect("/simple/foo/", f"{elsewhere.url}simple/foo/")
        with pytest.raises(Rejected):
            files_of(api)

    def test_files_can_be_on_another_host(self, web, api, elsewhere):
        serve_json(web, {"filename": WHEEL})
        web.redirect(f"/files/{WHEEL}", elsewhere.serve("/blob/1", b"foo"))
        with api.open(only(api)) as stream:
            assert stream.read(10) == b"foo"


class TestStatus:
    def test_project_is_active_by_default(self, web, api):
        for serve in (serve_json(web), serve_html(web, "")):
            found = api.project("foo")
            assert found is not None, serve
            assert (found.name, found.status) == ("foo", ProjectStatus())

    @pytest.mark.parametrize("status", ["archived", "quarantined", "deprecated", "a word of the future"])
    def test_status_is_read_from_json_and_html(self, web, api, status):
        serve_json(web, **{"project-status": {"status": status, "reason": "because"}})
        first = api.project("foo")
        meta = '<meta name="pypi:project-status{}" content="{}">'.format
        serve_html(web, meta("", status) + meta("-reason", "because"))
        second = api.project("foo")
        assert first == second
        assert first is not None
        assert first.status == ProjectStatus(status, "because")


class TestProjects:
    def test_lists_projects_from_json(self, web, api):
        names = [{"name": "Foo.Bar"}, {"name": "foo_bar"}, {"name": "baz"}]
        body = json.dumps({"meta": {"api-version": "1.0"}, "projects": names}).encode()
        web.serve("/simple/", body, content_type=JSON_TYPE)
        assert list(api.projects()) == ["foo-bar", "baz"]

    def test_lists_projects_from_html_links(self, web, api):
        hrefs = [
            "../",
            "/",
            "Foo_Bar/",
            "/simple/baz",
            f"{web.url}simple/qux/",
            "deep/er/",
            "-no-/",
            "#",
            "?q=1",
        ]
        web.serve("/simple/", "<html>" + "".join(f'<a href="{href}">cut of..&gt;</a>' for href in hrefs))
        assert list(api.projects()) == ["foo-bar", "baz", "qux"]

    def test_empty_index_has_no_projects(self, web, api):
        web.serve("/simple/", "<html><title>Simple Index</title></html>")
        assert list(api.projects()) == []

    def test_missing_root_is_an_error(self, api):
        with pytest.raises(NotFound):
            list(api.projects())

    @pytest.mark.parametrize("body", ["<html>Welcome</html>", ""])
    def test_other_page_is_an_error(self, web, api, body):
        web.serve("/simple/", body)
        with pytest.raises(BackendError):
            list(api.projects())

    def test_malformed_json_is_an_error(self, web, api):
        web.serve("/simple/", b'{"projects": []}', content_type=JSON_TYPE)
        with pytest.raises(BackendError, match="cannot be parsed"):
            list(api.projects())


class TestRealIndexes:
    def test_reads_pypiserver(self, open_pypiserver, http):
        folder = open_pypiserver.folder
        assert folder is not None
        paths = [
            make_wheel(folder, "Foo.Bar", "1.0+cpu"),
            make_sdist(folder, "foo-bar"),
            make_wheel(folder, "foo"),
        ]
        (folder / f"{paths[0].name}.asc").write_bytes(b"signature")
        api = SimpleApi(http, open_pypiserver.simple_url)
        assert sorted(api.projects()) == ["foo", "foo-bar"]
        wheel, sdist = sorted(files_of(api, "foo_bar"), key=lambda file: file.kind, reverse=True)
        assert (wheel.companions, sdist.companions) == ((".asc",), ())
        assert api.read_companion(wheel, ".asc") == b"signature"
        for file, path in ((wheel, paths[0]), (sdist, paths[1])):
            assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
            with api.open(file) as stream:
                assert stream.read(1 << 20) == path.read_bytes()
        assert files_of(api, "absent") == []

    def test_reads_devpi(self, devpi, tmp_path):
        auth = BasicAuth(devpi.username, devpi.password)
        path = make_wheel(tmp_path, "Foo.Bar", "1.0")
        with closing(HttpClient(auth=auth, origins=(devpi.url,))) as http:
            upload(http, devpi.upload_url, stage_path(path))
            api = SimpleApi(http, devpi.simple_url)
            assert list(api.projects()) == ["foo-bar"]
            [file] = api.files("Foo.Bar", fresh=True)
            with api.open(file) as stream:
                assert stream.read(1 << 20) == path.read_bytes()
            assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
            assert files_of(api, "absent") == []


@pytest.mark.parametrize(
    ("header", "cached"),
    [("Age", True), ("X-Cache", True), ("CF-Cache-Status", True), ("Cache-Control", False), ("Via", False)],
)
def test_cached_responses_are_recognized(web, api, header, cached):
    page = "<html><body><h1>Links for sample</h1></body></html>"
    web.serve("/simple/sample/", page, headers={header: "1"})
    list(api.files("sample", fresh=True))
    assert api.cached is cached
    assert IndexReader(api).is_cached() is cached
