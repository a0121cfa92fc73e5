"""Pages of the Simple API in JSON and HTML are parsed value by value."""

import hashlib
import json
import logging
from datetime import UTC, datetime

import pytest
from tests.unit.backends.index.simple_pages import (
    HTML_TYPE,
    WHEEL,
    files_of,
    names_of,
    only,
    serve_html,
    serve_json,
)

from wheelrelay.backends.index.simple_api import JSON_TYPE, SimpleApi
from wheelrelay.errors import (
    BackendError,
    IntegrityError,
    Rejected,
)
from wheelrelay.model import DIGEST_LENGTHS

OTHER = "foo-1.1-py3-none-any.whl"


SHA256 = hashlib.sha256(b"foo").hexdigest()


def test_endless_media_type_is_truncated_in_the_message(web, api):
    web.serve("/simple/foo/", b"{}", content_type="x/" + "y" * 9000)
    with pytest.raises(BackendError, match="not a page of a package index") as failed:
        files_of(api)
    assert len(str(failed.value)) < 1000


@pytest.mark.parametrize("version", ["9" * 5000, "2." + "9" * 5000])
def test_endless_version_is_truncated_in_the_message(web, api, version):
    body = json.dumps({"meta": {"api-version": version}, "files": []}).encode()
    web.serve("/simple/foo/", body, content_type=JSON_TYPE)
    with pytest.raises(BackendError) as failed:
        files_of(api)
    assert len(str(failed.value)) < 1000


class TestJson:
    def test_reads_all_fields_of_a_file(self, web, api):
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

    def test_missing_fields_are_unknown(self, web, api):
        serve_json(web, {"filename": WHEEL, "requires-python": ""})
        found = only(api)
        assert (found.size, found.upload_time, found.requires_python, found.yanked) == (None,) * 4
        assert (found.digests.known(), found.companions, found.provenance) == ({}, (), None)

    @pytest.mark.parametrize(
        ("yanked", "reason"), [(True, ""), (False, None), ("", None), ("too early", "too early")]
    )
    def test_yanked_reason_can_be_empty(self, web, api, yanked, reason):
        serve_json(web, {"filename": WHEEL, "yanked": yanked})
        assert only(api).yanked == reason

    def test_time_without_zone_is_utc(self, web, api):
        serve_json(web, {"filename": WHEEL, "upload-time": "2026-01-02T03:04:05"})
        assert only(api).upload_time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def test_filename_field_wins_over_the_url(self, web, api):
        serve_json(web, {"filename": WHEEL, "url": "https://cdn.example.org/ab/cd/0123?signature=x"})
        assert (only(api).filename, only(api).url) == (
            WHEEL,
            "https://cdn.example.org/ab/cd/0123?signature=x",
        )

    @pytest.mark.parametrize("url", [f"file:///srv/{WHEEL}", "http://[", 7, None])
    def test_file_with_unusable_url_is_listed_but_not_readable(self, web, api, url):
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
    def test_invalid_value_is_ignored(self, web, api, odd):
        described = {"hashes": {"sha256": SHA256}, "requires-python": ">=3.9", "size": 3, "yanked": False}
        serve_json(web, {"filename": WHEEL, **described, **odd}, {"filename": OTHER})
        found, other = sorted(files_of(api), key=lambda file: file.filename)
        assert (found.filename, other.filename) == (WHEEL, OTHER)
        assert found.sha256 == (None if "hashes" in odd else SHA256)
        assert found.requires_python == (None if "requires-python" in odd else ">=3.9")
        assert found.size == (3 if odd.get("size", "3") == "3" else None)
        assert (found.yanked, found.companions, found.provenance) == (None, (), None)

    @pytest.mark.parametrize("key", ["filename", "url", "hashes", "requires-python", "yanked", "provenance"])
    def test_lone_surrogate_drops_only_its_file(self, web, api, key):
        half = {"\ud800": "\ud800"} if key == "hashes" else f"/files/\ud800/{WHEEL}\udfff"
        serve_json(web, {"filename": WHEEL, "url": f"/files/{WHEEL}", key: half}, {"filename": OTHER})
        assert OTHER in names_of(api)
        for file in files_of(api):
            str(file).encode()

    def test_lone_surrogate_in_a_name_drops_only_its_project(self, web, api):
        body = {"meta": {"api-version": "1.0"}, "projects": [{"name": "foo"}, {"name": "\ud800"}]}
        web.serve("/simple/", json.dumps(body).encode(), content_type=JSON_TYPE)
        assert list(api.projects()) == ["foo"]

    def test_invalid_truthy_value_of_yanked_means_yanked(self, web, api):
        serve_json(web, {"filename": WHEEL, "yanked": 1})
        assert only(api).yanked == ""

    @pytest.mark.parametrize("entry", ["foo-1.0.tar.gz", None, {}, {"url": "https://example.org/"}])
    def test_entry_without_filename_is_skipped_with_a_warning(self, web, api, entry, caplog):
        files = [entry, {"filename": WHEEL, "url": WHEEL, "hashes": {}}]
        body = json.dumps({"meta": {"api-version": "1.0"}, "files": files}).encode()
        web.serve("/simple/foo/", body, content_type=JSON_TYPE)
        assert names_of(api) == [WHEEL]
        assert "entries without a filename" in caplog.text

    def test_filename_defaults_to_the_end_of_the_url(self, web, api):
        serve_json(web, {"filename": None, "url": f"/files/{WHEEL}"})
        assert only(api).filename == WHEEL

    @pytest.mark.parametrize("algorithm", sorted(DIGEST_LENGTHS))
    def test_reads_digests_of_every_hashlib_algorithm(self, web, api, algorithm):
        digest = hashlib.new(algorithm, b"foo").hexdigest()
        serve_json(web, {"filename": WHEEL, "hashes": {algorithm: digest}})
        assert only(api).digests.known() == {algorithm: digest}

    @pytest.mark.parametrize("version", ["1.0", "1.4", "1.99", "1", "1.4.2", " 1.0", "v1.1", 1, 1.1])
    def test_newer_minor_version_is_accepted(self, web, api, version):
        serve_json(web, {"filename": WHEEL}, meta={"api-version": version})
        assert names_of(api) == [WHEEL]

    def test_newer_major_version_is_refused(self, web, api):
        serve_json(web, {"filename": WHEEL}, meta={"api-version": "2.0"})
        with pytest.raises(BackendError, match=r"version 2\.0 of the Simple API"):
            files_of(api)

    @pytest.mark.parametrize("form", ["json", "html"])
    def test_newer_major_version_in_media_type_is_refused(self, web, api, form):
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
    def test_malformed_page_is_an_error(self, web, api, body):
        web.serve("/simple/foo/", body, content_type=JSON_TYPE)
        with pytest.raises(BackendError, match=r"/simple/foo/ cannot be parsed as a page of links: \S"):
            files_of(api)

    def test_project_without_files_exists(self, web, api):
        serve_json(web)
        found = api.project("foo")
        assert found is not None
        assert found.files == ()


class TestHtml:
    @pytest.mark.parametrize("media_type", ["text/html", "Text/HTML; charset=UTF-8", HTML_TYPE])
    def test_reads_html_of_each_media_type(self, web, api, media_type):
        link = (
            f'<a href="../../files/{WHEEL}#sha256={SHA256}" data-requires-python="&gt;=3.9" data-yanked="x">'
        )
        serve_html(web, f"{link}{WHEEL}</a>", content_type=media_type)
        found = only(api)
        assert (found.filename, found.url, found.sha256) == (WHEEL, f"{web.url}files/{WHEEL}", SHA256)
        assert (found.requires_python, found.yanked, found.companions) == (">=3.9", "x", ())

    def test_filename_is_the_decoded_end_of_the_url(self, web, api):
        serve_html(web, '<a href="/f/foo-1.0%2Bcpu-py3-none-any.whl?token=1">foo-1.0..&gt;</a>')
        assert only(api).filename == "foo-1.0+cpu-py3-none-any.whl"

    def test_reads_urls_of_devpi(self, web, http):
        body = f'<html>Links for foo<a href="../../+f/abc/def/{WHEEL}#sha256={SHA256}">{WHEEL}</a></html>'
        web.serve("/u/dev/+simple/foo/", body)
        assert only(SimpleApi(http, f"{web.url}u/dev/+simple/")).url == f"{web.url}u/dev/+f/abc/def/{WHEEL}"

    @pytest.mark.parametrize(("said", "companions"), [("true", (".asc",)), ("false", ()), ("", ())])
    def test_data_gpg_sig_declares_a_signature(self, web, api, said, companions):
        serve_html(web, f'<a href="/{WHEEL}" data-gpg-sig="{said}">x</a>')
        assert only(api).companions == companions

    def test_data_provenance_declares_attestations(self, web, api):
        serve_html(web, f'<a href="/{WHEEL}" data-provenance="/integrity/{WHEEL}">x</a>')
        assert only(api).provenance == f"{web.url}integrity/{WHEEL}"

    def test_listed_signature_file_is_a_companion(self, web, api):
        serve_html(web, f'<a href="/f/{WHEEL}#sha256={SHA256}">x</a><a href="/f/{WHEEL}.asc#sha256=0">x</a>')
        web.serve(f"/f/{WHEEL}.asc", b"signature")
        assert only(api).companions == (".asc",)
        assert api.read_companion(only(api), ".asc") == b"signature"

    def test_newer_major_version_is_refused(self, web, api):
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
    def test_empty_index_page_means_no_files(self, web, api, body):
        web.serve("/simple/foo/", body)
        assert files_of(api) == []

    @pytest.mark.parametrize(
        "body", ["<html><form>Please log in</form></html>", "<html><a href='/'>Home</a></html>"]
    )
    def test_other_page_without_files_is_an_error(self, web, api, body):
        web.serve("/simple/foo/", body)
        with pytest.raises(BackendError, match="not from a package index"):
            files_of(api)


class TestEntries:
    def test_other_files_are_ignored(self, web, api, caplog):
        caplog.set_level(logging.INFO, "wheelrelay")
        odd = ["foo-1.0.exe", "foo-1.0-py2.7.egg", "foo-dev.tar.gz", "../foo-1.0.tar.gz", "bar-1.0.tar.gz"]
        serve_json(web, *({"filename": name} for name in [*odd, WHEEL]))
        assert names_of(api) == [WHEEL]
        assert [record.levelno for record in caplog.records] == [logging.INFO] * len(odd)
        assert all(name in record.getMessage() for name, record in zip(odd, caplog.records, strict=True))

    def test_requested_project_resolves_ambiguous_sdist_names(self, web, api):
        serve_json(web, {"filename": "foo-1.0-1.tar.gz"})
        assert str(only(api).version) == "1.0.post1"

    def test_repeated_entry_is_one_file(self, web, api):
        serve_json(web, {"filename": WHEEL}, {"filename": WHEEL, "hashes": {"sha256": SHA256}})
        assert only(api).sha256 == SHA256

    def test_one_filename_with_two_urls_is_an_error(self, web, api):
        serve_json(web, {"filename": WHEEL}, {"filename": WHEEL, "url": f"/other/{WHEEL}"})
        with pytest.raises(IntegrityError, match="twice"):
            files_of(api)
