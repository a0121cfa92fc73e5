"""Small objects of several threads, written in as few requests as possible."""

import threading

import pytest
from tests.servers.objects import MemoryObjects

from wheelrelay.containers.file_metadata import WriteCache
from wheelrelay.containers.grouped_writes import GroupedWrites
from wheelrelay.errors import Unavailable


class GroupingObjects(MemoryObjects):
    """Objects of a place with grouped writes.

    Attributes:
        groups: the names in each request.
        refused: names that are not written in a group.
        started: set when a request arrives.
        proceed: requests wait for it.
    """

    def __init__(self):
        super().__init__()
        self.groups = []
        self.refused = set()
        self.started = threading.Event()
        self.proceed = threading.Event()
        self.proceed.set()

    def has_grouped_writes(self):
        return True

    def replace_group(self, contents, *, content_type):
        self.groups.append(sorted(contents))
        self.started.set()
        self.proceed.wait(30)
        self._ask("group", "")
        written = {name: content for name, content in contents.items() if name not in self.refused}
        for name, content in written.items():
            self.replace_object(name, content, content_type=content_type, metadata={})
        return dict.fromkeys(written, "etag")


@pytest.fixture
def objects():
    return GroupingObjects()


def test_place_without_grouped_writes_has_none():
    assert not GroupedWrites(MemoryObjects(), WriteCache()).are_supported


def test_threads_share_a_request(objects):
    written = WriteCache()
    grouped = GroupedWrites(objects, written)
    names = [f"{number}.metadata" for number in range(8)]
    threads = [
        threading.Thread(target=lambda name=name: grouped.replace(name, name.encode())) for name in names
    ]
    objects.proceed.clear()
    threads[0].start()
    objects.started.wait(30)
    for thread in threads[1:]:
        thread.start()
    while len(grouped._waiting) < 7:
        threading.Event().wait(0.001)
    objects.proceed.set()
    for thread in threads:
        thread.join()
    assert objects.groups == [names[:1], names[1:]]
    assert written.digests.keys() == {(name, "etag") for name in names}
    assert {name: objects.kept[name].content for name in names} == {name: name.encode() for name in names}


def test_object_that_was_not_written_is_sent_alone(objects):
    objects.refused.add("a")
    GroupedWrites(objects, WriteCache()).replace("a", b"content")
    assert objects.kept["a"].content == b"content"


def test_error_of_the_single_request_is_raised(objects):
    objects.refused.add("a")

    def fail(operation, name):
        if operation == "replace":
            raise Unavailable("The server is busy.")

    objects.before = fail
    with pytest.raises(Unavailable):
        GroupedWrites(objects, WriteCache()).replace("a", b"content")


def test_unexpected_error_does_not_block_other_threads(objects):
    def fail(operation, name):
        if operation == "group":
            raise ZeroDivisionError

    objects.before = fail
    grouped = GroupedWrites(objects, WriteCache())
    with pytest.raises(ZeroDivisionError):
        grouped.replace("a", b"content")
    objects.before = lambda operation, name: None
    grouped.replace("b", b"content")
    assert objects.kept["b"].content == b"content"
