"""HTTP for a remote: errors are ours, and credentials stay where they belong."""

import re
import socket
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import trustme
from tests.servers.process import free_port
from tests.servers.web import Reply, Web, run_web

from wheelrelay.backends.index.upload import upload
from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    BackendError,
    ConfigError,
    NotFound,
    PermissionDenied,
    Rejected,
    SizeMismatch,
    Unavailable,
    WheelrelayError,
)
from wheelrelay.http import (
    Auth,
    BasicAuth,
    HttpClient,
    RawBody,
    Response,
    display_url,
    is_same_host,
    is_secure,
    origin_of,
)
from wheelrelay.http.pools import proxy_for
from wheelrelay.testing import make_wheel, stage_path

SECRET = "hunter2"


def basic(password: str) -> str:
    """The header of the user ``me``."""
    return "Basic " + b64encode(f"me:{password}".encode()).decode()


BASIC = basic(SECRET)


@pytest.fixture
def http() -> Iterator[HttpClient]:
    """A client without credentials."""
    client = HttpClient()
    yield client
    client.close()


@pytest.fixture
def other_web() -> Iterator[Web]:
    """A web server on another port, and so of another origin."""
    with run_web() as server:
        yield server


def client_for(*origins: str, allow_insecure: bool = False, ca_cert: Path | None = None) -> HttpClient:
    """A client with credentials for some origins."""
    return HttpClient(
        auth=BasicAuth("me", SECRET),
        origins=origins,
        allow_insecure=allow_insecure,
        ca_cert=str(ca_cert) if ca_cert else None,
    )


def fetch(client: HttpClient, url: str) -> bytes:
    """The content at ``url``."""
    with client.get(url) as response:
        return response.content


def authorizations(web: Web) -> list[str | None]:
    """The credentials of each request that came in."""
    return [request.headers.get("authorization") for request in web.requests]


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (401, AuthenticationFailed),
            (403, PermissionDenied),
            (404, NotFound),
            (410, NotFound),
            (400, Rejected),
            (405, Rejected),
            (413, Rejected),
            (409, Rejected),
            (418, Rejected),
            (304, Rejected),
            (408, Unavailable),
            (425, Unavailable),
            (429, Unavailable),
            (500, Unavailable),
            (503, Unavailable),
        ],
    )
    def test_each_status_has_its_error(
        self, http: HttpClient, web: Web, status: int, kind: type[WheelrelayError]
    ) -> None:
        url = web.serve("/page", status=status)
        with pytest.raises(WheelrelayError, match=f"{url} returned {status}") as caught:
            fetch(http, url)
        assert type(caught.value) is kind

    def test_a_refusal_repeats_the_servers_own_words(self, http: HttpClient, web: Web) -> None:
        url = web.serve("/page", b"Project name\nis too short.", status=400, content_type="text/plain")
        with pytest.raises(Rejected) as caught:
            fetch(http, url)
        assert caught.value.message == f"{url} returned 400: Project name is too short."
        assert caught.value.status == 400

    @pytest.mark.parametrize(
        ("status", "advice"),
        [(304, "Check the URL"), (400, "Fix the problem"), (405, "does not support"), (413, "of this size")],
    )
    def test_a_refusal_says_what_to_do_about_it(
        self, http: HttpClient, web: Web, status: int, advice: str
    ) -> None:
        with pytest.raises(Rejected, match=advice):
            fetch(http, web.serve("/page", status=status))

    def test_a_page_of_html_is_not_repeated(self, http: HttpClient, web: Web) -> None:
        url = web.serve("/page", "<h1>Oh no</h1>", status=500)
        with pytest.raises(Unavailable, match="returned 500: Internal Server Error"):
            fetch(http, url)

    def test_what_a_server_says_cannot_steer_the_terminal(self, http: HttpClient, web: Web) -> None:
        url = web.serve("/page", b"\x1b]0;owned\x07" + b"x" * 5000, status=400, content_type="text/plain")
        with pytest.raises(Rejected) as caught:
            fetch(http, url)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 500

    @pytest.mark.parametrize(
        "say",
        [lambda: "7", lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=7), usegmt=True)],
        ids=["seconds", "date"],
    )
    def test_the_wait_that_a_server_asks_for_is_passed_on(
        self, http: HttpClient, web: Web, say: Callable[[], str]
    ) -> None:
        url = web.serve("/page", status=429, headers={"Retry-After": say()})
        with pytest.raises(Unavailable) as caught:
            fetch(http, url)
        assert caught.value.retry_after is not None
        assert 0 <= caught.value.retry_after <= 7

    @pytest.mark.parametrize(
        "said", ["soon", "", "-5", "nan", "\u00b2", "-inf", "Mon, 99 Foo 2026", "1 Jan 99999 00:00:00 GMT"]
    )
    def test_a_wait_that_says_nothing_is_none(self, http: HttpClient, web: Web, said: str) -> None:
        url = web.serve("/page", status=503, headers={"Retry-After": said})
        with pytest.raises(Unavailable) as caught:
            fetch(http, url)
        assert caught.value.retry_after is None

    def test_a_wait_that_is_over_is_no_wait(self, http: HttpClient, web: Web) -> None:
        past = format_datetime(datetime.now(UTC) - timedelta(hours=1), True)
        url = web.serve("/page", status=503, headers={"Retry-After": past})
        with pytest.raises(Unavailable) as caught:
            fetch(http, url)
        assert caught.value.retry_after == 0.0

    def test_nobody_listening_may_pass(self, http: HttpClient) -> None:
        with pytest.raises(Unavailable, match=r"Cannot connect to .*: Connection refused\. Check the URL"):
            fetch(http, f"http://127.0.0.1:{free_port()}/")

    def test_a_server_that_hangs_up_may_come_back(self, http: HttpClient) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: listener.accept()[0].close())
            with pytest.raises(Unavailable):
                fetch(http, f"http://127.0.0.1:{listener.getsockname()[1]}/")

    @pytest.mark.parametrize("cut_after", [0, 10, 900_000])
    def test_a_body_that_ends_early_is_told_from_a_whole_one(
        self, http: HttpClient, web: Web, cut_after: int
    ) -> None:
        url = web.serve("/file", b"x" * 1_000_000, cut_after=cut_after)
        with pytest.raises(SizeMismatch, match="ended early"), http.get(url) as response:
            list(iter(lambda: RawBody(response).read(1 << 16), b""))

    def test_an_address_that_is_none_is_a_configuration_error(self, http: HttpClient) -> None:
        with pytest.raises(ConfigError, match="not a usable URL"):
            fetch(http, "http://*example.org/")

    def test_no_error_shows_what_an_address_may_hide(self, http: HttpClient, web: Web) -> None:
        url = web.serve("/signed", status=403) + f"?signature={SECRET}#{SECRET}"
        with pytest.raises(PermissionDenied) as caught:
            fetch(http, url)
        assert SECRET not in str(caught.value)


class TestBodies:
    def test_a_file_that_is_itself_compressed_stays_as_it_is(self, http: HttpClient, web: Web) -> None:
        url = web.serve("/a.tar.gz", b"\x1f\x8b rest", headers={"Content-Encoding": "gzip"})
        with http.get(url) as response:
            assert RawBody(response).read(100) == b"\x1f\x8b rest"

    def test_a_connection_is_used_again(self, http: HttpClient, web: Web) -> None:
        url = web.serve("/page", b"content")
        seen = set()
        for _ in range(3):
            with http.get(url) as response:
                seen.add(response.raw.connection.sock.getsockname() if response.raw.connection else None)
                assert response.content == b"content"
        assert len(seen) == 1

    def test_threads_ask_side_by_side(self, http: HttpClient, web: Web) -> None:
        url = web.serve("/page", b"content", delay=0.2)
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(lambda _: fetch(http, url), range(8))) == [b"content"] * 8
        assert web.most_at_once == 8

    def test_a_post_gives_the_answer_whatever_it_is(self, http: HttpClient, web: Web) -> None:
        url = web.serve("/legacy/", b"no", status=400, content_type="text/plain")
        answer = http.post(url, body=b"form", headers={"Content-Type": "text/plain"})
        assert (answer.status_code, answer.text) == (400, "no")
        assert web.requests[0].body == b"form"

    def test_a_post_is_not_sent_on_by_a_redirect(self, http: HttpClient, web: Web) -> None:
        url = web.redirect("/legacy", web.url + "elsewhere", status=307)
        assert http.post(url, body=b"form", headers={}).status_code == 307
        assert web.paths() == ["/legacy"]

    def test_anything_can_be_sent_with_the_given_headers_alone(self, web: Web, home: Path) -> None:
        (home / ".netrc").write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
        client = client_for(web.url)
        url = web.serve("/object", status=201)
        with client.send("PUT", url, body=b"bytes", headers={"X-Auth-Token": "t"}) as answer:
            assert answer.status_code == 201
        assert (web.requests[0].method, web.requests[0].body) == ("PUT", b"bytes")
        assert authorizations(web) == [None]

    def test_after_closing_it_opens_new_connections(self, http: HttpClient, web: Web) -> None:
        url = web.serve("/page", b"content")
        fetch(http, url)
        http.close()
        assert fetch(http, url) == b"content"

    def test_it_says_who_asks(self, http: HttpClient, web: Web) -> None:
        fetch(http, web.serve("/page"))
        assert web.requests[0].headers["user-agent"].startswith("wheelrelay/")

    def test_a_proxy_is_asked_where_one_is_set(
        self, http: HttpClient, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page", b"by proxy")
        assert fetch(http, "http://index.invalid/page") == b"by proxy"
        assert web.paths() == ["http://index.invalid/page"]

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
    def test_what_is_within_this_machine_is_asked_without_a_proxy(
        self, host: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
        assert proxy_for(f"http://{host}:8080/simple/") is None
        assert proxy_for("http://10.0.0.1:8080/simple/") == "http://proxy.invalid:3128"

    @pytest.mark.parametrize(
        "login", ["me:secret/x", "me:secret#x", "me:sec[ret", "me:secret:80/x", "secret:"], ids=str
    )
    def test_a_proxy_with_an_unusable_address_is_told_without_it(
        self, http: HttpClient, login: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", f"http://{login}@/" if login == "secret:" else f"http://{login}@h:1")
        with pytest.raises(ConfigError, match="The proxy URL in the environment") as caught:
            fetch(http, "http://index.invalid/page")
        assert "sec" not in str(caught.value).replace("percent", "")

    def test_any_password_may_go_to_a_proxy(
        self, http: HttpClient, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", web.url.replace("http://", "http://me:s€cret@"))
        web.serve("/page", b"by proxy")
        assert fetch(http, "http://index.invalid/page") == b"by proxy"
        sent = web.requests[0].headers["proxy-authorization"].removeprefix("Basic ")
        assert b64decode(sent).decode() == "me:s€cret"

    @pytest.mark.parametrize("spell", [str, quote, quote_plus], ids=["plain", "quote", "quote_plus"])
    def test_a_password_that_is_repeated_is_masked_however_it_is_spelled(
        self, web: Web, spell: Callable[[str], str]
    ) -> None:
        said = f"Not for {spell('a/+ b')}.".encode()
        client = HttpClient(auth=BasicAuth("me", "a/+ b"), origins=(web.url,))
        with pytest.raises(Rejected, match=r"Not for \*\*\*"):
            fetch(client, web.serve("/page", said, status=400, content_type="text/plain"))


class TestCredentials:
    def test_they_go_to_their_origin(self, web: Web) -> None:
        fetch(client_for(web.url), web.serve("/page", credentials=("me", SECRET)))
        assert authorizations(web) == [BASIC]

    def test_they_go_with_a_post_too(self, web: Web) -> None:
        client_for(web.url).post(web.serve("/legacy/"), body=b"", headers={})
        assert authorizations(web) == [BASIC]

    def test_they_do_not_go_to_another_port(self, web: Web, other_web: Web) -> None:
        fetch(client_for(web.url), other_web.serve("/page"))
        assert authorizations(other_web) == [None]

    def test_they_are_dropped_on_a_redirect_to_another_port(self, web: Web, other_web: Web) -> None:
        fetch(client_for(web.url), web.redirect("/here", other_web.serve("/there")))
        assert (authorizations(web), authorizations(other_web)) == ([BASIC], [None])

    def test_they_are_dropped_on_a_redirect_to_another_host(self, web: Web) -> None:
        there = web.serve("/there").replace("127.0.0.1", "localhost")
        fetch(client_for(web.url), web.redirect("/here", there))
        assert authorizations(web) == [BASIC, None]

    def test_they_are_dropped_on_a_redirect_from_tls_to_plain_http(
        self, tls_web: Web, web: Web, ca_bundle: Path
    ) -> None:
        fetch(client_for(tls_web.url, ca_cert=ca_bundle), tls_web.redirect("/here", web.serve("/there")))
        assert (authorizations(tls_web), authorizations(web)) == ([BASIC], [None])

    def test_they_stay_on_a_redirect_within_the_origin(self, web: Web) -> None:
        fetch(client_for(web.url), web.redirect("/here", web.serve("/there")))
        assert authorizations(web) == [BASIC, BASIC]

    @pytest.mark.parametrize("host", ["index.invalid", "127.0.0.1.index.invalid", "10.0.0.1"])
    def test_they_do_not_go_over_plain_http_to_another_machine(
        self, web: Web, host: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page")
        fetch(client_for(f"http://{host}/"), f"http://{host}/page")
        assert authorizations(web) == [None]

    def test_credentials_that_were_not_sent_for_that_reason_are_named_as_the_reason(
        self, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page", credentials=("me", SECRET))
        with pytest.raises(AuthenticationFailed, match=r"not sent over plain HTTP\. Use https"):
            fetch(client_for("http://index.invalid/"), "http://index.invalid/page")

    def test_they_do_if_the_configuration_insists(self, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page")
        fetch(client_for("http://index.invalid/", allow_insecure=True), "http://index.invalid/page")
        assert authorizations(web) == [BASIC]

    def test_those_of_netrc_are_used_where_none_are_configured(
        self, http: HttpClient, web: Web, home: Path
    ) -> None:
        (home / ".netrc").write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
        fetch(http, web.serve("/page"))
        assert authorizations(web) == [BASIC]

    def test_those_of_netrc_do_not_go_over_plain_http_to_another_machine(
        self, http: HttpClient, web: Web, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (home / ".netrc").write_text(f"machine index.invalid login me password {SECRET}\n")
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page")
        web.redirect("/here", "http://index.invalid/page")
        fetch(http, "http://index.invalid/page")
        fetch(http, web.url + "here")
        assert authorizations(web) == [None, None, None]

    def test_those_of_netrc_do_not_go_along_to_another_host(
        self, http: HttpClient, web: Web, home: Path
    ) -> None:
        (home / ".netrc").write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
        there = web.serve("/there").replace("127.0.0.1", "localhost")
        fetch(http, web.redirect("/here", there))
        assert authorizations(web) == [BASIC, None]

    def test_the_default_of_netrc_is_for_the_remotes_own_addresses_alone(
        self, web: Web, other_web: Web, home: Path
    ) -> None:
        (home / ".netrc").write_text(f"default login me password {SECRET}\n")
        client = HttpClient(own_urls=(web.url,))
        fetch(client, web.serve("/page"))
        fetch(client, other_web.serve("/named-by-the-page"))
        assert (authorizations(web), authorizations(other_web)) == ([BASIC], [None])

    @pytest.mark.parametrize("entry", ["machine localhost", "default"])
    def test_no_entry_of_netrc_is_used_after_a_redirect_to_another_host(
        self, web: Web, home: Path, entry: str
    ) -> None:
        (home / ".netrc").write_text(f"{entry} login me password {SECRET}\n")
        there = web.serve("/there").replace("127.0.0.1", "localhost")
        fetch(HttpClient(own_urls=(web.url, there)), web.redirect("/here", there))
        assert authorizations(web)[1] is None

    def test_allow_insecure_is_for_the_remotes_own_addresses_alone(
        self, web: Web, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page")
        hosts = ("own.invalid", "cdn.invalid")
        (home / ".netrc").write_text(
            "".join(f"machine {each} login me password {SECRET}\n" for each in hosts)
        )
        client = HttpClient(own_urls=("http://own.invalid/",), allow_insecure=True)
        fetch(client, "http://own.invalid/page")
        fetch(client, "http://cdn.invalid/page")
        assert authorizations(web) == [BASIC, None]

    def test_others_take_the_place_of_the_clients_own(self, web: Web) -> None:
        other = client_for(web.url).with_auth(BasicAuth("you", "yours"), web.url)
        fetch(other, web.serve("/page", credentials=("you", "yours")))

    def test_others_are_bound_to_their_own_origin(self, web: Web, other_web: Web) -> None:
        client = client_for(web.url).with_auth(BasicAuth("you", "yours"), other_web.url)
        fetch(client, web.serve("/page"))
        assert authorizations(web) == [None]

    @pytest.mark.parametrize("repeated", [SECRET, BASIC.removeprefix("Basic ")])
    def test_what_a_server_repeats_of_them_is_not_told(self, web: Web, repeated: str) -> None:
        url = web.serve("/page", f"No, not {repeated}!".encode(), status=400, content_type="text/plain")
        with pytest.raises(Rejected, match=r"returned 400: No, not \*\*\*!"):
            fetch(client_for(web.url), url)

    def test_those_of_an_address_do_not_go_over_plain_http_to_another_machine(
        self, http: HttpClient, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page")
        fetch(http, f"http://me:{SECRET}@index.invalid/page")
        assert authorizations(web) == [None]


class TestRenewal:
    class Rotated(Auth):
        """Credentials of which the first ones have expired."""

        def __init__(self, *passwords: str) -> None:
            self.passwords = list(passwords)

        def header(self) -> str:
            return basic(self.passwords[0])

        def renew(self, refusal: Response) -> bool:
            assert refusal.status_code == 401
            return len(self.passwords) > 1 and bool(self.passwords.pop(0))

    def test_stale_credentials_are_read_again_once(self, web: Web) -> None:
        client = HttpClient(auth=self.Rotated("old", SECRET), origins=(web.url,))
        assert fetch(client, web.serve("/page", b"content", credentials=("me", SECRET))) == b"content"

    def test_credentials_that_stay_wrong_are_an_error(self, web: Web) -> None:
        client = HttpClient(auth=self.Rotated("old"), origins=(web.url,))
        with pytest.raises(AuthenticationFailed, match="Check the credentials"):
            fetch(client, web.serve("/page", credentials=("me", SECRET)))
        assert len(web.requests) == 1


class TestTLS:
    def test_a_stranger_is_refused_and_the_way_to_trust_it_named(
        self, http: HttpClient, tls_web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(BackendError, match=r"certificate of .* is not valid: .*ca_cert") as caught:
            fetch(http, tls_web.serve("/page"))
        assert not caught.value.retryable

    def test_a_bundle_makes_it_trusted_whatever_the_environment_names(
        self, tls_web: Web, ca_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
        client = HttpClient(ca_cert=str(ca_bundle))
        assert fetch(client, tls_web.serve("/page", b"content")) == b"content"

    def test_a_client_shows_its_certificate(
        self, authority: trustme.CA, ca_bundle: Path, tmp_path: Path
    ) -> None:
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

    def test_tls_that_breaks_off_may_pass(self, web: Web) -> None:
        with pytest.raises(Unavailable):
            fetch(HttpClient(), web.url.replace("http:", "https:"))

    def test_a_certificate_that_is_not_there_is_a_configuration_error(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"nowhere\.pem does not exist"):
            HttpClient(ca_cert=str(tmp_path / "nowhere.pem"))


class TestRedirects:
    def test_one_to_another_host_is_refused_where_content_must_be_the_remotes(
        self, http: HttpClient, web: Web, other_web: Web
    ) -> None:
        url = web.redirect("/simple/foo/", other_web.serve("/simple/foo/", b"another's content"))
        with (
            pytest.raises(Rejected, match=f"another host, {other_web.url.rstrip('/')}, which"),
            http.get(url, same_host=True),
        ):
            pass
        assert other_web.requests == []

    def test_one_within_the_host_is_followed(self, http: HttpClient, web: Web) -> None:
        web.serve("/simple/foo/", b"content")
        with http.get(web.redirect("/simple/foo", "/simple/foo/"), same_host=True) as response:
            assert response.content == b"content"

    def test_an_endless_one_ends(self, http: HttpClient, web: Web) -> None:
        with pytest.raises(BackendError):
            fetch(http, web.redirect("/round", web.url + "round"))


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://index.example/", True),
        ("http://localhost:8080/", True),
        ("http://127.0.0.1/", True),
        ("http://127.9.9.9/", True),
        ("http://[::1]:80/", True),
        ("http://127.0.0.1.example/", False),
        ("http://localhost.example/", False),
        ("http://index.example/", False),
        ("http://10.0.0.1/", False),
    ],
)
def test_a_connection_is_private_by_tls_or_within_this_machine(url: str, private: bool) -> None:
    assert is_secure(url) is private


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin_of("https://Example.org/simple/") == origin_of("https://example.org:443/legacy/")
    assert origin_of("http://example.org/") != origin_of("https://example.org/")
    assert is_same_host("http://example.org/", "https://example.org/")
    assert not is_same_host("https://example.org/", "http://example.org/")


def test_an_address_is_shown_without_what_is_secret_in_it() -> None:
    assert display_url("https://me:pw@example.org:8443/a?key=1#frag") == "https://example.org:8443/a"


def test_a_fault_that_passes_is_over_at_the_next_try(http: HttpClient, web: Web) -> None:
    url = web.serve("/page", b"content")
    web.fail("/page", Reply(status=503))
    with pytest.raises(Unavailable):
        fetch(http, url)
    assert fetch(http, url) == b"content"


def test_asks_for_a_plus_in_a_path_as_pip_does(http: HttpClient, web: Web) -> None:
    address = web.serve("/files/sample-2.0+cu121-py3-none-any.whl", b"content")
    with http.get(f"{address}?signature=a+b") as answer:
        assert answer.content == b"content"
    assert web.paths() == ["/files/sample-2.0%2Bcu121-py3-none-any.whl?signature=a+b"]


def test_a_very_long_address_is_cut_where_it_is_shown() -> None:
    assert len(display_url("https://example.org/" + "a" * 60_000)) < 1000
    assert display_url("https://example.org/a/") == "https://example.org/a/"


class TestWordsOfRefusals:
    @pytest.mark.parametrize("status", [400, 403, 409, 413])
    def test_those_of_a_page_of_html_are_shown(self, http: HttpClient, web: Web, status: int) -> None:
        page = (
            "<!DOCTYPE html><html><head><title>Refused</title><style>a { b: c }</style></head><body>"
            "<h1>Refused</h1><script>if (a<b) alert(1)</script><p>The name is\n &lt;reserved&gt;.</p><!-- -->"
        )
        with pytest.raises(WheelrelayError, match=rf"returned {status}: Refused: The name is <reserved>\. "):
            fetch(http, web.serve("/page", page, status=status))

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ("<title>403 The user ci isn't known</title><h1>403 The user ci isn't known</h1>", "The user"),
            ("<title>403 Forbidden</title><h1>403 Forbidden</h1><p>Ask ci.</p>", "Ask ci"),
            ("<title>Forbidden</title><p>Ask ci.</p>", "Ask ci"),
            ("403 Forbidden\n", "Forbidden"),
            ("403", "403"),
            ("403.5 kB are too much", "403.5 kB"),
            ("4031 files are too many", "4031 files"),
            ("Forbiddens are many", "Forbiddens"),
            ("", "Forbidden"),
        ],
    )
    def test_the_status_is_not_repeated(self, http: HttpClient, web: Web, body: str, words: str) -> None:
        kind = "text/html" if "<" in body else "text/plain"
        with pytest.raises(PermissionDenied, match=f"returned 403: {re.escape(words)}"):
            fetch(http, web.serve("/page", body.encode(), content_type=kind, status=403))

    def test_a_403_to_a_request_without_credentials_does_not_speak_of_their_rights(
        self, http: HttpClient, web: Web
    ) -> None:
        url = web.serve("/page", status=403)
        with pytest.raises(PermissionDenied, match="No credentials were sent"):
            fetch(http, url)
        with pytest.raises(PermissionDenied, match="permissions of these credentials"):
            fetch(client_for(web.url), url)


def test_an_upload_that_is_answered_with_a_web_page_names_upload_url(
    http: HttpClient, web: Web, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    staged = stage_path(make_wheel(tmp_path))
    upload(http, web.serve("/", "<html><body>Welcome</body></html>"), staged)
    assert "check upload_url" in caplog.text


NAMESPACE = "The name sample is within the reserved namespace sam."


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (NAMESPACE, "text/plain"),
        (f"<html><title>409 Conflict</title><p>{NAMESPACE}</p></html>", "text/html"),
        (f'{{"error": "{NAMESPACE}"}}', "application/json"),
    ],
)
def test_a_409_for_a_reserved_namespace_is_a_refusal_in_the_words_of_the_index(
    answer: str, kind: str, http: HttpClient, web: Web, tmp_path: Path
) -> None:
    url = web.serve("/legacy/", answer, status=409, content_type=kind)
    with pytest.raises(Rejected, match="within the reserved namespace sam") as refused:
        upload(http, url, stage_path(make_wheel(tmp_path)))
    assert "PEP 752" in (refused.value.hint or "")
    assert "already" not in str(refused.value)
    assert not refused.value.retryable


def test_any_other_409_is_a_taken_name_in_the_words_of_the_index(
    http: HttpClient, web: Web, tmp_path: Path
) -> None:
    url = web.serve("/legacy/", "<title>409 There is such a file.</title>", status=409)
    with pytest.raises(AlreadyExists, match="There is such a file"):
        upload(http, url, stage_path(make_wheel(tmp_path)))
