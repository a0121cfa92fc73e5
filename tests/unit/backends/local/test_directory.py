"""A directory keeps what is put there, whole, and never overwrites it."""

import errno
import logging
import os
import subprocess
import sys
import time

import pytest

from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.backends.local.store import DirectoryObjects, DirectoryStore
from wheelrelay.config.remotes import from_address
from wheelrelay.errors import (
    AlreadyExists,
    BackendError,
    ChangedWhileReading,
    DigestMismatch,
    NotFound,
    PermissionDenied,
)
from wheelrelay.testing import (
    AWKWARD_NAMES,
    ConfigContract,
    StoreContract,
    make_wheel,
    stage_path,
    write_distribution,
)

WHEEL = "sample-1.0-py3-none-any.whl"


class TestDirectory(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        with DirectoryConfig(path=tmp_path / "wheels").open() as store:
            store.put(stage_path(make_wheel(tmp_path / "first", "first")))
            (tmp_path / "wheels" / "first-1.0-py3-none-any.whl").unlink()
            yield store


class TestDirectoryConfig(ConfigContract):
    @pytest.fixture
    def config(self, tmp_path):
        return DirectoryConfig(path=tmp_path)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "wheels"


@pytest.fixture
def store(folder):
    return DirectoryStore(DirectoryObjects(folder))


def names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_file_url_and_path_open_a_directory(folder):
    for address in (f"file://{folder}", str(folder)):
        assert from_address(address).config == DirectoryConfig(path=folder)


def test_missing_directory_is_an_error_as_a_source(store, folder):
    with pytest.raises(NotFound, match=f"The directory {folder} does not exist"):
        list(store.iter_files(None))


def test_missing_directory_is_an_empty_sink_created_by_the_first_file(store, folder, tmp_path):
    assert list(store.inventory("sample")) == []
    assert not folder.exists()
    store.put(stage_path(make_wheel(tmp_path)))
    assert names_in(folder) == [WHEEL]
    assert [file.filename for file in store.inventory("sample")] == [WHEEL]


def test_file_instead_of_the_directory_is_an_error(store, folder):
    folder.write_text("not a directory")
    with pytest.raises(BackendError, match="Not a directory") as refused:
        list(store.inventory("sample"))
    assert not isinstance(refused.value, NotFound)


def test_lists_distributions_and_warns_once_about_an_invalid_name(store, folder, tmp_path, caplog):
    store.put(stage_path(make_wheel(tmp_path)))
    for name in ("notes.txt", ".hidden-1.0.tar.gz", ".wheelrelay-0123", "broken.whl", f"{WHEEL}.metadata"):
        (folder / name).write_bytes(b"x")
    (folder / "folder-1.0.tar.gz").mkdir()
    (folder / "nowhere-1.0.tar.gz").symlink_to(folder / "gone")
    (folder / "itself-1.0.tar.gz").symlink_to(folder / "itself-1.0.tar.gz")
    (folder / "readme").symlink_to(folder / "gone")
    (folder / "linked-1.0-py3-none-any.whl").symlink_to(folder / WHEEL)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert sorted(file.filename for file in store.iter_files(None)) == [
                "linked-1.0-py3-none-any.whl",
                WHEEL,
            ]
    said = sorted(record.getMessage() for record in caplog.records)
    assert [message.split(":")[0] for message in said] == [
        f"{folder / 'broken.whl'} is ignored",
        f"{folder / 'itself-1.0.tar.gz'} is ignored",
        f"{folder / 'nowhere-1.0.tar.gz'} is ignored",
    ]


class ReadCounter(DirectoryObjects):
    """A directory that counts which files are opened."""

    def __init__(self, path):
        super().__init__(path)
        self.opened = []

    def open_object(self, name):
        self.opened.append(name)
        return super().open_object(name)


def test_digests_come_from_existing_pages_without_reading_files(store, folder, tmp_path):
    wheel = stage_path(make_wheel(tmp_path))
    store.put(wheel)
    store.rebuild_pages()
    objects = ReadCounter(folder)
    [file] = DirectoryStore(objects).inventory("sample")
    assert file.sha256 == wheel.sha256
    assert WHEEL not in objects.opened


def test_file_that_changed_after_the_pages_were_written_is_read(store, folder, tmp_path):
    store.put(stage_path(make_wheel(tmp_path)))
    store.rebuild_pages()
    other = make_wheel(tmp_path / "other", payload=b"x")
    (folder / WHEEL).write_bytes(other.read_bytes())
    [file] = DirectoryStore(DirectoryObjects(folder)).inventory("sample")
    assert file.sha256 == stage_path(other).sha256


def test_second_listing_shows_every_change(folder):
    folder.mkdir()
    for name in ("same", "longer", "rewritten", "replaced", "removed"):
        (folder / name).write_bytes(b"1")
    objects = DirectoryObjects(folder)
    before = {entry.name: entry for entry in objects.list_objects()}
    (folder / "longer").write_bytes(b"12")
    (folder / "rewritten").write_bytes(b"2")
    os.utime(folder / "rewritten", (1, 1))
    (folder / "new").write_bytes(b"1")
    (folder / "new").replace(folder / "replaced")
    (folder / "removed").unlink()
    after = {entry.name: entry for entry in objects.list_objects()}
    assert after == {entry.name: entry for entry in DirectoryObjects(folder).list_objects()}
    assert {name for name in after if after[name] is before[name]} == {"same"}


def test_unusual_filenames_are_unchanged(store, folder, tmp_path):
    for name in AWKWARD_NAMES:
        store.put(stage_path(write_distribution(tmp_path, name)))
    assert names_in(folder) == sorted(AWKWARD_NAMES)
    assert sorted(file.filename for file in store.iter_files(None)) == sorted(AWKWARD_NAMES)


def test_file_that_changes_while_copied_leaves_nothing(store, folder, tmp_path):
    path = make_wheel(tmp_path, payload=os.urandom(3 << 20))
    (tmp_path / f"{WHEEL}.asc").write_bytes(b"signature")
    staged = stage_path(path)

    def touch(count):
        os.utime(path, (1, 1))

    with pytest.raises(ChangedWhileReading):
        store.put(staged.watched_by(touch))
    assert names_in(folder) == []


def test_other_bytes_do_not_change_an_existing_file(store, folder, tmp_path):
    first = stage_path(make_wheel(tmp_path / "a", payload=b"one"))
    store.put(first)
    other = make_wheel(tmp_path / "b", payload=b"two")
    other.with_name(f"{WHEEL}.asc").write_bytes(b"signature")
    with pytest.raises(AlreadyExists):
        store.put(stage_path(other))
    assert names_in(folder) == [WHEEL]
    assert [file.sha256 for file in store.inventory("sample")] == [first.sha256]


def test_missing_companion_is_added_and_existing_one_kept(store, folder, tmp_path):
    path = make_wheel(tmp_path)
    store.put(stage_path(path))
    signature = path.with_name(f"{WHEEL}.asc")
    for content in (b"first", b"second"):
        signature.write_bytes(content)
        store.put(stage_path(path))
    assert names_in(folder) == [WHEEL, f"{WHEEL}.asc"]
    [file] = store.iter_files("sample")
    assert store.read_companion(file, ".asc") == b"first"


def test_too_large_companion_is_refused(store, folder, tmp_path):
    store.put(stage_path(make_wheel(tmp_path)))
    (folder / f"{WHEEL}.asc").write_bytes(b"x" * ((1 << 20) + 1))
    [file] = store.iter_files("sample")
    with pytest.raises(BackendError, match="too large"):
        store.read_companion(file, ".asc")


def test_name_of_a_folder_or_broken_link_is_taken(store, folder, tmp_path):
    staged = stage_path(make_wheel(tmp_path))
    (folder / WHEEL).mkdir(parents=True)
    with pytest.raises(AlreadyExists):
        store.put(staged)
    (folder / WHEEL).rmdir()
    (folder / WHEEL).symlink_to(folder / "gone")
    with pytest.raises(AlreadyExists):
        store.put(staged)
    assert names_in(folder) == [WHEEL]


def test_leftovers_of_killed_runs_are_hidden_and_removed_after_a_day(store, folder, tmp_path):
    folder.mkdir()
    old, young = folder / f".wheelrelay-{'0' * 16}", folder / f".wheelrelay-{'1' * 16}"
    for left in (old, young):
        left.write_bytes(b"half a whe")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    store.put(stage_path(make_wheel(tmp_path)))
    assert names_in(folder) == [young.name, WHEEL]
    assert [file.filename for file in store.iter_files(None)] == [WHEEL]


@pytest.fixture(params=[errno.EPERM, errno.ENOTSUP, errno.EINVAL], ids=["FAT", "macOS", "Windows"])
def no_links(monkeypatch, request):
    """A file system that has no hard links, as FAT, exFAT and some network file systems."""

    def refuse(*_, **__):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("no_links")
class TestDirectoryWithoutHardLinks(TestDirectory):
    """The same holds there, for the writers of one machine."""


def test_new_folder_follows_the_umask(store, folder, tmp_path):
    umask = os.umask(0o022)
    try:
        store.put(stage_path(make_wheel(tmp_path)))
    finally:
        os.umask(umask)
    assert (folder / WHEEL).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(errno.EACCES, PermissionDenied), (errno.EIO, BackendError), (errno.ENOENT, NotFound)],
)
def test_operating_system_error_is_mapped_with_the_path(raised, expected, folder):
    from wheelrelay.backends.local.store import _map_errors

    with pytest.raises(expected, match=str(folder)), _map_errors(folder):
        raise OSError(raised, os.strerror(raised))


def test_error_of_the_source_is_not_reported_for_the_directory(store, tmp_path):
    store.put(stage_path(make_wheel(tmp_path)))
    [file] = store.iter_files("sample")
    with pytest.raises(OSError, match="No space"), store.open(file):
        raise OSError(errno.ENOSPC, "No space")


PUTTING = """
import resource, sys
from pathlib import Path
from wheelrelay.backends.local.store import DirectoryObjects, DirectoryStore
from wheelrelay.errors import BackendError
from wheelrelay.testing import stage_path
staged = stage_path(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    DirectoryStore(DirectoryObjects(Path(sys.argv[2]))).put(staged)
except BackendError as error:
    sys.exit(str(error))
"""


@pytest.mark.skipif(os.name == "nt", reason="takes limits that Windows does not have")
@pytest.mark.parametrize("limit", [0, 1, 4096, 100_000])
def test_full_disk_leaves_nothing_and_the_next_run_completes(folder, tmp_path, limit):
    path = make_wheel(tmp_path, payload=os.urandom(200_000))
    command = [sys.executable, "-c", PUTTING, path, folder]
    ended = subprocess.run([*command, str(limit)], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert f"{folder / WHEEL} cannot be written: File too large. Raise the limit" in ended.stderr
    assert names_in(folder) == []
    subprocess.run([*command, str(1 << 20)], check=True)
    assert (folder / WHEEL).read_bytes() == path.read_bytes()


def test_changed_bytes_with_unchanged_mtime_are_not_published(store, folder, tmp_path):
    path = make_wheel(tmp_path, payload=b"first")
    staged = stage_path(path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    times = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(times, times))
    with pytest.raises(DigestMismatch, match=WHEEL):
        store.put(staged)
    assert names_in(folder) == []
