"""Sources that each break a case of the contract."""

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from io import BytesIO
from time import sleep
from urllib.parse import quote

from packaging.utils import canonicalize_name
from tests.unit.testing.honest_backends import WholeStore, breaks

from wheelrelay.errors import NotFound, SizeMismatch
from wheelrelay.filenames import dist_file
from wheelrelay.model import Digests
from wheelrelay.staged import BLOCK_SIZE
from wheelrelay.testing import SourceContract, StoreContract


@breaks(SourceContract.test_is_a_source, StoreContract.test_is_a_store)
class CannotBeOpened(WholeStore):
    open = None


@breaks(SourceContract.test_lists_nothing_in_an_empty_place)
class ListsWhatItDoesNotHave(WholeStore):
    def iter_files(self, project):
        yield from super().iter_files(project)
        yield dist_file("sample-9.9.tar.gz")


@breaks(SourceContract.test_lists_only_distribution_files)
class ListsCompanionsAsFiles(WholeStore):
    def iter_files(self, project):
        for file in super().iter_files(project):
            yield file
            yield from (replace(file, filename=file.filename + suffix) for suffix in file.companions)


@breaks(SourceContract.test_lists_only_distribution_files)
class ForgetsOneFile(WholeStore):
    def iter_files(self, project):
        return iter(list(super().iter_files(project))[1:])


@breaks(SourceContract.test_lists_only_distribution_files)
class ListsFilesTwice(WholeStore):
    def iter_files(self, project):
        yield from super().iter_files(project)
        yield from super().iter_files(project)


@breaks(SourceContract.test_lists_all_projects_without_a_project)
class ListsOneProjectOnly(WholeStore):
    def iter_files(self, project):
        return super().iter_files(project or "sample")


@breaks(SourceContract.test_finds_a_project_in_any_spelling)
class IsParticularAboutSpelling(WholeStore):
    def iter_files(self, project):
        return (file for file in super().iter_files(None) if project in (None, file.project))


@breaks(SourceContract.test_distinguishes_projects_with_a_common_prefix)
class LooksAtBeginningsOnly(WholeStore):
    def iter_files(self, project):
        wanted = canonicalize_name(project or "")
        return (file for file in super().iter_files(None) if file.project.startswith(wanted))


@breaks(SourceContract.test_lists_nothing_for_an_absent_project)
class RaisesForAbsentProjects(WholeStore):
    def iter_files(self, project):
        files = list(super().iter_files(project))
        if project and not files:
            raise NotFound(f"There is no {project}.")
        return iter(files)


@breaks(SourceContract.test_preserves_awkward_names_and_their_bytes)
class ListsNamesAsInAddresses(WholeStore):
    def iter_files(self, project):
        return (replace(file, filename=quote(file.filename)) for file in super().iter_files(project))


@breaks(SourceContract.test_describes_files_according_to_their_names)
class DoesNotNormaliseProjects(WholeStore):
    def iter_files(self, project):
        for file in super().iter_files(project):
            yield replace(file, project=file.filename.split("-")[0])


@breaks(SourceContract.test_declares_correct_sizes_and_digests)
class DeclaresWrongSizes(WholeStore):
    def iter_files(self, project):
        return (replace(file, size=1) for file in super().iter_files(project))


@breaks(SourceContract.test_declares_correct_sizes_and_digests)
class DeclaresWrongDigests(WholeStore):
    def iter_files(self, project):
        return (replace(file, digests=Digests(md5="0" * 32)) for file in super().iter_files(project))


class Address(str):
    """Some text that belongs to this process."""

    def __reduce__(self):
        raise TypeError("This cannot be pickled.")


@breaks(SourceContract.test_files_can_be_pickled_and_opened)
class GivesFilesThatCannotTravel(WholeStore):
    def iter_files(self, project):
        return (replace(file, url=Address("here")) for file in super().iter_files(project))


@breaks(SourceContract.test_listing_of_several_projects_is_complete)
class ListsOnlyTheFirstProject(WholeStore):
    def iter_files_of(self, projects):
        return super().iter_files_of(list(projects)[:1])


@breaks(SourceContract.test_inventory_agrees_with_listing)
class HasAnInventoryOfItsOwn(WholeStore):
    def inventory(self, project):
        return iter(list(super().inventory(project))[1:])


@breaks(SourceContract.test_lists_each_project_once_and_normalized)
class NamesProjectsAgainAndAgain(WholeStore):
    def projects(self):
        return (file.project for file in self.iter_files(None))


@breaks(SourceContract.test_reads_the_exact_bytes)
class ReadsTextLines(WholeStore):
    def open(self, file):
        return BytesIO(super().open(file).read().replace(b"\r", b"\n"))


@breaks(SourceContract.test_reads_a_large_file_completely)
class GivesTheFirstBlockOnly(WholeStore):
    def open(self, file):
        return BytesIO(super().open(file).read(BLOCK_SIZE))


class Gush(BytesIO):
    """Gives all it has."""

    def read(self, size=-1):
        return super().read()


@breaks(SourceContract.test_reads_no_more_bytes_than_requested)
class GivesMoreThanWasAskedFor(WholeStore):
    def open(self, file):
        return Gush(super().open(file).read())


@breaks(SourceContract.test_streams_are_independent)
class SharesOneStream(WholeStore):
    def __init__(self, folder):
        super().__init__(folder)
        self.streams = {}

    def open(self, file):
        stream = self.streams.setdefault(file.filename, super().open(file))
        stream.seek(0)
        return nullcontext(stream)


@breaks(SourceContract.test_stream_can_be_closed_before_its_end)
class WantsToBeReadToTheEnd(WholeStore):
    @contextmanager
    def open(self, file):
        with super().open(file) as stream:
            yield stream
            if stream.read(1):
                raise SizeMismatch("There is more to read.")


@breaks(SourceContract.test_opening_a_vanished_file_is_not_found)
class RaisesErrorsOfPython(WholeStore):
    def open(self, file):
        return BytesIO(self._files[file.filename].content)


@breaks(SourceContract.test_opening_a_vanished_file_is_not_found)
class GivesNothingForAbsentFiles(WholeStore):
    def open(self, file):
        kept = self._files.get(file.filename)
        return BytesIO(kept.content if kept else b"")


@breaks(SourceContract.test_eight_threads_can_read_concurrently)
class ReadsWhatAnyThreadAskedForLast(WholeStore):
    def open(self, file):
        self.asked = file
        sleep(0.02)
        return super().open(self.asked)


@breaks(SourceContract.test_lists_and_reads_companions)
class TidiesCompanionsUp(WholeStore):
    def read_companion(self, file, suffix):
        return super().read_companion(file, suffix).strip()


@breaks(SourceContract.test_lists_and_reads_companions)
class NamesCompanionsThatCannotBeRead(WholeStore):
    read_companion = None


@breaks(SourceContract.test_reading_an_absent_companion_is_not_found)
class InventsCompanions(WholeStore):
    def read_companion(self, file, suffix):
        return self._companions.get((file.filename, suffix), b"")


@breaks(SourceContract.test_reads_the_requested_range)
class GivesTheWholeForAPart(WholeStore):
    def open_range(self, file, start, stop):
        return self.open(file)


@breaks(SourceContract.test_reads_the_requested_range)
class GivesOneByteTooMany(WholeStore):
    def open_range(self, file, start, stop):
        return super().open_range(file, start, stop and stop + 1)


@breaks(SourceContract.test_range_of_a_vanished_file_is_not_found)
class GivesNothingForPartsOfAbsentFiles(WholeStore):
    def open_range(self, file, start, stop):
        return super().open_range(file, start, stop) if file.filename in self._files else BytesIO()


@breaks(SourceContract.test_local_paths_have_the_same_bytes)
class LeadsAstray(WholeStore):
    def local_path(self, file):
        path = super().local_path(file)
        path.write_bytes(b"")
        return path
