"""Sinks that each break a case of the contract."""

from dataclasses import replace
from time import sleep

from tests.unit.testing.honest_backends import WholeStore, breaks

from wheelrelay.errors import AlreadyExists, NotFound, Rejected
from wheelrelay.filenames import dist_file
from wheelrelay.model import Digests
from wheelrelay.staged import BLOCK_SIZE
from wheelrelay.testing import SinkContract, StoreContract


@breaks(SinkContract.test_is_a_sink, StoreContract.test_is_a_store)
class CannotBePutInto(WholeStore):
    put = None


@breaks(SinkContract.test_stores_the_same_bytes)
class TakesAndForgets(WholeStore):
    def put(self, staged):
        pass


@breaks(SinkContract.test_stores_awkward_names_and_their_bytes)
class RenamesFiles(WholeStore):
    def put(self, staged):
        super().put(replace(staged, file=dist_file(staged.filename.replace("+ubuntu.22", ""))))


@breaks(SinkContract.test_stores_a_large_file_completely)
class TakesTheFirstBlockOnly(WholeStore):
    def put(self, staged):
        with staged.open() as stream:
            self.keep(staged, stream.read(BLOCK_SIZE))


@breaks(SinkContract.test_same_bytes_again_change_nothing)
class RejectsWhatItHas(WholeStore):
    def put(self, staged):
        if staged.filename in self._files:
            raise Rejected("It is there already.", status=400)
        super().put(staged)


@breaks(SinkContract.test_same_bytes_again_change_nothing)
class TakesTheSameFileApartAgain(WholeStore):
    def put(self, staged):
        there = self._files.pop(staged.filename, None)
        if not there:
            super().put(staged)


@breaks(SinkContract.test_refuses_other_bytes_under_a_taken_name)
class Overwrites(WholeStore):
    def put(self, staged):
        with staged.open() as stream:
            self.keep(staged, stream.read())


@breaks(SinkContract.test_refuses_other_bytes_under_a_taken_name)
class OverwritesAndComplains(WholeStore):
    def put(self, staged):
        there = staged.filename in self._files
        with staged.open() as stream:
            self.keep(staged, stream.read())
        if there:
            raise AlreadyExists("It was there already.")


@breaks(SinkContract.test_leaves_the_local_file_unchanged)
class MovesFiles(WholeStore):
    def put(self, staged):
        super().put(staged)
        staged.path.unlink()


@breaks(
    SinkContract.test_refuses_a_file_modified_since_staging,
    SinkContract.test_refuses_a_file_deleted_since_staging,
)
class ReadsPaths(WholeStore):
    def put(self, staged):
        self.keep(staged, staged.path.read_bytes())


@breaks(
    SinkContract.test_refuses_a_file_modified_since_staging,
    SinkContract.test_refuses_a_file_deleted_since_staging,
)
class TakesTheNameFirst(WholeStore):
    def put(self, staged):
        self.keep(staged, b"")
        with staged.open() as stream:
            self.keep(staged, stream.read())


@breaks(
    SinkContract.test_stores_nothing_of_a_file_modified_during_put,
    SinkContract.test_file_appears_completely_or_not_at_all,
)
class WritesBeforeVerifying(WholeStore):
    def put(self, staged):
        content = b""
        with staged.open() as stream:
            for block in stream:
                content += block
                self.keep(staged, content)


@breaks(SinkContract.test_eight_threads_can_put_different_files_concurrently)
class LosesUpdates(WholeStore):
    def put(self, staged):
        before = self._files
        with staged.open() as stream:
            self._files = {}
            self.keep(staged, stream.read())
            mine = self._files
        sleep(0.02)
        self._files = {**before, **mine}


@breaks(SinkContract.test_one_of_eight_threads_wins_a_name)
class LooksBeforeItLeaps(WholeStore):
    def put(self, staged):
        with staged.open() as stream:
            content = stream.read()
        there = self._files.get(staged.filename)
        sleep(0.02)
        if there and there.content != content:
            raise AlreadyExists("It is there with other bytes.")
        for companion in staged.companions:
            self._companions.setdefault((staged.filename, companion.suffix), companion.content)
        self.keep(staged, content)


@breaks(SinkContract.test_stores_companions)
class DropsCompanions(WholeStore):
    def put(self, staged):
        super().put(replace(staged, companions=()))


@breaks(SinkContract.test_file_never_appears_without_its_companions)
class LetsCompanionsFollow(WholeStore):
    def put(self, staged):
        super().put(replace(staged, companions=()))
        sleep(0.05)
        super().put(staged)


@breaks(SinkContract.test_second_put_adds_missing_companions)
class TakesCompanionsTheFirstTimeOnly(WholeStore):
    def put(self, staged):
        super().put(replace(staged, companions=()) if staged.filename in self._files else staged)


@breaks(SinkContract.test_keeps_existing_companions)
class OverwritesCompanions(WholeStore):
    def put(self, staged):
        super().put(staged)
        for companion in staged.companions:
            self._companions[staged.filename, companion.suffix] = companion.content


@breaks(SinkContract.test_inventory_is_complete_and_correct)
class DeclaresWrongDigestsInInventories(WholeStore):
    def inventory(self, project):
        return (replace(file, digests=Digests(sha256="0" * 64)) for file in super().inventory(project))


@breaks(SinkContract.test_inventory_is_complete_and_correct)
class ForgetsSdistsInInventories(WholeStore):
    def inventory(self, project):
        return (file for file in super().inventory(project) if file.build_tag or file.tags)


@breaks(SinkContract.test_inventory_is_current_after_every_put)
class RemembersItsInventory(WholeStore):
    def __init__(self, folder):
        super().__init__(folder)
        self.answers = {}

    def inventory(self, project):
        return iter(self.answers.setdefault(project, list(super().inventory(project))))


@breaks(SinkContract.test_inventory_of_an_absent_project_is_empty)
class HasNoInventoryOfAbsentProjects(WholeStore):
    def inventory(self, project):
        files = list(super().inventory(project))
        if not files:
            raise NotFound(f"There is no {project}.")
        return iter(files)


@breaks(SinkContract.test_inventory_of_several_projects_is_complete)
class ReadsOnlyTheFirstProject(WholeStore):
    def inventory_of(self, projects):
        return super().inventory_of(list(projects)[:1])


@breaks(SinkContract.test_look_returns_the_current_state_of_one_file)
class LooksAtAnyFileOfTheProject(WholeStore):
    def look(self, file):
        return next(self.inventory(file.project), None)


@breaks(SinkContract.test_look_returns_the_current_state_of_one_file)
class RemembersMissingFiles(WholeStore):
    def __init__(self, folder):
        super().__init__(folder)
        self.answers = {}

    def look(self, file):
        return self.answers.setdefault(file.filename, super().look(file))


@breaks(SinkContract.test_look_returns_the_current_state_of_one_file)
class AffirmsAllCompanions(WholeStore):
    def look(self, file):
        held = super().look(file)
        return held and replace(held, companions=file.companions)


@breaks(SinkContract.test_finalizing_again_changes_nothing)
class FinishesOnce(WholeStore):
    finished = False

    def finalize(self, projects):
        if self.finished:
            raise Rejected("The pages are there already.")
        self.finished = True


@breaks(SinkContract.test_finalizing_again_changes_nothing)
class RemovesWhatWasNotNamed(WholeStore):
    def finalize(self, projects):
        self._files = {name: kept for name, kept in self._files.items() if kept.file.project in projects}
