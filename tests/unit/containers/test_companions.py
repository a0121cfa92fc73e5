"""A signature goes with the bytes that it was made for: whatever fails, and whatever was left behind."""

from dataclasses import replace

import pytest

from wheelrelay.containers import ContainerStore
from wheelrelay.errors import BackendError, Unavailable
from wheelrelay.model import Companion
from wheelrelay.testing import make_wheel, stage_path

WHEEL = "sample-1.0-py3-none-any.whl"
SIGNATURE = f"{WHEEL}.asc"


@pytest.fixture(params=[True, False], ids=["pages", "no-pages"])
def store(objects, request):
    return ContainerStore(objects, pages=request.param)


@pytest.fixture
def staged(tmp_path):
    return replace(stage_path(make_wheel(tmp_path / "a")), companions=(Companion(".asc", b"signature"),))


@pytest.fixture
def rebuilt(tmp_path):
    """The same name with other bytes, and with the signature of these."""
    wheel = stage_path(make_wheel(tmp_path / "b", payload=b"other"))
    return replace(wheel, companions=(Companion(".asc", b"another one"),))


class LostAnswer:
    """Lets the server take an object, and loses the answer; once."""

    def __init__(self, objects, name):
        self.objects, self.name = objects, name
        self.create, objects.create_object = objects.create_object, self.create_object

    def create_object(self, name, content, **options):
        etag = self.create(name, content, **options)
        if name == self.name:
            self.name = None
            raise Unavailable("504: the gateway gave up.")
        return etag


def test_lost_answer_keeps_the_signature(store, objects, staged):
    LostAnswer(objects, WHEEL)
    with pytest.raises(Unavailable):
        store.put(staged)
    assert objects.kept[SIGNATURE].content == b"signature"
    [file] = store.inventory("sample")
    assert (file.sha256, file.companions) == (staged.sha256, (".asc",))


def test_unknown_outcome_keeps_the_signature(store, objects, staged):
    def dead(operation, name):
        if (operation, name) == ("create", WHEEL) or operation == "stat":
            raise BackendError(f"{operation} failed.")

    list(store.inventory("sample"))
    objects.before = dead
    with pytest.raises(BackendError, match="create failed"):
        store.put(staged)
    assert SIGNATURE in objects.kept


def test_failed_put_removes_companions(store, objects, staged):
    def dead(operation, name):
        if (operation, name) == ("create", WHEEL):
            raise BackendError("No room.")

    objects.before = dead
    with pytest.raises(BackendError, match="No room"):
        store.put(staged)
    assert objects.kept == {}


@pytest.mark.parametrize("listed", [True, False])
def test_put_replaces_the_signature_of_an_earlier_build(store, objects, staged, rebuilt, listed):
    objects.create_object(SIGNATURE, b"signature", content_type="", metadata={})
    if listed:
        assert list(store.inventory("sample")) == []
    store.put(rebuilt)
    [file] = store.inventory("sample")
    assert store.read_companion(file, ".asc") == b"another one"


def test_put_removes_the_signature_of_an_earlier_build(store, objects, rebuilt):
    objects.create_object(SIGNATURE, b"signature", content_type="", metadata={})
    assert list(store.inventory("sample")) == []
    store.put(replace(rebuilt, companions=()))
    [file] = store.inventory("sample")
    assert file.companions == ()


def test_put_replaces_the_metadata_of_an_earlier_build(objects, staged, tmp_path):
    store = ContainerStore(objects, pages=True)
    objects.create_object(f"{WHEEL}.metadata", b"Name: sample", content_type="", metadata={})
    newer = stage_path(make_wheel(tmp_path / "c", metadata={"Requires-Python": ">=3.12"}))
    store.put(newer)
    assert b">=3.12" in objects.kept[f"{WHEEL}.metadata"].content


def test_put_keeps_another_signature_of_the_same_bytes(store, objects, staged):
    store.put(staged)
    store.put(replace(staged, companions=(Companion(".asc", b"a later one"), Companion(".sigstore", b"{}"))))
    [file] = store.inventory("sample")
    assert store.read_companion(file, ".asc") == b"signature"
    assert sorted(file.companions) == [".asc", ".sigstore"]


def test_conflict_keeps_the_signature_of_the_other_writer(store, objects, staged, rebuilt):
    def rival(operation, name):
        if (operation, name) == ("create", SIGNATURE):
            objects.before = lambda operation, name: None
            ContainerStore(objects).put(rebuilt)

    assert list(store.inventory("sample")) == []
    objects.before = rival
    with pytest.raises(BackendError, match="other bytes"):
        store.put(staged)
    assert objects.kept[SIGNATURE].content == b"another one"
