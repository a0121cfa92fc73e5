"""A page of links is a source: links, filenames, downloads and companions."""

import hashlib
import logging
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from tests.servers.web import run_web

from wheelrelay.backends.web.files import MAX_COMPANION
from wheelrelay.backends.web.listing import ListingConfig, ListingSource
from wheelrelay.config import as_remote
from wheelrelay.errors import (
    BackendError,
    ConfigError,
    IntegrityError,
    NotFound,
    SizeMismatch,
)
from wheelrelay.http import HttpClient
from wheelrelay.testing import ConfigContract, SourceContract

WHEEL = "foo-1.0-py3-none-any.whl"


OTHER = "foo-1.1-py3-none-any.whl"


SHA256 = hashlib.sha256(b"foo").hexdigest()


SHA512 = hashlib.sha512(b"foo").hexdigest()


MD5 = hashlib.md5(b"foo").hexdigest()


@pytest.fixture
def elsewhere():
    """A server on another port: another host, as far as anybody can tell."""
    with run_web() as server:
        yield server


@pytest.fixture
def http():
    client = HttpClient()
    yield client
    client.close()


def files_at(url, project=None, *, recursive=False):
    with ListingConfig(url=url, recursive=recursive).open() as source:
        assert isinstance(source, ListingSource)
        return list(source.iter_files(project))


def names_at(url, project=None, *, recursive=False):
    return [file.filename for file in files_at(url, project, recursive=recursive)]


def page(*hrefs):
    return "<html><body>" + "\n".join(f'<a href="{href}">link</a>' for href in hrefs) + "</body></html>"


def only(url):
    [file] = files_at(url)
    return file


@contextmanager
def opened(url):
    with ListingConfig(url=url).open() as source:
        assert isinstance(source, ListingSource)
        yield source


class TestListingContract(SourceContract):
    @pytest.fixture
    def serve(self, web, http):
        return lambda folder: ListingSource(http, web.serve_folder(folder, "/wheels/"))


class TestListingConfig(ConfigContract):
    @pytest.fixture
    def config(self):
        return ListingConfig(url="https://example.org/wheels/")


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
    def test_addresses_count_from_the_page(self, web, href, path):
        file = only(web.serve("/a/b/", page(href)))
        assert (file.filename, file.url) == (WHEEL, web.url.rstrip("/") + path)

    @pytest.mark.parametrize(
        "form", ["//{host}/w/{name}", "http://{host}/w/{name}", "HTTP://{host}/w/{name}"]
    )
    def test_addresses_may_name_another_host(self, web, elsewhere, form):
        elsewhere.serve(f"/w/{WHEEL}", b"foo")
        href = form.format(host=urlsplit(elsewhere.url).netloc, name=WHEEL)
        with opened(web.serve("/", page(href))) as source:
            [file] = source.iter_files("foo")
            with source.open(file) as stream:
                assert stream.read(10) == b"foo"

    def test_the_base_of_a_page_counts(self, web):
        body = f'<head><base href="/files/"></head><a href="{WHEEL}">x</a>'
        assert only(web.serve("/a/", body)).url == f"{web.url}files/{WHEEL}"

    @pytest.mark.parametrize(
        "tag", ["<a href={}>", "<a href='{}'>", "<A HREF={}>", '<a class="x y" href = "{}" >']
    )
    def test_any_way_to_write_the_attribute_is_understood(self, web, tag):
        assert names_at(web.serve("/", tag.format(WHEEL) + "x</a>")) == [WHEEL]

    @pytest.mark.parametrize("text", ["foo-1.0..&gt;", "Download", "", OTHER, "<b>foo</b>"])
    def test_the_text_of_a_link_does_not_count(self, web, text):
        assert names_at(web.serve("/", f'<a href="{WHEEL}">{text}</a>')) == [WHEEL]

    def test_a_local_version_is_found_percent_encoded_and_not(self, web):
        names = ["foo-1.0+cpu-py3-none-any.whl", "foo-1!2.0.tar.gz"]
        assert names_at(web.serve("/", page("foo-1.0%2Bcpu-py3-none-any.whl", "foo-1%212.0.tar.gz"))) == names
        assert names_at(web.serve("/", page(*names))) == names

    def test_a_query_is_kept_for_fetching_and_is_no_part_of_the_name(self, web):
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
    def test_fragments_tell_digests_or_nothing(self, web, fragment, known):
        file = only(web.serve("/", page(WHEEL + fragment)))
        assert file.digests.known() == known
        assert file.url == web.url + WHEEL

    def test_what_pep_503_and_592_say_of_a_file_is_taken_over(self, web):
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
    def test_other_links_are_passed_over_quietly(self, web, caplog, href):
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
    def test_what_is_no_plain_filename_never_gets_through(self, web, caplog, href):
        assert names_at(web.serve("/w/", page(href, OTHER))) == [OTHER]
        [record] = caplog.records
        assert record.levelno == logging.WARNING
        assert record.getMessage().isprintable()

    def test_what_looks_like_a_distribution_and_is_none_is_warned_of_once(self, web, caplog):
        with opened(web.serve("/", page("foo-1.0-whatever.whl", "foo-1.0-whatever.whl", WHEEL))) as source:
            for project in ("foo", None, "bar"):
                list(source.iter_files(project))
        [record] = caplog.records
        assert "foo-1.0-whatever.whl" in record.getMessage()

    def test_the_project_decides_where_the_name_of_an_old_sdist_ends(self, web):
        url = web.serve("/", page("foo-1.0-1.tar.gz"))
        assert [str(file.version) for file in files_at(url, "foo")] == ["1.0.post1"]


class TestRepetitions:
    def test_the_same_target_counts_once(self, web):
        url = web.serve("/w/", page(WHEEL, f"./{WHEEL}", f"/w/{WHEEL}", "foo-1%2E0-py3-none-any.whl"))
        assert names_at(url) == [WHEEL]

    def test_every_mention_adds_what_it_knows(self, web):
        file = only(web.serve("/", page(WHEEL, f"{WHEEL}#md5={MD5}", f"{WHEEL}#sha256={SHA256}")))
        assert file.digests.known() == {"md5": MD5, "sha256": SHA256}

    def test_two_targets_with_one_digest_count_once(self, web):
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
    def test_two_targets_without_proof_that_they_are_the_same_are_refused(self, web, one, other):
        url = web.serve("/", page(f"a/{WHEEL}{one}", f"b/{WHEEL}{other}", "bar-1.0.tar.gz"))
        with pytest.raises(IntegrityError, match=rf"(?s)/a/{WHEEL} and .*/b/{WHEEL}"):
            files_at(url, "foo")
        assert names_at(url, "bar") == ["bar-1.0.tar.gz"]

    def test_one_target_with_two_digests_is_refused(self, web):
        url = web.serve("/", page(f"{WHEEL}#sha256={SHA256}", f"{WHEEL}#sha256={'0' * 64}"))
        with pytest.raises(IntegrityError, match="twice"):
            files_at(url)


class TestOpening:
    def test_bytes_come_as_they_are_kept(self, web):
        web.serve("/foo-1.0.tar.gz", b"\x1f\x8b compressed", headers={"Content-Encoding": "gzip"})
        with opened(web.serve("/", page("foo-1.0.tar.gz"))) as source:
            [file] = source.iter_files("foo")
            with source.open(file) as stream:
                assert stream.read(1000) == b"\x1f\x8b compressed"
        assert web.requests[-1].headers["accept-encoding"] == "identity"

    def test_a_page_instead_of_the_file_is_an_error_that_says_so(self, web):
        web.serve(f"/{WHEEL}", "<html>Please log in</html>")
        with (
            opened(web.serve("/", page(WHEEL))) as source,
            pytest.raises(IntegrityError, match="a web page instead of a file"),
            source.open(next(source.iter_files("foo"))),
        ):
            raise AssertionError("it opened")

    def test_a_body_that_is_cut_off_is_noticed(self, web):
        web.serve(f"/{WHEEL}", b"x" * 100_000, cut_after=60_000)
        with opened(web.serve("/", page(WHEEL))) as source:
            [file] = source.iter_files("foo")
            with pytest.raises(SizeMismatch, match="ended early"), source.open(file) as stream:
                list(iter(lambda: stream.read(1000), b""))

    def test_a_file_that_is_gone_is_not_found(self, web):
        with (
            opened(web.serve("/", page(WHEEL))) as source,
            pytest.raises(NotFound),
            source.open(next(source.iter_files("foo"))),
        ):
            raise AssertionError("it opened")


class TestCompanions:
    def test_those_that_are_linked_beside_a_file_are_named_and_read(self, web):
        web.serve(f"/w/{WHEEL}.asc", b"signature")
        with opened(web.serve("/w/", page(f"{WHEEL}.sigstore", WHEEL, f"{WHEEL}.asc", OTHER))) as source:
            signed, unsigned = source.iter_files("foo")
            assert (signed.companions, unsigned.companions) == ((".asc", ".sigstore"), ())
            assert source.read_companion(signed, ".asc") == b"signature"

    def test_those_that_are_linked_elsewhere_are_not(self, web):
        assert only(web.serve("/w/", page(WHEEL, f"sub/{WHEEL}.asc", f"{WHEEL}.asc?sig=1"))).companions == ()

    def test_one_query_for_all_is_kept(self, web):
        web.serve(f"/w/{WHEEL}.asc", b"signature")
        with opened(web.serve("/w/", page(f"{WHEEL}?raw=1", f"{WHEEL}.asc?raw=1"))) as source:
            [file] = source.iter_files("foo")
            assert source.read_companion(file, ".asc") == b"signature"
        assert web.paths()[-1] == f"/w/{WHEEL}.asc?raw=1"

    def test_one_that_is_implausibly_large_is_refused(self, web):
        web.serve(f"/{WHEEL}.asc", b"x" * (MAX_COMPANION + 1))
        with opened(web.serve("/", page(WHEEL))) as source, pytest.raises(BackendError, match="large"):
            source.read_companion(next(source.iter_files("foo")), ".asc")

    def test_a_page_instead_of_one_is_an_error(self, web):
        web.serve(f"/{WHEEL}.asc", "<html>Not here</html>")
        with opened(web.serve("/", page(WHEEL))) as source, pytest.raises(IntegrityError):
            source.read_companion(next(source.iter_files("foo")), ".asc")


def test_an_address_stands_for_a_listing(web):
    url = web.serve("/w/", page(WHEEL))
    with as_remote(f"listing+{url}").open() as source:
        assert isinstance(source, ListingSource)
        assert [file.filename for file in source.iter_files(None)] == [WHEEL]


@pytest.mark.parametrize("url", ["ftp://example.org/", "example.org", "https://user:secret@example.org/"])
def test_an_address_must_be_one_of_the_web_without_credentials(url):
    with pytest.raises(ConfigError, match=r"URL|address"):
        as_remote(f"listing+{url}" if "://" in url else f"listing+https:///{url}")


class TestPlainHttpBelowTls:
    """What a page behind TLS promises holds for a file on plain HTTP only by its digest."""

    NAME = "sample-1.0-py3-none-any.whl"
    URL = f"http://cdn.invalid/{NAME}"

    @pytest.fixture(autouse=True)
    def way(self, web, ca_bundle, monkeypatch):
        """A network in which the file is, and others can change it."""
        monkeypatch.setenv("HTTP_PROXY", web.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca_bundle))
        web.serve(f"/{self.NAME}", b"content")

    def read(self, url):
        with opened(url) as source, source.open(only(url)) as stream:
            return stream.read(100)

    def test_without_a_digest_the_file_is_refused(self, tls_web):
        with pytest.raises(IntegrityError, match=r"is plain HTTP and its link has no digest"):
            self.read(tls_web.serve("/", page(self.URL)))

    def test_so_is_one_whose_address_redirects_there(self, tls_web):
        tls_web.redirect(f"/{self.NAME}", self.URL)
        with pytest.raises(IntegrityError, match="is plain HTTP"):
            self.read(tls_web.serve("/", page(self.NAME)))

    def test_with_a_digest_it_is_read(self, tls_web):
        digest = hashlib.sha256(b"content").hexdigest()
        assert self.read(tls_web.serve("/", page(f"{self.URL}#sha256={digest}"))) == b"content"

    def test_a_page_on_plain_http_has_nothing_to_lose(self, web):
        assert self.read(web.serve("/", page(self.URL))) == b"content"
