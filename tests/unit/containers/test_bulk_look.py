"""Looks at many files of a container with one listing."""

import pytest
from tests.servers.objects import Kept, MemoryObjects

from wheelrelay.containers import ContainerStore
from wheelrelay.containers.bulk_look import OBJECTS_A_REQUEST
from wheelrelay.engine.confirming import confirm
from wheelrelay.model import Confirm
from wheelrelay.testing import make_wheel, stage_path


@pytest.fixture
def objects():
    return MemoryObjects()


@pytest.fixture
def store(objects):
    return ContainerStore(objects)


@pytest.fixture
def staged(store, tmp_path):
    """Files that the store has published."""
    files = [stage_path(make_wheel(tmp_path, "sample", f"{number}.0")) for number in range(8)]
    for file in files:
        store.put(file)
    return files


def looked_at(objects):
    return [name for operation, name in objects.asked if operation == "stat"]


def confirm_all(store, objects, staged):
    """Confirm the files, and return the reasons against it and the names that were looked at one by one."""
    objects.asked.clear()
    unconfirmed = confirm(store, staged, Confirm.INDEX, within=0)
    return [reason.reason for reason in unconfirmed], looked_at(objects)


def test_many_files_are_confirmed_with_one_listing(store, objects, staged):
    assert confirm_all(store, objects, staged) == ([], [])
    assert [operation for operation, _ in objects.asked] == ["list"]


def test_file_that_another_writer_replaced_is_found(store, objects, staged):
    other = Kept(b"other", "application/octet-stream", {})
    objects.kept[staged[0].filename] = other
    reasons, looked = confirm_all(store, objects, staged)
    assert len(reasons) == 1
    assert "but the sink has" in reasons[0]
    assert looked == [staged[0].filename]


def test_file_that_the_listing_does_not_show_yet_is_looked_at(store, objects, staged):
    objects.late.add(staged[0].filename)
    assert confirm_all(store, objects, staged) == ([], [staged[0].filename])


def test_deleted_file_is_not_confirmed(store, objects, staged):
    del objects.kept[staged[0].filename]
    reasons, looked = confirm_all(store, objects, staged)
    assert reasons == ["The sink does not show it (waited 0 s)."]
    assert looked == [staged[0].filename]


def test_few_files_in_a_large_container_are_looked_at_one_by_one(store, objects, staged):
    for number in range(2 * OBJECTS_A_REQUEST):
        objects.kept[f"other-{number}.txt"] = Kept(b"", "text/plain", {})
    list(store.inventory("sample"))
    names = [file.filename for file in staged[:2]]
    assert confirm_all(store, objects, staged[:2]) == ([], names)


def test_files_of_another_store_are_looked_at_one_by_one(objects, staged):
    reasons, looked = confirm_all(ContainerStore(objects), objects, staged)
    assert (reasons, len(looked)) == ([], len(staged))
