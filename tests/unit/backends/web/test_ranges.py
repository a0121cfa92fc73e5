"""Parts of files over HTTP: given where the server does so, and never taken for the whole or another part."""

import hashlib
import re
from contextlib import contextmanager
from dataclasses import replace

import pytest
from tests.servers.web import Reply, Web, run_web

import wheelrelay
from wheelrelay.backends.detect import WebConfig
from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.web.listing import ListingConfig
from wheelrelay.errors import IntegrityError, NotFound, Rejected, SizeMismatch
from wheelrelay.filenames import dist_file
from wheelrelay.protocols import SupportsRange
from wheelrelay.testing import make_wheel

WHEEL = "sample-1.0-py3-none-any.whl"
CONTENT = bytes(range(256)) * 4


class WebWithRanges(Web):
    """Answers with parts, as most web servers do."""

    def reply_to(self, request):
        whole = super().reply_to(request)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if asked is None or whole.status != 200:
            return whole
        assert isinstance(whole.body, bytes)
        start, stop = int(asked[1]), int(asked[2] or whole.size - 1) + 1
        if start >= whole.size:
            return Reply(status=416)
        part = {"Content-Range": f"bytes {start}-{stop - 1}/{whole.size}"}
        return replace(whole, status=206, body=whole.body[start:stop], headers=part)


@pytest.fixture
def ranges():
    with run_web(web=WebWithRanges) as server:
        yield server


@pytest.fixture(params=[IndexConfig, ListingConfig, WebConfig], ids=lambda kind: kind.__name__)
def opened(request):
    """Connects each kind of source that reads from the web."""

    @contextmanager
    def connected(url):
        with request.param(url=url).open() as source:
            assert isinstance(source, SupportsRange)
            yield source

    return connected


def read_part(source, file):
    with source.open_range(file, 100, None) as stream:
        return b"".join(iter(lambda: stream.read(100), b""))


def at(url):
    return replace(dist_file(WHEEL), url=url)


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (5, None), (1000, None), (3, len(CONTENT))])
def test_returns_the_requested_range(ranges, opened, start, stop):
    file = at(ranges.serve(f"/{WHEEL}", CONTENT))
    with opened(ranges.url) as source, source.open_range(file, start, stop) as stream:
        assert b"".join(iter(lambda: stream.read(100), b"")) == CONTENT[start:stop]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(CONTENT),
        Reply(CONTENT, status=206),
        Reply(CONTENT, status=206, headers={"Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"}),
        Reply(b"", status=416),
    ],
    ids=["the whole", "a part, not said which", "another part", "no such part"],
)
def test_another_range_is_refused(web, opened, reply):
    file = at(web.serve(f"/{WHEEL}"))
    web.fail(f"/{WHEEL}", reply)
    with opened(web.url) as source, pytest.raises(Rejected), source.open_range(file, 100, None):
        pass


def test_web_page_instead_of_a_range_is_refused(web, opened):
    file = at(web.serve(f"/{WHEEL}", b"<html>", content_type="text/html", status=206))
    with opened(web.url) as source, pytest.raises(IntegrityError), source.open_range(file, 100, None):
        pass


def test_range_of_a_deleted_file_is_not_found(ranges, opened):
    file = at(f"{ranges.url}/{WHEEL}")
    with opened(ranges.url) as source, pytest.raises(NotFound), source.open_range(file, 100, None):
        pass


def test_truncated_range_is_an_error(ranges, opened):
    file = at(ranges.serve(f"/{WHEEL}", CONTENT, cut_after=10))
    with opened(ranges.url) as source, pytest.raises(SizeMismatch):
        read_part(source, file)


def test_relay_resumes_after_a_broken_connection(ranges, tmp_path):
    content = make_wheel(tmp_path / "made", payload=b"payload" * 1_000).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    ranges.serve("/", f'<a href="{WHEEL}#sha256={digest}">{WHEEL}</a>', content_type="text/html")
    ranges.serve(f"/{WHEEL}", content)
    ranges.fail(f"/{WHEEL}", Reply(content, cut_after=500))
    route = wheelrelay.Route(source=f"listing+{ranges.url}/", sinks=[str(tmp_path / "there")])
    assert wheelrelay.relay(route, ["sample"]).is_complete
    assert (tmp_path / "there" / WHEEL).read_bytes() == content
    asked = [request.headers.get("range") for request in ranges.requests if request.path == f"/{WHEEL}"]
    assert asked == [None, "bytes=500-"]
