"""Credentials are sent only to the origin that they belong to."""

from base64 import b64encode

import pytest
from tests.unit.http.clients import SECRET, authorizations, client_for, fetch

from wheelrelay.errors import (
    AuthenticationFailed,
    Rejected,
)
from wheelrelay.http import (
    Auth,
    BasicAuth,
    HttpClient,
)


def basic(password):
    """The header of the user ``me``."""
    return "Basic " + b64encode(f"me:{password}".encode()).decode()


BASIC = basic(SECRET)


class TestCredentials:
    def test_credentials_are_sent_to_their_origin(self, web):
        fetch(client_for(web.url), web.serve("/page", credentials=("me", SECRET)))
        assert authorizations(web) == [BASIC]

    def test_credentials_are_sent_with_a_post(self, web):
        client_for(web.url).post(web.serve("/legacy/"), body=b"", headers={})
        assert authorizations(web) == [BASIC]

    def test_credentials_are_not_sent_to_another_port(self, web, other_web):
        fetch(client_for(web.url), other_web.serve("/page"))
        assert authorizations(other_web) == [None]

    def test_credentials_are_dropped_on_redirect_to_another_port(self, web, other_web):
        fetch(client_for(web.url), web.redirect("/here", other_web.serve("/there")))
        assert (authorizations(web), authorizations(other_web)) == ([BASIC], [None])

    def test_credentials_are_dropped_on_redirect_to_another_host(self, web):
        there = web.serve("/there").replace("127.0.0.1", "localhost")
        fetch(client_for(web.url), web.redirect("/here", there))
        assert authorizations(web) == [BASIC, None]

    def test_credentials_are_dropped_on_redirect_from_https_to_http(self, tls_web, web, ca_bundle):
        fetch(client_for(tls_web.url, ca_cert=ca_bundle), tls_web.redirect("/here", web.serve("/there")))
        assert (authorizations(tls_web), authorizations(web)) == ([BASIC], [None])

    def test_credentials_are_kept_on_redirect_within_the_origin(self, web):
        fetch(client_for(web.url), web.redirect("/here", web.serve("/there")))
        assert authorizations(web) == [BASIC, BASIC]

    @pytest.mark.parametrize("host", ["index.invalid", "127.0.0.1.index.invalid", "10.0.0.1"])
    def test_credentials_are_not_sent_over_http_to_another_machine(self, web, host, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page")
        fetch(client_for(f"http://{host}/"), f"http://{host}/page")
        assert authorizations(web) == [None]

    def test_credentials_withheld_from_plain_http_are_reported(self, web, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page", credentials=("me", SECRET))
        with pytest.raises(AuthenticationFailed, match=r"not sent over plain HTTP\. Use https"):
            fetch(client_for("http://index.invalid/"), "http://index.invalid/page")

    def test_credentials_are_sent_over_http_with_allow_insecure(self, web, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page")
        fetch(client_for("http://index.invalid/", allow_insecure=True), "http://index.invalid/page")
        assert authorizations(web) == [BASIC]

    def test_netrc_is_used_without_configured_credentials(self, http, web, home):
        (home / ".netrc").write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
        fetch(http, web.serve("/page"))
        assert authorizations(web) == [BASIC]

    def test_netrc_is_not_used_over_http_to_another_machine(self, http, web, home, monkeypatch):
        (home / ".netrc").write_text(f"machine index.invalid login me password {SECRET}\n")
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page")
        web.redirect("/here", "http://index.invalid/page")
        fetch(http, "http://index.invalid/page")
        fetch(http, web.url + "here")
        assert authorizations(web) == [None, None, None]

    def test_netrc_is_not_used_for_another_host_after_a_redirect(self, http, web, home):
        (home / ".netrc").write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
        there = web.serve("/there").replace("127.0.0.1", "localhost")
        fetch(http, web.redirect("/here", there))
        assert authorizations(web) == [BASIC, None]

    def test_default_entry_of_netrc_is_for_own_urls_only(self, web, other_web, home):
        (home / ".netrc").write_text(f"default login me password {SECRET}\n")
        client = HttpClient(own_urls=(web.url,))
        fetch(client, web.serve("/page"))
        fetch(client, other_web.serve("/named-by-the-page"))
        assert (authorizations(web), authorizations(other_web)) == ([BASIC], [None])

    @pytest.mark.parametrize("entry", ["machine localhost", "default"])
    def test_no_entry_of_netrc_is_used_after_redirect_to_another_host(self, web, home, entry):
        (home / ".netrc").write_text(f"{entry} login me password {SECRET}\n")
        there = web.serve("/there").replace("127.0.0.1", "localhost")
        fetch(HttpClient(own_urls=(web.url, there)), web.redirect("/here", there))
        assert authorizations(web)[1] is None

    def test_allow_insecure_is_for_own_urls_only(self, web, home, monkeypatch):
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

    def test_other_credentials_replace_those_of_the_client(self, web):
        other = client_for(web.url).with_auth(BasicAuth("you", "yours"), web.url)
        fetch(other, web.serve("/page", credentials=("you", "yours")))

    def test_other_credentials_are_bound_to_their_origin(self, web, other_web):
        client = client_for(web.url).with_auth(BasicAuth("you", "yours"), other_web.url)
        fetch(client, web.serve("/page"))
        assert authorizations(web) == [None]

    @pytest.mark.parametrize("repeated", [SECRET, BASIC.removeprefix("Basic ")])
    def test_credentials_that_a_server_echoes_are_masked(self, web, repeated):
        url = web.serve("/page", f"No, not {repeated}!".encode(), status=400, content_type="text/plain")
        with pytest.raises(Rejected, match=r"returned 400: No, not \*\*\*!"):
            fetch(client_for(web.url), url)

    def test_credentials_in_a_url_are_not_sent_over_http_to_another_machine(self, http, web, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page")
        fetch(http, f"http://me:{SECRET}@index.invalid/page")
        assert authorizations(web) == [None]


class TestRenewal:
    class Rotated(Auth):
        """Credentials of which the first ones have expired."""

        def __init__(self, *passwords):
            self.passwords = list(passwords)

        def header(self):
            return basic(self.passwords[0])

        def renew(self, refusal):
            assert refusal.status_code == 401
            return len(self.passwords) > 1 and bool(self.passwords.pop(0))

    def test_stale_credentials_are_read_again_once(self, web):
        client = HttpClient(auth=self.Rotated("old", SECRET), origins=(web.url,))
        assert fetch(client, web.serve("/page", b"content", credentials=("me", SECRET))) == b"content"

    def test_unchanged_credentials_are_an_error(self, web):
        client = HttpClient(auth=self.Rotated("old"), origins=(web.url,))
        with pytest.raises(AuthenticationFailed, match="Check the credentials"):
            fetch(client, web.serve("/page", credentials=("me", SECRET)))
        assert len(web.requests) == 1
