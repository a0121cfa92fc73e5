"""Pages of many new projects are written without a request for each page that does not exist."""

import json
from collections import Counter

import pytest
from tests.servers.faulty_store import staged_files
from tests.servers.objects import MemoryObjects

from wheelrelay.containers import ContainerStore
from wheelrelay.containers.project_state import state_name
from wheelrelay.containers.stored_names import FEWEST_PROJECTS, NAMES_PER_PROJECT, StoredNames

PLACES = ["tree", "flat"]


class Tree(MemoryObjects):
    """Objects of a place that can list a folder with those below it."""

    def names_below(self, folder):
        self._ask("tree", folder)
        return iter([name for name in self.kept if name.startswith(folder)])


def staged_projects(folder, count, version="1.0"):
    names = (f"sample{number}-{version}-py3-none-any.whl" for number in range(count))
    return staged_files(folder / f"{version}-{count}", *names)


def push(objects, files):
    """Push files, and count the operations of the update of the pages."""
    store = ContainerStore(objects, pages=True)
    for staged in files:
        store.put(staged)
    objects.asked.clear()
    store.finalize({staged.file.project for staged in files})
    return Counter(operation for operation, _ in objects.asked)


def test_reads_of_missing_pages_do_not_depend_on_the_number_of_projects(tmp_path):
    few, many = (
        push(Tree(), staged_projects(tmp_path, count)) for count in (FEWEST_PROJECTS, 4 * FEWEST_PROJECTS)
    )
    assert few["open"] == many["open"] < 8
    assert few["tree"] == many["tree"] == 2


def test_few_projects_are_read_without_a_listing_of_all_pages(tmp_path):
    assert push(Tree(), staged_projects(tmp_path, FEWEST_PROJECTS - 1))["tree"] == 0


def test_pages_are_the_same_with_and_without_the_listing(tmp_path):
    kept = []
    for objects in (Tree(), MemoryObjects()):
        for version in ("1.0", "2.0"):
            push(objects, staged_projects(tmp_path, FEWEST_PROJECTS, version))
        kept.append({name: held.content for name, held in objects.kept.items() if name.endswith(".html")})
    assert kept[0] == kept[1]
    assert len(kept[0]) == FEWEST_PROJECTS + 2


def test_pages_are_read_if_the_container_has_very_many(tmp_path):
    objects = Tree()
    for number in range(NAMES_PER_PROJECT * FEWEST_PROJECTS + 1):
        objects.replace_object(f"simple/other{number}/index.html", b"", content_type="", metadata={})
    counts = push(objects, staged_projects(tmp_path, FEWEST_PROJECTS))
    assert counts["tree"] == 1
    assert counts["open"] >= 3 * FEWEST_PROJECTS


@pytest.mark.parametrize("place", PLACES)
def test_yank_by_another_job_while_pages_are_written_is_kept(tmp_path, place):
    objects = Tree() if place == "tree" else MemoryObjects()
    files = staged_projects(tmp_path, FEWEST_PROJECTS)
    store = ContainerStore(objects, pages=True)
    for staged in files:
        store.put(staged)

    def yank(operation, name):
        if (operation, name) == ("replace", "simple/sample0/index.html"):
            objects.before = lambda operation, name: None
            ContainerStore(objects, pages=True).yank([files[5].file], "broken")

    objects.before = yank
    store.finalize({staged.file.project for staged in files})
    page = json.loads(objects.kept["simple/sample5/index.json"].content)
    assert page["files"][0]["yanked"] == "broken"


def test_projects_whose_state_was_recorded_meanwhile_are_returned():
    objects, projects = Tree(), {f"sample{number}" for number in range(FEWEST_PROJECTS)}
    names = StoredNames(objects)
    assert names.refresh(projects, projects) == set()
    assert names.lack("simple/" + state_name("sample5"))
    objects.replace_object("simple/" + state_name("sample5"), b"{}", content_type="", metadata={})
    names.expire()
    assert not names.lack("simple/" + state_name("sample5"))
    assert names.refresh(set(), projects) == {"sample5"}
