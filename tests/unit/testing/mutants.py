"""Backends and configurations: honest ones, and broken ones with the cases that find them out."""

import threading
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Literal
from urllib.parse import quote
from zipfile import ZipFile

from packaging.utils import canonicalize_name
from pydantic import ConfigDict, Field, PrivateAttr
from tests.servers.objects import MemoryObjects

from wheelrelay.config import RemoteConfig, SecretReference, SecretValue
from wheelrelay.containers import ContainerStore
from wheelrelay.errors import AlreadyExists, NotFound, Rejected, SizeMismatch
from wheelrelay.filenames import dist_file
from wheelrelay.model import Digests
from wheelrelay.staged import BLOCK_SIZE
from wheelrelay.testing import ConfigContract, MemoryStore, SinkContract, SourceContract, StoreContract
from wheelrelay.testing.memory import _Kept

MUTANTS: dict[Callable[..., None], list[type]] = {}
"""The mutants by the case that each fails on."""


def breaks(*cases: Callable[..., None]) -> Callable[[type], type]:
    """Say on which cases the decorated class fails."""

    def register(mutant: type) -> type:
        for case in cases:
            MUTANTS.setdefault(case, []).append(mutant)
        return mutant

    return register


class WholeStore(MemoryStore):
    """An honest store with all capabilities."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def finalize(self, projects):
        pass

    def projects(self):
        yield from {file.project for file in self.iter_files(None)}

    def local_path(self, file):
        self.folder.mkdir(exist_ok=True)
        path = self.folder / file.filename
        path.write_bytes(self._kept[file.filename].content)
        return path

    def keep(self, staged, content, *, name=None):
        """Keep these bytes for a staged file, whatever was there."""
        file = dist_file(name or staged.filename, size=len(content), digests=Digests(sha256=staged.sha256))
        self._kept[file.filename] = _Kept(file, content)


class SlowStore(MemoryStore):
    """An honest store that shows a file only some time after it was put."""

    def __init__(self):
        super().__init__()
        self.put_at = {}

    def put(self, staged):
        super().put(staged)
        self.put_at.setdefault(staged.filename, monotonic())

    def iter_files(self, project):
        shown = monotonic() - 0.02
        return (file for file in super().iter_files(project) if self.put_at.get(file.filename, shown) < shown)


class BareSource:
    """An honest source that can nothing else."""

    def __init__(self, store):
        self.open = store.open
        self.store = store

    def iter_files(self, project):
        return (replace(file, companions=()) for file in self.store.iter_files(project))


class BareSink:
    """An honest sink that can nothing else."""

    def __init__(self, store):
        self.put = store.put


class SinkWithInventory(BareSink):
    """An honest sink that says what it holds."""

    def __init__(self, store):
        super().__init__(store)
        self.inventory = store.inventory


@breaks(SourceContract.test_it_is_a_source, StoreContract.test_it_is_a_store)
class CannotBeOpened(WholeStore):
    open = None


@breaks(SourceContract.test_an_empty_place_lists_nothing)
class ListsWhatItDoesNotHave(WholeStore):
    def iter_files(self, project):
        yield from super().iter_files(project)
        yield dist_file("sample-9.9.tar.gz")


@breaks(SourceContract.test_it_lists_the_distribution_files_and_nothing_else)
class ListsCompanionsAsFiles(WholeStore):
    def iter_files(self, project):
        for file in super().iter_files(project):
            yield file
            yield from (replace(file, filename=file.filename + suffix) for suffix in file.companions)


@breaks(SourceContract.test_it_lists_the_distribution_files_and_nothing_else)
class ForgetsOneFile(WholeStore):
    def iter_files(self, project):
        return iter(list(super().iter_files(project))[1:])


@breaks(SourceContract.test_it_lists_the_distribution_files_and_nothing_else)
class ListsFilesTwice(WholeStore):
    def iter_files(self, project):
        yield from super().iter_files(project)
        yield from super().iter_files(project)


@breaks(SourceContract.test_it_lists_all_projects_if_none_is_named)
class ListsOneProjectOnly(WholeStore):
    def iter_files(self, project):
        return super().iter_files(project or "sample")


@breaks(SourceContract.test_it_finds_a_project_by_any_spelling)
class IsParticularAboutSpelling(WholeStore):
    def iter_files(self, project):
        return (file for file in super().iter_files(None) if project in (None, file.project))


@breaks(SourceContract.test_it_tells_projects_apart_whose_names_begin_alike)
class LooksAtBeginningsOnly(WholeStore):
    def iter_files(self, project):
        wanted = canonicalize_name(project or "")
        return (file for file in super().iter_files(None) if file.project.startswith(wanted))


@breaks(SourceContract.test_it_gives_nothing_for_a_project_that_is_not_there)
class RaisesForAbsentProjects(WholeStore):
    def iter_files(self, project):
        files = list(super().iter_files(project))
        if project and not files:
            raise NotFound(f"There is no {project}.")
        return iter(files)


@breaks(SourceContract.test_it_keeps_awkward_names_and_their_bytes)
class ListsNamesAsInAddresses(WholeStore):
    def iter_files(self, project):
        return (replace(file, filename=quote(file.filename)) for file in super().iter_files(project))


@breaks(SourceContract.test_it_describes_files_as_their_names_do)
class DoesNotNormaliseProjects(WholeStore):
    def iter_files(self, project):
        for file in super().iter_files(project):
            yield replace(file, project=file.filename.split("-")[0])


@breaks(SourceContract.test_sizes_and_digests_that_it_declares_are_true)
class DeclaresWrongSizes(WholeStore):
    def iter_files(self, project):
        return (replace(file, size=1) for file in super().iter_files(project))


@breaks(SourceContract.test_sizes_and_digests_that_it_declares_are_true)
class DeclaresWrongDigests(WholeStore):
    def iter_files(self, project):
        return (replace(file, digests=Digests(md5="0" * 32)) for file in super().iter_files(project))


class Address(str):
    """Some text that belongs to this process."""

    def __reduce__(self):
        raise TypeError("This cannot be pickled.")


@breaks(SourceContract.test_its_files_can_be_pickled_and_opened_afterwards)
class GivesFilesThatCannotTravel(WholeStore):
    def iter_files(self, project):
        return (replace(file, url=Address("here")) for file in super().iter_files(project))


@breaks(SourceContract.test_its_inventory_agrees_with_its_listing)
class HasAnInventoryOfItsOwn(WholeStore):
    def inventory(self, project):
        return iter(list(super().inventory(project))[1:])


@breaks(SourceContract.test_it_names_its_projects_once_and_normalised)
class NamesProjectsAgainAndAgain(WholeStore):
    def projects(self):
        return (file.project for file in self.iter_files(None))


@breaks(SourceContract.test_it_gives_the_very_bytes)
class ReadsTextLines(WholeStore):
    def open(self, file):
        return BytesIO(super().open(file).read().replace(b"\r", b"\n"))


@breaks(SourceContract.test_it_gives_a_large_file_whole)
class GivesTheFirstBlockOnly(WholeStore):
    def open(self, file):
        return BytesIO(super().open(file).read(BLOCK_SIZE))


class Gush(BytesIO):
    """Gives all it has."""

    def read(self, size=-1):
        return super().read()


@breaks(SourceContract.test_it_gives_no_more_bytes_at_once_than_were_asked_for)
class GivesMoreThanWasAskedFor(WholeStore):
    def open(self, file):
        return Gush(super().open(file).read())


@breaks(SourceContract.test_its_streams_are_independent)
class SharesOneStream(WholeStore):
    def __init__(self, folder):
        super().__init__(folder)
        self.streams = {}

    def open(self, file):
        stream = self.streams.setdefault(file.filename, super().open(file))
        stream.seek(0)
        return nullcontext(stream)


@breaks(SourceContract.test_a_reader_may_leave_before_the_end)
class WantsToBeReadToTheEnd(WholeStore):
    @contextmanager
    def open(self, file):
        with super().open(file) as stream:
            yield stream
            if stream.read(1):
                raise SizeMismatch("There is more to read.")


@breaks(SourceContract.test_a_file_that_vanished_is_not_found)
class RaisesErrorsOfPython(WholeStore):
    def open(self, file):
        return BytesIO(self._kept[file.filename].content)


@breaks(SourceContract.test_a_file_that_vanished_is_not_found)
class GivesNothingForAbsentFiles(WholeStore):
    def open(self, file):
        kept = self._kept.get(file.filename)
        return BytesIO(kept.content if kept else b"")


@breaks(SourceContract.test_eight_threads_can_read_at_once)
class ReadsWhatAnyThreadAskedForLast(WholeStore):
    def open(self, file):
        self.asked = file
        sleep(0.02)
        return super().open(self.asked)


@breaks(SourceContract.test_it_names_companions_and_gives_their_bytes)
class TidiesCompanionsUp(WholeStore):
    def read_companion(self, file, suffix):
        return super().read_companion(file, suffix).strip()


@breaks(SourceContract.test_it_names_companions_and_gives_their_bytes)
class NamesCompanionsThatCannotBeRead(WholeStore):
    read_companion = None


@breaks(SourceContract.test_a_companion_that_is_not_there_is_not_found)
class InventsCompanions(WholeStore):
    def read_companion(self, file, suffix):
        return self._companions.get((file.filename, suffix), b"")


@breaks(SourceContract.test_it_gives_the_part_of_a_file_that_was_asked_for)
class GivesTheWholeForAPart(WholeStore):
    def open_range(self, file, start, stop):
        return self.open(file)


@breaks(SourceContract.test_it_gives_the_part_of_a_file_that_was_asked_for)
class GivesOneByteTooMany(WholeStore):
    def open_range(self, file, start, stop):
        return super().open_range(file, start, stop and stop + 1)


@breaks(SourceContract.test_a_part_of_a_file_that_vanished_is_not_found)
class GivesNothingForPartsOfAbsentFiles(WholeStore):
    def open_range(self, file, start, stop):
        return super().open_range(file, start, stop) if file.filename in self._kept else BytesIO()


@breaks(SourceContract.test_its_local_paths_lead_to_the_bytes)
class LeadsAstray(WholeStore):
    def local_path(self, file):
        path = super().local_path(file)
        path.write_bytes(b"")
        return path


@breaks(SinkContract.test_it_is_a_sink, StoreContract.test_it_is_a_store)
class CannotBePutInto(WholeStore):
    put = None


@breaks(SinkContract.test_what_was_put_is_there_with_the_same_bytes)
class TakesAndForgets(WholeStore):
    def put(self, staged):
        pass


@breaks(SinkContract.test_awkward_names_and_their_bytes_arrive)
class RenamesFiles(WholeStore):
    def put(self, staged):
        super().put(replace(staged, file=dist_file(staged.filename.replace("+ubuntu.22", ""))))


@breaks(SinkContract.test_a_large_file_arrives_whole)
class TakesTheFirstBlockOnly(WholeStore):
    def put(self, staged):
        with staged.open() as stream:
            self.keep(staged, stream.read(BLOCK_SIZE))


@breaks(SinkContract.test_the_same_bytes_again_change_nothing)
class RejectsWhatItHas(WholeStore):
    def put(self, staged):
        if staged.filename in self._kept:
            raise Rejected("It is there already.", status=400)
        super().put(staged)


@breaks(SinkContract.test_the_same_bytes_again_change_nothing)
class TakesTheSameFileApartAgain(WholeStore):
    def put(self, staged):
        there = self._kept.pop(staged.filename, None)
        if not there:
            super().put(staged)


@breaks(SinkContract.test_other_bytes_under_a_taken_name_are_refused)
class Overwrites(WholeStore):
    def put(self, staged):
        with staged.open() as stream:
            self.keep(staged, stream.read())


@breaks(SinkContract.test_other_bytes_under_a_taken_name_are_refused)
class OverwritesAndComplains(WholeStore):
    def put(self, staged):
        there = staged.filename in self._kept
        with staged.open() as stream:
            self.keep(staged, stream.read())
        if there:
            raise AlreadyExists("It was there already.")


@breaks(SinkContract.test_the_local_file_is_left_as_it_was)
class MovesFiles(WholeStore):
    def put(self, staged):
        super().put(staged)
        staged.path.unlink()


@breaks(
    SinkContract.test_a_file_that_changed_since_it_was_staged_is_refused,
    SinkContract.test_a_file_that_vanished_since_it_was_staged_is_refused,
)
class ReadsPaths(WholeStore):
    def put(self, staged):
        self.keep(staged, staged.path.read_bytes())


@breaks(
    SinkContract.test_a_file_that_changed_since_it_was_staged_is_refused,
    SinkContract.test_a_file_that_vanished_since_it_was_staged_is_refused,
)
class TakesTheNameFirst(WholeStore):
    def put(self, staged):
        self.keep(staged, b"")
        with staged.open() as stream:
            self.keep(staged, stream.read())


@breaks(
    SinkContract.test_a_file_that_changes_while_it_is_put_leaves_nothing,
    SinkContract.test_a_file_appears_whole_or_not_at_all,
)
class WritesBeforeVerifying(WholeStore):
    def put(self, staged):
        content = b""
        with staged.open() as stream:
            for block in stream:
                content += block
                self.keep(staged, content)


@breaks(SinkContract.test_eight_threads_can_put_different_files_at_once)
class LosesUpdates(WholeStore):
    def put(self, staged):
        before = self._kept
        with staged.open() as stream:
            self._kept = {}
            self.keep(staged, stream.read())
            mine = self._kept
        sleep(0.02)
        self._kept = {**before, **mine}


@breaks(SinkContract.test_of_eight_threads_that_put_one_name_exactly_one_wins)
class LooksBeforeItLeaps(WholeStore):
    def put(self, staged):
        with staged.open() as stream:
            content = stream.read()
        there = self._kept.get(staged.filename)
        sleep(0.02)
        if there and there.content != content:
            raise AlreadyExists("It is there with other bytes.")
        for companion in staged.companions:
            self._companions.setdefault((staged.filename, companion.suffix), companion.content)
        self.keep(staged, content)


@breaks(SinkContract.test_companions_arrive_with_their_file)
class DropsCompanions(WholeStore):
    def put(self, staged):
        super().put(replace(staged, companions=()))


@breaks(SinkContract.test_a_file_is_never_seen_without_its_companions)
class LetsCompanionsFollow(WholeStore):
    def put(self, staged):
        super().put(replace(staged, companions=()))
        sleep(0.05)
        super().put(staged)


@breaks(SinkContract.test_a_second_put_brings_companions_that_were_missing)
class TakesCompanionsTheFirstTimeOnly(WholeStore):
    def put(self, staged):
        super().put(replace(staged, companions=()) if staged.filename in self._kept else staged)


@breaks(SinkContract.test_a_companion_that_is_there_is_kept)
class OverwritesCompanions(WholeStore):
    def put(self, staged):
        super().put(staged)
        for companion in staged.companions:
            self._companions[staged.filename, companion.suffix] = companion.content


@breaks(SinkContract.test_its_inventory_is_complete_and_true)
class DeclaresWrongDigestsInInventories(WholeStore):
    def inventory(self, project):
        return (replace(file, digests=Digests(sha256="0" * 64)) for file in super().inventory(project))


@breaks(SinkContract.test_its_inventory_is_complete_and_true)
class ForgetsSdistsInInventories(WholeStore):
    def inventory(self, project):
        return (file for file in super().inventory(project) if file.build_tag or file.tags)


@breaks(SinkContract.test_its_inventory_is_fresh_after_every_put)
class RemembersItsInventory(WholeStore):
    def __init__(self, folder):
        super().__init__(folder)
        self.answers = {}

    def inventory(self, project):
        return iter(self.answers.setdefault(project, list(super().inventory(project))))


@breaks(SinkContract.test_its_inventory_of_a_project_that_is_not_there_is_empty)
class HasNoInventoryOfAbsentProjects(WholeStore):
    def inventory(self, project):
        files = list(super().inventory(project))
        if not files:
            raise NotFound(f"There is no {project}.")
        return iter(files)


@breaks(SinkContract.test_finishing_again_changes_nothing)
class FinishesOnce(WholeStore):
    finished = False

    def finalize(self, projects):
        if self.finished:
            raise Rejected("The pages are there already.")
        self.finished = True


@breaks(SinkContract.test_finishing_again_changes_nothing)
class RemovesWhatWasNotNamed(WholeStore):
    def finalize(self, projects):
        self._kept = {name: kept for name, kept in self._kept.items() if kept.file.project in projects}


@breaks(StoreContract.test_threads_may_put_and_list_and_read_at_once)
class ListsWhileItChanges(WholeStore):
    def put(self, staged):
        sleep(0.05)
        super().put(staged)

    def iter_files(self, project):
        for kept in self._kept.values():
            yield kept.file
            sleep(0.1)


class PagedStore(ContainerStore):
    """An honest store that is an index too."""

    def __init__(self, folder):
        super().__init__(MemoryObjects(), pages=True)


@breaks(StoreContract.test_pages_that_are_there_stay_true_when_files_come_and_go)
class LeavesPagesStale(PagedStore):
    def finalize(self, projects):
        pass


@breaks(StoreContract.test_pages_that_are_there_stay_true_when_files_come_and_go)
class ForgetsPagesOfWhatWentAway(PagedStore):
    def delete(self, files):
        for file in files:
            self._objects.delete_object(file.filename)


@breaks(StoreContract.test_a_replacing_that_fails_keeps_the_old_bytes)
class DeletesBeforeItReplaces(PagedStore):
    def replace(self, staged):
        self._objects.delete_object(staged.filename)
        super().replace(staged)


@breaks(StoreContract.test_one_damaged_file_keeps_no_other_from_the_pages)
class ReadsEveryArchive(PagedStore):
    def rebuild_pages(self):
        for file in self.iter_files(None):
            with self.open(file) as stream, ZipFile(BytesIO(stream.read(-1))) as archive:
                archive.testzip()
        super().rebuild_pages()


class ShelfConfig(RemoteConfig):
    """An honest configuration."""

    type: Literal["shelf"] = "shelf"
    token: SecretReference = Field(description="What opens the shelf.")

    def open(self) -> Any:
        SecretValue(self.token).get()
        return nullcontext(MemoryStore())


@breaks(ConfigContract.test_its_type_is_one_literal)
class TakesAnyType(ShelfConfig):
    type: str = "shelf"


@breaks(ConfigContract.test_its_type_is_one_literal)
class HasTwoTypes(ShelfConfig):
    type: Literal["shelf", "rack"] = "shelf"


@breaks(ConfigContract.test_unknown_keys_are_refused)
class IgnoresUnknownKeys(ShelfConfig):
    model_config = ConfigDict(extra="ignore")


@breaks(ConfigContract.test_it_cannot_be_changed)
class CanBeChanged(ShelfConfig):
    model_config = ConfigDict(frozen=False)


@breaks(ConfigContract.test_every_key_is_described)
class DescribesNothing(ShelfConfig):
    row: int = 1


@breaks(ConfigContract.test_it_has_a_schema)
class HoldsAThingWithoutSchema(ShelfConfig):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    event: threading.Event | None = Field(default=None, description="Something alive.")


@breaks(ConfigContract.test_it_opens_more_than_once)
class OpensOnce(ShelfConfig):
    _opened: bool = PrivateAttr(default=False)

    def open(self):
        if self._opened:
            raise Rejected("It is open already.")
        self._opened = True
        return super().open()


@breaks(ConfigContract.test_it_opens_more_than_once)
class OpensAsNothing(ShelfConfig):
    def open(self):
        return nullcontext()


@breaks(ConfigContract.test_it_can_be_pickled_without_the_values_of_its_secrets)
class RemembersItsSecret(ShelfConfig):
    _value: str = PrivateAttr(default="")

    def open(self):
        self._value = SecretValue(self.token).get()
        return super().open()


@breaks(ConfigContract.test_it_does_not_show_the_values_of_its_secrets)
class ShowsItsSecret(ShelfConfig):
    def __repr__(self) -> str:
        return f"ShowsItsSecret(token={self.token.resolve()})"


class Talkative(MemoryStore):
    """Shows what opened it."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token

    def __repr__(self) -> str:
        return f"Talkative({self.token!r})"


@breaks(ConfigContract.test_it_does_not_show_the_values_of_its_secrets)
class OpensAsSomethingTalkative(ShelfConfig):
    def open(self):
        return nullcontext(Talkative(SecretValue(self.token).get()))
