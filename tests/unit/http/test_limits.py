"""What a server may do to an answer: whatever it is, it ends soon, in bounded memory, in an error of ours."""

import gzip
import socket
import subprocess
import sys
import threading
import time
import zlib
from contextlib import contextmanager
from itertools import chain, repeat

import pytest
from tests.servers.raw import RESET, answer, run_raw

from wheelrelay.errors import SizeMismatch, TimedOut, Unavailable, WheelrelayError
from wheelrelay.events import Waiting
from wheelrelay.http import HttpClient, RawBody, parse_retry_after
from wheelrelay.http.limits import DEFAULT_TIMEOUT, MAX_SMALL_BODY, override_timeout, time_limits
from wheelrelay.transfer.retry import Retrier, RetryPolicy

QUICK = 0.6
"""Seconds; a timeout that tests can wait for."""


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n"
"""An answer that is whole but for the header lines which may follow."""


@pytest.fixture
def http():
    """A client that gives servers little time."""
    client = HttpClient(timeout=QUICK)
    yield client
    client.close()


def slowly(blocks, pause=0.05):
    """The same blocks, with pauses before them."""
    for block in blocks:
        time.sleep(pause)
        yield block


def in_time(work, *, within=10.0):
    """The error that some work ends with, within some seconds."""
    began = time.monotonic()
    with pytest.raises(WheelrelayError) as caught:
        work()
    assert time.monotonic() - began < within
    return caught.value


@contextmanager
def silent_server():
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def read_raw(http, url):
    """A file, read as one that is streamed."""
    with http.get(url) as response:
        return b"".join(iter(lambda: RawBody(response).read(1 << 16), b""))


def read_page(http, url):
    """A page, read at once."""
    with http.get(url) as response:
        return response.read_whole(1 << 20)


CUT = answer(b"x" * 1000, length=2000)

BROKEN = {
    "a reset": [CUT, RESET],
    "an early end": [CUT],
    "a chunk without a length": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n"],
    "a chunk of negative length": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n"],
    "chunks without an end": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
}


class TestBrokenBodies:
    @pytest.mark.parametrize("blocks", BROKEN.values(), ids=BROKEN)
    @pytest.mark.parametrize("read", [read_raw, read_page])
    def test_broken_body_is_retryable(self, http, read, blocks):
        with run_raw(lambda _: blocks) as server:
            assert in_time(lambda: read(http, server.url)).retryable

    @pytest.mark.parametrize(
        ("encoding", "body"),
        [("gzip", b"no gzip"), ("gzip", gzip.compress(b"x" * 5000)[:-9]), ("deflate", b"?"), ("br", b"x")],
        ids=["not gzip", "cut off", "not deflate", "not asked for"],
    )
    def test_undecodable_body_is_retryable(self, http, encoding, body):
        with run_raw(lambda _: [answer(body, f"Content-Encoding: {encoding}")]) as server:
            assert in_time(lambda: read_page(http, server.url)).retryable

    @pytest.mark.parametrize(
        ("encoding", "body"),
        [
            ("gzip", gzip.compress(b"content")),
            ("X-GZip", gzip.compress(b"con") + gzip.compress(b"tent") + b"\0\0"),
            ("deflate", zlib.compress(b"content")),
            ("deflate", zlib.compress(b"content", wbits=-15)),
            ("identity", b"content"),
        ],
        ids=["gzip", "two members and padding", "zlib", "raw deflate", "identity"],
    )
    def test_requested_encodings_are_decoded(self, http, encoding, body):
        with run_raw(lambda _: [answer(body, f"Content-Encoding: {encoding}")]) as server:
            assert read_page(http, server.url) == b"content"

    def test_stream_raises_our_errors_after_the_request_returned(self, http):
        with run_raw(lambda _: BROKEN["a reset"]) as server:
            context = http.get(server.url)
            body = RawBody(context.__enter__())
            error = in_time(lambda: list(iter(lambda: body.read(100), b"")))
        assert isinstance(error, Unavailable | SizeMismatch)

    def test_errors_of_the_reader_are_not_mapped(self, http):
        def fill_the_disk():
            with http.get(server.url):
                raise OSError(28, "No space left on device")

        with run_raw(lambda _: [answer(b"content")]) as server, pytest.raises(OSError, match="No space left"):
            fill_the_disk()

    def test_status_counts_if_the_body_breaks(self, http):
        with run_raw(lambda _: [answer(b"no", status="404 Not Found", length=500), RESET]) as server:
            assert "returned 404" in str(in_time(lambda: read_page(http, server.url)))

    def test_status_of_an_upload_counts_if_the_body_breaks(self, http):
        with run_raw(lambda _: [answer(b"OK", length=500), RESET]) as server:
            assert http.post(server.url, body=b"form", headers={}).status_code == 200


class TestTime:
    def test_server_that_never_responds_times_out(self, http):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            error = in_time(lambda: read_page(http, f"http://127.0.0.1:{silent.getsockname()[1]}/"))
        assert isinstance(error, TimedOut)
        assert error.waited == QUICK
        assert "did not send its headers within 0.6 s" in str(error)

    @pytest.mark.parametrize(
        "blocks",
        [
            [b"HTTP/1.1 100 Continue\r\n\r\n"] * 500,
            [b"H", *[b"T"] * 500],
            (b"HTTP/1.1 200 OK\r\n", *(f"X-{number}: y\r\n".encode() for number in range(90)), *[b"x"] * 50),
        ],
        ids=["endless 100 Continue", "one byte now and then", "one header after the other"],
    )
    def test_slow_headers_time_out(self, http, blocks):
        with run_raw(lambda _: slowly(blocks)) as server:
            assert isinstance(in_time(lambda: read_page(http, server.url)), TimedOut)

    def test_endless_interim_responses_are_an_error(self):
        patient = HttpClient(timeout=60)
        with run_raw(lambda _: repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)) as server:
            assert in_time(lambda: read_page(patient, server.url)).retryable

    @pytest.mark.parametrize("read", [read_raw, read_page])
    def test_endless_trailers_are_an_error(self, read):
        patient = HttpClient(timeout=60)
        with run_raw(lambda _: chain([CHUNKED], repeat(b"X-A: " + b"b" * 60_000 + b"\r\n"))) as server:
            error = in_time(lambda: read(patient, server.url))
        assert error.retryable
        assert "headers are larger than 1 MiB" in str(error)

    @pytest.mark.parametrize("read", [read_raw, read_page])
    def test_slow_trailers_time_out(self, http, read):
        lines = [b"X-A: " + b"b" * 500 + b"\r\n"] * 300
        with run_raw(lambda _: slowly([CHUNKED, *lines])) as server:
            assert isinstance(in_time(lambda: read(http, server.url)), TimedOut)

    @pytest.mark.parametrize("read", [read_raw, read_page])
    def test_slow_body_times_out(self, http, read):
        with run_raw(lambda _: slowly([answer(length=10_000), *[b"x"] * 200])) as server:
            assert isinstance(in_time(lambda: read(http, server.url)), TimedOut)

    def test_stalled_body_times_out(self, http):
        def stall(_):
            yield CUT
            server.ended.wait(30)

        with run_raw(stall) as server:
            error = in_time(lambda: read_raw(http, server.url))
        assert "sent nothing for 0.6 s" in str(error)

    def test_slow_but_steady_file_does_not_time_out(self, http):
        with run_raw(lambda _: slowly([answer(length=20_000), *[b"x" * 500] * 40])) as server:
            assert len(read_raw(http, server.url)) == 20_000  # in 2 s, at 10 kB/s

    def test_slow_reader_does_not_time_out(self, http):
        with run_raw(lambda _: [answer(b"x" * 300_000)]) as server, http.get(server.url) as response:
            body = RawBody(response)
            body.read(1000)
            time.sleep(2 * QUICK)
            assert body.read(1000)

    def test_small_body_must_arrive_within_the_timeout(self, http):
        with run_raw(lambda _: slowly([answer(length=10**6), *[b"x" * 5000] * 200])) as server:
            error = in_time(lambda: read_page(http, server.url))
        assert "did not send its response within 0.6 s" in str(error)

    def test_slow_upload_has_the_timeout_for_each_block(self, http):
        with run_raw(lambda _: [answer(b"OK")]) as server:
            body = b"x" * (4 << 20)
            assert http.post(server.url, body=body, headers={}).status_code == 200

    def test_upload_that_is_not_read_times_out(self, http):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            in_time(lambda: http.post(url, body=b"x" * (64 << 20), headers={}))

    def test_timeout_comes_from_command_line_then_remote_then_environment(self, monkeypatch):
        assert time_limits(None).timeout == DEFAULT_TIMEOUT
        monkeypatch.setenv("WHEELRELAY_TIMEOUT", "7")
        assert time_limits(None).timeout == 7
        assert time_limits(5).timeout == 5
        override_timeout(3)
        try:
            assert time_limits(5).timeout == 3
        finally:
            override_timeout(None)

    @pytest.mark.parametrize("value", ["soon", "nan", "-1", "0", "inf"])
    def test_invalid_timeout_is_rejected(self, value, monkeypatch):
        monkeypatch.setenv("WHEELRELAY_TIMEOUT", value)
        assert "WHEELRELAY_TIMEOUT" in str(in_time(lambda: time_limits(None)))


class TestSize:
    def test_endless_response_is_an_error(self, http):
        endless = [b"HTTP/1.1 200 OK\r\n\r\n", *repeat(b"x" * (1 << 20), 64)]
        with run_raw(lambda _: endless) as server, http.send("GET", server.url) as response:
            error = in_time(lambda: response.content)
        assert "too large: the limit is 4 MiB" in str(error)

    def test_body_that_is_too_large_when_decompressed_is_an_error(self, http):
        bomb = gzip.compress(bytes(100 << 20))
        with run_raw(lambda _: [answer(bomb, "Content-Encoding: gzip")]) as server:
            with http.send("GET", server.url) as response:
                assert "too large" in str(in_time(lambda: response.content))
            with http.send("GET", server.url) as response:
                assert len(response.peek(1000)) == 1000

    def test_body_of_a_redirect_is_not_read_completely(self, http):
        def respond(asked):
            if asked.path == "/there":
                yield answer(b"here it is")
                return
            yield b"HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n"
            while True:
                sent.append(1 << 20)
                yield b"x" * (1 << 20)

        sent = []
        with run_raw(respond) as server:
            assert read_page(http, server.url) == b"here it is"
        assert sum(sent) < 64 << 20

    def test_only_the_start_of_an_upload_response_is_kept(self, http):
        with run_raw(lambda _: [b"HTTP/1.1 200 OK\r\n\r\n", *repeat(b"x" * (1 << 20), 512)]) as server:
            reply = http.post(server.url, body=b"form", headers={})
        assert reply.status_code == 200
        assert len(reply.peek(1 << 30)) <= MAX_SMALL_BODY

    def test_deeply_nested_json_is_an_error(self, http):
        with (
            run_raw(lambda _: [answer(b"[" * 1_000_000)]) as server,
            http.send("GET", server.url) as response,
            pytest.raises(ValueError, match="nested"),
        ):
            response.json()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("9" * 400, 1e9),
        ("1e400", 1e9),
        ("inf", 1e9),
        ("1.5", 1.5),
        (" 7 ", 7.0),
        ("-1", None),
        ("nan", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 1e9),
        ("Mon, 01 Jan 1601 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 2018 00:00:00 +99999999", None),
        ("\N{SUPERSCRIPT TWO}", None),
        ("", None),
    ],
)
def test_retry_after_is_parsed_or_ignored(value, seconds):
    assert parse_retry_after(value) == seconds


def run(*arguments, cwd=None):
    """Run a command as users do."""
    command = [sys.executable, "-m", "wheelrelay", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)


class TestConfiguration:
    @pytest.mark.parametrize(
        "config",
        [
            'type = "index"\nurl = "{url}simple/"',
            'type = "listing"\nurl = "{url}"',
            'type = "web"\nurl = "{url}"',
        ],
    )
    def test_timeout_of_a_remote_applies(self, config, tmp_path):
        with silent_server() as url:
            text = f"[remotes.slow]\n{config.format(url=url)}\ntimeout = 0.2\n"
            (tmp_path / "wheelrelay.toml").write_text(text)
            done = run("list", "slow", "sample", cwd=tmp_path)
        assert (done.returncode, "within 0.2 s" in done.stderr) == (1, True), done.stderr

    def test_timeout_of_the_command_line_applies_and_pauses_are_shown(self):
        with silent_server() as url:
            done = run("list", f"index+{url}", "sample", "--timeout", "0.2")
        assert "within 0.2 s" in done.stderr
        assert "If the server needs longer, raise the timeout." in done.stderr

    @pytest.mark.parametrize(
        ("option", "value"), [("--timeout", "soon"), ("--timeout", "0"), ("--max-retry-wait", "7")]
    )
    def test_invalid_limit_is_rejected(self, option, value):
        assert run("list", "pypi", "sample", option, value).returncode == 2

    def test_no_pause_is_longer_than_the_command_line_allows(self):
        busy = [answer(b"slow down", "Retry-After: 999999", status="429 Too Many")]
        with run_raw(lambda _: busy) as server:
            began = time.monotonic()
            done = run("list", f"index+{server.url}", "sample", "--max-retry-wait", "1s")
            assert time.monotonic() - began < 30
        assert "slow down" in done.stderr
        assert len(server.requests) == 3

    def test_silent_remote_is_not_retried_for_ever(self):
        retrier = Retrier(RetryPolicy(first_pause=0.01, max_silence=90), lambda _: None, threading.Event())
        asked = []

        def ask():
            asked.append(1)
            raise TimedOut("It is silent.", waited=DEFAULT_TIMEOUT)

        with pytest.raises(TimedOut):
            retrier.call("a page", ask)
        assert len(asked) * DEFAULT_TIMEOUT <= 120

    def test_longer_retry_after_is_shown(self):
        seen = []
        retry_policy = RetryPolicy(attempts=2, longest_pause=0.01)
        retrier = Retrier(retry_policy, seen.append, threading.Event())
        busy = Unavailable("It is busy.", retry_after=3600)
        assert retrier.pause_before_retry("a page", 1, busy)
        assert seen == [Waiting("a page", "It is busy. The server requests a pause of 3600 s.", 0.01)]
