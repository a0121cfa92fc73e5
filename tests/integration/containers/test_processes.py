"""Many processes push into one container at the same time, and one of them is killed."""

import signal
import subprocess
import sys

import pytest

from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.testing import make_wheel, stage_path

PUSH = """
import os, signal, sys
from pathlib import Path
from wheelrelay.backends.local.store import DirectoryObjects, DirectoryStore
from wheelrelay.errors import NotFound
from wheelrelay.testing import stage_path

class DiesWhileWritingAPage(DirectoryObjects):
    def open_object(self, name):
        if name == "simple/sample/index.html":  # so that it writes, though others may have been faster
            raise NotFound(name)
        return super().open_object(name)

    def replace_object(self, name, content, **options):
        if name == "simple/sample/index.html":
            half = self.path / "simple" / "sample" / ".wheelrelay-half"
            half.parent.mkdir(parents=True, exist_ok=True)
            half.write_bytes(content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        super().replace_object(name, content, **options)

folder, wheel, dies = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "dies"
store = DirectoryStore((DiesWhileWritingAPage if dies else DirectoryObjects)(folder), pages=True)
staged = stage_path(wheel)
print("ready", flush=True)
sys.stdin.read(1)
store.put(staged)
store.finalize({staged.file.project})
"""


def start(folder, wheel, *, dies):
    return subprocess.Popen(
        [sys.executable, "-c", PUSH, str(folder), str(wheel), "dies" if dies else "lives"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


@pytest.mark.long
def test_twenty_processes_leave_correct_pages_although_one_is_killed(tmp_path):
    wheels = [make_wheel(tmp_path / "made", "sample", f"{n}.0") for n in range(20)]
    folder = tmp_path / "wheels"
    pushes = [start(folder, wheel, dies=n == 7) for n, wheel in enumerate(wheels)]
    for push in pushes:
        assert push.stdout.readline() == b"ready\n"
    for push in pushes:
        push.stdin.write(b"!")
        push.stdin.flush()
    for push in pushes:
        push.communicate(timeout=60)
    codes = [push.returncode for push in pushes]
    assert codes == [0] * 7 + [-signal.SIGKILL] + [0] * 12
    with DirectoryConfig(path=folder, pages=True).open() as store:
        assert store.check_pages() == []
        digests = {file.filename: file.sha256 for file in store.iter_files("sample")}
    assert digests == {wheel.name: stage_path(wheel).sha256 for wheel in wheels}
    page = (folder / "simple" / "sample" / "index.html").read_text()
    assert all(f">{wheel.name}</a>" in page for wheel in wheels)


def test_repeated_push_completes_a_killed_one(tmp_path):
    wheel = make_wheel(tmp_path / "made")
    folder = tmp_path / "wheels"
    push = start(folder, wheel, dies=True)
    push.communicate(b"!", timeout=60)
    assert push.returncode == -signal.SIGKILL
    with DirectoryConfig(path=folder, pages=True).open() as store:
        assert store.check_pages() != []
        store.put(stage_path(wheel))
        store.finalize({"sample"})
        assert store.check_pages() == []
