"""A staged file is read as it was hashed, or not at all."""

import hashlib
import os

import pytest

from wheelrelay.errors import ChangedWhileReading
from wheelrelay.filenames import dist_file
from wheelrelay.staged import BLOCK_SIZE, FileIdentity, StagedFile


def stage(path, content):
    """What staging makes of ``content``."""
    path.write_bytes(content)
    identity = FileIdentity.of(path.stat())
    return StagedFile(dist_file(path.name), path, len(content), hashlib.sha256(content).hexdigest(), identity)


@pytest.fixture
def staged(tmp_path):
    return stage(tmp_path / "foo-1.0-py3-none-any.whl", os.urandom(3 * BLOCK_SIZE + 7))


def touch(staged):
    """Change one byte, and nothing of the size."""
    with staged.path.open("r+b") as stream:
        stream.write(b"\0")
    os.utime(staged.path, ns=(0, 0))


def test_read_returns_the_hashed_bytes(staged):
    with staged.open() as stream:
        assert len(stream) == staged.size
        assert hashlib.sha256(b"".join(stream)).hexdigest() == staged.sha256
        assert len(stream) == 0
        assert stream.read(10) == b""


def test_read_without_size_returns_the_rest(staged):
    with staged.open() as stream:
        head = stream.read(5)
        assert head + stream.read() == staged.path.read_bytes()


def test_range_is_read_alone(staged):
    with staged.open(10, 20) as stream:
        assert len(stream) == 10
        assert stream.read() == staged.path.read_bytes()[10:20]


def test_file_changed_before_reading_is_refused(staged):
    touch(staged)
    with pytest.raises(ChangedWhileReading, match="changed after it was verified"), staged.open():
        pass


def test_file_changed_while_reading_is_refused_before_the_last_block(staged):
    received = []
    with staged.open() as stream:
        received.append(stream.read(BLOCK_SIZE))
        touch(staged)
        with pytest.raises(ChangedWhileReading):
            received.extend(stream)
    assert sum(map(len, received)) < staged.size


def test_truncated_file_is_refused(staged):
    with staged.open() as stream:
        os.truncate(staged.path, BLOCK_SIZE)
        with pytest.raises(ChangedWhileReading):
            stream.read()


def test_file_replaced_by_the_same_bytes_is_refused(staged):
    other = staged.path.with_suffix(".new")
    other.write_bytes(staged.path.read_bytes())
    before = staged.path.stat()
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    with staged.open() as stream:
        other.replace(staged.path)
        with pytest.raises(ChangedWhileReading):
            stream.read()


def test_deleted_file_is_refused(staged):
    with staged.open() as stream:
        staged.path.unlink()
        with pytest.raises(ChangedWhileReading):
            stream.read()
    with pytest.raises(ChangedWhileReading, match="can no longer be read"), staged.open():
        pass


def test_empty_file_is_read(tmp_path):
    with stage(tmp_path / "foo-1.0.tar.gz", b"").open() as stream:
        assert list(stream) == []


def test_watcher_counts_every_byte(staged):
    seen = []
    watched = staged.watched_by(seen.append)
    with watched.open() as stream:
        list(stream)
    assert seen == [BLOCK_SIZE, BLOCK_SIZE, BLOCK_SIZE, 7]
    assert watched == staged
    assert watched.filename == "foo-1.0-py3-none-any.whl"
