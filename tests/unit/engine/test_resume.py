"""A transfer that broke goes on where it broke off, where the source can and a digest proves the whole."""

import hashlib
import threading
from contextlib import contextmanager
from io import BytesIO

import pytest
from tests.unit.engine.conftest import QUICK

from wheelrelay.errors import DigestMismatch, Rejected, SizeMismatch, Unavailable
from wheelrelay.filenames import dist_file
from wheelrelay.model import Digests
from wheelrelay.staged import BLOCK_SIZE
from wheelrelay.testing import write_distribution
from wheelrelay.transfer.download import stage
from wheelrelay.transfer.retry import Retrier
from wheelrelay.transfer.staging_area import StagingArea

WHEEL = "sample-1.0-py3-none-any.whl"
SIZE = 4 * BLOCK_SIZE


class WholeOnly:
    """A source of one file whose connection breaks where it is told to.

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
    """The same, which gives out parts as well."""

    @contextmanager
    def open_range(self, file, start, stop):
        yield self._stream(start)


class RefusesParts(WholeOnly):
    """The same, which finds out that it cannot only when it is asked."""

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
def wheelhouse(tmp_path):
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    return StagingArea(folder)


@pytest.fixture
def fetch(wheelhouse, content):
    """Stage the file from a source with some patience; ``watched`` is told of what moves."""

    def fetched(source, *, watched=lambda _: None, size=None, begin=lambda: None, sha256=None):
        declared = Digests(sha256=hashlib.sha256(content).hexdigest() if sha256 is None else sha256 or None)
        return stage(
            source,
            dist_file(WHEEL, size=size, digests=declared),
            wheelhouse,
            retrier=Retrier(QUICK, lambda _: None, threading.Event()),
            watcher=watched,
            begin=begin,
        )

    return fetched


@pytest.mark.parametrize("size_known", [True, False], ids=["size known", "size unknown"])
def test_it_goes_on_where_it_broke_off(fetch, content, size_known):
    source = SupportsParts(content, breaks=[1_000_000, 1_500_000])
    staged = fetch(source, size=len(content) if size_known else None)
    assert staged.path.read_bytes() == content
    assert source.opened == [0, 1_000_000, 1_500_000]


@pytest.mark.parametrize("kind", [WholeOnly, RefusesParts])
def test_a_source_that_gives_out_only_the_whole_is_read_from_the_beginning(fetch, content, kind):
    source = kind(content, breaks=[1_000_000])
    assert fetch(source).path.read_bytes() == content
    assert source.opened == [0, 0]


def test_without_a_declared_digest_pieces_are_not_put_together(fetch, content):
    source = SupportsParts(content, breaks=[1_000_000])
    assert fetch(source, sha256="").path.read_bytes() == content
    assert source.opened == [0, 0]


def test_a_file_that_was_replaced_meanwhile_is_read_from_the_beginning(fetch, content):
    before = content[:10] + b"other" + content[15:]
    source = SupportsParts(before, content, breaks=[1_000_000])
    assert fetch(source).path.read_bytes() == content
    assert source.opened == [0, 1_000_000, 0]


def test_a_file_that_came_whole_with_another_digest_is_not_asked_for_again(fetch, content):
    source = SupportsParts(content)
    with pytest.raises(DigestMismatch):
        fetch(source, sha256="0" * 64)
    assert source.opened == [0]


def test_more_bytes_than_declared_are_no_beginning(fetch, content):
    source = SupportsParts(content + b"more", content)
    assert fetch(source, size=len(content)).path.read_bytes() == content
    assert source.opened == [0, 0]


def test_a_stream_that_ends_early_and_quietly_is_gone_on_with(fetch, content):
    source = SupportsParts(content[:2_000_000], content)
    assert fetch(source, size=len(content)).path.read_bytes() == content
    assert source.opened == [0, 2_000_000]


def test_patience_ends(fetch, content, wheelhouse):
    source = SupportsParts(content[:2_000_000])
    with pytest.raises(SizeMismatch, match="only 2000000 of"):
        fetch(source, size=len(content))
    assert len(source.opened) == QUICK.attempts
    assert list(wheelhouse.folder.iterdir()) == []


def test_those_who_watch_see_as_many_bytes_as_there_are(fetch, content):
    attempts = []
    fetch(
        SupportsParts(content, breaks=[1_000_000]),
        begin=lambda: attempts.append(0),
        watched=lambda count: attempts.append(attempts.pop() + count),
    )
    assert attempts == [1_000_000, len(content)]
