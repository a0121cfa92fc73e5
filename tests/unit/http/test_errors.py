"""Failed connections and statuses become errors with the server's message."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
from tests.servers.process import free_port
from tests.servers.silent import silent_server
from tests.unit.http.clients import SECRET, client_for, fetch

from wheelrelay.backends.index.upload import upload
from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    ConfigError,
    NotFound,
    PermissionDenied,
    Rejected,
    SizeMismatch,
    TimedOut,
    Unavailable,
    WheelrelayError,
)
from wheelrelay.http import (
    RawBody,
    map_errors,
)
from wheelrelay.testing import make_wheel, stage_path


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
    def test_statuses_map_to_errors(self, http, web, status, kind):
        url = web.serve("/page", status=status)
        with pytest.raises(WheelrelayError, match=f"{url} returned {status}") as caught:
            fetch(http, url)
        assert type(caught.value) is kind

    def test_quotes_the_message_of_the_server(self, http, web):
        url = web.serve("/page", b"Project name\nis too short.", status=400, content_type="text/plain")
        with pytest.raises(Rejected) as caught:
            fetch(http, url)
        assert caught.value.message == f"{url} returned 400: Project name is too short."
        assert caught.value.status == 400

    @pytest.mark.parametrize(
        ("status", "advice"),
        [(304, "Check the URL"), (400, "Fix the problem"), (405, "does not support"), (413, "of this size")],
    )
    def test_statuses_have_hints(self, http, web, status, advice):
        with pytest.raises(Rejected, match=advice):
            fetch(http, web.serve("/page", status=status))

    def test_html_page_is_not_quoted(self, http, web):
        url = web.serve("/page", "<h1>Oh no</h1>", status=500)
        with pytest.raises(Unavailable, match="returned 500: Internal Server Error"):
            fetch(http, url)

    def test_control_characters_of_a_server_message_are_replaced(self, http, web):
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
    def test_retry_after_is_part_of_the_error(self, http, web, say):
        url = web.serve("/page", status=429, headers={"Retry-After": say()})
        with pytest.raises(Unavailable) as caught:
            fetch(http, url)
        assert caught.value.retry_after is not None
        assert 0 <= caught.value.retry_after <= 7

    @pytest.mark.parametrize(
        "said", ["soon", "", "-5", "nan", "\u00b2", "-inf", "Mon, 99 Foo 2026", "1 Jan 99999 00:00:00 GMT"]
    )
    def test_invalid_retry_after_is_ignored(self, http, web, said):
        url = web.serve("/page", status=503, headers={"Retry-After": said})
        with pytest.raises(Unavailable) as caught:
            fetch(http, url)
        assert caught.value.retry_after is None

    def test_retry_after_in_the_past_is_zero(self, http, web):
        past = format_datetime(datetime.now(UTC) - timedelta(hours=1), True)
        url = web.serve("/page", status=503, headers={"Retry-After": past})
        with pytest.raises(Unavailable) as caught:
            fetch(http, url)
        assert caught.value.retry_after == 0.0

    def test_refused_connection_is_retryable(self, http):
        with pytest.raises(Unavailable, match=r"Cannot connect to .*: Connection refused\. Check the URL"):
            fetch(http, f"http://127.0.0.1:{free_port()}/")

    def test_closed_connection_is_retryable(self, http):
        with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: listener.accept()[0].close())
            with pytest.raises(Unavailable):
                fetch(http, f"http://127.0.0.1:{listener.getsockname()[1]}/")

    @pytest.mark.parametrize("cut_after", [0, 10, 900_000])
    def test_truncated_body_is_an_error(self, http, web, cut_after):
        url = web.serve("/file", b"x" * 1_000_000, cut_after=cut_after)
        with pytest.raises(SizeMismatch, match="ended early"), http.get(url) as response:
            list(iter(lambda: RawBody(response).read(1 << 16), b""))

    def test_invalid_url_is_a_configuration_error(self, http):
        with pytest.raises(ConfigError, match="not a usable URL"):
            fetch(http, "http://*example.org/")

    def test_errors_have_no_secrets_of_urls(self, http, web):
        url = web.serve("/signed", status=403) + f"?signature={SECRET}#{SECRET}"
        with pytest.raises(PermissionDenied) as caught:
            fetch(http, url)
        assert SECRET not in str(caught.value)


class TestWordsOfRefusals:
    @pytest.mark.parametrize("status", [400, 403, 409, 413])
    def test_message_of_an_html_page_is_shown(self, http, web, status):
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
    def test_status_is_not_repeated(self, http, web, body, words):
        kind = "text/html" if "<" in body else "text/plain"
        with pytest.raises(PermissionDenied, match=f"returned 403: {re.escape(words)}"):
            fetch(http, web.serve("/page", body.encode(), content_type=kind, status=403))

    def test_403_without_credentials_does_not_mention_permissions(self, http, web):
        url = web.serve("/page", status=403)
        with pytest.raises(PermissionDenied, match="No credentials were sent"):
            fetch(http, url)
        with pytest.raises(PermissionDenied, match="permissions of these credentials"):
            fetch(client_for(web.url), url)


def test_web_page_after_an_upload_names_upload_url(http, web, tmp_path, caplog):
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
def test_409_for_a_reserved_namespace_is_rejected(answer, kind, http, web, tmp_path):
    url = web.serve("/legacy/", answer, status=409, content_type=kind)
    with pytest.raises(Rejected, match="within the reserved namespace sam") as refused:
        upload(http, url, stage_path(make_wheel(tmp_path)))
    assert "PEP 752" in (refused.value.hint or "")
    assert "already" not in str(refused.value)
    assert not refused.value.retryable


def test_other_409_is_an_existing_file(http, web, tmp_path):
    url = web.serve("/legacy/", "<title>409 There is such a file.</title>", status=409)
    with pytest.raises(AlreadyExists, match="There is such a file"):
        upload(http, url, stage_path(make_wheel(tmp_path)))


def test_read_timeout_of_another_client_is_a_timeout():
    with silent_server() as url, pytest.raises(TimedOut, match="did not respond in time"), map_errors(url):
        requests.get(url, timeout=0.1)
