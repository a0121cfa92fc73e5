"""Files are written whole or not at all, and what a killed run left is removed by the next one."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wheelrelay.disk.locks import machine_id
from wheelrelay.disk.writing import (
    TEMPORARY_PREFIX,
    create_file,
    ensure_writable,
    remove_leftovers,
    replace_file,
    write_all,
    write_temporary,
)
from wheelrelay.errors import DigestMismatch, IntegrityError, WheelrelayError

posix = pytest.mark.skipif(os.name == "nt", reason="takes limits and signals that Windows does not have")

LIMITED = """
import resource, sys
from pathlib import Path
from wheelrelay.disk.writing import replace_file
from wheelrelay.errors import WheelrelayError
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    replace_file(Path(sys.argv[1]), b"new" * 4000)
except WheelrelayError as error:
    sys.exit(str(error))
"""

WRITING = """
import sys
from pathlib import Path
from wheelrelay.disk.writing import write_temporary

def blocks():
    yield b"half of it"
    print("ready", flush=True)
    sys.stdin.read()

with write_temporary(Path(sys.argv[1]), blocks(), size=10) as temporary:
    temporary.rename(sys.argv[1])
"""


class Reluctant:
    """A stream that takes three bytes at once, as an unbuffered one may."""

    def __init__(self):
        self.taken = b""

    def write(self, block):
        self.taken += bytes(block[:3])
        return min(3, len(block))


class Deaf:
    """A stream that takes nothing, and does not say why."""

    def write(self, block):
        return 0


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder" / "receipt.json"


@pytest.fixture(autouse=True)
def _folder(target):
    target.parent.mkdir()


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture
def writer(target):
    """A run that writes a file in a process of its own, until its input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITING, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_partial_writes_are_continued():
    stream = Reluctant()
    write_all(stream, b"0123456789")
    assert stream.taken == b"0123456789"


def test_write_of_zero_bytes_is_an_error():
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        write_all(Deaf(), b"0123456789")


@posix
@pytest.mark.parametrize("limit", [0, 1, 4096, 8192, 11999])
def test_failed_write_keeps_the_old_file_and_reports_the_reason(target, limit):
    target.write_bytes(b"old")
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, target, str(limit)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert f"{target} cannot be written: File too large. Raise the limit on file sizes" in ended.stderr
    assert (names(target.parent), target.read_bytes()) == ([target.name], b"old")


@posix
def test_complete_write_replaces_the_old_file(target):
    target.write_bytes(b"old")
    subprocess.run([sys.executable, "-c", LIMITED, target, "12000"], check=True)
    assert (names(target.parent), target.read_bytes()) == ([target.name], b"new" * 4000)


@pytest.mark.parametrize(("size", "sha256"), [(9, None), (11, None), (10, "0" * 64)])
def test_unexpected_size_or_digest_is_refused(target, size, sha256):
    with (
        pytest.raises(DigestMismatch if sha256 else IntegrityError, match=target.name),
        write_temporary(target, [b"01234", b"56789"], size=size, sha256=sha256) as temporary,
    ):
        temporary.rename(target)
    assert names(target.parent) == []


def test_taken_name_is_never_overwritten(target):
    create_file(target, b"first")
    with pytest.raises(FileExistsError):
        create_file(target, b"second")
    assert (names(target.parent), target.read_bytes()) == ([target.name], b"first")


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="takes a device")
def test_device_is_not_replaced(target):
    target.symlink_to("/dev/null")
    with pytest.raises(WheelrelayError, match="it is a device or a pipe"):
        ensure_writable(target)
    assert target.is_symlink()


def test_missing_folder_is_reported_by_ensure_writable(target):
    with pytest.raises(WheelrelayError, match="Check that its folder exists"):
        ensure_writable(target.parent / "nowhere" / "receipt.json")


@posix
def test_leftovers_of_a_killed_run_are_removed_at_once(target, writer):
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert len(names(target.parent)) == 1
    remove_leftovers(target.parent)
    assert names(target.parent) == []


def test_files_of_a_live_run_are_kept_at_any_age(target, writer):
    [left] = target.parent.iterdir()
    os.utime(left, (1, 1))
    remove_leftovers(target.parent)
    writer.communicate()
    assert writer.returncode == 0
    assert target.read_bytes() == b"half of it"


OTHER = "0" * 12 if machine_id() != "0" * 12 else "1" * 12
OF_ANOTHER_MACHINE = f"{TEMPORARY_PREFIX}{OTHER}-{'a' * 16}"
OF_AN_OLDER_VERSION = f"{TEMPORARY_PREFIX}{'b' * 16}"


@pytest.mark.parametrize("name", [OF_ANOTHER_MACHINE, OF_AN_OLDER_VERSION])
def test_files_of_another_machine_are_removed_only_when_old(target, name):
    left = target.parent / name
    left.write_bytes(b"half")
    remove_leftovers(target.parent)
    assert names(target.parent) == [name]
    yesterday = time.time() - 25 * 3600
    os.utime(left, (yesterday, yesterday))
    remove_leftovers(target.parent)
    assert names(target.parent) == []


def test_other_files_are_kept(target):
    folder = target.parent
    (folder / f"{TEMPORARY_PREFIX}notes").write_bytes(b"mine")
    (folder / f"{TEMPORARY_PREFIX}{'c' * 16}.txt").write_bytes(b"mine")
    (folder / f"{TEMPORARY_PREFIX}{'d' * 16}").mkdir()
    (folder / f"{TEMPORARY_PREFIX}{'e' * 16}").symlink_to(folder / f"{TEMPORARY_PREFIX}notes")
    before = names(folder)
    for entry in folder.iterdir():
        os.utime(entry, (1, 1), follow_symlinks=False)
    remove_leftovers(folder)
    replace_file(target, b"receipt")
    assert names(folder) == sorted([*before, target.name])


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="takes root, to give files away")
def test_files_of_another_user_are_kept(target):
    left = target.parent / OF_AN_OLDER_VERSION
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    os.chown(left, 65534, 65534)
    remove_leftovers(target.parent)
    assert names(target.parent) == [left.name]


APPENDING = """
import resource, sys
from pathlib import Path
from wheelrelay.disk.writing import append_to_file
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
append_to_file(Path(sys.argv[1]), b"new" * 4000)
"""


@posix
@pytest.mark.parametrize("limit", [3, 4, 4096, 12002])
def test_partial_append_is_undone(target, limit):
    target.write_bytes(b"old")
    command = [sys.executable, "-c", APPENDING, target]
    ended = subprocess.run([*command, str(limit)], capture_output=True, text=True, check=False)
    assert "File too large" in ended.stderr
    assert target.read_bytes() == b"old"
    subprocess.run([*command, "12003"], check=True)
    assert target.read_bytes() == b"old" + b"new" * 4000
