"""Small requests get the responses and the errors that all others get."""

import gzip
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.servers.raw import RESET, answer, run_raw
from tests.servers.silent import silent_server
from tests.servers.web import Reply, run_web

from wheelrelay.errors import BackendError, SizeMismatch, TimedOut, Unavailable, WheelrelayError
from wheelrelay.http import HttpClient
from wheelrelay.http.exchange import MAX_IDLE

QUICK = 0.3
"""Seconds; a timeout that tests can wait for. After an upload it is twice as long."""

BODY = b"content of the file"


@pytest.fixture
def quick():
    """A client that gives servers little time."""
    client = HttpClient(timeout=QUICK)
    yield client
    client.close()


def exchange(http, url, body=BODY, **headers):
    return http.exchange("PUT", url, body=body, headers=headers)


def kept(body=b"", *more, status="200 OK"):
    """A response after which the connection is kept."""
    return answer(body, *more, status=status).replace(b"Connection: close\r\n", b"")


def refuse_early(listener):
    """Respond to a request before its body has been received, and close the connection for its rest."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(answer(b"too large", status="413 Too large"))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 20):
            pass


class TestRequests:
    @pytest.mark.parametrize("size", [0, 1, 1 << 16, (1 << 16) + 1, 3 << 20])
    def test_arrive_completely(self, size, http, web):
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        url = web.serve("/a b+c", b"stored", status=201, headers={"ETag": '"1"'})
        response = exchange(http, f"{url}?x=1%2F2#part", body, Name="value")
        request = web.requests[0]
        assert (request.method, request.path) == ("PUT", "/a%20b%2Bc?x=1%2F2")
        assert request.body == body
        assert request.headers["name"] == "value"
        assert request.headers["host"] == web.url.split("/")[2]
        assert request.headers["user-agent"].startswith("wheelrelay/")
        assert (response.status_code, response.body, response.headers["etag"]) == (201, b"stored", '"1"')

    def test_have_the_headers_of_other_requests(self, http, web):
        url = web.serve("/x")
        exchange(http, url)
        with http.send("PUT", url, body=BODY):
            pass
        first, second = (dict(request.headers) for request in web.requests)
        assert first == second

    def test_share_one_connection(self, http, web):
        web.serve("/x")
        exchange(http, web.url)
        [connection] = http._pools.exchanges_for(web.url)._idle
        assert {exchange(http, web.url + "x").status_code for _ in range(3)} == {200}
        assert [*http._pools.exchanges_for(web.url)._idle] == [connection]
        assert MAX_IDLE > 1

    def test_use_a_new_connection_after_the_server_closed_one(self, http):
        with run_raw(lambda _: [kept()]) as server:
            for _ in range(3):
                assert exchange(http, server.url).status_code == 200
                [connection] = http._pools.exchanges_for(server.url)._idle
                connection.settimeout(10)
                assert connection.recv(1, socket.MSG_PEEK) == b""  # the server has closed it

    def test_use_the_configured_proxy(self, http, web, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", web.url)
        web.serve("/page", b"by proxy", headers={"ETag": '"1"'})
        response = exchange(http, "http://storage.invalid/page")
        assert (response.body, response.headers["etag"]) == (b"by proxy", '"1"')

    def test_tell_the_time_of_the_server(self, http, web):
        exchange(http, web.serve("/x"))
        assert http.clock.offset() == 0

    @pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb"])
    def test_with_a_line_break_in_a_header_are_not_sent(self, value, http, web):
        with pytest.raises(ValueError, match="line break"):
            exchange(http, web.serve("/x"), name=value)
        assert web.requests == []


INVALID = r"certificate of .* is not valid"


class TestTls:
    def test_certificate_of_the_configured_authority_is_trusted(self, tls_web, ca_bundle):
        client = HttpClient(ca_cert=str(ca_bundle))
        assert exchange(client, tls_web.serve("/x", b"stored"), b"x" * (1 << 20)).body == b"stored"
        assert exchange(client, tls_web.serve("/x", b"again")).body == b"again"
        client.close()

    def test_other_certificates_are_rejected(self, http, tls_web):
        with pytest.raises(BackendError, match=INVALID):
            exchange(http, tls_web.serve("/x"))

    def test_certificate_of_another_host_is_rejected(self, authority, ca_bundle):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("other.example.org").configure_cert(context)
        with run_web(tls=context) as server, pytest.raises(BackendError, match=INVALID):
            exchange(HttpClient(ca_cert=str(ca_bundle)), server.url)


UNUSUAL = {
    "chunks": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: 1\r\n\r\n4\r\nstor\r\n2\r\ned\r\n0\r\n\r\n"
    ],
    "no length": [b"HTTP/1.1 200 OK\r\nETag: 1\r\n\r\nsto", b"red"],
    "an old version": [b"HTTP/1.0 200 OK\r\nETag: 1\r\nContent-Length: 6\r\n\r\nstored"],
    "interim responses": [b"HTTP/1.1 100 Continue\r\n\r\n", kept(b"stored", "ETag: 1")],
    "compression": [answer(gzip.compress(b"stored"), "Content-Encoding: gzip", "ETag: 1")],
    "small blocks": [bytes([byte]) for byte in kept(b"stored", "ETag: 1")],
    "a continued header": [kept(b"stored", "ETag: 1", "X-Long: a", "\tb")],
    "equal headers": [kept(b"stored", "Vary: Origin", "ETag: 1", "Vary: Accept-Encoding")],
}


class TestResponses:
    @pytest.mark.parametrize("blocks", UNUSUAL.values(), ids=UNUSUAL)
    def test_may_be_unusual(self, blocks, http):
        with run_raw(lambda _: blocks) as server:
            response = exchange(http, server.url)
        assert (response.status_code, response.body, response.headers["etag"]) == (200, b"stored", "1")

    @pytest.mark.parametrize("status", [204, 304])
    def test_without_a_body_end_with_the_headers(self, status, http):
        with run_raw(lambda _: [f"HTTP/1.1 {status} x\r\nContent-Length: 5\r\n\r\n".encode()]) as server:
            assert exchange(http, server.url).body == b""

    def test_are_taken_although_the_upload_was_refused_early(self, http):
        with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
            refusing = pool.submit(refuse_early, listener)
            response = exchange(http, f"http://127.0.0.1:{listener.getsockname()[1]}/", bytes(32 << 20))
            refusing.result()
        assert (response.status_code, response.body) == (413, b"too large")


class TestErrors:
    @pytest.mark.parametrize(
        ("blocks", "error"),
        [
            ([RESET], Unavailable),
            ([], Unavailable),
            ([b"HTTP/1.1 200 OK\r\nContent-Le"], Unavailable),
            ([b"no HTTP at all\r\n\r\n"], Unavailable),
            ([answer(b"short", length=10)], SizeMismatch),
            ([answer(b"short", length=100_000)], SizeMismatch),
            ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"], WheelrelayError),
            ([answer(b"no gzip", "Content-Encoding: gzip")], Unavailable),
            ([answer(b"x" * (5 << 20))], BackendError),
            ([b"HTTP/1.1 200 OK\r\n", *[b"X-A: " + b"b" * 60_000 + b"\r\n"] * 40], Unavailable),
        ],
        ids=range(10),
    )
    def test_are_ours(self, blocks, error, http):
        with run_raw(lambda _: blocks) as server, pytest.raises(error):
            exchange(http, server.url)

    @pytest.mark.parametrize(
        "blocks", [[RESET], [], [b"no HTTP at all\r\n\r\n"]], ids=["reset", "end", "no HTTP"]
    )
    def test_are_those_of_other_requests(self, blocks, http):
        with run_raw(lambda _: blocks) as server:
            with pytest.raises(Unavailable) as first:
                exchange(http, server.url)
            with pytest.raises(Unavailable) as second, http.send("PUT", server.url, body=BODY):
                pass
        assert (str(first.value), first.value.hint) == (str(second.value), second.value.hint)

    def test_report_a_server_that_cannot_be_reached(self, http):
        with run_web() as gone:
            url = gone.url
        with pytest.raises(Unavailable, match=r"Cannot connect to .*: Connection refused"):
            exchange(http, url)

    def test_report_a_server_that_never_responds(self, quick):
        with (
            silent_server() as url,
            pytest.raises(TimedOut, match="did not send its headers") as slow,
        ):
            exchange(quick, url)
        assert slow.value.waited == 2 * QUICK

    def test_report_a_server_that_accepts_no_data(self, quick):
        with silent_server() as url, pytest.raises(TimedOut, match=r"accepted no data for 0.3 s"):
            exchange(quick, url, bytes(64 << 20))

    def test_report_a_response_that_is_too_slow(self, quick):
        def slowly(_):
            yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
            for _ in range(200):
                time.sleep(0.05)
                yield b"x"

        with run_raw(slowly) as server, pytest.raises(TimedOut):
            exchange(quick, server.url)

    def test_close_the_connection(self, http, web):
        exchange(http, web.serve("/x"))
        web.fail("/x", Reply(b"x" * 1000, declared=2000, cut_after=1000))
        with pytest.raises(SizeMismatch):
            exchange(http, web.url + "x")
        assert [*http._pools.exchanges_for(web.url)._idle] == []
