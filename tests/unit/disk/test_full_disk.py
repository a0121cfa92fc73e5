"""A full disk, at every 4 KiB: nothing is truncated, the old stays whole, and the next run completes it.

``RLIMIT_FSIZE`` cuts each file short on its own; a small tmpfs, which takes root, fills up as a disk does.
"""

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.servers.objects import MemoryObjects

from wheelrelay import PublishOptions, api
from wheelrelay.config import Remote, Route
from wheelrelay.containers import ContainerStore
from wheelrelay.errors import WheelrelayError
from wheelrelay.testing import MemoryStore, make_sdist, make_wheel, stage_path

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform == "win32", reason="takes limits and mounts that Windows does not have"),
]

BLOCK = 4096
PAYLOAD = 5 * BLOCK + 100
CAUSES = (os.strerror(errno.EFBIG), os.strerror(errno.ENOSPC))


@contextmanager
def files_up_to(size):
    """Within the context no file can get more bytes; Python ignores the signal that comes with it."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def payload(seed):
    return random.Random(seed).randbytes(PAYLOAD)


def signature(seed):
    """Bytes that have the frame of a detached OpenPGP signature (RFC 9580, section 4.2.1), and its size."""
    body = b"\x04\x00" + payload(seed)
    return b"\xc2\xff" + len(body).to_bytes(4, "big") + body


@dataclass(frozen=True)
class Work:
    """An old release in a container with pages, and the new one that is to come into it.

    Attributes:
        old: the folder of the old release, which is in the container.
        new: the folder of the new release.
        other: the folder of the old release's wheel with other bytes.
        there: the container.
    """

    old: Path
    new: Path
    other: Path
    there: Path

    @classmethod
    def below(cls, folder):
        made = cls(folder / "old", folder / "new", folder / "other", folder / "disk" / "there")
        make_wheel(made.old, payload=payload(0))
        make_wheel(made.old, "older", payload=payload(1))
        for number, python in enumerate(("cp312", "cp313")):
            make_wheel(made.new, "sample", "2.0", f"{python}-{python}-win32", payload=payload(2 + number))
        make_sdist(made.new, "sample", "2.0", payload=payload(4))
        for path in list(made.new.iterdir()):
            path.with_name(f"{path.name}.asc").write_bytes(signature(5))
        make_wheel(made.other, payload=payload(6))
        return made

    def prepare(self):
        """Bring the container into its first state."""
        shutil.rmtree(self.there, ignore_errors=True)
        api.push([self.old], str(self.there))
        api.index(str(self.there))

    def state(self):
        """All that is in the container, by path."""
        return {
            path.relative_to(self.there).as_posix(): path.read_bytes()
            for path in sorted(self.there.rglob("*"))
            if path.is_file()
        }

    def assert_whole(self, before, after):
        """Every file has its old bytes or those of a release, and every page is a whole one."""
        releases = [path for folder in (self.old, self.new, self.other) for path in folder.iterdir()]
        for name, content in self.state().items():
            possible = [path.read_bytes() for path in releases if path.name == name]
            possible += [state[name] for state in (before, after) if name in state]
            page = name.endswith((".html", ".json"))
            assert content in possible or (page and _is_whole_page(name, content)), f"{name} is not whole"

    def assert_true(self):
        assert api.check_index(str(self.there)) == []


def _is_whole_page(name, content):
    """Whether a page between the first and the last state is a whole one."""
    if name.endswith(".json"):
        return content.endswith(b"}\n") and isinstance(json.loads(content), dict)
    return content.endswith(b"</html>\n")


def push(work):
    api.push([work.new], str(work.there))


def replace(work):
    api.push([work.other], str(work.there), options=PublishOptions(replace=True))


def remove(work):
    api.remove(str(work.there), ["older-1.0-py3-none-any.whl"])


def index(work):
    for page in work.there.rglob("index.*"):
        page.unlink()
    api.index(str(work.there))


def relay(work):
    api.relay(Route(source=str(work.new), sinks=[str(work.there)]), ["sample==2.0"])


COMMANDS = [push, replace, remove, index, relay]


@pytest.fixture
def work(tmp_path):
    return Work.below(tmp_path)


def states(work, command):
    """What the container holds before a command, and after it has come to its end."""
    work.prepare()
    before = work.state()
    command(work)
    return before, work.state()


def fails(work, command):
    """Whether a command fails; if so, with a sentence that names the cause."""
    try:
        command(work)
    except WheelrelayError as error:
        said = str(error)
    else:
        return False
    assert any(cause in said for cause in CAUSES), said
    return True


def assert_survived(work, command, before, after):
    """Nothing is half there, and the same command with room completes it."""
    assert not list(work.there.rglob(".wheelrelay-*"))
    work.assert_whole(before, after)
    if command is remove and "older-1.0-py3-none-any.whl" not in work.state():
        api.index(str(work.there))
    else:
        command(work)
    work.assert_true()
    assert {name for name in work.state() if "index." not in name} == {
        name for name in after if "index." not in name
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_sink_survives_a_file_size_limit_at_every_block(work, command):
    before, after = states(work, command)
    largest = max(map(len, after.values()))
    failed = 0
    for limit in range(0, largest + 2 * BLOCK, BLOCK):
        work.prepare()
        with files_up_to(limit):
            failed += fails(work, command)
        assert_survived(work, command, before, after)
    assert failed >= 1


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="takes root, to mount a small disk")
@pytest.mark.parametrize("command", [push, replace, relay])  # the others make room before they need some
def test_sink_survives_a_full_disk_at_every_block(work, command, small_disk):
    before, after = states(work, command)
    needed = sum(map(len, after.values())) + BLOCK * (len(after) + 8)
    failed = ended = 0
    for room in range(0, needed + BLOCK, BLOCK):
        small_disk(None)
        work.prepare()
        small_disk(room)
        failed += fails(work, command)
        ended += 1
        small_disk(None)
        assert_survived(work, command, before, after)
        if ended - failed > 3:  # there is room enough from here on
            break
    assert failed >= 1
    assert ended > failed


@pytest.fixture
def small_disk(work):
    """A disk for the container alone; called with the bytes of room to leave, or with none for much."""
    folder = work.there.parent
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "wheelrelay", folder], check=False)
    if made.returncode:
        pytest.skip("nothing can be mounted here")

    def resize(room):
        status = os.statvfs(folder)
        used = (status.f_blocks - status.f_bfree) * status.f_frsize
        size = 64 << 20 if room is None else used + room
        subprocess.run(["mount", "-o", f"remount,size={max(size, BLOCK)}", folder], check=True)

    yield resize
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("kind", ["receipt", "sums"])
def test_receipt_and_sums_survive_a_file_size_limit_at_every_block(work, tmp_path, kind):
    for number in range(40):
        make_wheel(tmp_path / "many", "many", "1.0", f"py3-none-macosx_{10 + number}_0_universal2")
    path = tmp_path / kind
    route = Route(source=str(tmp_path / "many"), sinks=[str(tmp_path / "out")])

    def run():
        api.relay(route, ["many==1.0"], **{kind: path})

    run()
    size = path.stat().st_size
    assert size > BLOCK
    failed = 0
    for limit in range(0, size + BLOCK, BLOCK):
        shutil.rmtree(tmp_path / "out")
        path.write_bytes(b"old")
        with files_up_to(limit):
            failed += fails(work, lambda _: run())
        content = path.read_bytes()
        whole = content == b"old" or (kind == "sums" and content.count(b"\n") == 40)
        assert whole or (kind == "receipt" and json.loads(content)["source"])
        assert not list(tmp_path.glob(".wheelrelay-*"))
        run()
        assert path.stat().st_size >= size - 100
    assert failed >= 1


def test_staging_survives_a_file_size_limit_at_every_block(work, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = MemoryStore()
    files = [path for path in work.new.iterdir() if path.suffix in (".whl", ".gz")]
    for path in files:
        store.put(stage_path(path))
    largest = max(path.stat().st_size for path in files)
    route = Route(source=Remote("memory", connected=store), sinks=[str(tmp_path / "out")])
    failed = 0
    for limit in range(0, largest + 2 * BLOCK, BLOCK):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        with files_up_to(limit):
            failed += fails(work, lambda _: api.relay(route, ["sample==2.0"]) and None)
        there = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*")}
        assert there == {} or len(there) == 2 * len(files)
        assert not list(tmp_path.glob("wheelrelay-*"))
        api.relay(route, ["sample==2.0"])
        for path in files:
            assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    assert failed >= 2


def test_objects_are_copied_completely_to_read_their_metadata(work, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    failed = 0
    for limit in range(0, PAYLOAD + 3 * BLOCK, BLOCK):
        objects = MemoryObjects()
        for path in work.new.glob("*.whl"):
            objects.create_object(path.name, path.read_bytes(), content_type="", metadata={})
        store = ContainerStore(objects, pages=True)
        with files_up_to(limit):
            if fails(work, lambda _, store=store: store.rebuild_pages()):
                failed += 1
                assert not any(name.endswith(".html") for name in objects.kept)
        store.rebuild_pages()
        assert store.check_pages() == []
        assert not list(tmp_path.glob("wheelrelay-*"))
    assert failed >= 2
