"""What is put into a container is there whole, with companions, and what is known of it is kept with it."""

from dataclasses import replace

import pytest

from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.containers import ContainerStore
from wheelrelay.errors import AlreadyExists, NotFound, Unavailable
from wheelrelay.model import Companion
from wheelrelay.protocols import (
    SupportsDelete,
    SupportsFinalize,
    SupportsInventory,
    SupportsPages,
    SupportsReplace,
    SupportsServerSideCopy,
)
from wheelrelay.testing import StoreContract, make_sdist, make_wheel, stage_path

WHEEL = "sample-1.0-py3-none-any.whl"


class TestWithPages(StoreContract):
    """Pages change nothing of what a store must do."""

    @pytest.fixture
    def store(self, objects):
        return ContainerStore(objects, pages=True)


class TestDirectoryWithPages(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        (tmp_path / "wheels").mkdir()
        with DirectoryConfig(path=tmp_path / "wheels", pages=True).open() as store:
            yield store


@pytest.mark.parametrize(
    "capability",
    [
        SupportsDelete,
        SupportsFinalize,
        SupportsInventory,
        SupportsPages,
        SupportsReplace,
        SupportsServerSideCopy,
    ],
)
def test_store_has_all_capabilities(store, capability):
    assert isinstance(store, capability)


@pytest.fixture
def staged(tmp_path):
    path = make_wheel(tmp_path / "a", metadata={"Requires-Python": ">=3.9"})
    path.with_name(f"{WHEEL}.asc").write_bytes(b"signature")
    return stage_path(path)


@pytest.fixture
def other(tmp_path):
    return stage_path(make_wheel(tmp_path / "b", payload=b"other"))


def test_companions_and_metadata_are_written_before_the_distribution(store, objects, staged):
    store.put(staged)
    created = [name for operation, name in objects.asked if operation == "create"]
    assert created == [f"{WHEEL}.asc", f"{WHEEL}.metadata", WHEEL]


def test_no_metadata_file_without_pages(objects, staged):
    ContainerStore(objects).put(staged)
    assert sorted(objects.kept) == [WHEEL, f"{WHEEL}.asc"]
    assert objects.kept[WHEEL].metadata == {"sha256": staged.sha256}


def test_metadata_is_stored_with_the_object(store, objects, staged):
    build = {"commit": "0123abc", "run": "https://ci.example.org/1"}
    store.put(replace(staged, file=replace(staged.file, build=build, yanked="broken")))
    assert objects.kept[WHEEL].metadata["build-commit"] == "0123abc"
    objects.asked.clear()
    [file] = ContainerStore(objects).inventory("sample")
    assert (file.sha256, file.yanked, file.requires_python) == (staged.sha256, "broken", ">=3.9")
    assert file.build == build
    assert objects.opened() == []


def test_same_bytes_again_transfer_no_distribution(store, objects, staged):
    store.put(staged)
    objects.asked.clear()
    store.put(staged)
    assert objects.opened() == []
    assert ("create", WHEEL) not in objects.asked


def test_own_writes_need_only_the_listing(store, objects, staged):
    store.put(staged)
    objects.asked.clear()
    [file] = store.inventory("sample")
    store.finalize({"sample"})
    assert (file.sha256, file.requires_python) == (staged.sha256, ">=3.9")
    assert not [asked for asked in objects.asked if asked[1].startswith(WHEEL)]


def test_concurrent_write_of_another_job_is_listed(store, objects, staged, other):
    store.put(staged)
    ContainerStore(objects).replace(other)
    [file] = store.inventory("sample")
    assert file.sha256 == other.sha256
    store.finalize({"sample"})
    assert other.sha256 in objects.kept["simple/sample/index.html"].content.decode()


def test_metadata_file_damaged_by_another_job_is_corrected(store, objects, staged):
    store.put(staged)
    right = objects.kept[f"{WHEEL}.metadata"].content
    objects.replace_object(f"{WHEEL}.metadata", b"spoiled", content_type="", metadata={})
    store.finalize({"sample"})
    assert objects.kept[f"{WHEEL}.metadata"].content == right


def test_listed_absence_saves_a_request(store, objects, staged):
    assert list(store.inventory("sample")) == []
    objects.asked.clear()
    store.put(staged)
    assert ("stat", WHEEL) not in objects.asked


def test_name_taken_after_the_listing_is_refused(store, objects, staged, other):
    assert list(store.inventory("sample")) == []
    ContainerStore(objects).put(other)
    before = dict(objects.kept)
    with pytest.raises(AlreadyExists):
        store.put(staged)
    assert objects.kept == before
    store.put(other)


def test_foreign_bytes_are_compared_by_reading(store, objects, staged, other):
    objects.create_object(WHEEL, staged.path.read_bytes(), content_type="", metadata={})
    store.put(staged)
    with pytest.raises(AlreadyExists):
        store.put(replace(other, size=staged.size))


def test_same_bytes_of_a_faster_writer_are_no_conflict(store, objects, staged):
    def rival(operation, name):
        if (operation, name) == ("create", WHEEL):
            objects.before = lambda operation, name: None
            ContainerStore(objects).put(staged)

    objects.before = rival
    store.put(staged)
    assert sorted(objects.kept) == [WHEEL, f"{WHEEL}.asc", f"{WHEEL}.metadata"]


def test_conflict_with_a_faster_writer_leaves_no_companions(store, objects, staged, other):
    def rival(operation, name):
        if (operation, name) == ("create", WHEEL):
            objects.before = lambda operation, name: None
            ContainerStore(objects).put(other)

    objects.before = rival
    with pytest.raises(AlreadyExists):
        store.put(staged)
    assert list(objects.kept) == [WHEEL]


def test_failed_cleanup_does_not_hide_the_first_error(store, objects, staged):
    def dead(operation, name):
        if (operation, name) == ("create", WHEEL) or operation == "delete":
            raise Unavailable(f"{operation} failed.")

    objects.before = dead
    with pytest.raises(Unavailable, match="create failed"):
        store.put(staged)


class TestReplace:
    def test_replaces_bytes_and_companions(self, store, staged, other):
        store.put(replace(staged, companions=(*staged.companions, Companion(".sigstore", b"{}"))))
        store.replace(replace(other, companions=(Companion(".asc", b"new signature"),)))
        [file] = store.inventory("sample")
        assert (file.sha256, file.companions) == (other.sha256, (".asc",))
        assert store.read_companion(file, ".asc") == b"new signature"

    def test_replaces_the_metadata_file(self, store, objects, tmp_path, staged):
        store.put(staged)
        newer = stage_path(make_wheel(tmp_path / "c", metadata={"Requires-Python": ">=3.12"}))
        store.replace(newer)
        assert b">=3.12" in objects.kept[f"{WHEEL}.metadata"].content

    def test_same_bytes_add_missing_companions(self, store, objects, staged):
        store.put(replace(staged, companions=()))
        objects.asked.clear()
        store.replace(staged)
        written = [asked for asked in objects.asked if asked[0] in ("create", "replace", "delete")]
        assert written == [("create", f"{WHEEL}.asc")]

    def test_replace_puts_an_absent_file(self, store, staged):
        store.replace(staged)
        assert [file.sha256 for file in store.inventory("sample")] == [staged.sha256]

    def test_killed_replace_is_completed_by_the_next(self, store, objects, staged, other):
        store.put(staged)
        signed = replace(other, companions=(Companion(".asc", b"new signature"),))

        def killed(operation, name):
            if (operation, name) == ("replace", WHEEL):
                raise KeyboardInterrupt

        objects.before = killed
        with pytest.raises(KeyboardInterrupt):
            store.replace(signed)
        objects.before = lambda operation, name: None
        store.replace(signed)
        [file] = store.inventory("sample")
        assert (file.sha256, store.read_companion(file, ".asc")) == (other.sha256, b"new signature")


class TestDelete:
    @pytest.fixture
    def files(self, store, staged, tmp_path):
        store.put(staged)
        store.put(stage_path(make_sdist(tmp_path, "sample", "1.0")))
        store.put(stage_path(make_wheel(tmp_path, "keep")))
        store.finalize({"sample", "keep"})
        return {file.filename: file for file in store.iter_files(None)}

    def test_deletes_companions_and_metadata(self, store, objects, files):
        store.delete([files[WHEEL]])
        assert [name for name in objects.kept if name.startswith(WHEEL)] == []
        assert WHEEL.encode() not in b"".join(kept.content for kept in objects.kept.values())
        assert store.check_pages() == []

    def test_file_leaves_the_pages_before_it_is_deleted(self, store, objects, files):
        shown = {}

        def look(operation, name):
            if (operation, name) == ("delete", WHEEL):
                shown.update({page: kept.content for page, kept in objects.kept.items() if ".html" in page})

        objects.before = look
        store.delete([files[WHEEL]])
        assert "simple/sample/index.html" in shown
        assert WHEEL.encode() not in b"".join(shown.values())

    def test_pages_of_a_project_without_files_are_deleted(self, store, objects, files):
        store.delete([file for file in files.values() if file.project == "sample"])
        assert [name for name in objects.kept if "sample" in name] == []
        assert b"sample" not in objects.kept["simple/index.html"].content
        assert b"keep" in objects.kept["simple/index.html"].content

    def test_deleting_an_absent_file_is_no_error(self, store, files):
        for _ in range(2):
            store.delete([files[WHEEL]])

    def test_file_put_during_a_deletion_is_listed(self, store, objects, files, tmp_path):
        newer = stage_path(make_wheel(tmp_path, "sample", "2.0"))

        def rival(operation, name):
            if (operation, name) == ("delete", WHEEL):
                objects.before = lambda operation, name: None
                ContainerStore(objects, pages=True).put(newer)

        objects.before = rival
        store.delete([files[WHEEL]])
        assert newer.filename.encode() in objects.kept["simple/sample/index.html"].content


def test_waits_for_a_lagging_listing(store, objects, staged):
    store.put(staged)
    objects.late.add(WHEEL)
    looks = []

    def appear(operation, name):
        looks.append(operation)
        if looks.count("list") == 2:
            objects.late.clear()

    objects.before = appear
    store.finalize({"sample"})
    assert WHEEL.encode() in objects.kept["simple/sample/index.html"].content


def test_does_not_wait_for_a_file_deleted_by_another_job(store, objects, staged):
    store.put(staged)
    objects.delete_object(WHEEL)
    store.finalize({"sample"})
    assert "simple/sample/index.html" not in objects.kept


def test_inventory_leaves_out_vanishing_files(objects, staged):
    objects.create_object(WHEEL, staged.path.read_bytes(), content_type="", metadata={})

    def vanish(operation, name):
        if operation == "stat":
            objects.kept.clear()

    objects.before = vanish
    assert list(ContainerStore(objects).inventory("sample")) == []


def test_missing_container_is_not_an_empty_one(objects):
    def missing(operation, name):
        raise NotFound("There is no such container.")

    objects.before = missing
    store = ContainerStore(objects, pages=True)
    with pytest.raises(NotFound):
        list(store.inventory("sample"))
    with pytest.raises(NotFound):
        store.rebuild_pages()
