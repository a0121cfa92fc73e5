"""Operations on a container grow with the files that change, and not with all files of the container."""

import hashlib
import json
from collections import Counter

import pytest
from pypi_simple import ProjectPage
from tests.servers.objects import MemoryObjects

from wheelrelay.backends.local.store import DirectoryObjects, DirectoryStore
from wheelrelay.containers import ContainerStore
from wheelrelay.testing import make_wheel, stage_path

LIMIT = 5000
"""Up to this many files, the root pages list each file."""

COUNT = LIMIT + 10


def fill(objects, count, *, per_project=10):
    """Create sdists as another job would store them, with their digests."""
    for number in range(count):
        name = f"project{number // per_project:05}-1.{number % per_project}.tar.gz"
        metadata = {"sha256": hashlib.sha256(name.encode()).hexdigest(), "requires-python": "any"}
        objects.create_object(name, name.encode(), content_type="", metadata=metadata)


def indexed(count, **options):
    objects = MemoryObjects()
    fill(objects, count, **options)
    ContainerStore(objects, pages=True).rebuild_pages()
    objects.asked.clear()
    objects.sizes_written.clear()
    return objects


def operations(objects):
    return Counter(operation for operation, _ in objects.asked)


@pytest.fixture
def staged(tmp_path):
    return stage_path(make_wheel(tmp_path, "project00001", "2.0"))


@pytest.fixture(scope="module")
def _large():
    return indexed(COUNT)


@pytest.fixture
def large(_large):
    """A container of more files than the root pages list."""
    objects = MemoryObjects()
    objects.kept = dict(_large.kept)
    return objects


def push(objects, staged):
    store = ContainerStore(objects, pages=True)
    store.put(staged)
    store.finalize({staged.file.project})


def test_new_file_costs_the_pages_of_its_project(large, staged):
    push(large, staged)
    assert operations(large)["list"] == 2
    assert operations(large)["open"] <= 9
    assert operations(large)["replace"] == 3
    assert large.sizes_written.keys() == {
        staged.filename,
        f"{staged.filename}.metadata",
        "simple/project00001/index.json",
        "simple/project00001/index.html",
        "simple/index.json",
    }
    assert large.sizes_written["simple/index.json"] < 75 * COUNT / 10
    assert ContainerStore(large, pages=True).check_pages() == []


def test_new_project_costs_the_lists_of_projects(large, tmp_path):
    push(large, stage_path(make_wheel(tmp_path, "another")))
    root = sum(large.sizes_written[name] for name in ("simple/index.json", "simple/index.html", "index.html"))
    assert root < 200 * (LIMIT / 10 + 2)
    assert ContainerStore(large, pages=True).check_pages() == []


@pytest.mark.parametrize("projects", [10, 40])
def test_own_files_are_listed_twice_and_each_page_is_read_once(objects, tmp_path, projects):
    store = ContainerStore(objects, pages=True)
    files = [stage_path(make_wheel(tmp_path, f"own{number}")) for number in range(projects)]
    for staged in files:
        store.put(staged)
    objects.asked.clear()
    store.finalize({staged.file.project for staged in files})
    assert operations(objects)["list"] == 2
    assert operations(objects)["replace"] == 2 * projects + 3
    assert operations(objects)["stat"] == 0
    reads = Counter(objects.opened())
    assert {name for name, count in reads.items() if count > 1} <= {
        "simple/index.json",
        "simple/index.html",
        "index.html",
    }
    assert not any(name.endswith((".whl", ".metadata")) for name in reads)


@pytest.mark.parametrize("projects", [10, 40])
def test_rebuild_lists_as_often_for_more_projects(objects, projects):
    fill(objects, projects, per_project=1)
    objects.asked.clear()
    ContainerStore(objects, pages=True).rebuild_pages()
    assert operations(objects)["list"] == 2
    assert operations(objects)["open"] <= 6 * projects + 6  # two pages and a state in each round


def test_root_document_of_a_large_container_has_fingerprints_of_projects(large):
    document = json.loads(large.kept["simple/index.json"].content)
    assert [project["name"] for project in document["projects"]][:2] == ["project00000", "project00001"]
    assert document["_wheelrelay"].keys() == {"fingerprints"}


def test_flat_page_of_a_large_container_links_to_the_projects(large):
    page = ProjectPage.from_html("x", large.kept["index.html"].content.decode(), base_url="https://x.org/a/")
    assert len(page.packages) == COUNT / 10
    assert page.packages[1].url == "https://x.org/a/simple/project00001/"


def test_large_container_is_read_with_the_digests_of_its_pages(large):
    files = list(ContainerStore(large, pages=True).iter_files(None))
    assert len(files) == COUNT
    assert all(file.sha256 == hashlib.sha256(file.filename.encode()).hexdigest() for file in files)
    assert operations(large) == {"list": 1, "open": 1 + COUNT / 10}


def test_inventory_of_some_projects_reads_their_pages(large):
    projects = [f"project{number:05}" for number in range(20)]
    assert len(list(ContainerStore(large, pages=True).inventory_of(projects))) == 200
    assert operations(large) == {"list": 1, "open": 1 + 20}


class CountingDirectory(DirectoryObjects):
    """A directory that records which files are opened, and how often it is listed."""

    def __init__(self, path):
        super().__init__(path)
        self.opened = []
        self.listings = 0

    def open_object(self, name):
        self.opened.append(name)
        return super().open_object(name)

    def list_named(self, selects):
        self.listings += 1
        return super().list_named(selects)


@pytest.mark.parametrize("count", [5, 20])
def test_files_just_written_to_a_directory_are_not_read(tmp_path, count):
    objects = CountingDirectory(tmp_path / "wheels")
    store = DirectoryStore(objects, pages=True)
    files = [stage_path(make_wheel(tmp_path / "made", f"own{number}")) for number in range(count)]
    for staged in files:
        store.put(staged)
    store.finalize({staged.file.project for staged in files})
    assert objects.listings == 2
    assert not [name for name in objects.opened if name.endswith((".whl", ".metadata"))]
    assert store.check_pages() == []


def test_file_replaced_by_another_tool_is_found_in_a_large_container(large, staged):
    name = "project00007-1.3.tar.gz"
    metadata = {"sha256": "a" * 64, "requires-python": "any"}
    large.replace_object(name, b"other bytes", content_type="", metadata=metadata)
    push(large, staged)
    assert ContainerStore(large, pages=True).check_pages() == []
    entries = json.loads(large.kept["simple/project00007/index.json"].content)["files"]
    assert {entry["hashes"]["sha256"] for entry in entries if entry["filename"] == name} == {"a" * 64}


def test_damaged_root_document_of_a_large_container_is_rebuilt(large, staged):
    whole = large.kept["simple/index.json"].content
    large.replace_object("simple/index.json", b"{", content_type="", metadata={})
    ContainerStore(large, pages=True).finalize(())
    assert large.kept["simple/index.json"].content == whole


def test_container_that_shrinks_lists_its_files_again():
    objects = indexed(LIMIT + 2, per_project=500)
    store = ContainerStore(objects, pages=True)
    names = {"project00000-1.0.tar.gz", "project00001-1.1.tar.gz", "project00002-1.2.tar.gz"}
    store.delete([file for file in store.iter_files(None) if file.filename in names])
    page = objects.kept["index.html"].content.decode()
    assert page.count(".tar.gz</a>") == LIMIT - 1
    assert store.check_pages() == []


def test_container_that_grows_lists_its_projects(tmp_path):
    objects = indexed(LIMIT, per_project=500)
    assert objects.kept["index.html"].content.count(b".tar.gz</a>") == LIMIT
    push(objects, stage_path(make_wheel(tmp_path, "another")))
    assert b".tar.gz</a>" not in objects.kept["index.html"].content
    assert ContainerStore(objects, pages=True).check_pages() == []
