"""A mirror run: every file for itself, and no file replaced."""

from pathlib import Path

import pytest
from tests.servers.faulty_store import FaultyStore, staged_files
from tests.unit.engine.conftest import ALL, SDIST, WHEELS, mirror, outcomes, release

from wheelrelay.backends.local.store import DirectoryObjects, DirectoryStore
from wheelrelay.errors import (
    AuthenticationFailed,
    IntegrityError,
    Rejected,
    RelayFailed,
    Unavailable,
)
from wheelrelay.events import StepBegan
from wheelrelay.model import Digests
from wheelrelay.records import Outcome


class TestMirror:
    def test_moves_each_file_on_its_own(self, source, sink):
        source.fetch_errors = {WHEELS[0]: [IntegrityError("It is bad.")]}
        sink.refusals = {WHEELS[1]: [Rejected("Refused.")]}
        with pytest.raises(RelayFailed, match="there has 3 of 5 files") as failed:
            mirror(source, sink)
        results = failed.value.receipt
        assert outcomes(results)[WHEELS[0]] is outcomes(results)[WHEELS[1]] is Outcome.FAILED
        assert sink.names() == sorted([*WHEELS[2:], SDIST])
        assert "It is bad." in str(failed.value)
        assert "Refused." in str(failed.value)
        assert mirror(source, sink).is_complete

    def test_mirror_of_failed_files_needs_no_pages_in_a_new_directory(self, source, tmp_path):
        source.fetch_errors = {name: [IntegrityError("It is bad.")] for name in ALL}
        store = DirectoryStore(DirectoryObjects(tmp_path / "new"), pages=True)
        with pytest.raises(RelayFailed, match="there has 0 of 5 files") as failed:
            mirror(source, store)
        assert "pages" not in str(failed.value)
        assert not (tmp_path / "new").exists()

    def test_reports_no_step_without_work(self, source, sink):
        mirror(source, sink)
        events = []
        assert mirror(source, sink, progress=events.append).is_complete
        assert [event for event in events if isinstance(event, StepBegan)] == []

    def test_moves_all_versions(self, sink, tmp_path):
        names = ["sample-1.0.tar.gz", "sample-2.0.tar.gz"]
        mirror(FaultyStore(staged_files(tmp_path, *names)), sink)
        assert sink.names() == names

    def test_removes_each_staged_file_after_publishing(self, source, sink):
        most, take = [], sink.put

        def put(staged):
            most.append(len(list(Path(staged.path).parent.iterdir())))
            take(staged)

        sink.put = put
        mirror(source, sink, jobs=1)
        assert most == [1] * len(ALL)

    def test_each_sink_gets_its_missing_files(self, source, sink, other):
        second = other(WHEELS[0])
        with pytest.raises(RelayFailed) as failed:
            mirror(source, sink, second)
        assert sink.names() == ALL
        assert outcomes(failed.value.receipt, "there2")[WHEELS[0]] is Outcome.FAILED
        assert second.names() == ALL

    def test_reports_files_that_cannot_be_compared(self, source, sink):
        release(source, sink)
        sink.shown = Digests()
        sink.fetch_errors = {WHEELS[0]: [AuthenticationFailed("Who are you?")]}
        with pytest.raises(RelayFailed, match="Who are you"):
            mirror(source, sink)

    def test_retries_a_comparison(self, source, sink):
        release(source, sink)
        sink.shown = Digests()
        sink.fetch_errors = {WHEELS[0]: [Unavailable("Busy.")]}
        assert mirror(source, sink).is_complete
        assert release(source, sink).is_complete

    def test_succeeds_without_work(self, source, sink):
        release(source, sink)
        assert outcomes(mirror(source, sink)) == dict.fromkeys(ALL, Outcome.SKIPPED)
