"""Changes that several writers make to one document are not lost."""

import threading

import pytest
from tests.servers.objects import MemoryObjects

from wheelrelay.containers import ContainerStore
from wheelrelay.containers.object_lock import object_lock
from wheelrelay.errors import Unavailable
from wheelrelay.testing import make_wheel, stage_path

PATIENCE = 20
STATE = "simple/sample/state.json"
LOCK = f"{STATE}.lock"
NAMES = [f"sample-{number}.0-py3-none-any.whl" for number in range(4)]


@pytest.fixture
def objects(tmp_path):
    """Return a container with four wheels and index pages."""
    objects = MemoryObjects()
    store = ContainerStore(objects, pages=True)
    for number in range(len(NAMES)):
        store.put(stage_path(make_wheel(tmp_path / "made", "sample", f"{number}.0")))
    store.finalize(["sample"])
    return objects


def yank(objects, *names):
    """Yank files as a process of its own."""
    store = ContainerStore(objects, pages=True)
    store.yank([file for file in store.inventory("sample") if file.filename in names], "broken")


def yanked(objects):
    """Return the names of the yanked files."""
    store = ContainerStore(objects, pages=True)
    return [file.filename for file in store.inventory("sample") if file.yanked == "broken"]


def test_change_between_reading_and_writing_is_kept(objects):
    other = threading.Thread(target=yank, args=(objects, NAMES[1]))
    acted = threading.Event()

    def before(operation, name):
        if threading.current_thread() is other:
            if (operation, name) in (("create", LOCK), ("replace", STATE)):
                acted.set()
        elif (operation, name) == ("replace", STATE):
            other.start()
            assert acted.wait(PATIENCE)

    objects.before = before
    yank(objects, NAMES[0])
    other.join(PATIENCE)
    assert yanked(objects) == NAMES[:2]
    assert LOCK not in objects.kept


def test_changes_of_many_writers_are_kept(objects):
    threads = [threading.Thread(target=yank, args=(objects, name)) for name in NAMES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert yanked(objects) == NAMES
    assert LOCK not in objects.kept


def test_change_without_effect_needs_no_lock(objects):
    yank(objects, NAMES[0])
    objects.asked.clear()
    yank(objects, NAMES[0])
    assert ("create", LOCK) not in objects.asked


def test_abandoned_lock_is_removed(objects):
    objects.create_object(LOCK, b"of a killed process", content_type="text/plain", metadata={})
    with object_lock(objects, LOCK, abandoned_after=0.05):
        assert objects.kept[LOCK].content != b"of a killed process"
    assert LOCK not in objects.kept


def test_lock_of_another_writer_is_not_removed(objects):
    with object_lock(objects, LOCK):
        del objects.kept[LOCK]
        objects.create_object(LOCK, b"another", content_type="text/plain", metadata={})
    assert objects.kept[LOCK].content == b"another"


def test_lock_ends_with_an_error(objects):
    with pytest.raises(RuntimeError), object_lock(objects, LOCK):
        raise RuntimeError
    assert LOCK not in objects.kept


def test_waiting_for_many_writers_ends(objects):
    def before(operation, name):
        if (operation, name) == ("create", LOCK):
            objects.kept.pop(LOCK, None)
            objects.before = lambda *_: None
            token = str(len(objects.asked)).encode()
            objects.create_object(LOCK, token, content_type="text/plain", metadata={})
            objects.before = before

    objects.before = before
    with pytest.raises(Unavailable, match="is held by other jobs all the time"), object_lock(objects, LOCK):
        pass
