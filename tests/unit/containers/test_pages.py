"""The pages of a container come to be true, whoever writes at the same time and whatever was there before."""

import hashlib
import json
import threading
from dataclasses import replace

import pytest
from pypi_simple import ProjectPage
from tests.servers.objects import MemoryObjects

from wheelrelay.containers import ContainerStore
from wheelrelay.errors import AuthenticationFailed, BackendError, SizeMismatch, Unavailable
from wheelrelay.testing import AWKWARD_NAMES, make_sdist, make_wheel, stage_path, write_distribution

WHEEL = "sample-1.0-py3-none-any.whl"
PAGES = {
    "index.html",
    "simple/index.html",
    "simple/index.json",
    "simple/sample/index.html",
    "simple/sample/index.json",
}


def quiet(operation, name):
    """No fault at all."""


@pytest.fixture
def staged(tmp_path):
    return stage_path(make_wheel(tmp_path, metadata={"Requires-Python": ">=3.9"}))


def names_on(objects, page):
    """The filenames that a page links to."""
    found = ProjectPage.from_html("x", objects.kept[page].content.decode(), base_url="https://x.org/a/b/")
    return [package.filename for package in found.packages]


def test_finalize_writes_all_pages_with_media_types(store, objects, staged):
    store.put(staged)
    store.finalize({"Sample"})
    assert set(objects.kept) == {WHEEL, f"{WHEEL}.metadata"} | PAGES
    types = {name: objects.kept[name].content_type for name in objects.kept}
    for page in PAGES:
        expected = "text/html; charset=utf-8" if "html" in page else "application/vnd.pypi.simple.v1+json"
        assert types[page] == expected
    assert types[WHEEL] == types[f"{WHEEL}.metadata"] == "application/octet-stream"


def test_pages_describe_each_file(store, objects, staged):
    build = {"commit": "0123abc"}
    (staged.path.parent / f"{WHEEL}.asc").write_bytes(b"signature")
    signed = stage_path(staged.path)
    store.put(replace(signed, file=replace(staged.file, build=build, yanked="broken")))
    store.finalize({"sample"})
    [entry] = json.loads(objects.kept["simple/sample/index.json"].content)["files"]
    metadata = objects.kept[f"{WHEEL}.metadata"].content
    assert entry["hashes"] == {"sha256": staged.sha256}
    assert entry["core-metadata"] == {"sha256": hashlib.sha256(metadata).hexdigest()}
    assert (entry["requires-python"], entry["yanked"], entry["gpg-sig"]) == (">=3.9", "broken", True)
    assert entry["size"] == staged.size
    assert entry["upload-time"] == objects.kept[WHEEL].modified.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert entry["_wheelrelay"]["build"] == build


def test_pages_list_requires_python_of_an_sdist(store, objects, tmp_path):
    store.put(stage_path(make_sdist(tmp_path, metadata={"Requires-Python": ">=3.11"})))
    store.finalize({"sample"})
    [entry] = json.loads(objects.kept["simple/sample/index.json"].content)["files"]
    assert entry["requires-python"] == ">=3.11"
    assert "core-metadata" not in entry


def test_pages_list_awkward_names(store, objects, tmp_path):
    staged = [stage_path(write_distribution(tmp_path, name)) for name in AWKWARD_NAMES]
    for one in staged:
        store.put(one)
    store.finalize({one.file.project for one in staged})
    assert sorted(names_on(objects, "index.html")) == sorted(AWKWARD_NAMES)
    for project in {one.file.project for one in staged}:
        expected = {one.filename for one in staged if one.file.project == project}
        assert set(names_on(objects, f"simple/{project}/index.html")) == expected
    assert store.check_pages() == []


def test_second_run_reads_no_distribution_and_writes_nothing(store, objects, staged):
    store.put(staged)
    store.finalize({"sample"})
    objects.asked.clear()
    ContainerStore(objects, pages=True).finalize({"sample"})
    assert not {name for operation, name in objects.asked if operation in ("create", "replace", "delete")}
    assert WHEEL not in objects.opened()
    assert ("stat", WHEEL) not in objects.asked


def test_source_reads_digests_from_the_pages(store, objects, staged):
    store.put(replace(staged, file=replace(staged.file, yanked="broken", build={"commit": "0123abc"})))
    store.finalize({"sample"})
    for project in ("sample", None):
        objects.asked.clear()
        [file] = ContainerStore(objects, pages=True).iter_files(project)
        assert (file.sha256, file.requires_python, file.yanked) == (staged.sha256, ">=3.9", "broken")
        assert file.build == {"commit": "0123abc"}
        assert WHEEL not in objects.opened()
        assert ("stat", WHEEL) not in objects.asked


def test_outdated_page_entry_is_ignored(store, objects, staged, tmp_path):
    store.put(staged)
    store.finalize({"sample"})
    newer = make_wheel(tmp_path / "b", payload=b"newer")
    objects.replace_object(WHEEL, newer.read_bytes(), content_type="", metadata={})
    [file] = store.iter_files("sample")
    assert file.sha256 is None
    [file] = store.inventory("sample")
    assert file.sha256 == stage_path(newer).sha256
    store.finalize({"sample"})
    [file] = store.iter_files("sample")
    assert file.sha256 == stage_path(newer).sha256


class TestFilesOfOthers:
    """Files that no run of ours has put are looked into, once."""

    @pytest.fixture
    def foreign(self, objects, staged):
        objects.create_object(WHEEL, staged.path.read_bytes(), content_type="", metadata={})
        return objects

    def test_foreign_files_get_digest_and_metadata_file(self, store, foreign, staged):
        store.rebuild_pages()
        [entry] = json.loads(foreign.kept["simple/sample/index.json"].content)["files"]
        assert entry["hashes"] == {"sha256": staged.sha256}
        assert entry["requires-python"] == ">=3.9"
        assert (
            entry["core-metadata"]["sha256"]
            == hashlib.sha256(foreign.kept[f"{WHEEL}.metadata"].content).hexdigest()
        )

    def test_foreign_files_are_read_once(self, store, foreign):
        store.rebuild_pages()
        assert foreign.opened().count(WHEEL) == 1
        ContainerStore(foreign, pages=True).rebuild_pages()
        assert foreign.opened().count(WHEEL) == 1

    def test_invalid_archive_is_listed_without_metadata(self, store, objects):
        objects.create_object(WHEEL, b"no archive at all", content_type="", metadata={})
        store.rebuild_pages()
        [entry] = json.loads(objects.kept["simple/sample/index.json"].content)["files"]
        assert "core-metadata" not in entry
        assert store.check_pages() == []

    def test_file_put_without_pages_is_read_for_its_metadata(self, objects, staged):
        ContainerStore(objects).put(replace(staged, file=replace(staged.file, build={"commit": "0123abc"})))
        ContainerStore(objects, pages=True).rebuild_pages()
        [entry] = json.loads(objects.kept["simple/sample/index.json"].content)["files"]
        assert entry["requires-python"] == ">=3.9"
        assert entry["_wheelrelay"]["build"] == {"commit": "0123abc"}


class TestRepair:
    @pytest.fixture(autouse=True)
    def _published(self, store, staged):
        store.put(staged)
        store.finalize({"sample"})

    @pytest.mark.parametrize("name", sorted(PAGES))
    @pytest.mark.parametrize("damage", [None, b"", b'{"files": [{"filename"', b"<html>busy</html>"])
    def test_lost_or_damaged_page_is_reported_and_rewritten(self, objects, name, damage):
        whole = objects.kept[name].content
        objects.delete_object(name)
        if damage is not None:
            objects.create_object(name, damage, content_type="", metadata={})
        later = ContainerStore(objects, pages=True)
        assert later.check_pages() == [name]
        later.finalize({"sample"})
        assert objects.kept[name].content == whole
        assert WHEEL not in objects.opened()

    def test_digests_survive_the_loss_of_the_root_page(self, objects, staged):
        kept = objects.kept[WHEEL]
        objects.kept[WHEEL] = replace(kept, metadata={})
        objects.delete_object("simple/index.json")
        ContainerStore(objects, pages=True).finalize({"sample"})
        assert WHEEL not in objects.opened()

    @pytest.mark.parametrize("damage", [None, b"other metadata", b"x" * ((16 << 20) + 1)])
    def test_wrong_metadata_file_is_rewritten(self, objects, damage):
        name = f"{WHEEL}.metadata"
        whole = objects.kept[name].content
        objects.delete_object(name)
        if damage is not None:
            objects.create_object(name, damage, content_type="", metadata={})
        later = ContainerStore(objects, pages=True)
        assert name in later.check_pages()
        later.finalize({"sample"})
        assert objects.kept[name].content == whole
        assert later.check_pages() == []

    def test_check_writes_nothing(self, objects):
        objects.delete_object("simple/sample/index.html")
        objects.delete_object(f"{WHEEL}.metadata")
        objects.asked.clear()
        ContainerStore(objects, pages=True).check_pages()
        assert not {operation for operation, _ in objects.asked} & {"create", "replace", "delete"}

    def test_next_push_completes_the_pages_of_a_killed_push(self, objects, tmp_path):
        ContainerStore(objects, pages=True).put(stage_path(make_wheel(tmp_path, "orphan")))
        later = ContainerStore(objects, pages=True)
        later.put(stage_path(make_wheel(tmp_path, "other")))
        later.finalize({"other"})
        assert names_on(objects, "simple/orphan/index.html") == ["orphan-1.0-py3-none-any.whl"]
        assert later.check_pages() == []

    def test_manually_deleted_file_leaves_the_pages(self, objects, tmp_path):
        objects.delete_object(WHEEL)
        later = ContainerStore(objects, pages=True)
        later.put(stage_path(make_wheel(tmp_path, "other")))
        later.finalize({"other"})
        assert "simple/sample/index.html" not in objects.kept
        assert names_on(objects, "index.html") == ["other-1.0-py3-none-any.whl"]

    @pytest.mark.parametrize("error", [Unavailable("busy"), AuthenticationFailed("no"), SizeMismatch("cut")])
    @pytest.mark.parametrize("unreadable", ["", "simple/index.json", "simple/sample/index.html"])
    def test_unreadable_listing_or_page_changes_nothing(self, objects, error, unreadable, tmp_path):
        later = ContainerStore(objects, pages=True)
        later.put(stage_path(make_wheel(tmp_path, "sample", "2.0")))
        before = {name: kept.content for name, kept in objects.kept.items()}

        def fail(operation, name):
            if operation in ("list", "open") and name == unreadable:
                raise error

        objects.before = fail
        with pytest.raises(type(error)):
            later.finalize({"sample"})
        assert {name: kept.content for name, kept in objects.kept.items()} == before
        objects.before = quiet
        later.finalize({"sample"})
        assert later.check_pages() == []


class TestRivals:
    """Others write at the same time."""

    def test_file_added_during_the_update_is_listed(self, store, objects, staged, tmp_path):
        store.put(staged)
        newer = stage_path(make_wheel(tmp_path, "sample", "2.0"))

        def rival(operation, name):
            if (operation, name) == ("replace", "simple/sample/index.html"):
                objects.before = quiet
                ContainerStore(objects, pages=True).put(newer)

        objects.before = rival
        store.finalize({"sample"})
        assert names_on(objects, "simple/sample/index.html") == [newer.filename, WHEEL]

    def test_outdated_page_of_a_slow_writer_is_corrected(self, store, objects, staged, tmp_path):
        store.put(staged)
        store.finalize({"sample"})
        old = {page: objects.kept[page] for page in PAGES}
        newer = stage_path(make_wheel(tmp_path, "sample", "2.0"))
        store.put(newer)

        def rival(operation, name):
            if (operation, name) == ("replace", "index.html"):  # the last page of a round
                objects.before = lambda operation, name: spoil(operation)

        def spoil(operation):
            if operation == "list":
                objects.before = quiet
                objects.kept.update(old)

        objects.before = rival
        store.finalize({"sample"})
        assert ContainerStore(objects, pages=True).check_pages() == []
        assert names_on(objects, "simple/sample/index.html") == [newer.filename, WHEEL]

    def test_file_deleted_during_the_update_is_not_listed(self, store, objects, staged, tmp_path):
        store.put(staged)
        gone = make_wheel(tmp_path, "sample", "2.0")
        objects.create_object(gone.name, gone.read_bytes(), content_type="", metadata={})

        def rival(operation, name):
            if (operation, name) == ("open", gone.name):
                objects.kept.pop(name)

        objects.before = rival
        store.finalize({"sample"})
        assert names_on(objects, "simple/sample/index.html") == [WHEEL]

    def test_metadata_file_deleted_during_the_update_is_rewritten(self, store, objects, staged):
        store.put(staged)

        def rival(operation, name):
            if operation == "open" and name.endswith(".metadata"):
                objects.before = quiet
                objects.kept.pop(name)

        objects.before = rival
        store.finalize({"sample"})
        assert f"{WHEEL}.metadata" in objects.kept
        assert store.check_pages() == []

    def test_endless_changes_are_an_error(self, store, objects, staged):
        store.put(staged)

        def restless(operation, name):
            if operation == "list":
                objects.kept.pop("index.html", None)

        objects.before = restless
        with pytest.raises(Unavailable, match="other jobs keep changing the container"):
            store.finalize({"sample"})

    def test_twenty_concurrent_writers_leave_complete_pages(self, objects, tmp_path):
        files = [stage_path(make_wheel(tmp_path, f"p{n % 4}", f"{n}.0")) for n in range(20)]
        start = threading.Barrier(len(files))
        failed = []

        def push(staged):
            store = ContainerStore(objects, pages=True)
            start.wait()
            try:
                store.put(staged)
                store.finalize({staged.file.project})
            except BackendError as error:
                failed.append(error)

        threads = [threading.Thread(target=push, args=(staged,)) for staged in files]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert sorted(names_on(objects, "index.html")) == sorted(staged.filename for staged in files)
        assert ContainerStore(objects, pages=True).check_pages() == []


class PlacePlainly(MemoryObjects):
    """A place that serves each object under exactly its own name."""

    def keeps_folder_pages(self):
        return True


class ExactNames(MemoryObjects):
    """A place that gives out an object under exactly its name."""

    def keeps_folder_pages(self):
        return True


def test_pages_are_also_stored_under_folder_names(staged):
    objects = ExactNames()
    store = ContainerStore(objects, pages=True)
    store.put(staged)
    store.finalize({"sample"})
    for folder in ("simple/", "simple/sample/"):
        assert objects.kept[folder].content == objects.kept[f"{folder}index.html"].content
        assert objects.kept[folder].content_type == "text/html; charset=utf-8"
    store.delete(list(store.iter_files("sample")))
    assert "simple/sample/" not in objects.kept


def test_finalize_without_pages_does_nothing(objects, staged):
    plain = ContainerStore(objects)
    plain.put(staged)
    plain.finalize({"sample"})
    assert list(objects.kept) == [WHEEL]
    plain.rebuild_pages()
    assert set(objects.kept) >= PAGES
