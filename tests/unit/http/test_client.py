"""An HTTP client: requests, bodies, TLS, proxies and redirects."""

import ssl
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, quote_plus

import pytest
import trustme
from tests.servers.web import Reply, run_web
from tests.unit.http.clients import SECRET, authorizations, client_for, fetch

from wheelrelay.errors import (
    BackendError,
    ConfigError,
    Rejected,
    Unavailable,
)
from wheelrelay.http import (
    BasicAuth,
    HttpClient,
    RawBody,
)
from wheelrelay.http.pools import proxy_for


class TestBodies:
    def test_compressed_file_is_not_decompressed(self, http, web):
        url = web.serve("/a.tar.gz", b"\x1f\x8b rest", headers={"Content-Encoding": "gzip"})
        with http.get(url) as response:
            assert RawBody(response).read(100) == b"\x1f\x8b rest"

    def test_connections_are_reused(self, http, web):
        url = web.serve("/page", b"content")
        seen = set()
        for _ in range(3):
            with http.get(url) as response:
                seen.add(response.raw.connection.sock.getsockname() if response.raw.connection else None)
                assert response.content == b"content"
        assert len(seen) == 1

    def test_threads_send_requests_concurrently(self, http, web):
        url = web.serve("/page", b"content", delay=0.2)
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(lambda _: fetch(http, url), range(8))) == [b"content"] * 8
        assert web.most_at_once == 8

    def test_post_returns_any_status(self, http, web):
        url = web.serve("/legacy/", b"no", status=400, content_type="text/plain")
        answer = http.post(url, body=b"form", headers={"Content-Type": "text/plain"})
        assert (answer.status_code, answer.text) == (400, "no")
        assert web.requests[0].body == b"form"

    def test_post_does_not_follow_redirects(self, http, web):
        url = web.redirect("/legacy", web.url + "elsewhere", status=307)
        assert http.post(url, body=b"form", headers={}).status_code == 307
        assert web.paths() == ["/legacy"]

    def test_send_adds_no_credentials(self, web, home):
        (home / ".netrc").write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
        client = client_for(web.url)
        url = web.serve("/object", status=201)
        with client.send("PUT", url, body=b"bytes", headers={"X-Auth-Token": "t"}) as answer:
            assert answer.status_code == 201
        assert (web.requests[0].method, web.requests[0].body) == ("PUT", b"bytes")
        assert authorizations(web) == [None]

    def test_reconnects_after_close(self, http, web):
        url = web.serve("/page", b"content")
        fetch(http, url)
        http.close()
        assert fetch(http, url) == b"content"

    def test_sends_user_agent(self, http, web):
        fetch(http, web.serve("/page"))
        assert web.requests[0].headers["user-agent"].startswith("wheelrelay/")

    def test_uses_configured_proxy(self, http, web, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page", b"by proxy")
        assert fetch(http, "http://index.invalid/page") == b"by proxy"
        assert web.paths() == ["http://index.invalid/page"]

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
    def test_loopback_needs_no_proxy(self, host, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
        assert proxy_for(f"http://{host}:8080/simple/") is None
        assert proxy_for("http://10.0.0.1:8080/simple/") == "http://proxy.invalid:3128"

    @pytest.mark.parametrize(
        "login", ["me:secret/x", "me:secret#x", "me:sec[ret", "me:secret:80/x", "secret:"], ids=str
    )
    def test_invalid_proxy_url_is_not_quoted(self, http, login, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", f"http://{login}@/" if login == "secret:" else f"http://{login}@h:1")
        with pytest.raises(ConfigError, match="The proxy URL in the environment") as caught:
            fetch(http, "http://index.invalid/page")
        assert "sec" not in str(caught.value).replace("percent", "")

    def test_proxy_password_may_have_any_characters(self, http, web, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", web.url.replace("http://", "http://me:s€cret@"))
        web.serve("/page", b"by proxy")
        assert fetch(http, "http://index.invalid/page") == b"by proxy"
        sent = web.requests[0].headers["proxy-authorization"].removeprefix("Basic ")
        assert b64decode(sent).decode() == "me:s€cret"

    @pytest.mark.parametrize("spell", [str, quote, quote_plus], ids=["plain", "quote", "quote_plus"])
    def test_proxy_password_is_masked_in_any_encoding(self, web, spell):
        said = f"Not for {spell('a/+ b')}.".encode()
        client = HttpClient(auth=BasicAuth("me", "a/+ b"), origins=(web.url,))
        with pytest.raises(Rejected, match=r"Not for \*\*\*"):
            fetch(client, web.serve("/page", said, status=400, content_type="text/plain"))


class TestTLS:
    def test_untrusted_certificate_is_rejected_and_ca_cert_is_named(self, http, tls_web, monkeypatch):
        with pytest.raises(BackendError, match=r"certificate of .* is not valid: .*ca_cert") as caught:
            fetch(http, tls_web.serve("/page"))
        assert not caught.value.retryable

    def test_configured_ca_bundle_overrides_the_environment(self, tls_web, ca_bundle, tmp_path, monkeypatch):
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
        client = HttpClient(ca_cert=str(ca_bundle))
        assert fetch(client, tls_web.serve("/page", b"content")) == b"content"

    def test_sends_client_certificate(self, authority, ca_bundle, tmp_path):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(ca_bundle))
        context.verify_mode = ssl.CERT_REQUIRED
        authority.issue_cert("127.0.0.1").configure_cert(context)
        mine = tmp_path / "client.pem"
        authority.issue_cert("me@example.org").private_key_and_cert_chain_pem.write_to_path(str(mine))
        with run_web(tls=context) as strict:
            page = strict.serve("/page", b"content")
            client = HttpClient(ca_cert=str(ca_bundle), client_cert=str(mine), own_urls=(strict.url,))
            assert fetch(client, page) == b"content"
            with pytest.raises(Unavailable):
                fetch(HttpClient(ca_cert=str(ca_bundle)), page)
            elsewhere = HttpClient(
                ca_cert=str(ca_bundle), client_cert=str(mine), own_urls=("https://packages.example.org/",)
            )
            with pytest.raises(Unavailable):  # a page that leads here cannot see whose certificate it is
                fetch(elsewhere, page)

    def test_broken_tls_connection_is_retryable(self, web):
        with pytest.raises(Unavailable):
            fetch(HttpClient(), web.url.replace("http:", "https:"))

    def test_missing_certificate_is_a_configuration_error(self, tmp_path):
        with pytest.raises(ConfigError, match=r"nowhere\.pem does not exist"):
            HttpClient(ca_cert=str(tmp_path / "nowhere.pem"))


class TestRedirects:
    def test_cross_origin_redirect_is_rejected_with_same_host(self, http, web, other_web):
        url = web.redirect("/simple/foo/", other_web.serve("/simple/foo/", b"another's content"))
        with (
            pytest.raises(Rejected, match=f"another host, {other_web.url.rstrip('/')}, which"),
            http.get(url, same_host=True),
        ):
            pass
        assert other_web.requests == []

    def test_redirect_within_the_host_is_followed(self, http, web):
        web.serve("/simple/foo/", b"content")
        with http.get(web.redirect("/simple/foo", "/simple/foo/"), same_host=True) as response:
            assert response.content == b"content"

    def test_endless_redirects_are_an_error(self, http, web):
        with pytest.raises(BackendError):
            fetch(http, web.redirect("/round", web.url + "round"))


def test_next_request_succeeds_after_a_temporary_error(http, web):
    url = web.serve("/page", b"content")
    web.fail("/page", Reply(status=503))
    with pytest.raises(Unavailable):
        fetch(http, url)
    assert fetch(http, url) == b"content"


def test_asks_for_a_plus_in_a_path_as_pip_does(http, web):
    address = web.serve("/files/sample-2.0+cu121-py3-none-any.whl", b"content")
    with http.get(f"{address}?signature=a+b") as answer:
        assert answer.content == b"content"
    assert web.paths() == ["/files/sample-2.0%2Bcu121-py3-none-any.whl?signature=a+b"]
