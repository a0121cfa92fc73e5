"""A mirror leaves out projects that have changed neither at the source nor at a sink."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.servers.faulty_store import FaultyStore, staged_files
from tests.servers.objects import MemoryObjects
from tests.unit.engine.conftest import outcomes, recorder_for, request_between

from wheelrelay.containers import ContainerStore
from wheelrelay.engine import run
from wheelrelay.engine.context import AgePolicy, ReleasePolicy
from wheelrelay.engine.last_run import LastRunStore
from wheelrelay.engine.listing import MANY_PROJECTS
from wheelrelay.errors import Rejected, RelayFailed
from wheelrelay.model import Mode
from wheelrelay.records import Outcome
from wheelrelay.select import Selection, parse_requirement

COUNT = MANY_PROJECTS


class NumberedStore(FaultyStore):
    """A source that numbers the changes of its projects, and records which projects are listed."""

    def __init__(self, files):
        super().__init__(files)
        self.serials = {staged.file.project: 1 for staged in files}
        self.listed = []
        self.read = {}

    def iter_files(self, project):
        self.listed.append(project)
        if project in self.serials:
            self.read[project] = self.serials[project]
        return super().iter_files(project)

    def current_serials(self):
        return self.serials

    def read_serials(self):
        return self.read

    def publish(self, staged):
        """Add a file."""
        FaultyStore.put(self, staged)
        self.serials[staged.file.project] += 1


class Tree(MemoryObjects):
    """Objects of a place that can list a folder with those below it."""

    def names_below(self, folder):
        self._ask("tree", folder)
        return iter([name for name in self.kept if name.startswith(folder)])


class Mirror:
    """A mirror whose last run is kept, as a machine keeps it."""

    def __init__(self, files, *, pages=False):
        self.source = NumberedStore(files)
        self.objects = Tree()
        self.pages = pages
        self.kept = []
        self.required = [staged.file.project for staged in files]

    def run(self, policy=ReleasePolicy(), **options):  # noqa: B008  (frozen)
        """Run the mirror, and return the receipt."""
        self.source.listed, self.source.read = [], {}
        self.objects.asked.clear()
        self.sink = ContainerStore(self.objects, pages=self.pages)
        last_run = LastRunStore(lambda: self.kept[-1] if self.kept else None, self.kept.append)
        request = replace(
            request_between(self.source, self.sink, **options),
            selection=Selection(tuple(map(parse_requirement, self.required))),
            policy=policy,
            last_run=last_run,
        )
        return run.mirror(request, recorder_for(request, Mode.MIRROR, None))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a file of each of many projects."""
    names = (f"sample{number}-1.0-py3-none-any.whl" for number in range(COUNT))
    return staged_files(tmp_path_factory.mktemp("files"), *names)


@pytest.fixture(scope="module")
def complete(files):
    """Return a mirror without pages and one with pages, after their first runs."""
    mirrors = {pages: Mirror(files, pages=pages) for pages in (False, True)}
    for mirror in mirrors.values():
        mirror.run()
    return mirrors


def copy_of(complete, files, *, pages):
    mirror = Mirror(files, pages=pages)
    mirror.objects.kept.update(complete[pages].objects.kept)
    mirror.kept.append(complete[pages].kept[0])
    return mirror


@pytest.fixture
def mirror(complete, files):
    """Return a mirror without pages that has all files."""
    return copy_of(complete, files, pages=False)


@pytest.fixture
def with_pages(complete, files):
    """Return a mirror with pages that has all files."""
    return copy_of(complete, files, pages=True)


def test_run_without_changes_lists_no_project_and_has_the_same_receipt(mirror):
    before = {file.filename: file for file in mirror.run().files}
    mirror.kept.clear()
    compared = mirror.run()
    assert mirror.source.listed == mirror.required
    again = mirror.run()
    assert mirror.source.listed == []
    assert again.is_complete
    assert {file.filename: file for file in again.files} == before
    assert again.files == compared.files


@pytest.mark.parametrize("pages", [False, True])
def test_requests_of_a_run_without_changes_do_not_depend_on_the_number_of_files(
    complete, files, tmp_path, pages
):
    mirror = copy_of(complete, files, pages=pages)
    counts = []
    for more in (0, 40):
        for new in staged_files(tmp_path, *(f"other{number}-1.0.tar.gz" for number in range(more))):
            mirror.source.serials[new.file.project] = 0
            mirror.source.publish(new)
            mirror.required.append(new.file.project)
        mirror.run()
        assert len(mirror.run().files) == COUNT + more
        counts.append(len(mirror.objects.asked))
    assert counts[0] == counts[1] <= 4


def test_project_with_another_serial_is_read(mirror, tmp_path):
    [new] = staged_files(tmp_path, "sample3-2.0-py3-none-any.whl")
    mirror.source.publish(new)
    assert outcomes(mirror.run())[new.filename] is Outcome.PUBLISHED
    assert mirror.source.listed == ["sample3"]
    assert len(mirror.run().files) == COUNT + 1
    assert mirror.source.listed == []


def test_file_that_vanished_from_the_sink_is_published_again(mirror):
    del mirror.objects.kept["sample3-1.0-py3-none-any.whl"]
    assert outcomes(mirror.run())["sample3-1.0-py3-none-any.whl"] is Outcome.PUBLISHED
    assert mirror.source.listed == ["sample3"]


def test_file_that_changed_at_the_sink_is_compared(mirror):
    kept = mirror.objects.kept
    kept["sample3-1.0-py3-none-any.whl"] = replace(
        kept["sample4-1.0-py3-none-any.whl"], content=b"other", metadata={}
    )
    for _ in range(2):
        with pytest.raises(RelayFailed, match="with 5 of"):
            mirror.run()
        assert mirror.source.listed == ["sample3"]


def test_companion_that_appeared_at_the_sink_causes_a_comparison(mirror):
    kept = mirror.objects.kept
    kept["sample3-1.0-py3-none-any.whl.asc"] = kept["sample4-1.0-py3-none-any.whl"]
    mirror.run()
    assert mirror.source.listed == ["sample3"]
    mirror.run()
    assert mirror.source.listed == []


def test_other_versions_are_selected_anew(mirror):
    mirror.required[3] += ">=1"
    mirror.run()
    assert mirror.source.listed == ["sample3"]


def test_project_that_is_new_in_the_selection_is_read(mirror):
    mirror.required.append("missing")
    assert mirror.run().is_complete
    assert mirror.source.listed == ["missing"]


def test_file_that_failed_is_tried_again(mirror):
    del mirror.objects.kept["sample3-1.0-py3-none-any.whl"]
    failing = "sample3-1.0-py3-none-any.whl"
    mirror.objects.before = lambda operation, name: fail(operation, name, failing)
    for _ in range(2):
        with pytest.raises(RelayFailed):
            mirror.run()
    assert mirror.source.listed == ["sample3"]
    mirror.objects.before = lambda operation, name: None
    assert outcomes(mirror.run())[failing] is Outcome.PUBLISHED


def fail(operation, name, failing):
    if operation == "create" and name == failing:
        raise Rejected("No.")


def test_damaged_record_is_ignored(mirror):
    mirror.kept.append(mirror.kept[-1][:-1])
    mirror.run()
    assert mirror.source.listed == mirror.required


def test_pages_that_were_not_updated_are_updated_by_the_next_run(with_pages, tmp_path):
    [new] = staged_files(tmp_path, "sample3-2.0-py3-none-any.whl")
    with_pages.source.publish(new)
    with_pages.run(finalize=False)
    page = with_pages.objects.kept["simple/sample3/index.json"].content
    assert new.filename.encode() not in page
    with_pages.run()
    assert new.filename.encode() in with_pages.objects.kept["simple/sample3/index.json"].content


def test_file_of_another_writer_appears_on_the_pages(with_pages, tmp_path):
    [other] = staged_files(tmp_path, "another-1.0-py3-none-any.whl")
    ContainerStore(with_pages.objects).put(other)
    with_pages.run()
    assert with_pages.source.listed == []
    assert "simple/another/index.json" in with_pages.objects.kept


@pytest.mark.parametrize("name", ["simple/index.json", "simple/sample3/index.json"])
def test_page_that_vanished_is_written_again(with_pages, name):
    page = with_pages.objects.kept.pop(name)
    assert with_pages.run().is_complete
    assert with_pages.objects.kept[name].content == page.content
    assert len(with_pages.source.listed) <= 1


def test_projects_outside_the_selection_stay_known(mirror):
    everything = mirror.required
    mirror.required = [*everything[:-1], "missing"]
    mirror.run()
    mirror.required = everything
    mirror.run()
    assert mirror.source.listed == []


def test_minimum_age_reads_all_projects(mirror):
    mirror.run(ReleasePolicy(age=AgePolicy(timedelta(0), take_unknown=True)))
    assert mirror.source.listed == mirror.required


def test_replacing_reads_all_projects(mirror):
    mirror.run(replace=True)
    assert mirror.source.listed == mirror.required
