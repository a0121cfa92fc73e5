"""Random pages and JSON documents of indexes and listings."""

import json

import pytest
from hypothesis import strategies as st
from tests.integration.fuzz.conftest import fuzz
from tests.integration.fuzz.strategies import HTML, VALUES
from tests.servers.web import run_web

from wheelrelay.backends.index.simple_api import JSON_TYPE, SimpleApi
from wheelrelay.backends.web.pages import WebPage, companions_of, iter_links, parse_html
from wheelrelay.containers.index_pages.json_form import parse_project_json, parse_root
from wheelrelay.filenames import is_plain
from wheelrelay.http import HttpClient

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]

TYPES = st.sampled_from(["text/html", "application/vnd.pypi.simple.v1+html", "", "image/png"])


@fuzz(
    HTML.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=80),
    TYPES,
    examples=[
        (b"<a" * 200_000, "text/html"),
        (b"<!--" * 200_000, "text/html"),
        (b"<a href=x " + b"a=" * 200_000, "text/html"),
    ],
)
def test_page_is_parsed_or_refused(guard, body, media_type):
    with guard():
        links = list(iter_links(parse_html(WebPage("https://example.org/simple/sample/", media_type, body))))
        companions_of(links)
        assert all(link.url.startswith(("http://", "https://")) for link in links)


@pytest.fixture(scope="module")
def web():
    """A web server."""
    with run_web() as running:
        yield running


@pytest.fixture
def api(web):
    """The Simple API of an index on the web server."""
    return SimpleApi(HttpClient(), f"{web.url}simple/")


FIELDS = st.sampled_from(
    [
        *(
            "filename",
            "url",
            "hashes",
            "sha256",
            "size",
            "yanked",
            "requires-python",
            "upload-time",
            "provenance",
        ),
        *("core-metadata", "dist-info-metadata", "gpg-sig", "version", "etag", "build", "commit"),
    ]
)

DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "meta": st.dictionaries(st.sampled_from(["api-version", "project-status"]), VALUES) | VALUES,
        "name": VALUES,
        "files": st.lists(st.dictionaries(FIELDS, VALUES) | VALUES, max_size=4) | VALUES,
        "projects": st.lists(st.dictionaries(st.just("name"), VALUES) | VALUES, max_size=4) | VALUES,
        "versions": VALUES,
        "project-status": VALUES,
        "_wheelrelay": st.dictionaries(
            st.just("files"), st.lists(st.dictionaries(FIELDS, VALUES), max_size=3)
        ),
    },
)

WRITTEN = (DOCUMENTS | VALUES).map(lambda document: json.dumps(document).encode("utf-8", "surrogatepass"))


@fuzz(
    WRITTEN | st.binary(max_size=40),
    examples=[
        (b"[" * 200_000,),
        (b'{"files": ' + b"[" * 200_000,),
        (b'{"meta": {"api-version": "1.0"}, "files": [{"size": ' + b"9" * 5_000 + b"}]}",),
    ],
)
def test_document_is_parsed_or_refused(guard, api, web, body):
    for path in ("/simple/", "/simple/sample/"):
        web.serve(path, body, content_type=JSON_TYPE)
    with guard():
        for file in api.files("sample", fresh=True):
            assert is_plain(file.filename)
    with guard():
        assert all("/" not in name for name in api.projects())
    web.requests.clear()
    for parse in (parse_project_json, lambda content: parse_root(content).files):
        with guard():
            for entry in parse(body):
                assert is_plain(entry.filename)
