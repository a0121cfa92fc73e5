"""An index is read by the Simple API, and what is not its answer is never taken for "there is nothing"."""

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.servers.indexes import IndexServer
from tests.servers.process import free_port
from tests.servers.web import Web, run_web

from wheelrelay.backends.index.backend import IndexReader
from wheelrelay.backends.index.simple_api import ACCEPT, JSON_TYPE, SimpleApi
from wheelrelay.backends.index.upload import upload
from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    IntegrityError,
    NotFound,
    PermissionDenied,
    Rejected,
    SizeMismatch,
    Unavailable,
)
from wheelrelay.filenames import parse_filename
from wheelrelay.http import BasicAuth, HttpClient
from wheelrelay.model import DIGEST_LENGTHS, DistFile
from wheelrelay.testing import SourceContract, make_sdist, make_wheel, stage_path

WHEEL = "foo-1.0-py3-none-any.whl"
OTHER = "foo-1.1-py3-none-any.whl"
SHA256 = hashlib.sha256(b"foo").hexdigest()

HTML_TYPE = "application/vnd.pypi.simple.v1+html"


@pytest.fixture
def http() -> Iterator[HttpClient]:
    with closing(HttpClient()) as client:
        yield client


@pytest.fixture
def api(web: Web, http: HttpClient) -> SimpleApi:
    """The index at ``/simple/`` of the web server."""
    return SimpleApi(http, f"{web.url}simple/")


@pytest.fixture
def elsewhere() -> Iterator[Web]:
    """A server on another port: another host, as far as anybody can tell."""
    with run_web() as server:
        yield server


def json_page(*files: dict[str, Any], **more: Any) -> bytes:
    described = [{"url": f"/files/{file['filename']}", "hashes": {}, **file} for file in files]
    return json.dumps({"meta": {"api-version": "1.0"}, "name": "foo", "files": described, **more}).encode()


def serve_json(web: Web, *files: dict[str, Any], **more: Any) -> str:
    return web.serve("/simple/foo/", json_page(*files, **more), content_type=JSON_TYPE)


def serve_html(web: Web, body: str, **options: Any) -> str:
    page = f"<!DOCTYPE html><html><head><title>Links for foo</title></head><body>{body}</body></html>"
    return web.serve("/simple/foo/", page, **options)


def files_of(api: SimpleApi, project: str = "foo") -> list[DistFile]:
    return list(api.files(project, fresh=False))


def names_of(api: SimpleApi, project: str = "foo") -> list[str]:
    return [file.filename for file in files_of(api, project)]


def only(api: SimpleApi) -> DistFile:
    [file] = files_of(api)
    return file


def serve_index(web: Web, folder: Path, write: Callable[[list[Path]], tuple[bytes, str]]) -> str:
    """Serve the distribution files of a folder as an index whose project pages ``write`` writes."""
    projects: dict[str, list[Path]] = defaultdict(list)
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


def as_html(paths: list[Path]) -> tuple[bytes, str]:
    """A page as pypiserver writes it: signatures are files like others."""
    links = "".join(
        f'<a href="../../files/{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">x</a>\n'
        for path in paths
    )
    return f"<html><title>Links for it</title>{links}</html>".encode(), "text/html"


def as_json(paths: list[Path]) -> tuple[bytes, str]:
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
    def serve(self, web: Web, http: HttpClient) -> Callable[[Path], IndexReader]:
        return lambda folder: IndexReader(SimpleApi(http, serve_index(web, folder, as_html)))


class TestContractOfJsonIndex(SourceContract):
    @pytest.fixture
    def serve(self, web: Web, http: HttpClient) -> Callable[[Path], IndexReader]:
        return lambda folder: IndexReader(SimpleApi(http, serve_index(web, folder, as_json)))


class TestAsking:
    @pytest.mark.parametrize("spelling", ["Foo.Bar", "foo_bar", "FOO--BAR"])
    def test_the_page_of_the_normalised_name_is_asked_for_with_a_slash(
        self, web: Web, api: SimpleApi, spelling: str
    ) -> None:
        files_of(api, spelling)
        assert web.paths() == ["/simple/foo-bar/"]

    def test_the_root_may_lack_its_slash(self, web: Web, http: HttpClient) -> None:
        serve_json(web, {"filename": WHEEL})
        assert names_of(SimpleApi(http, f"{web.url}simple")) == [WHEEL]

    def test_json_is_wanted_rather_than_html(self, web: Web, api: SimpleApi) -> None:
        files_of(api)
        assert web.requests[0].headers["accept"] == ACCEPT
        assert f"{JSON_TYPE}, {HTML_TYPE};q=0.2, text/html;q=0.01" == ACCEPT

    def test_caches_are_passed_if_it_must_be_fresh(self, web: Web, api: SimpleApi) -> None:
        list(api.files("foo", fresh=True))
        list(api.files("foo", fresh=False))
        fresh, usual = (request.headers for request in web.requests)
        assert (fresh["cache-control"], fresh["pragma"]) == ("no-cache", "no-cache")
        assert "cache-control" not in usual


def test_a_media_type_without_end_is_cut_in_the_message(web: Web, api: SimpleApi) -> None:
    web.serve("/simple/foo/", b"{}", content_type="x/" + "y" * 9000)
    with pytest.raises(BackendError, match="not a page of a package index") as failed:
        files_of(api)
    assert len(str(failed.value)) < 1000


@pytest.mark.parametrize("version", ["9" * 5000, "2." + "9" * 5000])
def test_a_version_without_end_is_cut_in_the_message(web: Web, api: SimpleApi, version: str) -> None:
    body = json.dumps({"meta": {"api-version": version}, "files": []}).encode()
    web.serve("/simple/foo/", body, content_type=JSON_TYPE)
    with pytest.raises(BackendError) as failed:
        files_of(api)
    assert len(str(failed.value)) < 1000


class TestJson:
    def test_everything_that_is_said_of_a_file_is_taken_over(self, web: Web, api: SimpleApi) -> None:
        file = {
            "filename": WHEEL,
            "url": f"../../files/{WHEEL}#sha256={SHA256}",
            "hashes": {"sha256": SHA256.upper(), "blake2b": "00ff", "md5": "broken"},
            "requires-python": ">=3.9",
            "size": 3,
            "upload-time": "2026-01-02T03:04:05.678900Z",
            "core-metadata": {"sha256": SHA256},
            "provenance": f"../../integrity/{WHEEL}",
            "gpg-sig": True,
            "yanked": "brown paper bag",
        }
        serve_json(web, file, versions=["1.0"], _future=True)
        found = only(api)
        assert (found.filename, found.project, str(found.version)) == (WHEEL, "foo", "1.0")
        assert found.url == f"{web.url}files/{WHEEL}"
        assert found.digests.known() == {"sha256": SHA256}
        assert (found.size, found.requires_python, found.yanked) == (3, ">=3.9", "brown paper bag")
        assert found.upload_time == datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
        assert found.companions == (".asc",)
        assert found.provenance == f"{web.url}integrity/{WHEEL}"

    def test_what_is_not_said_is_not_known(self, web: Web, api: SimpleApi) -> None:
        serve_json(web, {"filename": WHEEL, "requires-python": ""})
        found = only(api)
        assert (found.size, found.upload_time, found.requires_python, found.yanked) == (None,) * 4
        assert (found.digests.known(), found.companions, found.provenance) == ({}, (), None)

    @pytest.mark.parametrize(
        ("yanked", "reason"), [(True, ""), (False, None), ("", None), ("too early", "too early")]
    )
    def test_yanked_has_a_reason_or_an_empty_one(
        self, web: Web, api: SimpleApi, yanked: bool | str, reason: str | None
    ) -> None:
        serve_json(web, {"filename": WHEEL, "yanked": yanked})
        assert only(api).yanked == reason

    def test_a_time_without_a_zone_is_utc(self, web: Web, api: SimpleApi) -> None:
        serve_json(web, {"filename": WHEEL, "upload-time": "2026-01-02T03:04:05"})
        assert only(api).upload_time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def test_the_filename_is_what_the_index_says_and_not_the_address(self, web: Web, api: SimpleApi) -> None:
        serve_json(web, {"filename": WHEEL, "url": "https://cdn.example.org/ab/cd/0123?signature=x"})
        assert (only(api).filename, only(api).url) == (
            WHEEL,
            "https://cdn.example.org/ab/cd/0123?signature=x",
        )

    @pytest.mark.parametrize("url", [f"file:///srv/{WHEEL}", "http://[", 7, None])
    def test_a_file_without_a_usable_address_is_listed_and_cannot_be_read(
        self, web: Web, api: SimpleApi, url: object
    ) -> None:
        serve_json(web, {"filename": WHEEL, "url": url}, {"filename": OTHER})
        assert names_of(api) == [WHEEL, OTHER]
        with pytest.raises(Rejected, match=f"{WHEEL} without a usable"), api.open(files_of(api)[0]):
            pass

    @pytest.mark.parametrize(
        "odd",
        [
            {"yanked": None},
            {"yanked": 0},
            {"hashes": None},
            {"hashes": [SHA256]},
            {"hashes": {"sha1": 3}},
            {"size": "3"},
            {"size": "large"},
            {"size": 3.5},
            {"size": -3},
            {"size": True},
            {"size": "9" * 5000},
            {"upload-time": "yesterday"},
            {"upload-time": 1767323045},
            {"requires-python": 3},
            {"gpg-sig": "yes"},
            {"provenance": False},
            {"provenance": "http://["},
            {"core-metadata": 5},
        ],
        ids=repr,
    )
    def test_an_odd_value_costs_nothing_but_that_value(
        self, web: Web, api: SimpleApi, odd: dict[str, object]
    ) -> None:
        described = {"hashes": {"sha256": SHA256}, "requires-python": ">=3.9", "size": 3, "yanked": False}
        serve_json(web, {"filename": WHEEL, **described, **odd}, {"filename": OTHER})
        found, other = sorted(files_of(api), key=lambda file: file.filename)
        assert (found.filename, other.filename) == (WHEEL, OTHER)
        assert found.sha256 == (None if "hashes" in odd else SHA256)
        assert found.requires_python == (None if "requires-python" in odd else ">=3.9")
        assert found.size == (3 if odd.get("size", "3") == "3" else None)
        assert (found.yanked, found.companions, found.provenance) == (None, (), None)

    @pytest.mark.parametrize("key", ["filename", "url", "hashes", "requires-python", "yanked", "provenance"])
    def test_half_a_character_costs_nothing_but_its_file(self, web: Web, api: SimpleApi, key: str) -> None:
        half = {"\ud800": "\ud800"} if key == "hashes" else f"/files/\ud800/{WHEEL}\udfff"
        serve_json(web, {"filename": WHEEL, "url": f"/files/{WHEEL}", key: half}, {"filename": OTHER})
        assert OTHER in names_of(api)
        for file in files_of(api):
            str(file).encode()

    def test_half_a_character_in_a_name_costs_nothing_but_its_project(self, web: Web, api: SimpleApi) -> None:
        body = {"meta": {"api-version": "1.0"}, "projects": [{"name": "foo"}, {"name": "\ud800"}]}
        web.serve("/simple/", json.dumps(body).encode(), content_type=JSON_TYPE)
        assert list(api.projects()) == ["foo"]

    def test_an_odd_value_of_yanked_that_is_true_means_yanked(self, web: Web, api: SimpleApi) -> None:
        serve_json(web, {"filename": WHEEL, "yanked": 1})
        assert only(api).yanked == ""

    @pytest.mark.parametrize("entry", ["foo-1.0.tar.gz", None, {}, {"url": "https://example.org/"}])
    def test_an_entry_that_names_no_file_is_skipped_with_a_warning(
        self, web: Web, api: SimpleApi, entry: object, caplog: pytest.LogCaptureFixture
    ) -> None:
        files = [entry, {"filename": WHEEL, "url": WHEEL, "hashes": {}}]
        body = json.dumps({"meta": {"api-version": "1.0"}, "files": files}).encode()
        web.serve("/simple/foo/", body, content_type=JSON_TYPE)
        assert names_of(api) == [WHEEL]
        assert "entries without a filename" in caplog.text

    def test_the_address_names_a_file_that_has_no_other_name(self, web: Web, api: SimpleApi) -> None:
        serve_json(web, {"filename": None, "url": f"/files/{WHEEL}"})
        assert only(api).filename == WHEEL

    @pytest.mark.parametrize("algorithm", sorted(DIGEST_LENGTHS))
    def test_digests_of_every_algorithm_of_hashlib_count(
        self, web: Web, api: SimpleApi, algorithm: str
    ) -> None:
        digest = hashlib.new(algorithm, b"foo").hexdigest()
        serve_json(web, {"filename": WHEEL, "hashes": {algorithm: digest}})
        assert only(api).digests.known() == {algorithm: digest}

    @pytest.mark.parametrize("version", ["1.0", "1.4", "1.99", "1", "1.4.2", " 1.0", "v1.1", 1, 1.1])
    def test_a_higher_minor_version_is_fine(self, web: Web, api: SimpleApi, version: object) -> None:
        serve_json(web, {"filename": WHEEL}, meta={"api-version": version})
        assert names_of(api) == [WHEEL]

    def test_a_higher_major_version_is_refused(self, web: Web, api: SimpleApi) -> None:
        serve_json(web, {"filename": WHEEL}, meta={"api-version": "2.0"})
        with pytest.raises(BackendError, match=r"version 2\.0 of the Simple API"):
            files_of(api)

    @pytest.mark.parametrize("form", ["json", "html"])
    def test_so_is_one_that_the_media_type_tells(self, web: Web, api: SimpleApi, form: str) -> None:
        serve_html(web, "", content_type=f"application/vnd.pypi.simple.v2+{form}")
        with pytest.raises(BackendError, match="version 2 of the Simple API"):
            files_of(api)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>",
            b"[]",
            b"null",
            b"{}",
            b'{"meta": {}, "name": "foo", "files": []}',
            b'{"meta": {"api-version": "one"}, "name": "foo", "files": []}',
            b'{"meta": {"api-version": "1.0"}, "name": "foo"}',
            b'{"meta": {"api-version": true}, "name": "foo", "files": []}',
            b'{"meta": {"api-version": "1.0"}, "name": "foo", "files": {}}',
            b'{"meta": {"api-version": "1.0"}, "name": "foo", "files": [',
            b"\xff\xfe\x00",
        ],
    )
    def test_a_page_that_makes_no_sense_is_an_error(self, web: Web, api: SimpleApi, body: bytes) -> None:
        web.serve("/simple/foo/", body, content_type=JSON_TYPE)
        with pytest.raises(BackendError, match=r"/simple/foo/ cannot be parsed as a page of links: \S"):
            files_of(api)

    def test_a_project_without_files_is_there(self, web: Web, api: SimpleApi) -> None:
        serve_json(web)
        found = api.project("foo")
        assert found is not None
        assert found.files == ()


class TestHtml:
    @pytest.mark.parametrize("media_type", ["text/html", "Text/HTML; charset=UTF-8", HTML_TYPE])
    def test_it_is_read_where_the_index_gives_it(self, web: Web, api: SimpleApi, media_type: str) -> None:
        link = (
            f'<a href="../../files/{WHEEL}#sha256={SHA256}" data-requires-python="&gt;=3.9" data-yanked="x">'
        )
        serve_html(web, f"{link}{WHEEL}</a>", content_type=media_type)
        found = only(api)
        assert (found.filename, found.url, found.sha256) == (WHEEL, f"{web.url}files/{WHEEL}", SHA256)
        assert (found.requires_python, found.yanked, found.companions) == (">=3.9", "x", ())

    def test_the_filename_is_the_end_of_the_address_decoded(self, web: Web, api: SimpleApi) -> None:
        serve_html(web, '<a href="/f/foo-1.0%2Bcpu-py3-none-any.whl?token=1">foo-1.0..&gt;</a>')
        assert only(api).filename == "foo-1.0+cpu-py3-none-any.whl"

    def test_the_addresses_of_devpi_are_understood(self, web: Web, http: HttpClient) -> None:
        body = f'<html>Links for foo<a href="../../+f/abc/def/{WHEEL}#sha256={SHA256}">{WHEEL}</a></html>'
        web.serve("/u/dev/+simple/foo/", body)
        assert only(SimpleApi(http, f"{web.url}u/dev/+simple/")).url == f"{web.url}u/dev/+f/abc/def/{WHEEL}"

    @pytest.mark.parametrize(("said", "companions"), [("true", (".asc",)), ("false", ()), ("", ())])
    def test_a_signature_is_there_where_the_page_says_so(
        self, web: Web, api: SimpleApi, said: str, companions: tuple[str, ...]
    ) -> None:
        serve_html(web, f'<a href="/{WHEEL}" data-gpg-sig="{said}">x</a>')
        assert only(api).companions == companions

    def test_attestations_are_told_of_where_the_page_says_so(self, web: Web, api: SimpleApi) -> None:
        serve_html(web, f'<a href="/{WHEEL}" data-provenance="/integrity/{WHEEL}">x</a>')
        assert only(api).provenance == f"{web.url}integrity/{WHEEL}"

    def test_a_signature_is_there_where_it_is_listed_as_a_file(self, web: Web, api: SimpleApi) -> None:
        serve_html(web, f'<a href="/f/{WHEEL}#sha256={SHA256}">x</a><a href="/f/{WHEEL}.asc#sha256=0">x</a>')
        web.serve(f"/f/{WHEEL}.asc", b"signature")
        assert only(api).companions == (".asc",)
        assert api.read_companion(only(api), ".asc") == b"signature"

    def test_a_higher_major_version_is_refused(self, web: Web, api: SimpleApi) -> None:
        serve_html(web, '<meta name="pypi:repository-version" content="2.0">')
        with pytest.raises(BackendError, match=r"version 2\.0"):
            files_of(api)

    @pytest.mark.parametrize(
        "body",
        [
            "<html><title>Links for foo</title></html>",
            '<html><meta name="pypi:repository-version" content="1.99"></html>',
        ],
    )
    def test_an_empty_page_of_an_index_is_empty(self, web: Web, api: SimpleApi, body: str) -> None:
        web.serve("/simple/foo/", body)
        assert files_of(api) == []

    @pytest.mark.parametrize(
        "body", ["<html><form>Please log in</form></html>", "<html><a href='/'>Home</a></html>"]
    )
    def test_any_other_page_without_files_is_an_error(self, web: Web, api: SimpleApi, body: str) -> None:
        web.serve("/simple/foo/", body)
        with pytest.raises(BackendError, match="not from a package index"):
            files_of(api)


class TestEntries:
    def test_what_is_no_wheel_or_sdist_of_the_project_is_passed_over(
        self, web: Web, api: SimpleApi, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "wheelrelay")
        odd = ["foo-1.0.exe", "foo-1.0-py2.7.egg", "foo-dev.tar.gz", "../foo-1.0.tar.gz", "bar-1.0.tar.gz"]
        serve_json(web, *({"filename": name} for name in [*odd, WHEEL]))
        assert names_of(api) == [WHEEL]
        assert [record.levelno for record in caplog.records] == [logging.INFO] * len(odd)
        assert all(name in record.getMessage() for name, record in zip(odd, caplog.records, strict=True))

    def test_the_project_decides_where_the_name_of_an_old_sdist_ends(self, web: Web, api: SimpleApi) -> None:
        serve_json(web, {"filename": "foo-1.0-1.tar.gz"})
        assert str(only(api).version) == "1.0.post1"

    def test_a_file_that_is_listed_twice_counts_once(self, web: Web, api: SimpleApi) -> None:
        serve_json(web, {"filename": WHEEL}, {"filename": WHEEL, "hashes": {"sha256": SHA256}})
        assert only(api).sha256 == SHA256

    def test_a_name_that_stands_for_two_things_is_an_error(self, web: Web, api: SimpleApi) -> None:
        serve_json(web, {"filename": WHEEL}, {"filename": WHEEL, "url": f"/other/{WHEEL}"})
        with pytest.raises(IntegrityError, match="twice"):
            files_of(api)


class TestAbsence:
    @pytest.mark.parametrize("status", [404, 410])
    def test_a_project_page_that_is_not_found_is_a_project_without_files(
        self, web: Web, api: SimpleApi, status: int
    ) -> None:
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
    def test_any_other_refusal_is_an_error(
        self, web: Web, api: SimpleApi, status: int, error: type[BackendError]
    ) -> None:
        serve_html(web, f'<a href="{WHEEL}">x</a>', status=status)
        with pytest.raises(error):
            files_of(api)

    def test_nobody_there_is_an_error(self, http: HttpClient) -> None:
        with pytest.raises(Unavailable):
            files_of(SimpleApi(http, f"http://127.0.0.1:{free_port()}/simple/"))

    @pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/zip", ""])
    def test_an_answer_of_another_kind_is_an_error(self, web: Web, api: SimpleApi, media_type: str) -> None:
        web.serve("/simple/foo/", json_page({"filename": WHEEL}), content_type=media_type)
        with pytest.raises(BackendError, match="not a page of a package index"):
            files_of(api)

    @pytest.mark.parametrize("cut_after", [0, 500])
    def test_a_page_that_was_cut_off_is_an_error(self, web: Web, api: SimpleApi, cut_after: int) -> None:
        body = json_page(*({"filename": f"foo-{n}.tar.gz"} for n in range(100)))
        web.serve("/simple/foo/", body, content_type=JSON_TYPE, cut_after=cut_after)
        with pytest.raises(SizeMismatch):
            files_of(api)


class TestRedirects:
    @pytest.mark.parametrize("target", ["/mirror/foo/", "/simple/Foo", "/simple/foo/index.html"])
    def test_one_to_the_page_of_the_same_project_is_followed(
        self, web: Web, api: SimpleApi, target: str
    ) -> None:
        web.serve(target, json_page({"filename": WHEEL, "url": f"x/{WHEEL}"}), content_type=JSON_TYPE)
        web.redirect("/simple/foo/", target)
        assert only(api).url == f"{web.url.rstrip('/')}{target.rpartition('/')[0]}/x/{WHEEL}"

    def test_one_to_another_page_of_the_same_host_is_an_error(self, web: Web, api: SimpleApi) -> None:
        web.serve("/login", "<html>Links for you</html>")
        web.redirect("/simple/foo/", "/login?next=/simple/foo/")
        with pytest.raises(BackendError, match="not the page of foo"):
            files_of(api)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_one_to_another_host_is_an_error_and_not_followed(
        self, web: Web, api: SimpleApi, elsewhere: Web, status: int
    ) -> None:
        elsewhere.serve("/simple/foo/", json_page({"filename": WHEEL}), content_type=JSON_TYPE)
        web.redirect("/simple/foo/", f"{elsewhere.url}simple/foo/", status=status)
        with pytest.raises(Rejected, match="another host") as raised:
            files_of(api)
        assert raised.value.status == status
        assert "--disable-fallback" in str(raised.value)
        assert elsewhere.paths() == []

    def test_not_even_if_the_project_is_not_there_either(
        self, web: Web, api: SimpleApi, elsewhere: Web
    ) -> None:
        web.redirect("/simple/foo/", f"{elsewhere.url}simple/foo/")
        with pytest.raises(Rejected):
            files_of(api)

    def test_files_may_be_anywhere(self, web: Web, api: SimpleApi, elsewhere: Web) -> None:
        serve_json(web, {"filename": WHEEL})
        web.redirect(f"/files/{WHEEL}", elsewhere.serve("/blob/1", b"foo"))
        with api.open(only(api)) as stream:
            assert stream.read(10) == b"foo"


class TestStatus:
    def test_a_project_is_active_unless_it_says_otherwise(self, web: Web, api: SimpleApi) -> None:
        for serve in (serve_json(web), serve_html(web, "")):
            found = api.project("foo")
            assert found is not None, serve
            assert (found.name, found.status, found.status_reason) == ("foo", "active", None)

    @pytest.mark.parametrize("status", ["archived", "quarantined", "deprecated", "a word of the future"])
    def test_json_and_html_can_say_it(self, web: Web, api: SimpleApi, status: str) -> None:
        serve_json(web, **{"project-status": {"status": status, "reason": "because"}})
        first = api.project("foo")
        meta = '<meta name="pypi:project-status{}" content="{}">'.format
        serve_html(web, meta("", status) + meta("-reason", "because"))
        second = api.project("foo")
        assert first == second
        assert first is not None
        assert (first.status, first.status_reason) == (status, "because")


class TestProjects:
    def test_json_names_them(self, web: Web, api: SimpleApi) -> None:
        names = [{"name": "Foo.Bar"}, {"name": "foo_bar"}, {"name": "baz"}]
        body = json.dumps({"meta": {"api-version": "1.0"}, "projects": names}).encode()
        web.serve("/simple/", body, content_type=JSON_TYPE)
        assert list(api.projects()) == ["foo-bar", "baz"]

    def test_html_names_them_by_its_links(self, web: Web, api: SimpleApi) -> None:
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

    def test_an_empty_index_has_none(self, web: Web, api: SimpleApi) -> None:
        web.serve("/simple/", "<html><title>Simple Index</title></html>")
        assert list(api.projects()) == []

    def test_a_root_that_is_not_found_is_an_error(self, api: SimpleApi) -> None:
        with pytest.raises(NotFound):
            list(api.projects())

    @pytest.mark.parametrize("body", ["<html>Welcome</html>", ""])
    def test_any_other_page_is_an_error(self, web: Web, api: SimpleApi, body: str) -> None:
        web.serve("/simple/", body)
        with pytest.raises(BackendError):
            list(api.projects())

    def test_json_that_makes_no_sense_is_an_error(self, web: Web, api: SimpleApi) -> None:
        web.serve("/simple/", b'{"projects": []}', content_type=JSON_TYPE)
        with pytest.raises(BackendError, match="cannot be parsed"):
            list(api.projects())


class TestRealIndexes:
    def test_pypiserver_is_read(self, open_pypiserver: IndexServer, http: HttpClient) -> None:
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

    def test_devpi_is_read(self, devpi: IndexServer, tmp_path: Path) -> None:
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
def test_the_marks_of_a_cache_are_noticed(web: Web, api: SimpleApi, header: str, cached: bool) -> None:
    page = "<html><body><h1>Links for sample</h1></body></html>"
    web.serve("/simple/sample/", page, headers={header: "1"})
    list(api.files("sample", fresh=True))
    assert api.cached is cached
    assert IndexReader(api).is_cached() is cached
