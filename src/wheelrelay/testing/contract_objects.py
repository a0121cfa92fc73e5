"""The contract of the objects of a container, as a pytest class."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest

from wheelrelay.containers import (
    Objects,
    StoredObject,
    SupportsFolderPages,
    SupportsObjectPath,
    SupportsParts,
    SupportsSearch,
)
from wheelrelay.errors import AlreadyExists, ChangedWhileReading, NotFound, Rejected
from wheelrelay.staged import BLOCK_SIZE, StagedFile
from wheelrelay.testing.contract_helpers import (
    LARGE,
    THREADS,
    WHEEL,
    observe_during,
    peak_memory,
    poll,
    read_again,
    run_concurrently,
    stage_path,
    write_distribution,
)
from wheelrelay.testing.contract_source import Contract

NAME = "sample.bin"

READS = 10
"""How often an object is read while it is replaced."""

OWN_PREFIX = ".wheelrelay"
"""The start of names that backends use for their own objects, for example to test the server."""

BINARY, HTML = "application/octet-stream", "text/html"


class ObjectsContract(Contract):
    """The cases that the objects of every container must pass; see `wheelrelay.containers.Objects`.

    Derive a class from it, and define one fixture:

    ``objects``: the objects of an empty container that exists. ::

        class TestMyObjects(ObjectsContract):
            @pytest.fixture
            def objects(self, my_server):
                return MyObjects(my_server.client, "bucket", prefix="wheels/")

    Attributes:
        visible_within: Seconds until listings show what was written; 0 if they do at once.
        atomic: Whether exactly one of several creators of a name wins, and readers never see a part.
        stores_metadata: Whether the texts that are stored with an object are returned.
        max_memory: Bytes that the transfer of an object may take, whatever its size, for example for parts
            that are uploaded in parallel. A server in the process of the test counts too.
        etag_resolution: Seconds that must pass between two writes, so that their ETags differ.
        page_size: How many objects one response of a listing contains; a case then stores one more.
    """

    visible_within: ClassVar[float] = 0.0
    atomic: ClassVar[bool] = True
    stores_metadata: ClassVar[bool] = True
    max_memory: ClassVar[int] = 8 << 20
    etag_resolution: ClassVar[float] = 0.0
    page_size: ClassVar[int | None] = None

    def test_empty_place_and_missing_folder_have_no_objects(self, objects: Objects) -> None:
        assert _listing(objects) == []
        assert _listing(objects, "simple/missing/") == []

    def test_created_object_is_read_back(self, objects: Objects) -> None:
        create(objects, NAME, b"content")
        assert read(objects, NAME) == b"content"
        [listed] = self._listed(objects, {NAME})
        stat = objects.stat_object(NAME)
        assert (listed.name, listed.size) == (stat.name, stat.size) == (NAME, 7)
        assert all(described.modified is None or described.modified.tzinfo for described in (listed, stat))

    def test_empty_object_is_stored(self, objects: Objects) -> None:
        create(objects, NAME, b"")
        assert [listed.size for listed in self._listed(objects, {NAME})] == [0]
        assert read(objects, NAME) == b""

    def test_listing_has_the_objects_directly_in_a_folder(self, objects: Objects) -> None:
        names = (NAME, "simple/index.html", "simple/sample/index.html", "simple/sample/index.json")
        for name in (*names, "simple-other/index.html", "sample.bin.metadata"):
            create(objects, name, name.encode())
        self._listed(objects, {NAME, "sample.bin.metadata"})
        self._listed(objects, {"simple/index.html"}, folder="simple/")
        self._listed(objects, {"simple/sample/index.html", "simple/sample/index.json"}, "simple/sample/")

    def test_listing_continues_after_a_page(self, objects: Objects) -> None:
        if self.page_size is None:
            return
        names = [f"object-{n}" for n in range(self.page_size + 1)]
        for start in range(0, len(names), THREADS):
            run_concurrently(
                [partial(create, objects, name, b"x") for name in names[start : start + THREADS]]
            )
        self._listed(objects, set(names))

    def test_awkward_names_are_stored_exactly(self, objects: Objects) -> None:
        names = {*self.awkward_names, "a b&c#d%20e.txt", f"{WHEEL}.metadata"}
        for name in sorted(names):
            create(objects, name, name.encode())
        self._listed(objects, names)
        assert {name: read(objects, name).decode() for name in names} == {name: name for name in names}
        assert all(isinstance(objects.address_of(name), str) for name in names)

    def test_existing_name_is_not_created_again(self, objects: Objects) -> None:
        create(objects, NAME, b"first")
        for content in (b"other", b"first"):
            with pytest.raises(AlreadyExists):
                create(objects, NAME, content)
        assert read(objects, NAME) == b"first"

    def test_one_of_several_creators_wins(self, objects: Objects) -> None:
        if not self.atomic:
            return
        contents = [f"content {n}".encode() for n in range(THREADS)]
        results = run_concurrently([partial(create, objects, NAME, content) for content in contents])
        lost = [result for result in results if isinstance(result, AlreadyExists)]
        winners = [content for content, result in zip(contents, results, strict=True) if result not in lost]
        assert len(lost) == THREADS - 1
        assert [read(objects, NAME)] == winners

    def test_object_is_replaced(self, objects: Objects) -> None:
        replace(objects, NAME, b"old")
        assert read(objects, NAME) == b"old"
        replace(objects, NAME, b"newer")
        assert read(objects, NAME) == b"newer"
        poll(lambda: [listed.size for listed in _listing(objects)], [5].__eq__, within=self.visible_within)
        assert [listed.size for listed in _listing(objects)] == [objects.stat_object(NAME).size] == [5]

    def test_readers_see_the_old_or_the_new_object(self, objects: Objects) -> None:
        if not self.atomic:
            return
        versions = [letter * LARGE for letter in (b"a", b"b")]
        create(objects, NAME, versions[0])
        with observe_during(partial(read, objects, NAME)) as observed:
            while not observed.has(READS):
                for content in reversed(versions):
                    replace(objects, NAME, content)
        assert [content for content in observed.values if content not in versions] == []

    def test_etag_changes_with_the_bytes(self, objects: Objects) -> None:
        create(objects, NAME, b"one")
        [first] = self._listed(objects, {NAME})
        for content in (b"two", b"six"):  # of the same size, written one after the other
            before = {listed.etag for listed in _listing(objects)}
            time.sleep(self.etag_resolution)
            replace(objects, NAME, content)
            poll(partial(self._etags, objects), before.isdisjoint, within=self.visible_within)
            assert not first.etag or before.isdisjoint(self._etags(objects))

    def test_etag_stays_while_the_bytes_stay(self, objects: Objects) -> None:
        etag = create(objects, NAME, b"one")
        create(objects, "other", b"other")
        [listed] = [item for item in self._listed(objects, {NAME, "other"}) if item.name == NAME]
        assert etag in (None, listed.etag), "`create_object` must return the ETag that listings show."
        read(objects, NAME)
        assert listed.etag in self._etags(objects)

    def test_metadata_is_stored(self, objects: Objects) -> None:
        texts = {"sha256": "0" * 64, "build-run": "https://ci.example.org/?a=1&b=ü%20 x"}
        create(objects, NAME, b"content", metadata=texts)
        replace(objects, "other", b"content", metadata={"commit": "1f2e3d"})
        if self.stores_metadata:
            assert _held(objects.stat_object(NAME).metadata, texts)
            assert _held(objects.stat_object("other").metadata, {"commit": "1f2e3d"})
            replace(objects, NAME, b"content", metadata={"commit": "abcdef"})
            assert "sha256" not in objects.stat_object(NAME).metadata

    def test_missing_object_is_not_found(self, objects: Objects) -> None:
        with pytest.raises(NotFound):
            objects.stat_object("missing")
        with pytest.raises(NotFound):
            read(objects, "missing")

    def test_object_is_deleted(self, objects: Objects) -> None:
        create(objects, NAME, b"content")
        create(objects, "simple/sample/index.html", b"page")
        for _ in range(2):  # it is no error if there is none
            objects.delete_object(NAME)
        self._listed(objects, set())
        with pytest.raises(NotFound):
            objects.stat_object(NAME)
        assert read(objects, "simple/sample/index.html") == b"page"
        create(objects, NAME, b"again")
        assert read(objects, NAME) == b"again"

    def test_large_object_is_written_in_constant_memory(self, objects: Objects, scratch: Path) -> None:
        staged = stage_path(write_distribution(scratch, WHEEL, size=2 * self.max_memory))
        with peak_memory() as peak:
            objects.create_object(WHEEL, staged, content_type=BINARY, metadata={})
            objects.replace_object(WHEEL, staged, content_type=BINARY, metadata={})
        assert peak() < self.max_memory
        assert objects.stat_object(WHEEL).size == staged.size

    def test_large_object_is_read_in_constant_memory(self, objects: Objects, scratch: Path) -> None:
        staged = stage_path(write_distribution(scratch, WHEEL, size=2 * self.max_memory))
        objects.create_object(WHEEL, staged, content_type=BINARY, metadata={})
        size = 0
        with peak_memory() as peak, objects.open_object(WHEEL) as stream:
            while block := stream.read(BLOCK_SIZE):
                size += len(block)
        assert peak() < self.max_memory
        assert size == staged.size

    @pytest.mark.parametrize("write", ["create_object", "replace_object"])
    def test_modified_file_is_not_written(self, objects: Objects, scratch: Path, write: str) -> None:
        if write == "replace_object":
            create(objects, WHEEL, b"old")
        staged = stage_path(write_distribution(scratch, WHEEL, size=LARGE))
        staged.path.write_bytes(b"something else")
        with pytest.raises(ChangedWhileReading):
            getattr(objects, write)(WHEEL, staged, content_type=BINARY, metadata={})
        if write == "replace_object":
            assert read(objects, WHEEL) == b"old"
        else:
            assert self._etags(objects) == set()

    def test_threads_can_write_list_and_read_concurrently(self, objects: Objects) -> None:
        create(objects, NAME, b"content")
        names = [f"object-{n}" for n in range(THREADS)]

        def look() -> None:
            for _ in range(3):
                listed = read_again(partial(_listing, objects))
                assert {item.name for item in listed} <= {NAME, *names}
                assert read_again(partial(read, objects, NAME)) == b"content"

        writes: list[Callable[[], object]] = [partial(create, objects, name, b"x") for name in names]
        results = run_concurrently([*writes, look, look])
        assert [result for result in results if isinstance(result, Exception)] == []
        self._listed(objects, {NAME, *names})

    def test_part_is_read(self, objects: Objects) -> None:
        if not isinstance(objects, SupportsParts):
            return
        create(objects, NAME, bytes(range(100)))
        try:
            parts = [_part(objects, start, stop) for start, stop in ((0, 10), (10, 100), (90, None))]
        except Rejected:  # the place returns whole objects only
            return
        assert parts == [bytes(range(10)), bytes(range(10, 100)), bytes(range(90, 100))]
        with pytest.raises(NotFound):
            _part(objects, 1, 2, name="missing")

    def test_search_yields_accepted_names_only(self, objects: Objects) -> None:
        if not isinstance(objects, SupportsSearch):
            return
        for name in ("a.whl", "a.txt", "folder/a.whl"):
            create(objects, name, b"x")
        self._listed(objects, {"a.whl", "a.txt"})
        found = [listed.name for listed in objects.list_named(lambda name: name.endswith(".whl"))]
        assert found == ["a.whl"]

    def test_path_has_the_bytes(self, objects: Objects) -> None:
        if isinstance(objects, SupportsObjectPath):
            create(objects, NAME, b"content")
            assert objects.path_of(NAME).read_bytes() == b"content"

    def test_page_of_a_folder_is_stored_if_it_is_declared(self, objects: Objects) -> None:
        if isinstance(objects, SupportsFolderPages) and objects.keeps_folder_pages():
            replace(objects, "simple/", b"page", content_type=HTML)
            create(objects, "simple/index.html", b"page", content_type=HTML)
            assert read(objects, "simple/") == b"page"

    def _listed(self, objects: Objects, names: set[str], folder: str = "") -> list[StoredObject]:
        """Return the listing of a folder, which must have exactly these names within ``visible_within``."""
        listed = poll(
            partial(_listing, objects, folder),
            lambda found: _names(found) == sorted(names),
            within=self.visible_within,
        )
        assert _names(listed) == sorted(names)
        return listed

    def _etags(self, objects: Objects) -> set[str]:
        return {listed.etag for listed in _listing(objects)}


def create(
    objects: Objects,
    name: str,
    content: bytes | StagedFile,
    *,
    metadata: Mapping[str, str] | None = None,
    content_type: str = BINARY,
) -> str | None:
    """Create an object."""
    return objects.create_object(name, content, content_type=content_type, metadata=metadata or {})


def replace(
    objects: Objects,
    name: str,
    content: bytes,
    *,
    metadata: Mapping[str, str] | None = None,
    content_type: str = BINARY,
) -> None:
    """Write an object, which may exist."""
    objects.replace_object(name, content, content_type=content_type, metadata=metadata or {})


def read(objects: Objects, name: str) -> bytes:
    """Return the bytes of an object."""
    with objects.open_object(name) as stream:
        return b"".join(iter(lambda: stream.read(BLOCK_SIZE), b""))


def _listing(objects: Objects, folder: str = "") -> list[StoredObject]:
    """Return the objects directly in a folder, without those of the backend itself."""
    return [listed for listed in objects.list_objects(folder) if not listed.name.startswith(OWN_PREFIX)]


def _part(objects: SupportsParts, start: int, stop: int | None, *, name: str = NAME) -> bytes:
    with objects.open_part(name, start, stop) as stream:
        return b"".join(iter(lambda: stream.read(BLOCK_SIZE), b""))


def _names(listed: list[StoredObject]) -> list[str]:
    return sorted(item.name for item in listed)


def _held(metadata: Mapping[str, str], texts: Mapping[str, str]) -> bool:
    """Return whether metadata has these texts; places may add their own."""
    return {key: metadata.get(key) for key in texts} == texts
