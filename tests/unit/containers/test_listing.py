"""What a container holds is found by one listing, and a project's files by their names alone."""

import logging

import pytest
from tests.servers.objects import MemoryObjects

from wheelrelay.backends.local.store import DirectoryObjects
from wheelrelay.containers import ContainerSource
from wheelrelay.containers.listing import ListingReader

SPELLINGS = (
    "foo_bar-1.0-py3-none-any.whl",
    "Foo.Bar-1.0-1-cp313-cp313t-win_amd64.whl",
    "foo--bar-1.0.tar.gz",
    "FOO-bar-2.0.zip",
)
OTHERS = (
    "foo-1.0-py3-none-any.whl",
    "foo_barrel-1.0-py3-none-any.whl",
    "foo_bar_baz-1.0-py3-none-any.whl",
    "foo_bar-baz-1.0.tar.gz",
    "a_foo_bar-1.0-py3-none-any.whl",
    "foobar-1.0.tar.gz",
)


class Shelf(MemoryObjects):
    """Objects that can be looked for by name; notes those that were described."""

    def __init__(self):
        super().__init__()
        self.described: list[str] = []

    def list_named(self, wanted):
        for found in self.list_objects():
            if wanted(found.name):
                self.described.append(found.name)
                yield found


def fill(objects, *names):
    for name in names:
        objects.create_object(name, b"x", content_type="", metadata={})


@pytest.mark.parametrize("objects", [MemoryObjects, Shelf])
@pytest.mark.parametrize("spelling", ["foo-bar", "Foo.Bar", "foo__bar"])
def test_lists_a_project_in_every_spelling(objects, spelling):
    place = objects()
    fill(place, *SPELLINGS, *OTHERS, f"{SPELLINGS[0]}.asc", f"{OTHERS[0]}.asc")
    found = {file.filename: file for file in ContainerSource(place).iter_files(spelling)}
    assert sorted(found) == sorted(SPELLINGS)
    assert found[SPELLINGS[0]].companions == (".asc",)


def test_search_by_project_agrees_with_the_complete_listing():
    place = MemoryObjects()
    fill(place, *SPELLINGS, *OTHERS)
    everything = ListingReader(place).read()
    for project in everything.projects():
        assert dict(ListingReader(place).read(project)).keys() == dict(everything.of_project(project)).keys()


def test_search_skips_files_of_other_projects(caplog):
    place = Shelf()
    fill(place, *SPELLINGS, *OTHERS, "elsewhere-1.0.whl", "foo_bar-1.0.whl")
    with caplog.at_level(logging.WARNING):
        list(ContainerSource(place).iter_files("foo-bar"))
    assert set(place.described).isdisjoint({"foobar-1.0.tar.gz", "elsewhere-1.0.whl", OTHERS[1]})
    assert [record.getMessage().split(" is ignored")[0] for record in caplog.records] == [
        place.address_of("foo_bar-1.0.whl")
    ]


def test_directory_is_searched_by_name(tmp_path):
    for name in (*SPELLINGS, *OTHERS):
        (tmp_path / name).touch()
    found = DirectoryObjects(tmp_path).list_named(lambda name: name.startswith("foo_bar-"))
    assert sorted(one.name for one in found) == sorted([SPELLINGS[0], OTHERS[3]])
