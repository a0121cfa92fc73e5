"""The benchmark's servers serve and swallow as web servers and indexes do."""

import http.client
import json
import ssl
import urllib.error
import urllib.request

import pytest

from tests.benchmarks.certificates import make_certificates
from tests.benchmarks.environment import module
from tests.servers.process import HOST, free_port
from tests.servers.s3 import S3Server

FILE = bytes(range(256)) * 20_000
SHA256 = "0123456789abcdef" * 4


def get(address, trust=None, **headers):
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, context=trust, timeout=10) as answer:
        return answer.read()


def form(*fields):
    """A form with a file, as clients write it."""
    parts = []
    for name, value in fields:
        filename = b'; filename="a-1.0-py3-none-any.whl"' if name == "content" else b""
        parts.append(b'--x\r\nContent-Disposition: form-data; name="%s"' % name.encode() + filename)
        parts.append(b"\r\n\r\n" + value + b"\r\n")
    return b"".join([*parts, b"--x--\r\n"])


@pytest.fixture
def certificates(tmp_path):
    return make_certificates(tmp_path)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "files"
    (made / "simple" / "bench").mkdir(parents=True)
    (made / "a.whl").write_bytes(FILE)
    (made / "simple" / "bench" / "index.html").write_text("the page")
    return made


@pytest.fixture
def source(folder, tmp_path):
    port = free_port()
    with module("source", str(folder), str(port), log=tmp_path / "log", port=port):
        yield f"http://{HOST}:{port}/"


@pytest.fixture
def sink(tmp_path):
    port = free_port()
    with module("sink", str(port), log=tmp_path / "log", port=port):
        yield f"http://{HOST}:{port}/"


class TestSource:
    def test_files_are_served_whole_and_in_parts(self, source):
        assert get(f"{source}a.whl") == FILE
        assert get(f"{source}a.whl", Range="bytes=10-19") == FILE[10:20]
        assert get(f"{source}a.whl", Range="bytes=10-") == FILE[10:]
        assert get(f"{source}a.whl", Range="bytes=-10") == FILE[-10:]

    def test_a_head_request_tells_the_size(self, source):
        request = urllib.request.Request(f"{source}a.whl", method="HEAD")
        with urllib.request.urlopen(request) as answer:
            assert int(answer.headers["Content-Length"]) == len(FILE)
            assert answer.headers["Accept-Ranges"] == "bytes"

    def test_a_folder_shows_its_page_or_else_a_listing(self, source):
        assert get(f"{source}simple/bench/") == b"the page"
        assert b'<a href="a.whl">a.whl</a>' in get(source)

    def test_what_is_not_there_is_not_found(self, source):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(f"{source}b.whl")

    def test_a_connection_serves_many_requests(self, source):
        connection = http.client.HTTPConnection(source.split("/")[2])
        for _ in range(3):
            connection.request("GET", "/a.whl")
            assert connection.getresponse().read() == FILE
        connection.close()

    def test_the_same_comes_over_tls(self, folder, certificates, tmp_path):
        port = free_port()
        words = str(folder), str(port), str(certificates.server)
        trust = ssl.create_default_context(cafile=certificates.bundle)
        with module("source", *words, log=tmp_path / "log", port=port):
            assert get(f"https://{HOST}:{port}/a.whl", trust) == FILE
            assert get(f"https://{HOST}:{port}/a.whl", trust, Range="bytes=5-9") == FILE[5:10]
            with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
                get(f"https://{HOST}:{port}/a.whl")


class TestSink:
    def upload(self, address, body):
        request = urllib.request.Request(address, data=body, method="POST")
        with urllib.request.urlopen(request) as answer:
            return answer.status

    def test_an_upload_is_shown_on_the_page_and_its_bytes_are_not_kept(self, sink):
        body = form(("sha256_digest", SHA256.encode()), ("content", FILE))
        assert self.upload(f"{sink}run1/legacy/", body) == 200
        page = json.loads(get(f"{sink}run1/simple/bench/"))
        assert [(one["filename"], one["hashes"]) for one in page["files"]] == [
            ("a-1.0-py3-none-any.whl", {"sha256": SHA256})
        ]

    def test_each_index_is_its_own_and_counts_its_requests(self, sink):
        self.upload(f"{sink}run1/legacy/", form(("sha256_digest", SHA256.encode()), ("content", b"x")))
        for _ in range(2):
            get(f"{sink}run1/simple/bench/")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(f"{sink}run2/simple/bench/")
        assert json.loads(get(f"{sink}run1/")) == {"files": 1, "requests": {"GET": 2, "POST": 1}}
        assert json.loads(get(f"{sink}run2/")) == {"files": 0, "requests": {"GET": 1, "POST": 0}}

    def test_a_form_without_a_digest_is_refused(self, sink):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            self.upload(f"{sink}run1/legacy/", form(("content", FILE)))

    def test_expect_100_continue_is_answered(self, sink):
        body = form(("sha256_digest", SHA256.encode()), ("content", FILE))
        connection = http.client.HTTPConnection(sink.split("/")[2], timeout=10)
        connection.putrequest("POST", "/run1/legacy/")
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Expect", "100-continue")
        connection.endheaders()
        assert connection.sock.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.send(body)
        assert connection.getresponse().status == 200
        connection.close()


def test_a_bucket_lists_as_many_objects_as_its_name_says(tmp_path):
    port = free_port()
    with module("bucket", str(port), log=tmp_path / "log", port=port):
        client = S3Server(f"http://{HOST}:{port}", "key", "secret").client()
        pages = list(client.get_paginator("list_objects_v2").paginate(Bucket="wheels-2500"))
    names = {found["Key"] for page in pages for found in page["Contents"]}
    assert [len(page["Contents"]) for page in pages] == [1000, 1000, 500]
    assert len(names) == 2500
