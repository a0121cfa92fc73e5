"""The contract of sinks, as a pytest class."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from time import sleep
from typing import ClassVar, TypeGuard, TypeVar

import pytest

from wheelrelay.errors import AlreadyExists, ChangedWhileReading, NotFound
from wheelrelay.model import Companion, DistFile
from wheelrelay.protocols import (
    Sink,
    SupportsBulkInventory,
    SupportsCompanions,
    SupportsCompanionStorage,
    SupportsInventory,
    SupportsLook,
)
from wheelrelay.staged import StagedFile
from wheelrelay.testing.contract_helpers import (
    LARGE,
    THREADS,
    WHEEL,
    ReadBack,
    assert_correct,
    finalize_sink,
    list_files,
    observe_during,
    poll,
    publish,
    read_digests,
    run_concurrently,
    stage_path,
    write_distribution,
)
from wheelrelay.testing.contract_source import Contract

T = TypeVar("T")

SIGNATURE = Companion(".asc", b"-----BEGIN PGP SIGNATURE-----\r\n\n")
OTHER_SIGNATURE = Companion(".asc", b"-----BEGIN PGP SIGNATURE-----\r\n\nanother\n")
ATTESTATION = Companion(".publish.attestation", b"{}")


class SinkContract(Contract):
    """The cases that every sink must pass.

    Derive a class from it, and define one fixture:

    ``sink``: a connected, empty sink. ::

        class TestMySink(SinkContract):
            @pytest.fixture
            def sink(self, tmp_path):
                return MySink(tmp_path)

    Files are read back with ``iter_files`` and ``open``, or else with ``inventory``. For a sink that has
    neither, override the fixture ``read_back``.

    Attributes:
        visible_within: Seconds until the place shows a new file; some places are slow.
        atomic: Whether the place itself accepts a file completely or not at all, and lets one of several
            concurrent writers of a name win. A few servers do not, and no backend can compensate for that.
    """

    visible_within: ClassVar[float] = 0.0
    atomic: ClassVar[bool] = True

    @pytest.fixture
    def read_back(self, sink: Sink) -> ReadBack:
        """Return a function that reads the sha256 of the stored files of a project, by filename."""
        return partial(read_digests, sink)

    def test_is_a_sink(self, sink: Sink) -> None:
        assert isinstance(sink, Sink)

    def test_stores_the_same_bytes(self, sink: Sink, read_back: ReadBack, scratch: Path) -> None:
        files = [_staged(scratch, name) for name in (WHEEL, "sample-1.1.tar.gz")]
        publish(sink, *files)
        self._await(read_back, *files)

    def test_stores_awkward_names_and_their_bytes(
        self, sink: Sink, read_back: ReadBack, scratch: Path
    ) -> None:
        files = [_staged(scratch, name) for name in self.awkward_names]
        publish(sink, *files)
        for project in {staged.file.project for staged in files}:
            self._await(read_back, *(staged for staged in files if staged.file.project == project))

    def test_stores_a_large_file_completely(self, sink: Sink, read_back: ReadBack, scratch: Path) -> None:
        staged = _staged(scratch, WHEEL, size=LARGE)
        publish(sink, staged)
        self._await(read_back, staged)

    def test_same_bytes_again_change_nothing(self, sink: Sink, read_back: ReadBack, scratch: Path) -> None:
        staged = _staged(scratch, WHEEL)
        publish(sink, staged)
        self._await(read_back, staged)
        with suppress(AlreadyExists):
            publish(sink, staged)
        self._assert_unchanged(read_back, staged)

    def test_refuses_other_bytes_under_a_taken_name(
        self, sink: Sink, read_back: ReadBack, scratch: Path
    ) -> None:
        staged = _staged(scratch, WHEEL)
        publish(sink, staged)
        self._await(read_back, staged)
        with pytest.raises(AlreadyExists):
            sink.put(_staged(scratch / "other", WHEEL, seed=1))
        self._assert_unchanged(read_back, staged)

    def test_leaves_the_local_file_unchanged(self, sink: Sink, scratch: Path) -> None:
        staged = _staged(scratch, WHEEL)
        content = staged.path.read_bytes()
        publish(sink, staged)
        assert staged.path.read_bytes() == content

    def test_refuses_a_file_modified_since_staging(
        self, sink: Sink, read_back: ReadBack, scratch: Path
    ) -> None:
        staged = _staged(scratch, WHEEL)
        _append(staged.path)
        with pytest.raises(ChangedWhileReading):
            sink.put(staged)
        self._assert_unchanged(read_back)

    def test_refuses_a_file_deleted_since_staging(
        self, sink: Sink, read_back: ReadBack, scratch: Path
    ) -> None:
        staged = _staged(scratch, WHEEL)
        staged.path.unlink()
        with pytest.raises(ChangedWhileReading):
            sink.put(staged)
        self._assert_unchanged(read_back)

    def test_stores_nothing_of_a_file_modified_during_put(
        self, sink: Sink, read_back: ReadBack, scratch: Path
    ) -> None:
        staged = _staged(scratch, WHEEL, size=LARGE)
        left = staged.size

        def tamper(size: int) -> None:
            nonlocal left
            left -= size
            if left:  # a sink that read all bytes at once has read the staged ones
                _append(staged.path)

        try:
            publish(sink, staged.watched_by(tamper))
        except ChangedWhileReading:
            self._assert_unchanged(read_back)
        else:
            self._await(read_back, staged)

    def test_file_appears_completely_or_not_at_all(
        self, sink: Sink, read_back: ReadBack, scratch: Path
    ) -> None:
        staged = _staged(scratch, WHEEL, size=LARGE)
        read: Callable[[], dict[str, str]] = partial(read_back, "sample") if self.atomic else dict
        with observe_during(partial(_read_if_exists, read)) as observed:
            publish(sink, staged.watched_by(lambda _: sleep(0.005)))
        for listing in observed.values:
            assert listing in (None, {}, {WHEEL: staged.sha256})
        self._await(read_back, staged)

    def test_eight_threads_can_put_different_files_concurrently(
        self, sink: Sink, read_back: ReadBack, scratch: Path
    ) -> None:
        files = [_staged(scratch, f"sample-{n}.0-py3-none-any.whl") for n in range(THREADS)]
        assert run_concurrently([partial(sink.put, staged) for staged in files]) == [None] * THREADS
        finalize_sink(sink, files)
        self._await(read_back, *files)

    def test_one_of_eight_threads_wins_a_name(self, sink: Sink, read_back: ReadBack, scratch: Path) -> None:
        rivals = [_staged(scratch / str(n), WHEEL, seed=n) for n in range(THREADS)]
        outcomes = run_concurrently([partial(sink.put, staged) for staged in rivals])
        winners = [staged for staged, outcome in zip(rivals, outcomes, strict=True) if outcome is None]
        if self.atomic:
            assert len(winners) == 1
            assert sum(isinstance(outcome, AlreadyExists) for outcome in outcomes) == THREADS - 1
            finalize_sink(sink, winners)
            self._await(read_back, *winners)

    def test_stores_companions(self, sink: Sink, read_back: ReadBack, scratch: Path) -> None:
        staged = _staged(scratch, WHEEL, SIGNATURE, ATTESTATION)
        publish(sink, staged)
        self._await(read_back, staged)
        if _keeps_companions(sink):
            assert _companions(sink) == {SIGNATURE, ATTESTATION}

    def test_file_never_appears_without_its_companions(
        self, sink: Sink, read_back: ReadBack, scratch: Path
    ) -> None:
        staged = _staged(scratch, WHEEL, SIGNATURE, ATTESTATION)

        def read() -> list[DistFile]:
            return list_files(sink, "sample") if _keeps_companions(sink) else []

        with observe_during(partial(_read_if_exists, read)) as observed:
            publish(sink, staged)
        for file in chain.from_iterable(filter(None, observed.values)):
            assert set(file.companions) == {SIGNATURE.suffix, ATTESTATION.suffix}
        self._await(read_back, staged)

    def test_second_put_adds_missing_companions(self, sink: Sink, read_back: ReadBack, scratch: Path) -> None:
        staged = _staged(scratch, WHEEL, SIGNATURE)
        publish(sink, staged)
        self._await(read_back, staged)
        with suppress(AlreadyExists):
            publish(sink, replace(staged, companions=(SIGNATURE, ATTESTATION)))
        self._assert_unchanged(read_back, staged)
        if _keeps_companions(sink):
            assert _companions(sink) == {SIGNATURE, ATTESTATION}

    def test_keeps_existing_companions(self, sink: Sink, read_back: ReadBack, scratch: Path) -> None:
        staged = _staged(scratch, WHEEL, SIGNATURE)
        publish(sink, staged)
        self._await(read_back, staged)
        with suppress(AlreadyExists):
            publish(sink, replace(staged, companions=(OTHER_SIGNATURE,)))
        self._assert_unchanged(read_back, staged)
        if _keeps_companions(sink):
            assert _companions(sink) == {SIGNATURE}

    def test_inventory_is_complete_and_correct(self, sink: Sink, read_back: ReadBack, scratch: Path) -> None:
        files = [_staged(scratch, name) for name in (WHEEL, "sample-1.1.tar.gz", "sample-bar-1.0.tar.gz")]
        publish(sink, *files)
        self._await(read_back, *files[:2])
        if isinstance(sink, SupportsInventory):
            inventory = {file.filename: file for file in sink.inventory("Sample")}
            assert sorted(inventory) == sorted(staged.filename for staged in files[:2])
            for staged in files[:2]:
                assert_correct(inventory[staged.filename], staged.path.read_bytes())

    def test_inventory_is_current_after_every_put(self, sink: Sink, scratch: Path) -> None:
        if isinstance(sink, SupportsInventory):
            names: list[str] = []
            for n in range(3):
                staged = _staged(scratch, f"sample-{n}.0-py3-none-any.whl")
                publish(sink, staged)
                names.append(staged.filename)
                self._await_that(partial(_inventory_names, sink), names)

    def test_inventory_of_an_absent_project_is_empty(self, sink: Sink, scratch: Path) -> None:
        publish(sink, _staged(scratch, WHEEL))
        if isinstance(sink, SupportsInventory):
            assert list(sink.inventory("absent")) == []

    def test_inventory_of_several_projects_is_complete(self, sink: Sink, scratch: Path) -> None:
        names = ["other-1.0.tar.gz", WHEEL, "sample-1.1.tar.gz"]
        publish(sink, *(_staged(scratch, name) for name in (*names, "sample-bar-1.0.tar.gz")))
        if isinstance(sink, SupportsBulkInventory):
            projects = ["Sample", "other", "absent"]
            self._await_that(lambda: _names(sink.inventory_of(projects)), names)

    def test_look_returns_the_current_state_of_one_file(self, sink: Sink, scratch: Path) -> None:
        staged, other = (_staged(scratch, name, SIGNATURE) for name in (WHEEL, "sample-1.1.tar.gz"))
        file = replace(staged.file, companions=(SIGNATURE.suffix, ATTESTATION.suffix))
        if not isinstance(sink, SupportsLook):
            return
        publish(sink, other)
        assert sink.look(file) is None
        publish(sink, staged)
        assert poll(partial(_has, sink, file), True.__eq__, within=self.visible_within)
        found = sink.look(file)
        assert found is not None
        assert_correct(found, staged.path.read_bytes())
        if _keeps_companions(sink):
            assert found.companions == (SIGNATURE.suffix,)

    def test_finalizing_again_changes_nothing(self, sink: Sink, read_back: ReadBack, scratch: Path) -> None:
        staged = _staged(scratch, WHEEL)
        publish(sink, staged)
        finalize_sink(sink, [staged])
        finalize_sink(sink, [])
        self._await(read_back, staged)

    def _await(self, read_back: ReadBack, *files: StagedFile) -> None:
        """Assert that the place shows exactly these files of their project within ``visible_within``."""
        [project] = {staged.file.project for staged in files}
        self._await_that(partial(read_back, project), {staged.filename: staged.sha256 for staged in files})

    def _await_that(self, read: Callable[[], T], expected: T) -> None:
        assert poll(read, expected.__eq__, within=self.visible_within) == expected

    def _assert_unchanged(self, read_back: ReadBack, *files: StagedFile) -> None:
        """Assert that the place shows exactly these files after ``visible_within``."""
        sleep(self.visible_within)
        assert read_back("sample") == {staged.filename: staged.sha256 for staged in files}


def _staged(folder: Path, name: str, *companions: Companion, seed: int = 0, size: int = 2_000) -> StagedFile:
    return replace(stage_path(write_distribution(folder, name, seed=seed, size=size)), companions=companions)


def _read_if_exists(read: Callable[[], T]) -> T | None:
    """Read a place; some places do not exist before their first file."""
    try:
        return read()
    except NotFound:
        return None


def _append(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"more")


def _inventory_names(sink: SupportsInventory) -> list[str]:
    return sorted(file.filename for file in sink.inventory("sample"))


def _names(files: Iterable[DistFile]) -> list[str]:
    return sorted(file.filename for file in files)


def _has(sink: SupportsLook, file: DistFile) -> bool:
    return sink.look(file) is not None


def _keeps_companions(sink: Sink) -> TypeGuard[SupportsCompanions]:
    return isinstance(sink, SupportsCompanionStorage) and isinstance(sink, SupportsCompanions)


def _companions(place: SupportsCompanions) -> set[Companion]:
    """Return the companions of the only file."""
    [file] = list_files(place, "sample")
    return {Companion(suffix, place.read_companion(file, suffix)) for suffix in file.companions}
