"""What every sink must do, as a pytest class."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from time import sleep
from typing import ClassVar, TypeGuard, TypeVar

import pytest

from wheelrelay.errors import AlreadyExists, ChangedWhileReading
from wheelrelay.model import Companion
from wheelrelay.protocols import Sink, SupportsCompanions, SupportsCompanionStorage, SupportsInventory
from wheelrelay.staged import StagedFile
from wheelrelay.testing.contract_material import (
    LARGE,
    THREADS,
    WHEEL,
    Look,
    assert_true,
    at_once,
    finish,
    listed,
    look_at,
    observing,
    poll,
    publish,
    stage_path,
    write_distribution,
)
from wheelrelay.testing.contract_source import Contract

T = TypeVar("T")

SIGNATURE = Companion(".asc", b"-----BEGIN PGP SIGNATURE-----\r\n\n")
OTHER_SIGNATURE = Companion(".asc", b"-----BEGIN PGP SIGNATURE-----\r\n\nanother\n")
ATTESTATION = Companion(".publish.attestation", b"{}")


class SinkContract(Contract):
    """The cases that every sink passes.

    Derive a class from it, and give it one fixture:

    ``sink``: a connected sink that holds nothing. ::

        class TestMySink(SinkContract):
            @pytest.fixture
            def sink(self, tmp_path):
                return MySink(tmp_path)

    What was put is read back by ``iter_files`` and ``open`` or, if the sink has only that, by
    ``inventory``. A sink that cannot be read needs another way to look: override the fixture ``look``.

    Attributes:
        visible_within: seconds after which the place shows what it took; some need a while.
        atomic: whether the place itself takes a file whole or not at all, and lets one of several that
            come at once under one name win. A few servers do not, and no backend can make up for that.
    """

    visible_within: ClassVar[float] = 0.0
    atomic: ClassVar[bool] = True

    @pytest.fixture
    def look(self, sink: Sink) -> Look:
        """Tells what lies at the sink of a project: the sha256 of the bytes by filename."""
        return partial(look_at, sink)

    def test_it_is_a_sink(self, sink: Sink) -> None:
        assert isinstance(sink, Sink)

    def test_what_was_put_is_there_with_the_same_bytes(self, sink: Sink, look: Look, workshop: Path) -> None:
        files = [_staged(workshop, name) for name in (WHEEL, "sample-1.1.tar.gz")]
        publish(sink, *files)
        self._await(look, *files)

    def test_awkward_names_and_their_bytes_arrive(self, sink: Sink, look: Look, workshop: Path) -> None:
        files = [_staged(workshop, name) for name in self.awkward_names]
        publish(sink, *files)
        for project in {staged.file.project for staged in files}:
            self._await(look, *(staged for staged in files if staged.file.project == project))

    def test_a_large_file_arrives_whole(self, sink: Sink, look: Look, workshop: Path) -> None:
        staged = _staged(workshop, WHEEL, size=LARGE)
        publish(sink, staged)
        self._await(look, staged)

    def test_the_same_bytes_again_change_nothing(self, sink: Sink, look: Look, workshop: Path) -> None:
        staged = _staged(workshop, WHEEL)
        publish(sink, staged)
        self._await(look, staged)
        with suppress(AlreadyExists):
            publish(sink, staged)
        self._assert_still(look, staged)

    def test_other_bytes_under_a_taken_name_are_refused(self, sink: Sink, look: Look, workshop: Path) -> None:
        staged = _staged(workshop, WHEEL)
        publish(sink, staged)
        self._await(look, staged)
        with pytest.raises(AlreadyExists):
            sink.put(_staged(workshop / "other", WHEEL, seed=1))
        self._assert_still(look, staged)

    def test_the_local_file_is_left_as_it_was(self, sink: Sink, workshop: Path) -> None:
        staged = _staged(workshop, WHEEL)
        content = staged.path.read_bytes()
        publish(sink, staged)
        assert staged.path.read_bytes() == content

    def test_a_file_that_changed_since_it_was_staged_is_refused(
        self, sink: Sink, look: Look, workshop: Path
    ) -> None:
        staged = _staged(workshop, WHEEL)
        _append(staged.path)
        with pytest.raises(ChangedWhileReading):
            sink.put(staged)
        self._assert_still(look)

    def test_a_file_that_vanished_since_it_was_staged_is_refused(
        self, sink: Sink, look: Look, workshop: Path
    ) -> None:
        staged = _staged(workshop, WHEEL)
        staged.path.unlink()
        with pytest.raises(ChangedWhileReading):
            sink.put(staged)
        self._assert_still(look)

    def test_a_file_that_changes_while_it_is_put_leaves_nothing(
        self, sink: Sink, look: Look, workshop: Path
    ) -> None:
        staged = _staged(workshop, WHEEL, size=LARGE)
        left = staged.size

        def tamper(size: int) -> None:
            nonlocal left
            left -= size
            if left:  # who has read it all at once has read what was staged
                _append(staged.path)

        try:
            publish(sink, staged.watched_by(tamper))
        except ChangedWhileReading:
            self._assert_still(look)
        else:
            self._await(look, staged)

    def test_a_file_appears_whole_or_not_at_all(self, sink: Sink, look: Look, workshop: Path) -> None:
        staged = _staged(workshop, WHEEL, size=LARGE)
        see: Callable[[], dict[str, str]] = partial(look, "sample") if self.atomic else dict
        with observing(see) as sightings:
            publish(sink, staged.watched_by(lambda _: sleep(0.005)))
        for seen in sightings:
            assert seen in ({}, {WHEEL: staged.sha256})
        self._await(look, staged)

    def test_eight_threads_can_put_different_files_at_once(
        self, sink: Sink, look: Look, workshop: Path
    ) -> None:
        files = [_staged(workshop, f"sample-{n}.0-py3-none-any.whl") for n in range(THREADS)]
        assert at_once([partial(sink.put, staged) for staged in files]) == [None] * THREADS
        finish(sink, files)
        self._await(look, *files)

    def test_of_eight_threads_that_put_one_name_exactly_one_wins(
        self, sink: Sink, look: Look, workshop: Path
    ) -> None:
        rivals = [_staged(workshop / str(n), WHEEL, seed=n) for n in range(THREADS)]
        outcomes = at_once([partial(sink.put, staged) for staged in rivals])
        winners = [staged for staged, outcome in zip(rivals, outcomes, strict=True) if outcome is None]
        if self.atomic:
            assert len(winners) == 1
            assert sum(isinstance(outcome, AlreadyExists) for outcome in outcomes) == THREADS - 1
            finish(sink, winners)
            self._await(look, *winners)

    def test_companions_arrive_with_their_file(self, sink: Sink, look: Look, workshop: Path) -> None:
        staged = _staged(workshop, WHEEL, SIGNATURE, ATTESTATION)
        publish(sink, staged)
        self._await(look, staged)
        if _keeps_companions(sink):
            assert _companions(sink) == {SIGNATURE, ATTESTATION}

    def test_a_file_is_never_seen_without_its_companions(
        self, sink: Sink, look: Look, workshop: Path
    ) -> None:
        staged = _staged(workshop, WHEEL, SIGNATURE, ATTESTATION)
        with observing(lambda: listed(sink, "sample") if _keeps_companions(sink) else []) as sightings:
            publish(sink, staged)
        for file in chain.from_iterable(sightings):
            assert set(file.companions) == {SIGNATURE.suffix, ATTESTATION.suffix}
        self._await(look, staged)

    def test_a_second_put_brings_companions_that_were_missing(
        self, sink: Sink, look: Look, workshop: Path
    ) -> None:
        staged = _staged(workshop, WHEEL, SIGNATURE)
        publish(sink, staged)
        self._await(look, staged)
        with suppress(AlreadyExists):
            publish(sink, replace(staged, companions=(SIGNATURE, ATTESTATION)))
        self._assert_still(look, staged)
        if _keeps_companions(sink):
            assert _companions(sink) == {SIGNATURE, ATTESTATION}

    def test_a_companion_that_is_there_is_kept(self, sink: Sink, look: Look, workshop: Path) -> None:
        staged = _staged(workshop, WHEEL, SIGNATURE)
        publish(sink, staged)
        self._await(look, staged)
        with suppress(AlreadyExists):
            publish(sink, replace(staged, companions=(OTHER_SIGNATURE,)))
        self._assert_still(look, staged)
        if _keeps_companions(sink):
            assert _companions(sink) == {SIGNATURE}

    def test_its_inventory_is_complete_and_true(self, sink: Sink, look: Look, workshop: Path) -> None:
        files = [_staged(workshop, name) for name in (WHEEL, "sample-1.1.tar.gz", "sample-bar-1.0.tar.gz")]
        publish(sink, *files)
        self._await(look, *files[:2])
        if isinstance(sink, SupportsInventory):
            there = {file.filename: file for file in sink.inventory("Sample")}
            assert sorted(there) == sorted(staged.filename for staged in files[:2])
            for staged in files[:2]:
                assert_true(there[staged.filename], staged.path.read_bytes())

    def test_its_inventory_is_fresh_after_every_put(self, sink: Sink, workshop: Path) -> None:
        if isinstance(sink, SupportsInventory):
            names: list[str] = []
            for n in range(3):
                staged = _staged(workshop, f"sample-{n}.0-py3-none-any.whl")
                publish(sink, staged)
                names.append(staged.filename)
                self._await_that(partial(_inventoried, sink), names)

    def test_its_inventory_of_a_project_that_is_not_there_is_empty(self, sink: Sink, workshop: Path) -> None:
        publish(sink, _staged(workshop, WHEEL))
        if isinstance(sink, SupportsInventory):
            assert list(sink.inventory("absent")) == []

    def test_finishing_again_changes_nothing(self, sink: Sink, look: Look, workshop: Path) -> None:
        staged = _staged(workshop, WHEEL)
        publish(sink, staged)
        finish(sink, [staged])
        finish(sink, [])
        self._await(look, staged)

    def _await(self, look: Look, *files: StagedFile) -> None:
        """Assert that the place shows just these files of their project, in time."""
        [project] = {staged.file.project for staged in files}
        self._await_that(partial(look, project), {staged.filename: staged.sha256 for staged in files})

    def _await_that(self, see: Callable[[], T], expected: T) -> None:
        assert poll(see, expected.__eq__, within=self.visible_within) == expected

    def _assert_still(self, look: Look, *files: StagedFile) -> None:
        """Assert that just these files are there, also when everything that comes had the time to come."""
        sleep(self.visible_within)
        assert look("sample") == {staged.filename: staged.sha256 for staged in files}


def _staged(folder: Path, name: str, *companions: Companion, seed: int = 0, size: int = 2_000) -> StagedFile:
    return replace(stage_path(write_distribution(folder, name, seed=seed, size=size)), companions=companions)


def _append(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"more")


def _inventoried(sink: SupportsInventory) -> list[str]:
    return sorted(file.filename for file in sink.inventory("sample"))


def _keeps_companions(sink: Sink) -> TypeGuard[SupportsCompanions]:
    return isinstance(sink, SupportsCompanionStorage) and isinstance(sink, SupportsCompanions)


def _companions(place: SupportsCompanions) -> set[Companion]:
    """The companions of the only file that is there."""
    [file] = listed(place, "sample")
    return {Companion(suffix, place.read_companion(file, suffix)) for suffix in file.companions}
