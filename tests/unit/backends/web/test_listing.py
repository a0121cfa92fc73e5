"""A page of links is read by where its links lead, whatever server made it and whatever they look like."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.servers.process import free_port
from tests.servers.web import Reply, Request, Web, run_web

from wheelrelay.backends.web import listing
from wheelrelay.backends.web.files import MAX_COMPANION
from wheelrelay.backends.web.listing import ListingConfig, ListingSource
from wheelrelay.config import as_remote
from wheelrelay.errors import (
    BackendError,
    ConfigError,
    IntegrityError,
    NotFound,
    PermissionDenied,
    Rejected,
    SizeMismatch,
    Unavailable,
)
from wheelrelay.http import HttpClient
from wheelrelay.model import DistFile
from wheelrelay.testing import ConfigContract, SourceContract

PAGES = Path(__file__).parent / "pages"

WHEEL = "foo-1.0-py3-none-any.whl"
OTHER = "foo-1.1-py3-none-any.whl"
SHA256 = hashlib.sha256(b"foo").hexdigest()
SHA512 = hashlib.sha512(b"foo").hexdigest()
MD5 = hashlib.md5(b"foo").hexdigest()

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

    def reply_to(self, request: Request) -> Reply:
        return self._replies.get(request.path) or super().reply_to(request)


@pytest.fixture
def pager() -> Iterator[Web]:
    with run_web(web=WebWithQueries) as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[Web]:
    """A server on another port: another host, as far as anybody can tell."""
    with run_web() as server:
        yield server


@pytest.fixture
def http() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


def files_at(url: str, project: str | None = None, *, recursive: bool = False) -> list[DistFile]:
    with ListingConfig(url=url, recursive=recursive).open() as source:
        assert isinstance(source, ListingSource)
        return list(source.iter_files(project))


def names_at(url: str, project: str | None = None, *, recursive: bool = False) -> list[str]:
    return [file.filename for file in files_at(url, project, recursive=recursive)]


def page(*hrefs: str) -> str:
    return "<html><body>" + "\n".join(f'<a href="{href}">link</a>' for href in hrefs) + "</body></html>"


def only(url: str) -> DistFile:
    [file] = files_at(url)
    return file


@contextmanager
def opened(url: str) -> Iterator[ListingSource]:
    with ListingConfig(url=url).open() as source:
        assert isinstance(source, ListingSource)
        yield source


class TestListingContract(SourceContract):
    @pytest.fixture
    def serve(self, web: Web, http: HttpClient) -> Callable[[Path], ListingSource]:
        return lambda folder: ListingSource(http, web.serve_folder(folder, "/wheels/"))


class TestListingConfig(ConfigContract):
    @pytest.fixture
    def config(self) -> ListingConfig:
        return ListingConfig(url="https://example.org/wheels/")


class TestPagesOfServers:
    @pytest.mark.parametrize("server", ["nginx", "apache", "staticweb", "rackspace"])
    def test_every_file_is_found_by_its_whole_name(self, web: Web, server: str) -> None:
        url = web.serve("/wheels/", (PAGES / f"{server}.html").read_text())
        assert sorted(names_at(url, "astropy")) == ASTROPY
        assert names_at(url, "astropy-helpers") == ["astropy_helpers-1.3-py2.py3-none-any.whl"]

    @pytest.mark.parametrize("server", ["nginx", "apache", "staticweb", "rackspace"])
    def test_files_can_be_opened_by_what_the_page_says(self, web: Web, server: str) -> None:
        url = web.serve("/wheels/", (PAGES / f"{server}.html").read_text())
        for name in ASTROPY:
            web.serve(f"/wheels/{name}", name.encode())
        with opened(url) as source:
            for file in source.iter_files("astropy"):
                with source.open(file) as stream:
                    assert stream.read(1000) == file.filename.encode()

    @pytest.mark.parametrize("server", ["nginx", "apache", "staticweb", "rackspace"])
    def test_one_page_takes_one_request(self, web: Web, server: str) -> None:
        names_at(web.serve("/wheels/", (PAGES / f"{server}.html").read_text()))
        assert web.paths() == ["/wheels/"]

    @pytest.mark.parametrize("server", ["nginx", "apache", "staticweb", "rackspace"])
    def test_folders_are_read_if_that_is_asked_for(self, web: Web, server: str) -> None:
        url = web.serve("/wheels/", (PAGES / f"{server}.html").read_text())
        web.serve("/wheels/nightly/", page("../", "astropy-5.0.tar.gz"))
        assert "astropy-5.0.tar.gz" in names_at(url, "astropy", recursive=True)

    def test_a_listing_of_several_pages_is_read_to_its_end_each_once(self, pager: Web) -> None:
        for number in (1, 2, 3):
            pager.serve(f"/wheels/?page={number}", (PAGES / f"paged-{number}.html").read_text())
        url = pager.serve("/wheels/", (PAGES / "paged-1.html").read_text())
        assert sorted(names_at(url, "astropy")) == ASTROPY
        assert sorted(pager.paths()) == ["/wheels/", "/wheels/?page=1", "/wheels/?page=2", "/wheels/?page=3"]


class TestLinks:
    @pytest.mark.parametrize(
        ("href", "path"),
        [
            (WHEEL, f"/a/b/{WHEEL}"),
            (f"./{WHEEL}", f"/a/b/{WHEEL}"),
            (f"../{WHEEL}", f"/a/{WHEEL}"),
            (f"../../x/{WHEEL}", f"/x/{WHEEL}"),
            (f"/rooted/{WHEEL}", f"/rooted/{WHEEL}"),
            (f"  {WHEEL}\n", f"/a/b/{WHEEL}"),
            ("foo-1%2E0-py3-none-any%2Ewhl", f"/a/b/{WHEEL}"),
        ],
    )
    def test_addresses_count_from_the_page(self, web: Web, href: str, path: str) -> None:
        file = only(web.serve("/a/b/", page(href)))
        assert (file.filename, file.url) == (WHEEL, web.url.rstrip("/") + path)

    @pytest.mark.parametrize(
        "form", ["//{host}/w/{name}", "http://{host}/w/{name}", "HTTP://{host}/w/{name}"]
    )
    def test_addresses_may_name_another_host(self, web: Web, elsewhere: Web, form: str) -> None:
        elsewhere.serve(f"/w/{WHEEL}", b"foo")
        href = form.format(host=urlsplit(elsewhere.url).netloc, name=WHEEL)
        with opened(web.serve("/", page(href))) as source:
            [file] = source.iter_files("foo")
            with source.open(file) as stream:
                assert stream.read(10) == b"foo"

    def test_the_base_of_a_page_counts(self, web: Web) -> None:
        body = f'<head><base href="/files/"></head><a href="{WHEEL}">x</a>'
        assert only(web.serve("/a/", body)).url == f"{web.url}files/{WHEEL}"

    @pytest.mark.parametrize(
        "tag", ["<a href={}>", "<a href='{}'>", "<A HREF={}>", '<a class="x y" href = "{}" >']
    )
    def test_any_way_to_write_the_attribute_is_understood(self, web: Web, tag: str) -> None:
        assert names_at(web.serve("/", tag.format(WHEEL) + "x</a>")) == [WHEEL]

    @pytest.mark.parametrize("text", ["foo-1.0..&gt;", "Download", "", OTHER, "<b>foo</b>"])
    def test_the_text_of_a_link_does_not_count(self, web: Web, text: str) -> None:
        assert names_at(web.serve("/", f'<a href="{WHEEL}">{text}</a>')) == [WHEEL]

    def test_a_local_version_is_found_percent_encoded_and_not(self, web: Web) -> None:
        names = ["foo-1.0+cpu-py3-none-any.whl", "foo-1!2.0.tar.gz"]
        assert names_at(web.serve("/", page("foo-1.0%2Bcpu-py3-none-any.whl", "foo-1%212.0.tar.gz"))) == names
        assert names_at(web.serve("/", page(*names))) == names

    def test_a_query_is_kept_for_fetching_and_is_no_part_of_the_name(self, web: Web) -> None:
        web.serve(f"/w/{WHEEL}", b"foo")
        with opened(
            web.serve("/w/", page(f"{WHEEL}?Expires=9&amp;Signature=a%2Bb%3D#sha256={SHA256}"))
        ) as source:
            [file] = source.iter_files("foo")
            with source.open(file):
                pass
        assert (file.filename, file.sha256) == (WHEEL, SHA256)
        assert web.paths()[-1] == f"/w/{WHEEL}?Expires=9&Signature=a%2Bb%3D"

    @pytest.mark.parametrize(
        ("fragment", "known"),
        [
            ("", {}),
            (f"#sha256={SHA256}", {"sha256": SHA256}),
            (f"#SHA256={SHA256.upper()}", {"sha256": SHA256}),
            (f"#sha512={SHA512}", {"sha512": SHA512}),
            (f"#md5={MD5}", {"md5": MD5}),
            (f"#egg=foo&amp;sha256={SHA256}", {"sha256": SHA256}),
            ("#egg=foo-1.0", {}),
            ("#blake2b=00ff", {}),
            ("#sha256=", {}),
            ("#sha256=abc", {}),
            (f"#sha256={'z' * 64}", {}),
            ("#top", {}),
        ],
    )
    def test_fragments_tell_digests_or_nothing(self, web: Web, fragment: str, known: dict[str, str]) -> None:
        file = only(web.serve("/", page(WHEEL + fragment)))
        assert file.digests.known() == known
        assert file.url == web.url + WHEEL

    def test_what_pep_503_and_592_say_of_a_file_is_taken_over(self, web: Web) -> None:
        body = f'<a href="{WHEEL}" data-requires-python="&gt;=3.9" data-yanked>x</a><a href="{OTHER}">y</a>'
        one, other = files_at(web.serve("/", body))
        assert (one.requires_python, one.yanked) == (">=3.9", "")
        assert (other.requires_python, other.yanked) == (None, None)

    @pytest.mark.parametrize(
        "href",
        [
            f"ftp://example.org/{WHEEL}",
            f"file:///srv/{WHEEL}",
            f"javascript:get('{WHEEL}')",
            f"mailto:{WHEEL}",
            f"http://example.org:port/{WHEEL}",
            f"https:///{WHEEL}",
            "",
            "#",
            "README.txt",
            "foo-1.0.exe",
            "foo-1.0-py2.7.egg",
            f"{WHEEL}.metadata",
            f"{WHEEL}.part",
            f"?file={WHEEL}",
            "http://[::1",
        ],
    )
    def test_other_links_are_passed_over_quietly(
        self, web: Web, caplog: pytest.LogCaptureFixture, href: str
    ) -> None:
        assert names_at(web.serve("/", page(href, OTHER))) == [OTHER]
        assert not caplog.records


class TestNames:
    @pytest.mark.parametrize(
        "href",
        [
            f"%2e%2e%2f{WHEEL}",
            f"..%2F..%2F{WHEEL}",
            f"..%5C{WHEEL}",
            f"C%3A%5C{WHEEL}",
            f"..\\..\\{WHEEL}",
            f"foo%0A{WHEEL}",
            f"%1b[31m{WHEEL}",
            f"foo%00{WHEEL}",
            f".{WHEEL}",
            f"-{WHEEL}",
        ],
    )
    def test_what_is_no_plain_filename_never_gets_through(
        self, web: Web, caplog: pytest.LogCaptureFixture, href: str
    ) -> None:
        assert names_at(web.serve("/w/", page(href, OTHER))) == [OTHER]
        [record] = caplog.records
        assert record.levelno == logging.WARNING
        assert record.getMessage().isprintable()

    def test_what_looks_like_a_distribution_and_is_none_is_warned_of_once(
        self, web: Web, caplog: pytest.LogCaptureFixture
    ) -> None:
        with opened(web.serve("/", page("foo-1.0-whatever.whl", "foo-1.0-whatever.whl", WHEEL))) as source:
            for project in ("foo", None, "bar"):
                list(source.iter_files(project))
        [record] = caplog.records
        assert "foo-1.0-whatever.whl" in record.getMessage()

    def test_the_project_decides_where_the_name_of_an_old_sdist_ends(self, web: Web) -> None:
        url = web.serve("/", page("foo-1.0-1.tar.gz"))
        assert [str(file.version) for file in files_at(url, "foo")] == ["1.0.post1"]


class TestRepetitions:
    def test_the_same_target_counts_once(self, web: Web) -> None:
        url = web.serve("/w/", page(WHEEL, f"./{WHEEL}", f"/w/{WHEEL}", "foo-1%2E0-py3-none-any.whl"))
        assert names_at(url) == [WHEEL]

    def test_every_mention_adds_what_it_knows(self, web: Web) -> None:
        file = only(web.serve("/", page(WHEEL, f"{WHEEL}#md5={MD5}", f"{WHEEL}#sha256={SHA256}")))
        assert file.digests.known() == {"md5": MD5, "sha256": SHA256}

    def test_two_targets_with_one_digest_count_once(self, web: Web) -> None:
        url = web.serve("/", page(f"a/{WHEEL}#sha256={SHA256}", f"b/{WHEEL}#sha256={SHA256.upper()}"))
        assert only(url).url == f"{web.url}a/{WHEEL}"

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("", ""),
            (f"#sha256={SHA256}", ""),
            (f"#md5={MD5}", f"#md5={MD5}"),
            (f"#sha256={SHA256}", f"#sha256={'0' * 64}"),
        ],
    )
    def test_two_targets_without_proof_that_they_are_the_same_are_refused(
        self, web: Web, one: str, other: str
    ) -> None:
        url = web.serve("/", page(f"a/{WHEEL}{one}", f"b/{WHEEL}{other}", "bar-1.0.tar.gz"))
        with pytest.raises(IntegrityError, match=rf"(?s)/a/{WHEEL} and .*/b/{WHEEL}"):
            files_at(url, "foo")
        assert names_at(url, "bar") == ["bar-1.0.tar.gz"]

    def test_one_target_with_two_digests_is_refused(self, web: Web) -> None:
        url = web.serve("/", page(f"{WHEEL}#sha256={SHA256}", f"{WHEEL}#sha256={'0' * 64}"))
        with pytest.raises(IntegrityError, match="twice"):
            files_at(url)


class TestFolders:
    def test_they_are_not_read_unless_asked_for(self, web: Web, caplog: pytest.LogCaptureFixture) -> None:
        url = web.serve("/w/", page("sub/", WHEEL))
        web.serve("/w/sub/", page(OTHER))
        assert names_at(url) == [WHEEL]
        assert not caplog.records

    def test_it_is_said_if_there_is_nothing_else(self, web: Web, caplog: pytest.LogCaptureFixture) -> None:
        with opened(web.serve("/w/", page("../", "one/", "two/", "one/?C=N"))) as source:
            assert list(source.iter_files("foo")) == []
            assert list(source.iter_files("foo")) == []
        [record] = caplog.records
        assert "2 folders" in record.getMessage()
        assert "recursive" in record.getMessage()

    def test_they_are_read_as_deep_as_they_lie(self, web: Web) -> None:
        url = web.serve("/w/", page("../", "sub/", WHEEL))
        web.serve("/w/sub/", page("../", "./deeper/"))
        web.serve("/w/sub/deeper/", page("../", "/w/", OTHER))
        assert names_at(url, recursive=True) == [WHEEL, OTHER]
        assert web.paths() == ["/w/", "/w/sub/", "/w/sub/deeper/"]

    def test_a_folder_named_like_a_wheel_is_a_folder(self, web: Web) -> None:
        url = web.serve("/w/", page(f"{WHEEL}/"))
        web.serve(f"/w/{WHEEL}/", page(OTHER))
        assert names_at(url) == []
        assert names_at(url, recursive=True) == [OTHER]

    @pytest.mark.parametrize("start", ["/w", "/w/index.html", "/w/index.htm"])
    def test_a_page_stands_for_its_folder(self, web: Web, start: str) -> None:
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
    def test_what_does_not_lie_below_is_not_read(self, web: Web, href: str) -> None:
        url = web.serve("/w/", page(href, WHEEL))
        assert names_at(url, recursive=True) == [WHEEL]
        assert web.paths() == ["/w/"]

    def test_links_in_circles_are_read_once(self, web: Web) -> None:
        url = web.serve("/w/", page("a/", "b/"))
        web.serve("/w/a/", page("../b/", "../a/", "../", WHEEL))
        web.serve("/w/b/", page("../a/"))
        assert names_at(url, recursive=True) == [WHEEL]
        assert sorted(web.paths()) == ["/w/", "/w/a/", "/w/b/"]

    def test_folders_without_end_are_an_error(self, web: Web) -> None:
        for depth in range(listing.MAX_DEPTH + 1):
            web.serve("/w/" + "a/" * depth, page("a/"))
        with pytest.raises(BackendError, match="more than"):
            names_at(f"{web.url}w/", recursive=True)

    def test_so_are_too_many_of_them(self, web: Web) -> None:
        web.serve("/w/", page(*(f"{number}/" for number in range(listing.MAX_PAGES))))
        with pytest.raises(BackendError, match="more than"):
            names_at(f"{web.url}w/", recursive=True)
        assert web.paths() == ["/w/"]

    def test_the_deepest_folder_allowed_is_read(self, web: Web) -> None:
        for depth in range(listing.MAX_DEPTH):
            web.serve("/w/" + "a/" * depth, page("a/"))
        web.serve("/w/" + "a/" * listing.MAX_DEPTH, page(WHEEL))
        assert names_at(f"{web.url}w/", recursive=True) == [WHEEL]

    def test_a_folder_that_cannot_be_read_is_an_error(self, web: Web) -> None:
        url = web.serve("/w/", page("sub/", WHEEL))
        with pytest.raises(NotFound):
            names_at(url, recursive=True)
        web.serve("/w/sub/", status=503)
        with pytest.raises(Unavailable):
            names_at(url, recursive=True)

    def test_a_folder_that_redirects_out_of_the_listing_is_an_error(self, web: Web, elsewhere: Web) -> None:
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
    def test_a_link_to_the_same_path_with_a_place_in_the_list_is_followed(self, pager: Web, key: str) -> None:
        url = pager.serve("/w/", page(f"?{key}=2", "?sort=size", "?C=N;O=D", WHEEL))
        pager.serve(f"/w/?{key}=2", page(OTHER, f"?{key}=2"))
        assert names_at(url) == [WHEEL, OTHER]
        assert pager.paths() == ["/w/", f"/w/?{key}=2"]

    def test_a_page_without_a_slash_can_go_on_too(self, pager: Web) -> None:
        url = pager.serve("/w", page("?page=2", WHEEL))
        pager.serve("/w?page=2", page(OTHER))
        assert names_at(url) == [WHEEL, OTHER]

    def test_a_link_that_says_that_it_is_the_next_is_followed(self, web: Web) -> None:
        url = web.serve("/w/", f'<a rel="nofollow next" href="/w/2/">more</a><a href="{WHEEL}">x</a>')
        web.serve("/w/2/", page(f"../{OTHER}"))
        assert names_at(url) == [WHEEL, OTHER]

    def test_but_not_out_of_the_listing(self, web: Web) -> None:
        url = web.serve("/w/", f'<a rel="next" href="/v/">next folder</a><a href="{WHEEL}">x</a>')
        assert names_at(url) == [WHEEL]

    def test_the_pages_of_another_path_are_not_ours(self, web: Web, elsewhere: Web) -> None:
        url = web.serve("/w/", page("/v/?page=2", f"{elsewhere.url}w/?page=2", WHEEL))
        assert names_at(url) == [WHEEL]

    def test_a_further_page_that_is_not_there_is_an_error(self, pager: Web) -> None:
        url = pager.serve("/w/", page("?page=2", WHEEL))
        pager.serve("/w/?page=2", status=404)
        with pytest.raises(NotFound):
            names_at(url)


class TestPagesThatCannotBeRead:
    @pytest.mark.parametrize(
        ("status", "error"),
        [(404, NotFound), (410, NotFound), (403, PermissionDenied), (400, Rejected), (500, Unavailable)],
    )
    def test_a_refusal_is_never_an_empty_listing(
        self, web: Web, status: int, error: type[BackendError]
    ) -> None:
        with pytest.raises(error):
            files_at(web.serve("/", page(WHEEL), status=status))

    def test_nobody_there_is_an_error(self) -> None:
        with pytest.raises(Unavailable, match="Cannot connect"):
            files_at(f"http://127.0.0.1:{free_port()}/")

    @pytest.mark.parametrize("media_type", ["application/json", "text/plain; charset=utf-8", ""])
    def test_something_that_is_not_html_is_an_error_that_says_so(self, web: Web, media_type: str) -> None:
        with pytest.raises(BackendError, match="not an HTML page"):
            files_at(web.serve("/", page(WHEEL), content_type=media_type))

    @pytest.mark.parametrize("body", ["", "\n", "nothing.html"])
    def test_a_page_without_anything_is_an_error(self, web: Web, body: str) -> None:
        with pytest.raises(BackendError, match="empty"):
            files_at(web.serve("/", body))

    def test_a_page_that_makes_no_sense_is_an_error(self, web: Web) -> None:
        body = "<a href='http://[x/sample-1.0.tar.gz'>x</a>"
        with pytest.raises(BackendError, match=r"cannot be parsed as a page of links: \w"):
            files_at(web.serve("/", body))

    def test_a_page_of_a_later_simple_api_is_an_error(self, web: Web) -> None:
        body = f'<meta name="pypi:repository-version" content="2.0"><a href="{WHEEL}">x</a>'
        with pytest.raises(BackendError, match=r"version 2\.0"):
            files_at(web.serve("/", body))

    def test_a_page_that_was_cut_off_is_an_error(self, web: Web) -> None:
        with pytest.raises(SizeMismatch):
            files_at(web.serve("/", page(*[WHEEL] * 100), cut_after=1000))

    def test_other_encodings_do_no_harm(self, web: Web) -> None:
        body = f'<p>Schöne Räder</p><a href="{WHEEL}">ß</a>'.encode("latin-1")
        assert names_at(web.serve("/", body, content_type="text/html; charset=iso-8859-1")) == [WHEEL]

    def test_xhtml_is_read_as_html(self, web: Web) -> None:
        body = f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><a href="{WHEEL}"/></html>'
        url = web.serve("/", body, content_type="application/xhtml+xml")
        assert names_at(url) == [WHEEL]

    @pytest.mark.parametrize("location", ["http://[x", "http://example.org:port/", "ftp://example.org/"])
    def test_a_redirect_to_nowhere_is_an_error(self, web: Web, location: str) -> None:
        with pytest.raises((BackendError, ConfigError), match=r"URL|address"):
            files_at(web.redirect("/", location))

    def test_the_listing_itself_may_redirect_anywhere(self, web: Web, elsewhere: Web) -> None:
        elsewhere.serve("/cdn/", page(WHEEL, "sub/"))
        elsewhere.serve("/cdn/sub/", page(OTHER))
        files = files_at(web.redirect("/", f"{elsewhere.url}cdn/"), recursive=True)
        assert [file.url for file in files] == [
            f"{elsewhere.url}cdn/{WHEEL}",
            f"{elsewhere.url}cdn/sub/{OTHER}",
        ]


class TestOpening:
    def test_bytes_come_as_they_are_kept(self, web: Web) -> None:
        web.serve("/foo-1.0.tar.gz", b"\x1f\x8b compressed", headers={"Content-Encoding": "gzip"})
        with opened(web.serve("/", page("foo-1.0.tar.gz"))) as source:
            [file] = source.iter_files("foo")
            with source.open(file) as stream:
                assert stream.read(1000) == b"\x1f\x8b compressed"
        assert web.requests[-1].headers["accept-encoding"] == "identity"

    def test_a_page_instead_of_the_file_is_an_error_that_says_so(self, web: Web) -> None:
        web.serve(f"/{WHEEL}", "<html>Please log in</html>")
        with (
            opened(web.serve("/", page(WHEEL))) as source,
            pytest.raises(IntegrityError, match="a web page instead of a file"),
            source.open(next(source.iter_files("foo"))),
        ):
            raise AssertionError("it opened")

    def test_a_body_that_is_cut_off_is_noticed(self, web: Web) -> None:
        web.serve(f"/{WHEEL}", b"x" * 100_000, cut_after=60_000)
        with opened(web.serve("/", page(WHEEL))) as source:
            [file] = source.iter_files("foo")
            with pytest.raises(SizeMismatch, match="ended early"), source.open(file) as stream:
                list(iter(lambda: stream.read(1000), b""))

    def test_a_file_that_is_gone_is_not_found(self, web: Web) -> None:
        with (
            opened(web.serve("/", page(WHEEL))) as source,
            pytest.raises(NotFound),
            source.open(next(source.iter_files("foo"))),
        ):
            raise AssertionError("it opened")


class TestCompanions:
    def test_those_that_are_linked_beside_a_file_are_named_and_read(self, web: Web) -> None:
        web.serve(f"/w/{WHEEL}.asc", b"signature")
        with opened(web.serve("/w/", page(f"{WHEEL}.sigstore", WHEEL, f"{WHEEL}.asc", OTHER))) as source:
            signed, unsigned = source.iter_files("foo")
            assert (signed.companions, unsigned.companions) == ((".asc", ".sigstore"), ())
            assert source.read_companion(signed, ".asc") == b"signature"

    def test_those_that_are_linked_elsewhere_are_not(self, web: Web) -> None:
        assert only(web.serve("/w/", page(WHEEL, f"sub/{WHEEL}.asc", f"{WHEEL}.asc?sig=1"))).companions == ()

    def test_one_query_for_all_is_kept(self, web: Web) -> None:
        web.serve(f"/w/{WHEEL}.asc", b"signature")
        with opened(web.serve("/w/", page(f"{WHEEL}?raw=1", f"{WHEEL}.asc?raw=1"))) as source:
            [file] = source.iter_files("foo")
            assert source.read_companion(file, ".asc") == b"signature"
        assert web.paths()[-1] == f"/w/{WHEEL}.asc?raw=1"

    def test_one_that_is_implausibly_large_is_refused(self, web: Web) -> None:
        web.serve(f"/{WHEEL}.asc", b"x" * (MAX_COMPANION + 1))
        with opened(web.serve("/", page(WHEEL))) as source, pytest.raises(BackendError, match="large"):
            source.read_companion(next(source.iter_files("foo")), ".asc")

    def test_a_page_instead_of_one_is_an_error(self, web: Web) -> None:
        web.serve(f"/{WHEEL}.asc", "<html>Not here</html>")
        with opened(web.serve("/", page(WHEEL))) as source, pytest.raises(IntegrityError):
            source.read_companion(next(source.iter_files("foo")), ".asc")


def test_an_address_stands_for_a_listing(web: Web) -> None:
    url = web.serve("/w/", page(WHEEL))
    with as_remote(f"listing+{url}").open() as source:
        assert isinstance(source, ListingSource)
        assert [file.filename for file in source.iter_files(None)] == [WHEEL]


@pytest.mark.parametrize("url", ["ftp://example.org/", "example.org", "https://user:secret@example.org/"])
def test_an_address_must_be_one_of_the_web_without_credentials(url: str) -> None:
    with pytest.raises(ConfigError, match=r"URL|address"):
        as_remote(f"listing+{url}" if "://" in url else f"listing+https:///{url}")


class TestPlainHttpBelowTls:
    """What a page behind TLS promises holds for a file on plain HTTP only by its digest."""

    NAME = "sample-1.0-py3-none-any.whl"
    URL = f"http://cdn.invalid/{NAME}"

    @pytest.fixture(autouse=True)
    def way(self, web: Web, ca_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A network in which the file is, and others can change it."""
        monkeypatch.setenv("HTTP_PROXY", web.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca_bundle))
        web.serve(f"/{self.NAME}", b"content")

    def read(self, url: str) -> bytes:
        with opened(url) as source, source.open(only(url)) as stream:
            return stream.read(100)

    def test_without_a_digest_the_file_is_refused(self, tls_web: Web) -> None:
        with pytest.raises(IntegrityError, match=r"is plain HTTP and its link has no digest"):
            self.read(tls_web.serve("/", page(self.URL)))

    def test_so_is_one_whose_address_redirects_there(self, tls_web: Web) -> None:
        tls_web.redirect(f"/{self.NAME}", self.URL)
        with pytest.raises(IntegrityError, match="is plain HTTP"):
            self.read(tls_web.serve("/", page(self.NAME)))

    def test_with_a_digest_it_is_read(self, tls_web: Web) -> None:
        digest = hashlib.sha256(b"content").hexdigest()
        assert self.read(tls_web.serve("/", page(f"{self.URL}#sha256={digest}"))) == b"content"

    def test_a_page_on_plain_http_has_nothing_to_lose(self, web: Web) -> None:
        assert self.read(web.serve("/", page(self.URL))) == b"content"
