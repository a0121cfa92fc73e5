"""URLs are compared, and displayed without secrets."""

import pytest

from wheelrelay.http import (
    HttpClient,
    display_url,
    is_same_host,
    is_secure,
    origin_of,
)


@pytest.fixture
def http():
    """A client without credentials."""
    client = HttpClient()
    yield client
    client.close()


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
def test_connection_is_secure_with_tls_or_on_loopback(url, private):
    assert is_secure(url) is private


def test_origin_is_scheme_host_and_port():
    assert origin_of("https://Example.org/simple/") == origin_of("https://example.org:443/legacy/")
    assert origin_of("http://example.org/") != origin_of("https://example.org/")
    assert is_same_host("http://example.org/", "https://example.org/")
    assert not is_same_host("https://example.org/", "http://example.org/")


def test_displayed_url_has_no_secrets():
    assert display_url("https://me:pw@example.org:8443/a?key=1#frag") == "https://example.org:8443/a"


def test_long_url_is_cut_for_display():
    assert len(display_url("https://example.org/" + "a" * 60_000)) < 1000
    assert display_url("https://example.org/a/") == "https://example.org/a/"
