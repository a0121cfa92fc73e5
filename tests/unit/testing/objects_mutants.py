"""Objects of a container that pass all cases of the contract, and some that each break a case."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from tests.unit.testing.honest_backends import breaks

from wheelrelay.backends.local.store import DirectoryObjects
from wheelrelay.containers import iter_blocks
from wheelrelay.errors import AlreadyExists, ChangedWhileReading, NotFound, Unavailable
from wheelrelay.testing import ObjectsContract

FOLDER_PAGE = "folder-page"


class HonestObjects(DirectoryObjects):
    """Objects with all capabilities: files of a directory, with metadata in memory."""

    def __init__(self, path):
        super().__init__(path)
        path.mkdir(exist_ok=True)
        self.metadata = {}

    def keeps_folder_pages(self):
        return True

    def list_objects(self, folder=""):
        return (listed for listed in super().list_objects(folder) if not listed.name.endswith(FOLDER_PAGE))

    def stat_object(self, name):
        stat = super().stat_object(name)
        return replace(stat, metadata=self.metadata.get(name, {}))

    def open_object(self, name):
        return super().open_object(name + FOLDER_PAGE if name.endswith("/") else name)

    @contextmanager
    def open_part(self, name, start, stop) -> Iterator[BytesIO]:
        with self.open_object(name) as stream:
            yield BytesIO(stream.read(1 << 20)[start:stop])

    def create_object(self, name, content, *, content_type, metadata):
        etag = super().create_object(name, content, content_type=content_type, metadata=metadata)
        self.metadata[name] = metadata
        return etag

    def replace_object(self, name, content, *, content_type, metadata):
        path = name + FOLDER_PAGE if name.endswith("/") else name
        super().replace_object(path, content, content_type=content_type, metadata=metadata)
        self.metadata[name] = metadata


@breaks(ObjectsContract.test_empty_place_and_missing_folder_have_no_objects)
class RefusesMissingFolders(HonestObjects):
    def list_objects(self, folder=""):
        if folder and not (self.path / folder).is_dir():
            raise NotFound(folder)
        return super().list_objects(folder)


@breaks(ObjectsContract.test_created_object_is_read_back)
class ListsWithoutSize(HonestObjects):
    def list_objects(self, folder=""):
        return (replace(listed, size=0) for listed in super().list_objects(folder))


@breaks(ObjectsContract.test_created_object_is_read_back)
class KnowsNoTimeZone(HonestObjects):
    def stat_object(self, name):
        stat = super().stat_object(name)
        return replace(stat, modified=stat.modified.replace(tzinfo=None))


@breaks(ObjectsContract.test_empty_object_is_stored)
class ListsNoEmptyObjects(HonestObjects):
    def list_objects(self, folder=""):
        return (listed for listed in super().list_objects(folder) if listed.size)


@breaks(ObjectsContract.test_listing_has_the_objects_directly_in_a_folder)
class ListsAllBelowAFolder(HonestObjects):
    def list_objects(self, folder=""):
        yield from super().list_objects(folder)
        root = self.path / folder
        for path in root.iterdir() if root.is_dir() else ():
            if path.is_dir():
                yield from self.list_objects(f"{path.relative_to(self.path)}/")


@breaks(ObjectsContract.test_listing_has_the_objects_directly_in_a_folder)
class NamesObjectsWithoutTheirFolder(HonestObjects):
    def list_objects(self, folder=""):
        for listed in super().list_objects(folder):
            yield replace(listed, name=listed.name.removeprefix(folder))


@breaks(ObjectsContract.test_listing_has_the_objects_directly_in_a_folder)
class TakesAFolderForAPrefix(HonestObjects):
    def list_objects(self, folder=""):
        yield from super().list_objects(folder)
        for path in self.path.glob(f"{folder.rstrip('/')}?*/*") if folder else ():
            yield self.stat_object(str(path.relative_to(self.path)))


@breaks(ObjectsContract.test_listing_continues_after_a_page)
class ListsOnePage(HonestObjects):
    def list_objects(self, folder=""):
        return iter(list(super().list_objects(folder))[: ContractOfPages.page_size])


class ContractOfPages(ObjectsContract):
    page_size = 9
    max_memory = 4 << 20


@breaks(ObjectsContract.test_awkward_names_are_stored_exactly)
class NormalizesNames(HonestObjects):
    def create_object(self, name, content, **options):
        return super().create_object(name.lower(), content, **options)


@breaks(ObjectsContract.test_existing_name_is_not_created_again)
class AcceptsTheSameBytesAgain(HonestObjects):
    def create_object(self, name, content, **options):
        try:
            return super().create_object(name, content, **options)
        except AlreadyExists:
            if isinstance(content, bytes) and self.path_of(name).read_bytes() == content:
                return None
            raise


@breaks(ObjectsContract.test_existing_name_is_not_created_again)
class OverwritesExistingNames(HonestObjects):
    def create_object(self, name, content, **options):
        self.replace_object(name, content, **options)


@breaks(ObjectsContract.test_one_of_several_creators_wins)
class ChecksBeforeItCreates(HonestObjects):
    def __init__(self, path):
        super().__init__(path)
        self.barrier = threading.Barrier(2)

    def create_object(self, name, content, **options):
        if (self.path / name).exists():
            raise AlreadyExists(name)
        with suppress(threading.BrokenBarrierError):
            self.barrier.wait(0.5)
        self.replace_object(name, content, **options)


@breaks(ObjectsContract.test_object_is_replaced)
class ReplacesExistingObjectsOnly(HonestObjects):
    def replace_object(self, name, content, **options):
        self.stat_object(name)
        super().replace_object(name, content, **options)


@breaks(ObjectsContract.test_object_is_replaced, ObjectsContract.test_metadata_is_stored)
class KeepsTheOldObject(HonestObjects):
    def replace_object(self, name, content, **options):
        if not (self.path / name).exists():
            super().replace_object(name, content, **options)


@breaks(ObjectsContract.test_readers_see_the_old_or_the_new_object)
class WritesInPlace(HonestObjects):
    def replace_object(self, name, content, *, content_type, metadata):
        with self.path_of(name).open("wb", buffering=0) as file:
            for start in range(0, len(content), 1 << 18):
                file.write(content[start : start + (1 << 18)])


@breaks(
    ObjectsContract.test_readers_see_the_old_or_the_new_object,
    ObjectsContract.test_threads_can_write_list_and_read_concurrently,
)
class IsUnavailableToReaders(HonestObjects):
    def open_object(self, name):
        raise Unavailable("The server answered 500.")


@breaks(ObjectsContract.test_etag_changes_with_the_bytes)
class HasAConstantEtag(HonestObjects):
    def list_objects(self, folder=""):
        return (replace(listed, etag="etag") for listed in super().list_objects(folder))


@breaks(ObjectsContract.test_etag_changes_with_the_bytes)
class HasEtagsOfFullSeconds(HonestObjects):
    def list_objects(self, folder=""):
        for listed in super().list_objects(folder):
            yield replace(listed, etag=f"{listed.size}-{listed.modified:%H:%M}")


@breaks(ObjectsContract.test_etag_stays_while_the_bytes_stay)
class HasNewEtagsEachTime(HonestObjects):
    def list_objects(self, folder=""):
        return (replace(listed, etag=str(id(listed))) for listed in list(super().list_objects(folder)))


@breaks(ObjectsContract.test_etag_stays_while_the_bytes_stay)
class ReturnsAnotherEtag(HonestObjects):
    def create_object(self, name, content, **options):
        super().create_object(name, content, **options)
        return hashlib.md5(content, usedforsecurity=False).hexdigest()


@breaks(ObjectsContract.test_metadata_is_stored)
class StoresAsciiOnly(HonestObjects):
    def create_object(self, name, content, *, content_type, metadata):
        texts = {key: text.encode("ascii", "ignore").decode() for key, text in metadata.items()}
        return super().create_object(name, content, content_type=content_type, metadata=texts)


@breaks(ObjectsContract.test_missing_object_is_not_found)
class TakesMissingObjectsForEmptyOnes(HonestObjects):
    @contextmanager
    def open_object(self, name):
        try:
            with super().open_object(name) as stream:
                yield stream
        except NotFound:
            yield BytesIO()


@breaks(ObjectsContract.test_object_is_deleted)
class RefusesToDeleteTwice(HonestObjects):
    def delete_object(self, name):
        self.stat_object(name)
        super().delete_object(name)


@breaks(ObjectsContract.test_object_is_deleted)
class DeletesByPrefix(HonestObjects):
    def delete_object(self, name):
        for path in list(self.path.rglob("*")):
            if path.is_file():
                path.unlink()


@breaks(
    ObjectsContract.test_large_object_is_written_in_constant_memory,
    ObjectsContract.test_large_object_is_read_in_constant_memory,
)
class KeepsWholeObjectsInMemory(HonestObjects):
    def create_object(self, name, content, **options):
        return super().create_object(name, b"".join(iter_blocks(content)), **options)

    @contextmanager
    def open_object(self, name):
        yield BytesIO(Path(self.path / name).read_bytes())


@breaks(ObjectsContract.test_modified_file_is_not_written)
class WritesWhatItFinds(HonestObjects):
    def create_object(self, name, content, **options):
        return super().create_object(name, self.bytes_of(content), **options)

    def replace_object(self, name, content, **options):
        super().replace_object(name, self.bytes_of(content), **options)

    def bytes_of(self, content):
        return content if isinstance(content, bytes) else content.path.read_bytes()


@breaks(ObjectsContract.test_modified_file_is_not_written)
class DeletesBeforeItWrites(HonestObjects):
    def replace_object(self, name, content, **options):
        self.delete_object(name)
        super().replace_object(name, content, **options)


@breaks(ObjectsContract.test_modified_file_is_not_written)
class LeavesAnEmptyObject(HonestObjects):
    def create_object(self, name, content, **options):
        try:
            return super().create_object(name, content, **options)
        except ChangedWhileReading:
            (self.path / name).touch()
            raise


@breaks(ObjectsContract.test_threads_can_write_list_and_read_concurrently)
class ServesOneThreadAtATime(HonestObjects):
    def __init__(self, path):
        super().__init__(path)
        self.is_busy = False

    def create_object(self, name, content, **options):
        assert not self.is_busy
        self.is_busy = True
        threading.Event().wait(0.02)
        self.is_busy = False
        return super().create_object(name, content, **options)


@breaks(ObjectsContract.test_part_is_read)
class IncludesTheLastByte(HonestObjects):
    @contextmanager
    def open_part(self, name, start, stop):
        with super().open_part(name, start, stop and stop + 1) as stream:
            yield stream


@breaks(ObjectsContract.test_search_yields_accepted_names_only)
class IgnoresTheFilter(HonestObjects):
    def list_named(self, selects):
        return self.list_objects()


@breaks(ObjectsContract.test_path_has_the_bytes)
class HasOtherPaths(HonestObjects):
    def path_of(self, name):
        path = self.path / "elsewhere"
        path.write_bytes(b"other")
        return path


@breaks(ObjectsContract.test_page_of_a_folder_is_stored_if_it_is_declared)
class TakesFolderPagesForFolders(HonestObjects):
    def open_object(self, name):
        if name.endswith("/"):
            raise NotFound(name)
        return super().open_object(name)
