"""A page of links is a source: links, filenames, downloads and companions."""

import hashlib
import logging
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from tests.unit.backends.web.listed_files import OTHER, WHEEL, files_at, names_at, page

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
from wheelrelay.testing import ConfigContract, SourceContract

SHA256 = hashlib.sha256(b"foo").hexdigest()


SHA512 = hashlib.sha512(b"foo").hexdigest()


MD5 = hashlib.md5(b"foo").hexdigest()


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
    def test_relative_urls_start_at_the_page(self, web, href, path):
        file = only(web.serve("/a/b/", page(href)))
        assert (file.filename, file.url) == (WHEEL, web.url.rstrip("/") + path)

    @pytest.mark.parametrize(
        "form", ["//{host}/w/{name}", "http://{host}/w/{name}", "HTTP://{host}/w/{name}"]
    )
    def test_urls_can_have_another_host(self, web, elsewhere, form):
        elsewhere.serve(f"/w/{WHEEL}", b"foo")
        href = form.format(host=urlsplit(elsewhere.url).netloc, name=WHEEL)
        with opened(web.serve("/", page(href))) as source:
            [file] = source.iter_files("foo")
            with source.open(file) as stream:
                assert stream.read(10) == b"foo"

    def test_base_element_is_followed(self, web):
        body = f'<head><base href="/files/"></head><a href="{WHEEL}">x</a>'
        assert only(web.serve("/a/", body)).url == f"{web.url}files/{WHEEL}"

    @pytest.mark.parametrize(
        "tag", ["<a href={}>", "<a href='{}'>", "<A HREF={}>", '<a class="x y" href = "{}" >']
    )
    def test_href_is_read_in_every_spelling(self, web, tag):
        assert names_at(web.serve("/", tag.format(WHEEL) + "x</a>")) == [WHEEL]

    @pytest.mark.parametrize("text", ["foo-1.0..&gt;", "Download", "", OTHER, "<b>foo</b>"])
    def test_link_text_is_ignored(self, web, text):
        assert names_at(web.serve("/", f'<a href="{WHEEL}">{text}</a>')) == [WHEEL]

    def test_local_version_can_be_percent_encoded(self, web):
        names = ["foo-1.0+cpu-py3-none-any.whl", "foo-1!2.0.tar.gz"]
        assert names_at(web.serve("/", page("foo-1.0%2Bcpu-py3-none-any.whl", "foo-1%212.0.tar.gz"))) == names
        assert names_at(web.serve("/", page(*names))) == names

    def test_query_is_sent_but_not_part_of_the_filename(self, web):
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
    def test_digests_are_read_from_fragments(self, web, fragment, known):
        file = only(web.serve("/", page(WHEEL + fragment)))
        assert file.digests.known() == known
        assert file.url == web.url + WHEEL

    def test_reads_attributes_of_pep_503_and_592(self, web):
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
    def test_other_links_are_ignored_without_a_warning(self, web, caplog, href):
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
    def test_unsafe_filenames_are_ignored(self, web, caplog, href):
        assert names_at(web.serve("/w/", page(href, OTHER))) == [OTHER]
        [record] = caplog.records
        assert record.levelno == logging.WARNING
        assert record.getMessage().isprintable()

    def test_invalid_distribution_name_is_warned_about_once(self, web, caplog):
        with opened(web.serve("/", page("foo-1.0-whatever.whl", "foo-1.0-whatever.whl", WHEEL))) as source:
            for project in ("foo", None, "bar"):
                list(source.iter_files(project))
        [record] = caplog.records
        assert "foo-1.0-whatever.whl" in record.getMessage()

    def test_requested_project_resolves_ambiguous_sdist_names(self, web):
        url = web.serve("/", page("foo-1.0-1.tar.gz"))
        assert [str(file.version) for file in files_at(url, "foo")] == ["1.0.post1"]


class TestRepeatedLinks:
    def test_repeated_link_is_one_file(self, web):
        url = web.serve("/w/", page(WHEEL, f"./{WHEEL}", f"/w/{WHEEL}", "foo-1%2E0-py3-none-any.whl"))
        assert names_at(url) == [WHEEL]

    def test_repeated_links_add_digests_and_attributes(self, web):
        file = only(web.serve("/", page(WHEEL, f"{WHEEL}#md5={MD5}", f"{WHEEL}#sha256={SHA256}")))
        assert file.digests.known() == {"md5": MD5, "sha256": SHA256}

    def test_two_urls_with_one_digest_are_one_file(self, web):
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
    def test_two_urls_without_equal_digests_are_refused(self, web, one, other):
        url = web.serve("/", page(f"a/{WHEEL}{one}", f"b/{WHEEL}{other}", "bar-1.0.tar.gz"))
        with pytest.raises(IntegrityError, match=rf"(?s)/a/{WHEEL} and .*/b/{WHEEL}"):
            files_at(url, "foo")
        assert names_at(url, "bar") == ["bar-1.0.tar.gz"]

    def test_one_url_with_two_digests_is_refused(self, web):
        url = web.serve("/", page(f"{WHEEL}#sha256={SHA256}", f"{WHEEL}#sha256={'0' * 64}"))
        with pytest.raises(IntegrityError, match="twice"):
            files_at(url)


class TestOpening:
    def test_content_is_not_decoded(self, web):
        web.serve("/foo-1.0.tar.gz", b"\x1f\x8b compressed", headers={"Content-Encoding": "gzip"})
        with opened(web.serve("/", page("foo-1.0.tar.gz"))) as source:
            [file] = source.iter_files("foo")
            with source.open(file) as stream:
                assert stream.read(1000) == b"\x1f\x8b compressed"
        assert web.requests[-1].headers["accept-encoding"] == "identity"

    def test_web_page_instead_of_the_file_is_reported(self, web):
        web.serve(f"/{WHEEL}", "<html>Please log in</html>")
        with (
            opened(web.serve("/", page(WHEEL))) as source,
            pytest.raises(IntegrityError, match="a web page instead of a file"),
            source.open(next(source.iter_files("foo"))),
        ):
            raise AssertionError("it opened")

    def test_truncated_body_is_an_error(self, web):
        web.serve(f"/{WHEEL}", b"x" * 100_000, cut_after=60_000)
        with opened(web.serve("/", page(WHEEL))) as source:
            [file] = source.iter_files("foo")
            with pytest.raises(SizeMismatch, match="ended early"), source.open(file) as stream:
                list(iter(lambda: stream.read(1000), b""))

    def test_deleted_file_is_not_found(self, web):
        with (
            opened(web.serve("/", page(WHEEL))) as source,
            pytest.raises(NotFound),
            source.open(next(source.iter_files("foo"))),
        ):
            raise AssertionError("it opened")


class TestCompanions:
    def test_linked_companions_are_listed_and_read(self, web):
        web.serve(f"/w/{WHEEL}.asc", b"signature")
        with opened(web.serve("/w/", page(f"{WHEEL}.sigstore", WHEEL, f"{WHEEL}.asc", OTHER))) as source:
            signed, unsigned = source.iter_files("foo")
            assert (signed.companions, unsigned.companions) == ((".asc", ".sigstore"), ())
            assert source.read_companion(signed, ".asc") == b"signature"

    def test_companions_with_other_urls_are_ignored(self, web):
        assert only(web.serve("/w/", page(WHEEL, f"sub/{WHEEL}.asc", f"{WHEEL}.asc?sig=1"))).companions == ()

    def test_common_query_is_kept(self, web):
        web.serve(f"/w/{WHEEL}.asc", b"signature")
        with opened(web.serve("/w/", page(f"{WHEEL}?raw=1", f"{WHEEL}.asc?raw=1"))) as source:
            [file] = source.iter_files("foo")
            assert source.read_companion(file, ".asc") == b"signature"
        assert web.paths()[-1] == f"/w/{WHEEL}.asc?raw=1"

    def test_too_large_companion_is_refused(self, web):
        web.serve(f"/{WHEEL}.asc", b"x" * (MAX_COMPANION + 1))
        with opened(web.serve("/", page(WHEEL))) as source, pytest.raises(BackendError, match="large"):
            source.read_companion(next(source.iter_files("foo")), ".asc")

    def test_web_page_instead_of_a_companion_is_an_error(self, web):
        web.serve(f"/{WHEEL}.asc", "<html>Not here</html>")
        with opened(web.serve("/", page(WHEEL))) as source, pytest.raises(IntegrityError):
            source.read_companion(next(source.iter_files("foo")), ".asc")


def test_listing_address_opens_a_listing(web):
    url = web.serve("/w/", page(WHEEL))
    with as_remote(f"listing+{url}").open() as source:
        assert isinstance(source, ListingSource)
        assert [file.filename for file in source.iter_files(None)] == [WHEEL]


@pytest.mark.parametrize("url", ["ftp://example.org/", "example.org", "https://user:secret@example.org/"])
def test_address_must_be_a_web_url_without_credentials(url):
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

    def test_file_without_digest_is_refused(self, tls_web):
        with pytest.raises(IntegrityError, match=r"is plain HTTP and its link has no digest"):
            self.read(tls_web.serve("/", page(self.URL)))

    def test_redirect_to_plain_http_without_digest_is_refused(self, tls_web):
        tls_web.redirect(f"/{self.NAME}", self.URL)
        with pytest.raises(IntegrityError, match="is plain HTTP"):
            self.read(tls_web.serve("/", page(self.NAME)))

    def test_file_with_digest_is_read(self, tls_web):
        digest = hashlib.sha256(b"content").hexdigest()
        assert self.read(tls_web.serve("/", page(f"{self.URL}#sha256={digest}"))) == b"content"

    def test_page_over_plain_http_can_link_plain_http(self, web):
        assert self.read(web.serve("/", page(self.URL))) == b"content"


def test_many_projects_are_read_from_one_request(web):
    counts = []
    for count in (5, 10):
        names = [f"sample-{number}-1.0.tar.gz" for number in range(count)]
        names += [f"wheel{number}-1.0-py3-none-any.whl" for number in range(count)]
        web.serve("/many/", "".join(f'<a href="{name}">{name}</a>' for name in [*names, OTHER]))
        web.requests.clear()
        projects = [f"Sample.{number}" for number in range(count)]
        with opened(f"{web.url}many/") as source:
            found = list(source.iter_files_of([*projects, "wheel1", "missing"]))
        assert [file.filename for file in found] == [*names[:count], "wheel1-1.0-py3-none-any.whl"]
        expected = {"wheel1", *(f"sample-{number}" for number in range(count))}
        assert {file.project for file in found} == expected
        counts.append(len(web.requests))
    assert counts == [1, 1]
