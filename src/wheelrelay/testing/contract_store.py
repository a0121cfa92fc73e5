"""The contract of stores, as a pytest class: that of sinks, and that of sources for the stored files."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from wheelrelay.errors import ChangedWhileReading, InvalidFilename
from wheelrelay.filenames import parse_filename
from wheelrelay.model import Digests, DistFile, ProjectStatus
from wheelrelay.protocols import (
    Source,
    Store,
    SupportsDelete,
    SupportsInventory,
    SupportsPages,
    SupportsReplace,
    SupportsStatus,
    SupportsUpstreamState,
    SupportsYank,
)
from wheelrelay.staged import StagedFile
from wheelrelay.testing.contract_helpers import (
    LARGE,
    THREADS,
    WHEEL,
    ReadBack,
    finalize_sink,
    poll,
    publish,
    read_again,
    read_all,
    run_concurrently,
    stage_path,
    write_distribution,
    write_unreadable_wheel,
)
from wheelrelay.testing.contract_sink import SinkContract
from wheelrelay.testing.contract_source import Serve, SourceContract

UPLOADED = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
"""A time of an upload to an upstream index."""


class StoreContract(SourceContract, SinkContract):
    """The cases that every store must pass.

    Derive a class from it, and define one fixture:

    ``store``: a connected, empty store. ::

        class TestMyStore(StoreContract):
            @pytest.fixture
            def store(self, tmp_path):
                return MyStore(tmp_path)

    The cases of sources read the stored files. If the place can contain other files than distribution
    files, also override ``serve`` so that it adds them.
    """

    @pytest.fixture
    def sink(self, store: Store) -> Store:
        """Return the store as a sink."""
        return store

    @pytest.fixture
    def serve(self, store: Store) -> Serve:
        """Return a function that puts the distribution files of a folder into the store."""
        return partial(fill, store, within=self.visible_within)

    def test_is_a_store(self, store: Store) -> None:
        assert isinstance(store, Store)

    def test_threads_can_put_list_and_read_concurrently(self, store: Store, scratch: Path) -> None:
        names = [f"sample-{n}.0-py3-none-any.whl" for n in range(THREADS)]
        content = write_distribution(scratch / "first", names[0]).read_bytes()
        [first] = fill(store, scratch / "first", within=self.visible_within).iter_files("sample")
        files = [stage_path(write_distribution(scratch, name)) for name in names[1:]]

        def read() -> None:
            for _ in range(3):
                listed = read_again(lambda: list(store.iter_files("sample")))
                assert {file.filename for file in listed} <= set(names)
                assert read_again(partial(read_all, store, first)) == content

        calls: list[Callable[[], None]] = [partial(store.put, staged) for staged in files]
        assert run_concurrently([*calls, read, read]) == [None] * (len(calls) + 2)

    def test_existing_pages_stay_current(self, store: Store, scratch: Path) -> None:
        if not isinstance(store, SupportsPages):
            return
        publish(store, stage_path(write_distribution(scratch, WHEEL)))
        store.rebuild_pages()
        self._await_current_pages(store)
        newer = stage_path(write_distribution(scratch, "sample-2.0-py3-none-any.whl"))
        publish(store, newer)
        self._await_current_pages(store)
        if isinstance(store, SupportsReplace):
            other = stage_path(write_distribution(scratch / "other", WHEEL, seed=1))
            store.replace(other)
            finalize_sink(store, [other])
            self._await_current_pages(store)
        if isinstance(store, SupportsDelete):
            store.delete([newer.file])
            self._await_current_pages(store)

    def test_failed_replacement_keeps_the_old_bytes(
        self, store: Store, read_back: ReadBack, scratch: Path
    ) -> None:
        if not isinstance(store, SupportsReplace):
            return
        old = stage_path(write_distribution(scratch, WHEEL))
        publish(store, old)
        self._await(read_back, old)
        new = stage_path(write_distribution(scratch / "other", WHEEL, seed=1, size=LARGE))
        left = new.size

        def tamper(size: int) -> None:
            nonlocal left
            left -= size
            if left:  # a store that read all bytes at once has read the staged ones
                new.path.write_bytes(b"something else")

        try:
            store.replace(new.watched_by(tamper))
        except ChangedWhileReading:
            self._assert_unchanged(read_back, old)
        else:
            self._await(read_back, new)

    def test_recorded_state_of_the_upstream_is_listed(self, store: Store, scratch: Path) -> None:
        if not self._keeps_state(store):
            return
        assert isinstance(store, SupportsUpstreamState)
        yanked, other = self._two_wheels(store, scratch)
        upstream = replace(_described(yanked), yanked="broken", upload_time=UPLOADED)
        archived = ProjectStatus("archived", "no longer needed")
        provenance = {yanked.filename: b"{}"}
        store.record_upstream("sample", [upstream], archived, provenance)
        finalize_sink(store, [yanked])
        found = self._state(store)
        assert found[yanked.filename].yanked == "broken"
        assert found[yanked.filename].upload_time == UPLOADED
        assert ".provenance" in found[yanked.filename].companions
        assert found[other.filename].yanked is None
        assert isinstance(store, SupportsStatus)
        assert store.project_status("sample") == archived
        store.record_upstream("sample", [replace(upstream, yanked=None)], None, {})
        finalize_sink(store, [yanked])
        assert self._state(store)[yanked.filename].yanked is None
        assert store.project_status("sample") == archived

    def test_yanked_files_stay_yanked_until_they_are_restored(self, store: Store, scratch: Path) -> None:
        if not (isinstance(store, SupportsYank) and self._keeps_state(store)):
            return
        yanked, other = self._two_wheels(store, scratch)
        assert len(store.yank([yanked.file], "broken", dry_run=True)) == 1
        assert self._state(store)[yanked.filename].yanked is None
        assert [file.filename for file in store.yank([yanked.file], "broken")] == [yanked.filename]
        assert list(store.yank([yanked.file], "broken")) == []
        if isinstance(store, SupportsUpstreamState):
            store.record_upstream("sample", [_described(yanked)], None, {})
            finalize_sink(store, [yanked])
        found = self._state(store)
        assert (found[yanked.filename].yanked, found[other.filename].yanked) == ("broken", None)
        assert [file.filename for file in store.yank([yanked.file], None)] == [yanked.filename]
        assert self._state(store)[yanked.filename].yanked is None

    def _keeps_state(self, store: Store) -> bool:
        """Whether a store has index pages, which list the state of files; they are written first."""
        if isinstance(store, SupportsPages) and isinstance(store, SupportsUpstreamState):
            store.rebuild_pages()
            return store.keeps_state()
        return False

    def _two_wheels(self, store: Store, scratch: Path) -> list[StagedFile]:
        names = (WHEEL, "sample-2.0-py3-none-any.whl")
        files = [stage_path(write_distribution(scratch, name)) for name in names]
        publish(store, *files)
        return files

    def _state(self, store: Store) -> dict[str, DistFile]:
        """Return what the store lists about its files, once its pages are current."""
        assert isinstance(store, SupportsPages)
        assert isinstance(store, SupportsInventory)
        self._await_current_pages(store)
        return {file.filename: file for file in store.inventory("sample")}

    def test_pages_list_other_files_next_to_a_damaged_one(self, store: Store, scratch: Path) -> None:
        if isinstance(store, SupportsPages):
            damaged = stage_path(write_unreadable_wheel(scratch, "damaged-1.0-py3-none-any.whl"))
            publish(store, damaged, stage_path(write_distribution(scratch, WHEEL)))
            store.rebuild_pages()
            self._await_current_pages(store)

    def _await_current_pages(self, store: SupportsPages) -> None:
        """Assert that the pages are current within ``visible_within``."""
        assert poll(lambda: list(store.check_pages()), [].__eq__, within=self.visible_within) == []


def fill(store: Store, folder: Path, *, within: float) -> Source:
    """Put the distribution files of ``folder``, and wait up to ``within`` seconds until they are listed."""
    files = [stage_path(path) for path in sorted(folder.iterdir()) if _is_distribution(path.name)]
    publish(store, *files)
    names = {staged.filename for staged in files}
    poll(lambda: {file.filename for file in store.iter_files(None)}, names.issubset, within=within)
    return store


def _described(staged: StagedFile) -> DistFile:
    """Return a file as an upstream index lists it, which has no companions in the store."""
    return replace(staged.file, digests=Digests(sha256=staged.sha256), companions=())


def _is_distribution(name: str) -> bool:
    try:
        parse_filename(name)
    except InvalidFilename:
        return False
    return True
