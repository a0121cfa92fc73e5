"""What every store must do, as a pytest class: all that sources and sinks do, on what was put."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from wheelrelay.errors import ChangedWhileReading, InvalidFilename
from wheelrelay.filenames import parse_filename
from wheelrelay.protocols import Source, Store, SupportsDelete, SupportsPages, SupportsReplace
from wheelrelay.testing.contract_material import (
    LARGE,
    THREADS,
    WHEEL,
    Look,
    at_once,
    finish,
    poll,
    publish,
    read_all,
    stage_path,
    write_distribution,
    write_unreadable_wheel,
)
from wheelrelay.testing.contract_sink import SinkContract
from wheelrelay.testing.contract_source import Serve, SourceContract


class StoreContract(SourceContract, SinkContract):
    """The cases that every store passes.

    Derive a class from it, and give it one fixture:

    ``store``: a connected store that holds nothing. ::

        class TestMyStore(StoreContract):
            @pytest.fixture
            def store(self, tmp_path):
                return MyStore(tmp_path)

    The cases of sources read what was put. Override ``serve`` as well where other things than
    distribution files can lie in the place, so that they lie there.
    """

    @pytest.fixture
    def sink(self, store: Store) -> Store:
        """The store, to put into."""
        return store

    @pytest.fixture
    def serve(self, store: Store) -> Serve:
        """Puts the distribution files of a folder into the store, with their companions."""
        return partial(fill, store, within=self.visible_within)

    def test_it_is_a_store(self, store: Store) -> None:
        assert isinstance(store, Store)

    def test_threads_may_put_and_list_and_read_at_once(self, store: Store, workshop: Path) -> None:
        names = [f"sample-{n}.0-py3-none-any.whl" for n in range(THREADS)]
        content = write_distribution(workshop / "there", names[0]).read_bytes()
        [there] = fill(store, workshop / "there", within=self.visible_within).iter_files("sample")
        files = [stage_path(write_distribution(workshop, name)) for name in names[1:]]

        def read() -> None:
            for _ in range(3):
                assert {file.filename for file in store.iter_files("sample")} <= set(names)
                assert read_all(store, there) == content

        calls: list[Callable[[], None]] = [partial(store.put, staged) for staged in files]
        assert at_once([*calls, read, read]) == [None] * (len(calls) + 2)

    def test_pages_that_are_there_stay_true_when_files_come_and_go(
        self, store: Store, workshop: Path
    ) -> None:
        if not isinstance(store, SupportsPages):
            return
        publish(store, stage_path(write_distribution(workshop, WHEEL)))
        store.rebuild_pages()
        self._await_true_pages(store)
        newer = stage_path(write_distribution(workshop, "sample-2.0-py3-none-any.whl"))
        publish(store, newer)
        self._await_true_pages(store)
        if isinstance(store, SupportsReplace):
            other = stage_path(write_distribution(workshop / "other", WHEEL, seed=1))
            store.replace(other)
            finish(store, [other])
            self._await_true_pages(store)
        if isinstance(store, SupportsDelete):
            store.delete([newer.file])
            self._await_true_pages(store)

    def test_a_replacing_that_fails_keeps_the_old_bytes(
        self, store: Store, look: Look, workshop: Path
    ) -> None:
        if not isinstance(store, SupportsReplace):
            return
        old = stage_path(write_distribution(workshop, WHEEL))
        publish(store, old)
        self._await(look, old)
        new = stage_path(write_distribution(workshop / "other", WHEEL, seed=1, size=LARGE))
        left = new.size

        def tamper(size: int) -> None:
            nonlocal left
            left -= size
            if left:  # a store that has read all of it at once has read what was staged
                new.path.write_bytes(b"something else")

        try:
            store.replace(new.watched_by(tamper))
        except ChangedWhileReading:
            self._assert_still(look, old)
        else:
            self._await(look, new)

    def test_one_damaged_file_keeps_no_other_from_the_pages(self, store: Store, workshop: Path) -> None:
        if isinstance(store, SupportsPages):
            damaged = stage_path(write_unreadable_wheel(workshop, "damaged-1.0-py3-none-any.whl"))
            publish(store, damaged, stage_path(write_distribution(workshop, WHEEL)))
            store.rebuild_pages()
            self._await_true_pages(store)

    def _await_true_pages(self, store: SupportsPages) -> None:
        """Assert that the pages are as they would be written now, in time."""
        assert poll(lambda: list(store.check_pages()), [].__eq__, within=self.visible_within) == []


def fill(store: Store, folder: Path, *, within: float) -> Source:
    """Put the distribution files that lie in ``folder`` and wait, up to some seconds, until they show."""
    files = [stage_path(path) for path in sorted(folder.iterdir()) if _is_distribution(path.name)]
    publish(store, *files)
    names = {staged.filename for staged in files}
    poll(lambda: {file.filename for file in store.iter_files(None)}, names.issubset, within=within)
    return store


def _is_distribution(name: str) -> bool:
    try:
        parse_filename(name)
    except InvalidFilename:
        return False
    return True
