"""A listing of several pages and folders is read completely, or not at all."""

from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.servers.process import free_port
from tests.servers.web import Web, run_web
from tests.unit.backends.web.listed_files import OTHER, WHEEL, files_at, names_at, page

from wheelrelay.backends.web import listing
from wheelrelay.backends.web.listing import ListingConfig, ListingSource
from wheelrelay.errors import (
    BackendError,
    ConfigError,
    NotFound,
    PermissionDenied,
    Rejected,
    SizeMismatch,
    Unavailable,
)

PAGES = Path(__file__).parent / "pages"


ASTROPY = [
    "astropy-1.3.2-1-cp36-cp36m-manylinux1_x86_64.whl",
    (
        "astropy-1.3.2-cp27-cp27m-macosx_10_6_intel."
        "macosx_10_9_intel.macosx_10_9_x86_64.macosx_10_10_intel.macosx_10_10_x86_64.whl"
    ),
    "astropy-1.3.2-cp36-cp36m-win_amd64.whl",
    "astropy-1.3.2.tar.gz",
    "astropy-1.4.dev20170511+g0a1b2c3-cp36-cp36m-manylinux1_x86_64.whl",
]


class WebWithQueries(Web):
    """Answers by path and query where that was served, so that a page can have further pages."""

    def reply_to(self, request):
        return self._replies.get(request.path) or super().reply_to(request)


@pytest.fixture
def pager():
    with run_web(web=WebWithQueries) as server:
        yield server


@contextmanager
def opened(url):
    with ListingConfig(url=url).open() as source:
        assert isinstance(source, ListingSource)
        yield source


class TestPagesOfServers:
    @pytest.mark.parametrize("server", ["nginx", "apache", "staticweb", "rackspace"])
    def test_lists_every_file_with_its_complete_name(self, web, server):
        url = web.serve("/wheels/", (PAGES / f"{server}.html").read_text())
        assert sorted(names_at(url, "astropy")) == ASTROPY
        assert names_at(url, "astropy-helpers") == ["astropy_helpers-1.3-py2.py3-none-any.whl"]

    @pytest.mark.parametrize("server", ["nginx", "apache", "staticweb", "rackspace"])
    def test_listed_files_can_be_opened(self, web, server):
        url = web.serve("/wheels/", (PAGES / f"{server}.html").read_text())
        for name in ASTROPY:
            web.serve(f"/wheels/{name}", name.encode())
        with opened(url) as source:
            for file in source.iter_files("astropy"):
                with source.open(file) as stream:
                    assert stream.read(1000) == file.filename.encode()

    @pytest.mark.parametrize("server", ["nginx", "apache", "staticweb", "rackspace"])
    def test_one_page_needs_one_request(self, web, server):
        names_at(web.serve("/wheels/", (PAGES / f"{server}.html").read_text()))
        assert web.paths() == ["/wheels/"]

    @pytest.mark.parametrize("server", ["nginx", "apache", "staticweb", "rackspace"])
    def test_folders_are_read_if_recursive(self, web, server):
        url = web.serve("/wheels/", (PAGES / f"{server}.html").read_text())
        web.serve("/wheels/nightly/", page("../", "astropy-5.0.tar.gz"))
        assert "astropy-5.0.tar.gz" in names_at(url, "astropy", recursive=True)

    def test_each_page_of_a_listing_is_read_once(self, pager):
        for number in (1, 2, 3):
            pager.serve(f"/wheels/?page={number}", (PAGES / f"paged-{number}.html").read_text())
        url = pager.serve("/wheels/", (PAGES / "paged-1.html").read_text())
        assert sorted(names_at(url, "astropy")) == ASTROPY
        assert sorted(pager.paths()) == ["/wheels/", "/wheels/?page=1", "/wheels/?page=2", "/wheels/?page=3"]


class TestFolders:
    def test_folders_are_not_read_by_default(self, web, caplog):
        url = web.serve("/w/", page("sub/", WHEEL))
        web.serve("/w/sub/", page(OTHER))
        assert names_at(url) == [WHEEL]
        assert not caplog.records

    def test_page_with_folders_only_causes_a_warning(self, web, caplog):
        with opened(web.serve("/w/", page("../", "one/", "two/", "one/?C=N"))) as source:
            assert list(source.iter_files("foo")) == []
            assert list(source.iter_files("foo")) == []
        [record] = caplog.records
        assert "2 folders" in record.getMessage()
        assert "recursive" in record.getMessage()

    def test_nested_folders_are_read(self, web):
        url = web.serve("/w/", page("../", "sub/", WHEEL))
        web.serve("/w/sub/", page("../", "./deeper/"))
        web.serve("/w/sub/deeper/", page("../", "/w/", OTHER))
        assert names_at(url, recursive=True) == [WHEEL, OTHER]
        assert web.paths() == ["/w/", "/w/sub/", "/w/sub/deeper/"]

    def test_folder_named_like_a_wheel_is_a_folder(self, web):
        url = web.serve("/w/", page(f"{WHEEL}/"))
        web.serve(f"/w/{WHEEL}/", page(OTHER))
        assert names_at(url) == []
        assert names_at(url, recursive=True) == [OTHER]

    @pytest.mark.parametrize("start", ["/w", "/w/index.html", "/w/index.htm"])
    def test_index_page_is_the_page_of_its_folder(self, web, start):
        web.serve(start, page("/w/sub/", "/v/", "/wheels/"))
        web.serve("/w/sub/", page(WHEEL))
        assert names_at(web.url + start[1:], recursive=True) == [WHEEL]

    @pytest.mark.parametrize(
        "href",
        [
            "/",
            "../",
            "../other/",
            "/other/",
            "//example.org/w/sub/",
            "https://127.0.0.1/w/sub/",
            "%2e%2e/other/",
            "sub/%2e%2e/%2e%2e/other/",
            "..%2fother/",
            "..%5cother/",
            "sub%00/",
            "/w/sub//",
            "sub/?C=N;O=D",
            "?C=S;O=A",
        ],
    )
    def test_only_folders_below_the_listing_are_read(self, web, href):
        url = web.serve("/w/", page(href, WHEEL))
        assert names_at(url, recursive=True) == [WHEEL]
        assert web.paths() == ["/w/"]

    def test_circular_links_are_read_once(self, web):
        url = web.serve("/w/", page("a/", "b/"))
        web.serve("/w/a/", page("../b/", "../a/", "../", WHEEL))
        web.serve("/w/b/", page("../a/"))
        assert names_at(url, recursive=True) == [WHEEL]
        assert sorted(web.paths()) == ["/w/", "/w/a/", "/w/b/"]

    def test_endless_nesting_is_an_error(self, web):
        for depth in range(listing.MAX_DEPTH + 1):
            web.serve("/w/" + "a/" * depth, page("a/"))
        with pytest.raises(BackendError, match="more than"):
            names_at(f"{web.url}w/", recursive=True)

    def test_too_many_folders_are_an_error(self, web):
        web.serve("/w/", page(*(f"{number}/" for number in range(listing.MAX_PAGES))))
        with pytest.raises(BackendError, match="more than"):
            names_at(f"{web.url}w/", recursive=True)
        assert web.paths() == ["/w/"]

    def test_deepest_allowed_folder_is_read(self, web):
        for depth in range(listing.MAX_DEPTH):
            web.serve("/w/" + "a/" * depth, page("a/"))
        web.serve("/w/" + "a/" * listing.MAX_DEPTH, page(WHEEL))
        assert names_at(f"{web.url}w/", recursive=True) == [WHEEL]

    def test_unreadable_folder_is_an_error(self, web):
        url = web.serve("/w/", page("sub/", WHEEL))
        with pytest.raises(NotFound):
            names_at(url, recursive=True)
        web.serve("/w/sub/", status=503)
        with pytest.raises(Unavailable):
            names_at(url, recursive=True)

    def test_redirect_of_a_folder_out_of_the_listing_is_an_error(self, web, elsewhere):
        url = web.serve("/w/", page("sub/", WHEEL))
        web.serve("/login/", page(OTHER))
        web.redirect("/w/sub/", "/login/")
        with pytest.raises(BackendError, match="outside of the listing"):
            names_at(url, recursive=True)
        web.redirect("/w/sub/", elsewhere.serve("/", page(OTHER)))
        with pytest.raises(Rejected, match="another host"):
            names_at(url, recursive=True)


class TestFurtherPages:
    @pytest.mark.parametrize("key", ["page", "marker", "offset", "continuation-token"])
    def test_link_to_the_same_path_with_another_position_is_followed(self, pager, key):
        url = pager.serve("/w/", page(f"?{key}=2", "?sort=size", "?C=N;O=D", WHEEL))
        pager.serve(f"/w/?{key}=2", page(OTHER, f"?{key}=2"))
        assert names_at(url) == [WHEEL, OTHER]
        assert pager.paths() == ["/w/", f"/w/?{key}=2"]

    def test_page_without_slash_can_have_further_pages(self, pager):
        url = pager.serve("/w", page("?page=2", WHEEL))
        pager.serve("/w?page=2", page(OTHER))
        assert names_at(url) == [WHEEL, OTHER]

    def test_link_with_rel_next_is_followed(self, web):
        url = web.serve("/w/", f'<a rel="nofollow next" href="/w/2/">more</a><a href="{WHEEL}">x</a>')
        web.serve("/w/2/", page(f"../{OTHER}"))
        assert names_at(url) == [WHEEL, OTHER]

    def test_rel_next_out_of_the_listing_is_not_followed(self, web):
        url = web.serve("/w/", f'<a rel="next" href="/v/">next folder</a><a href="{WHEEL}">x</a>')
        assert names_at(url) == [WHEEL]

    def test_pages_of_another_path_are_not_followed(self, web, elsewhere):
        url = web.serve("/w/", page("/v/?page=2", f"{elsewhere.url}w/?page=2", WHEEL))
        assert names_at(url) == [WHEEL]

    def test_missing_further_page_is_an_error(self, pager):
        url = pager.serve("/w/", page("?page=2", WHEEL))
        pager.serve("/w/?page=2", status=404)
        with pytest.raises(NotFound):
            names_at(url)


class TestUnreadablePages:
    @pytest.mark.parametrize(
        ("status", "error"),
        [(404, NotFound), (410, NotFound), (403, PermissionDenied), (400, Rejected), (500, Unavailable)],
    )
    def test_error_status_is_never_an_empty_listing(self, web, status, error):
        with pytest.raises(error):
            files_at(web.serve("/", page(WHEEL), status=status))

    def test_refused_connection_is_an_error(self):
        with pytest.raises(Unavailable, match="Cannot connect"):
            files_at(f"http://127.0.0.1:{free_port()}/")

    @pytest.mark.parametrize("media_type", ["application/json", "text/plain; charset=utf-8", ""])
    def test_other_content_type_is_reported(self, web, media_type):
        with pytest.raises(BackendError, match="not an HTML page"):
            files_at(web.serve("/", page(WHEEL), content_type=media_type))

    @pytest.mark.parametrize("body", ["", "\n", "nothing.html"])
    def test_empty_page_is_an_error(self, web, body):
        with pytest.raises(BackendError, match="empty"):
            files_at(web.serve("/", body))

    def test_malformed_page_is_an_error(self, web):
        body = "<a href='http://[x/sample-1.0.tar.gz'>x</a>"
        with pytest.raises(BackendError, match=r"cannot be parsed as a page of links: \w"):
            files_at(web.serve("/", body))

    def test_page_of_a_newer_simple_api_is_an_error(self, web):
        body = f'<meta name="pypi:repository-version" content="2.0"><a href="{WHEEL}">x</a>'
        with pytest.raises(BackendError, match=r"version 2\.0"):
            files_at(web.serve("/", body))

    def test_truncated_page_is_an_error(self, web):
        with pytest.raises(SizeMismatch):
            files_at(web.serve("/", page(*[WHEEL] * 100), cut_after=1000))

    def test_page_can_have_another_encoding(self, web):
        body = f'<p>Schöne Räder</p><a href="{WHEEL}">ß</a>'.encode("latin-1")
        assert names_at(web.serve("/", body, content_type="text/html; charset=iso-8859-1")) == [WHEEL]

    def test_reads_xhtml(self, web):
        body = f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><a href="{WHEEL}"/></html>'
        url = web.serve("/", body, content_type="application/xhtml+xml")
        assert names_at(url) == [WHEEL]

    @pytest.mark.parametrize("location", ["http://[x", "http://example.org:port/", "ftp://example.org/"])
    def test_redirect_without_target_is_an_error(self, web, location):
        with pytest.raises((BackendError, ConfigError), match=r"URL|address"):
            files_at(web.redirect("/", location))

    def test_listing_can_redirect_to_another_host(self, web, elsewhere):
        elsewhere.serve("/cdn/", page(WHEEL, "sub/"))
        elsewhere.serve("/cdn/sub/", page(OTHER))
        files = files_at(web.redirect("/", f"{elsewhere.url}cdn/"), recursive=True)
        assert [file.url for file in files] == [
            f"{elsewhere.url}cdn/{WHEEL}",
            f"{elsewhere.url}cdn/sub/{OTHER}",
        ]
