"""The staging area is removed at the end, and so are those of killed relays."""

import os
import signal
import subprocess
import sys
import tempfile
import time

import pytest

from wheelrelay.disk.folders import FOLDER_PREFIX
from wheelrelay.errors import WheelrelayError
from wheelrelay.transfer.staging_area import temporary_staging_area

STAGING = """
import sys, tempfile
from wheelrelay.transfer.staging_area import temporary_staging_area
with temporary_staging_area() as staging_area:
    (staging_area.folder / "sample-1.0.tar.gz").write_bytes(b"half of it")
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """The folder for temporary files."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def other_relay(scratch):
    """A relay that stages a file in a process of its own, until its input is closed."""
    command = [sys.executable, "-c", STAGING]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_folder_is_removed_at_the_end(scratch):
    with temporary_staging_area() as staging_area:
        (staging_area.folder / "sample-1.0.tar.gz").write_bytes(b"content")
        assert list(scratch.iterdir())
    assert list(scratch.iterdir()) == []


def test_removes_folder_of_killed_relay(scratch, other_relay):
    other_relay.send_signal(signal.SIGKILL)
    other_relay.wait()
    [left] = scratch.iterdir()
    with temporary_staging_area():
        assert not left.exists()


def test_keeps_folder_of_running_relay(scratch, other_relay):
    [alive] = scratch.iterdir()
    with temporary_staging_area():
        pass
    assert [path.name for path in alive.rglob("*.gz")] == ["sample-1.0.tar.gz"]
    other_relay.communicate()
    assert other_relay.returncode == 0
    assert not alive.exists()


def test_does_not_read_folders_that_may_be_in_use(scratch, other_relay, monkeypatch):
    [alive] = scratch.iterdir()
    (unlocked := scratch / f"{FOLDER_PREFIX}bench-abcdefgh").mkdir()
    read, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path=".": read.append(str(path)) or scandir(path))
    with temporary_staging_area():
        assert unlocked.exists()
    assert [path for path in read if path.startswith((str(alive), str(unlocked)))] == []
    other_relay.communicate()


def test_keeps_what_is_not_a_staging_area(scratch, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").touch()
    (scratch / f"{FOLDER_PREFIX}link").symlink_to(elsewhere)
    (scratch / f"{FOLDER_PREFIX}file").touch()
    (scratch / f"{FOLDER_PREFIX}folder").mkdir()
    (scratch / f"{FOLDER_PREFIX}trap").mkdir()
    (scratch / f"{FOLDER_PREFIX}trap" / "lock").symlink_to(elsewhere / "lock")
    before = sorted(scratch.iterdir())
    with temporary_staging_area():
        pass
    assert sorted(scratch.iterdir()) == before
    assert (elsewhere / "lock").exists()


def aged(path, days):
    then = time.time() - days * 24 * 3600
    for part in (*path.rglob("*"), path):
        os.utime(part, (then, then))


@pytest.mark.parametrize("lock", ["0" * 12, "", None], ids=["another machine", "an older version", "no lock"])
def test_removes_old_folder_without_usable_lock(scratch, lock):
    left = scratch / f"{FOLDER_PREFIX}abcd_123"
    (left / "files").mkdir(parents=True)
    (left / "files" / "sample-1.0.tar.gz").write_bytes(b"half of it")
    if lock is not None:
        (left / "lock").write_text(lock)
    aged(left, days=6)
    with temporary_staging_area():
        assert left.exists()
    aged(left, days=8)
    with temporary_staging_area():
        assert not left.exists()


def test_keeps_old_folder_with_recent_writes(scratch):
    left = scratch / f"{FOLDER_PREFIX}abcd_123"
    (left / "files").mkdir(parents=True)
    aged(left, days=8)
    (left / "files" / "sample-1.0.tar.gz").write_bytes(b"half of it")
    with temporary_staging_area():
        assert left.exists()


def test_names_that_differ_only_in_case_get_different_paths(scratch):
    names = ("Sample-1.0.tar.gz", "sample-1.0.tar.gz", "SAMPLE-1.0.tar.gz")
    with temporary_staging_area() as staging_area:
        for name in names:
            with staging_area.incoming(name) as stream:
                stream.write(name.encode())
        paths = [staging_area.path_of(name) for name in names]
        assert [path.read_text() for path in paths] == list(names)
        assert len({str(path).casefold() for path in paths}) == 3
        assert [path.name for path in paths] == list(names)


def test_missing_temporary_folder_is_an_error_with_a_hint(scratch):
    scratch.rmdir()
    with pytest.raises(WheelrelayError, match="Set TMPDIR"), temporary_staging_area():
        pass
