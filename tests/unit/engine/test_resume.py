"""A broken download is resumed if the source serves ranges and declares a digest."""

import hashlib
import threading
from contextlib import contextmanager
from io import BytesIO

import pytest
from tests.unit.engine.conftest import QUICK

from wheelrelay.errors import DigestMismatch, Rejected, SizeMismatch, Unavailable
from wheelrelay.filenames import dist_file
from wheelrelay.model import Digests
from wheelrelay.testing import write_distribution
from wheelrelay.transfer.download import stage
from wheelrelay.transfer.retry import Retrier
from wheelrelay.transfer.staging_area import StagingArea

WHEEL = "sample-1.0-py3-none-any.whl"
SIZE = 4 << 20


class WholeOnly:
    """A source of one file whose connections break at given offsets.

    Attributes:
        contents: what each opening in turn gives the bytes of; the last one goes on for ever.
        breaks: after how many bytes, counted from the file's beginning, each opening in turn breaks.
        opened: from which byte on it was opened.
    """

    def __init__(self, *contents, breaks=()):
        self.contents = list(contents)
        self.breaks = list(breaks)
        self.opened = []

    def iter_files(self, project):
        yield dist_file(WHEEL)

    @contextmanager
    def open(self, file):
        yield self._stream(0)

    def _stream(self, start):
        self.opened.append(start)
        content = self.contents.pop(0) if len(self.contents) > 1 else self.contents[0]
        end = self.breaks.pop(0) if self.breaks else None
        return Breaking(content[start:end], breaks=end is not None)


class SupportsParts(WholeOnly):
    """The same, with ranges."""

    @contextmanager
    def open_range(self, file, start, stop):
        yield self._stream(start)


class RefusesParts(WholeOnly):
    """The same, which refuses each range."""

    def open_range(self, file, start, stop):
        raise Rejected("Only as a whole.")


class Breaking(BytesIO):
    def __init__(self, content, *, breaks):
        super().__init__(content)
        self.breaks = breaks

    def read(self, size=-1, /):
        block = super().read(size)
        if not block and self.breaks:
            raise Unavailable("The line broke.")
        return block


@pytest.fixture
def content(tmp_path):
    return write_distribution(tmp_path, WHEEL, size=SIZE).read_bytes()


@pytest.fixture
def staging_area(tmp_path):
    folder = tmp_path / "staging_area"
    folder.mkdir()
    return StagingArea(folder)


@pytest.fixture
def fetch(staging_area, content):
    """Return a function that stages the file with retries."""

    def fetched(source, *, watched=lambda _: None, size=None, begin=lambda: None, sha256=None):
        declared = Digests(sha256=hashlib.sha256(content).hexdigest() if sha256 is None else sha256 or None)
        return stage(
            source,
            dist_file(WHEEL, size=size, digests=declared),
            staging_area,
            retrier=Retrier(QUICK, lambda _: None, threading.Event()),
            watcher=watched,
            begin=begin,
        )

    return fetched


@pytest.mark.parametrize("size_known", [True, False], ids=["size known", "size unknown"])
def test_resumes_after_broken_connections(fetch, content, size_known):
    source = SupportsParts(content, breaks=[1_000_000, 1_500_000])
    staged = fetch(source, size=len(content) if size_known else None)
    assert staged.path.read_bytes() == content
    assert source.opened == [0, 1_000_000, 1_500_000]


@pytest.mark.parametrize("kind", [WholeOnly, RefusesParts])
def test_source_without_ranges_is_read_from_the_beginning(fetch, content, kind):
    source = kind(content, breaks=[1_000_000])
    assert fetch(source).path.read_bytes() == content
    assert source.opened == [0, 0]


def test_does_not_resume_without_declared_digest(fetch, content):
    source = SupportsParts(content, breaks=[1_000_000])
    assert fetch(source, sha256="").path.read_bytes() == content
    assert source.opened == [0, 0]


def test_file_replaced_during_download_is_read_from_the_beginning(fetch, content):
    before = content[:10] + b"other" + content[15:]
    source = SupportsParts(before, content, breaks=[1_000_000])
    assert fetch(source).path.read_bytes() == content
    assert source.opened == [0, 1_000_000, 0]


def test_complete_file_with_wrong_digest_is_not_requested_again(fetch, content):
    source = SupportsParts(content)
    with pytest.raises(DigestMismatch):
        fetch(source, sha256="0" * 64)
    assert source.opened == [0]


def test_does_not_resume_after_too_many_bytes(fetch, content):
    source = SupportsParts(content + b"more", content)
    assert fetch(source, size=len(content)).path.read_bytes() == content
    assert source.opened == [0, 0]


def test_resumes_after_stream_that_ended_early(fetch, content):
    source = SupportsParts(content[:2_000_000], content)
    assert fetch(source, size=len(content)).path.read_bytes() == content
    assert source.opened == [0, 2_000_000]


def test_fails_after_all_attempts(fetch, content, staging_area):
    source = SupportsParts(content[:2_000_000])
    with pytest.raises(SizeMismatch, match="only 2000000 of"):
        fetch(source, size=len(content))
    assert len(source.opened) == QUICK.attempts
    assert list(staging_area.folder.iterdir()) == []


def test_reports_each_byte_once_per_attempt(fetch, content):
    attempts = []
    fetch(
        SupportsParts(content, breaks=[1_000_000]),
        begin=lambda: attempts.append(0),
        watched=lambda count: attempts.append(attempts.pop() + count),
    )
    assert attempts == [1_000_000, len(content)]
