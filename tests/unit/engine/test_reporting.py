"""The receipt and the events of a run."""

import pytest
from tests.unit.engine.conftest import ALL, SDIST, WHEELS, mirror, outcomes, release

from wheelrelay.errors import (
    Conflict,
    Rejected,
    RelayFailed,
)
from wheelrelay.events import BytesMoved, FileBegan, FileEnded, Planned, Step, StepBegan, StepEnded
from wheelrelay.model import Digests
from wheelrelay.records import Outcome


class TestReceipt:
    def test_starts_before_the_first_download(self, source, sink):
        source.pause = 0.2
        receipt = release(source, sink)
        assert (receipt.finished - receipt.started).total_seconds() >= 0.2

    def test_contains_digests_computed_while_staging(self, source, sink, files):
        source.shown = Digests()
        receipt = release(source, sink)
        assert {file.filename: file.sha256 for file in receipt.files} == {
            staged.filename: staged.sha256 for staged in files
        }

    def test_is_saved_from_the_start_and_after_failure(self, source, sink):
        kept = []
        sink.refusals = {SDIST: [Rejected("Bad.")]}
        with pytest.raises(RelayFailed) as failed:
            release(source, sink, save=kept.append)
        assert set(outcomes(kept[0]).values()) == {Outcome.PENDING}
        assert outcomes(kept[-1]) == outcomes(failed.value.receipt)

    def test_is_saved_after_refusal(self, source, other):
        kept = []
        with pytest.raises(Conflict):
            release(source, other(WHEELS[0]), save=kept.append)
        assert [finding.check for finding in kept[-1].findings] == ["conflict"]
        assert not kept[-1].has_changes

    @pytest.mark.parametrize("run", [release, mirror])
    def test_interrupt_after_publishing_has_a_receipt(self, source, sink, run):
        def progress(event):
            if isinstance(event, StepEnded) and event.step is Step.PUBLISH:
                raise KeyboardInterrupt

        with pytest.raises(RelayFailed, match="Interrupted: ") as failed:
            run(source, sink, progress=progress)
        assert failed.value.receipt.has_changes

    def test_interrupt_before_publishing_is_raised(self, source, sink):
        def progress(event):
            if isinstance(event, StepEnded):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            release(source, sink, progress=progress)
        assert sink.puts == []


class TestProgress:
    def test_events_follow_the_steps_in_order(self, source, sink, files):
        events = []
        release(source, sink, progress=events.append)
        assert isinstance(events[0], Planned)
        steps = [
            (type(event).__name__, event.step, event.remote)
            for event in events
            if isinstance(event, StepBegan | StepEnded)
        ]
        assert steps == [
            (kind, step, remote)
            for step, remote in (
                (Step.STAGE, "here"),
                (Step.PUBLISH, "there"),
                (Step.CONFIRM, "there"),
                (Step.PUBLISH, "there"),
                (Step.CONFIRM, "there"),
            )
            for kind in ("StepBegan", "StepEnded")
        ]
        size = sum(staged.size for staged in files)
        for step in (Step.STAGE, Step.PUBLISH):
            step_events = [event for event in events if not isinstance(event, Planned) and event.step is step]
            assert sum(event.count for event in step_events if isinstance(event, BytesMoved)) == size
            for kind in (FileBegan, FileEnded):
                assert sorted(event.filename for event in step_events if isinstance(event, kind)) == ALL

    @pytest.mark.parametrize("run", [release, mirror])
    def test_error_of_the_progress_function_is_harmless(self, source, sink, run):
        def stumble(event):
            raise ValueError("I cannot watch this.")

        assert run(source, sink, progress=stumble).is_complete

    def test_mirror_is_one_step(self, source, sink):
        events = []
        mirror(source, sink, progress=events.append)
        assert [event.step for event in events if isinstance(event, StepBegan)] == [Step.PUBLISH]
