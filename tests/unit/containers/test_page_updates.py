"""Pages that are there stay true, also where none were asked for, and whatever one file of others is like."""

import contextlib
import json
import logging
import os
import tarfile
import threading
import uuid
import zipfile
from dataclasses import replace

import pytest

from wheelrelay import PublishOptions, api
from wheelrelay.backends.fsspec import FsspecConfig
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.config import Route
from wheelrelay.config.base import Retention
from wheelrelay.containers import ContainerStore
from wheelrelay.errors import PermissionDenied
from wheelrelay.testing import make_sdist, make_wheel, stage_path

WHEEL = "sample-1.0-py3-none-any.whl"
NEWER = "sample-2.0-py3-none-any.whl"


@pytest.fixture
def dist(tmp_path):
    make_wheel(tmp_path / "dist", version="2.0")
    return make_wheel(tmp_path / "dist").parent


@pytest.fixture(params=["a path", "a directory without pages", "memory", "objects"])
def remote(request, tmp_path, objects):
    """A container whose pages were written once, and that was not asked to keep any."""
    match request.param:
        case "a path":
            return str(tmp_path / "there")
        case "a directory without pages":
            return DirectoryConfig(path=tmp_path / "there", pages=False)
        case "memory":
            return FsspecConfig(url=f"memory://wheels-{uuid.uuid4().hex}", pages=False)
    return ContainerStore(objects)


class TestWithoutPages:
    """What changes the files keeps the pages that are there true."""

    @pytest.fixture(autouse=True)
    def _indexed(self, remote, dist):
        api.push([dist], remote)
        api.index(remote)
        assert api.check_index(remote) == []

    def test_pages_are_current_after_push(self, remote, tmp_path):
        api.push([make_wheel(tmp_path, version="3.0")], remote)
        assert api.check_index(remote) == []

    def test_pages_are_current_after_remove(self, remote):
        api.remove(remote, [WHEEL])
        assert api.check_index(remote) == []

    def test_pages_are_current_after_replace(self, remote, tmp_path):
        newer = make_wheel(tmp_path, payload=b"other", metadata={"Requires-Python": ">=3.9"})
        api.push([newer], remote, options=PublishOptions(replace=True))
        assert api.check_index(remote) == []

    def test_pages_are_current_after_prune(self, remote):
        assert api.prune(remote, retention=Retention(keep=1))
        assert api.check_index(remote) == []

    def test_pages_are_current_after_relay(self, remote, tmp_path):
        make_wheel(tmp_path / "more", version="3.0")
        route = Route(source=str(tmp_path / "more"), sinks=[remote])
        api.relay(route, ["sample==3.0"])
        assert api.check_index(remote) == []


def test_pages_list_remaining_files_after_a_failed_removal(objects, dist):
    class Refusing(type(objects)):
        def delete_object(self, name):
            if name == NEWER:
                raise PermissionDenied(f"{name} may not be deleted.")
            super().delete_object(name)

    store = ContainerStore(objects, pages=True)
    api.push([dist], store)
    objects.__class__ = Refusing
    with pytest.raises(PermissionDenied, match="may not be deleted"):
        api.remove(store, [NEWER, WHEEL])
    assert NEWER in {stored.name for stored in objects.list_objects()}
    assert api.check_index(store) == []


def test_no_pages_are_created_without_pages(remote, dist, tmp_path):
    api.push([dist], remote)
    api.remove(remote, [WHEEL])
    assert "simple/index.json" in api.check_index(remote)


@pytest.mark.parametrize("content", [b'{"meta": {"api-version": "1.0"}, "projects": []}', b"[]"])
def test_pages_of_another_program_are_unchanged(tmp_path, dist, content):
    there = tmp_path / "there"
    (there / "simple").mkdir(parents=True)
    (there / "simple" / "index.json").write_bytes(content)
    (there / "index.html").write_bytes(b"mine")
    api.push([dist], str(there))
    api.remove(str(there), [WHEEL])
    assert (there / "simple" / "index.json").read_bytes() == content
    assert (there / "index.html").read_bytes() == b"mine"


def test_replace_removes_the_metadata_of_the_old_bytes(tmp_path, dist):
    there = tmp_path / "there"
    with DirectoryConfig(path=there, pages=True).open() as store:
        store.put(stage_path(dist / WHEEL))
    with DirectoryConfig(path=there).open() as store:
        store.replace(stage_path(make_wheel(tmp_path, payload=b"other")))
    assert not (there / f"{WHEEL}.metadata").exists()


def odd(**keys):
    """A document, of the root and of a project, with an entry that has odd values."""
    entry = {"filename": WHEEL, "size": 1, "hashes": {"sha256": "a" * 64}, "_wheelrelay": {"version": "1"}}
    files = [entry | keys]
    return json.dumps({"files": files, "_wheelrelay": {"files": files}}).encode()


DAMAGED = {
    "deep brackets": b"[" * 200_000,
    "no text": b"\xff\xfe\x00",
    "truncated": b'{"meta":{"api-version":"1.1"},"projects":[{"na',
    "an odd size": odd(size=float("inf")),
    "no text where it should be": odd(**{"requires-python": [1], "yanked": {"a": 1}}),
    "no digest where it should be": odd(**{"core-metadata": {"sha256": '"><script>'}}),
}


@pytest.mark.parametrize("page", ["simple/index.json", "simple/sample/index.json", "index.html"])
@pytest.mark.parametrize("damage", DAMAGED)
def test_unreadable_page_is_rewritten(tmp_path, dist, page, damage):
    there = tmp_path / "there"
    api.push([dist], str(there))
    api.index(str(there))
    whole = (there / page).read_bytes()
    (there / page).write_bytes(DAMAGED[damage])
    assert api.check_index(str(there))
    api.index(str(there))
    assert (there / page).read_bytes() == whole
    (there / page).write_bytes(DAMAGED[damage])
    api.push([make_wheel(tmp_path, version="3.0")], str(there))
    assert api.check_index(str(there)) == []


def encrypted(folder):
    path = make_wheel(folder, "other")
    raw = bytearray(path.read_bytes())
    for sign, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = -1
        while (at := raw.find(sign, at + 1)) >= 0:
            raw[at + offset] |= 1
    path.write_bytes(raw)
    return path


def with_damaged_lzma(folder):
    path = make_wheel(folder, "other")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_LZMA)
        [info] = [info for info in archive.infolist() if info.filename.endswith("METADATA")]
    raw = bytearray(path.read_bytes())
    start = info.header_offset + 30 + len(info.filename)
    for at in range(start + 9, start + info.compress_size):
        raw[at] ^= 0xA5
    path.write_bytes(raw)
    return path


def with_link(folder, target):
    folder.mkdir(exist_ok=True)
    info = tarfile.TarInfo("other-1.0/PKG-INFO")
    info.type, info.linkname = tarfile.SYMTYPE, target
    path = folder / "other-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(info)
    return path


BAD = {
    "an encrypted wheel": encrypted,
    "damaged LZMA": with_damaged_lzma,
    "a link to nothing": lambda folder: with_link(folder, "gone/PKG-INFO"),
    "a link to itself": lambda folder: with_link(folder, "PKG-INFO"),
}


@pytest.mark.parametrize("kind", BAD)
def test_damaged_file_is_listed_without_metadata(tmp_path, dist, kind, caplog):
    there = tmp_path / "there"
    there.mkdir()
    bad = BAD[kind](there)
    with DirectoryConfig(path=there, pages=True).open() as store, caplog.at_level(logging.WARNING):
        store.put(stage_path(dist / WHEEL))
        store.finalize({"sample"})
        assert store.check_pages() == []
    [entry] = json.loads((there / "simple" / "other" / "index.json").read_bytes())["files"]
    assert "core-metadata" not in entry
    [other] = json.loads((there / "simple" / "sample" / "index.json").read_bytes())["files"]
    assert "core-metadata" in other
    assert f"{bad.name} is listed without its core metadata" in caplog.text


@pytest.mark.parametrize("kind", BAD)
def test_damaged_file_can_be_put(tmp_path, kind, objects):
    store = ContainerStore(objects, pages=True)
    store.put(stage_path(BAD[kind](tmp_path)))
    store.finalize({"other"})
    assert store.check_pages() == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_an_error_after_all_other_pages(tmp_path, dist):
    there = tmp_path / "there"
    there.mkdir()
    make_wheel(there, "other").chmod(0)
    with DirectoryConfig(path=there, pages=True).open() as store:
        store.put(stage_path(dist / WHEEL))
        with pytest.raises(PermissionDenied, match=r"cannot be read: other-1.0-py3"):
            store.finalize({"sample"})
    assert (there / "simple" / "sample" / "index.html").exists()


def test_unreadable_object_is_an_error_after_all_other_pages(objects, tmp_path, dist):
    other = make_wheel(tmp_path, "other")
    objects.create_object(other.name, other.read_bytes(), content_type="", metadata={})

    def refuse(operation, name):
        if (operation, name) == ("open", other.name):
            raise PermissionDenied(f"{name} may not be read.")

    objects.before = refuse
    store = ContainerStore(objects, pages=True)
    store.put(stage_path(dist / WHEEL))
    with pytest.raises(PermissionDenied, match=r"cannot be read: other-1.0-py3"):
        store.finalize({"sample"})
    assert "simple/sample/index.html" in objects.kept
    assert "simple/other/index.html" not in objects.kept
    with pytest.raises(PermissionDenied, match=r"cannot be read: other-1.0-py3"):
        store.check_pages()


HOSTILE = '"><a href="https://evil.example/">x</a>'


@pytest.mark.parametrize("make", [make_wheel, make_sdist])
@pytest.mark.parametrize(
    "texts",
    [
        {"sha256": HOSTILE},
        {"sha256": HOSTILE, "requires-python": "any"},
        {"sha256": "a" * 64 + "\n", "requires-python": ">=3.9"},
        {"sha256": "REAL", "requires-python": HOSTILE},
        {"sha256": "REAL", "requires-python": HOSTILE, "metadata-sha256": "b" * 64},
        {"sha256": "REAL", "requires-python": ">=3.9", "metadata-sha256": HOSTILE},
    ],
)
def test_object_metadata_cannot_inject_links(objects, tmp_path, make, texts):
    path = make(tmp_path)
    digest = stage_path(path).sha256
    kept = {key: digest if text == "REAL" else text for key, text in texts.items()}
    objects.create_object(path.name, path.read_bytes(), content_type="", metadata=kept)
    store = ContainerStore(objects, pages=True)
    [file] = store.inventory("sample")
    assert file.sha256 == digest
    store.rebuild_pages()
    pages = b"".join(one.content for name, one in objects.kept.items() if name.endswith((".html", ".json")))
    assert b"evil" not in pages
    [entry] = json.loads(objects.kept["simple/sample/index.json"].content)["files"]
    assert entry["hashes"] == {"sha256": digest}


def test_warns_about_a_truncated_file(tmp_path, dist, caplog):
    there = tmp_path / "there"
    with DirectoryConfig(path=there, pages=True).open() as store:
        store.put(stage_path(dist / WHEEL))
        store.finalize({"sample"})
    whole = (there / WHEEL).stat().st_size
    os.truncate(there / WHEEL, 100)
    warning = f"{there / WHEEL} has 100 bytes, but the index pages declare {whole}."
    with DirectoryConfig(path=there, pages=True).open() as store, caplog.at_level(logging.WARNING):
        for _ in range(2):
            list(store.inventory("sample"))
        assert caplog.text.count(warning) == 1
        caplog.clear()
        store.rebuild_pages()
        assert caplog.text.count(warning) == 1
        assert f"remove it: wheelrelay remove REMOTE {WHEEL}" in caplog.text


def test_pages_created_during_a_push_are_complete(objects, dist):
    staged = stage_path(dist / WHEEL)
    build = {"commit": "0123abc"}
    plain = ContainerStore(objects)
    plain.put(replace(staged, file=replace(staged.file, build=build)))
    objects.kept[WHEEL] = replace(objects.kept[WHEEL], metadata={})
    ContainerStore(objects, pages=True).rebuild_pages()
    objects.delete_object("simple/sample/index.json")
    objects.kept["simple/index.json"] = replace(objects.kept["simple/index.json"], content=b"")
    objects.delete_object(f"{WHEEL}.metadata")
    plain.finalize({"sample"})
    [entry] = json.loads(objects.kept["simple/sample/index.json"].content)["files"]
    assert "core-metadata" in entry
    assert entry["_wheelrelay"]["build"] == build


def test_concurrent_puts_write_all_metadata_files(objects, dist, tmp_path):
    ContainerStore(objects, pages=True).rebuild_pages()
    files = [stage_path(make_wheel(tmp_path, "many", "1.0", f"py{number}-none-any")) for number in range(8)]
    store = ContainerStore(objects)
    together = threading.Barrier(len(files))
    asked = threading.Barrier(2)

    def wait(operation, name):
        if (operation, name) == ("open", "simple/index.json"):
            with contextlib.suppress(threading.BrokenBarrierError):
                asked.wait(0.2)  # the others have time to go ahead

    def put(staged):
        together.wait()
        store.put(staged)

    objects.before = wait
    threads = [threading.Thread(target=put, args=(staged,)) for staged in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {f"{staged.filename}.metadata" for staged in files} <= set(objects.kept)
