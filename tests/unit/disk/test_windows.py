"""What the code does on Windows, as far as another system can show it."""

import os
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from wheelrelay.cli.demo import run_program
from wheelrelay.config.files import refuse_if_writable_by_others
from wheelrelay.disk.folders import FOLDER_PREFIX, remove_leftover_folders, temporary_folder
from wheelrelay.disk.locks import try_lock
from wheelrelay.disk.writing import rename_exclusively, replace_file, write_temporary


@pytest.fixture(autouse=True)
def windows(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")


def open_files():
    """Return the number of open files of this process, where the system shows them."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_files_are_not_locked(tmp_path):
    with (tmp_path / "file").open("wb") as first, (tmp_path / "file").open("rb") as second:
        assert try_lock(first.fileno()) is None
        assert try_lock(second.fileno()) is None


def test_file_is_closed_before_it_is_renamed(tmp_path):
    target, content = tmp_path / "sample.whl", b"content"
    before = open_files()
    with write_temporary(target, [content], size=7, sha256=sha256(content).hexdigest()) as temporary:
        assert open_files() == before
        rename_exclusively(temporary, target)
    assert target.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["sample.whl"]


def test_file_is_replaced(tmp_path):
    replace_file(tmp_path / "page.html", b"old")
    replace_file(tmp_path / "page.html", b"new")
    assert (tmp_path / "page.html").read_bytes() == b"new"


def test_temporary_folders_of_other_runs_stay(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    other = tmp_path / f"{FOLDER_PREFIX}0123456789ab-demo"
    other.mkdir()
    os.utime(other, (0, 0))
    remove_leftover_folders()
    with temporary_folder("demo") as folder:
        assert folder.is_dir()
    assert not folder.exists()
    assert other.is_dir()


def test_configuration_that_others_can_write_is_used(tmp_path):
    config = tmp_path / "wheelrelay.toml"
    config.write_text("")
    config.chmod(0o666)
    refuse_if_writable_by_others(config)


def test_interrupted_program_is_killed(monkeypatch):
    killed = []

    class Interrupted(subprocess.Popen):
        def communicate(self, *_, **__):
            raise KeyboardInterrupt

        def kill(self):
            killed.append(self.pid)
            os.kill(self.pid, signal.SIGTERM)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_program([sys.executable, "-c", "input()"], dict(os.environ))
    assert killed
