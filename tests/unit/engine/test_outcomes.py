"""Pages, hints and receipts are correct after failures and interrupts."""

import tempfile

import pytest
from tests.servers.faulty_store import FaultyStore, staged_files
from tests.unit.engine.conftest import SDIST, WHEELS, mirror, release
from tests.unit.engine.test_run import ALL, Finishing

from wheelrelay.errors import Rejected, RelayFailed, Unavailable
from wheelrelay.events import Step, StepEnded
from wheelrelay.testing import MemoryStore


class TestPagesAfterFailure:
    """The pages of changed sinks are updated before a failure is reported."""

    def test_pages_are_updated_after_partial_release(self, source):
        sink = Finishing()
        sink.refusals = {WHEELS[1]: [Rejected("Bad.")]}
        with pytest.raises(RelayFailed, match=r"there has 1 of 5 files\. Bad\."):
            release(source, sink, jobs=1)
        assert sink.finished == [(["sample"], [WHEELS[0]])]

    def test_pages_of_unchanged_sink_are_not_updated(self, source):
        first, second = Finishing(), Finishing()
        first.refusals = {key: [Rejected("Bad.")] for key in WHEELS}
        with pytest.raises(RelayFailed):
            release(source, first, second)
        assert (first.finished, second.finished) == ([], [])

    def test_pages_are_updated_after_failed_replacement(self, source, other, tmp_path):
        class Replacing(Finishing):
            def replace(self, staged):
                raise Rejected("The old signature is gone, and now this.")

        sink = Replacing()
        MemoryStore.put(sink, staged_files(tmp_path / "old", WHEELS[0], seed=1)[0])
        with pytest.raises(RelayFailed):
            release(source, sink, replace=True, jobs=1)
        assert len(sink.finished) == 1

    def test_pages_are_updated_after_interrupt(self, source):
        sink = Finishing()

        def progress(event):
            if isinstance(event, StepEnded) and event.step is Step.PUBLISH:
                raise KeyboardInterrupt

        with pytest.raises(RelayFailed, match="Interrupted: "):
            release(source, sink, progress=progress)
        assert sink.finished == [(["sample"], sorted(WHEELS))]

    @pytest.mark.parametrize("slip", [Rejected("No pages here."), KeyError("slip")])
    def test_failure_of_one_sink_does_not_affect_pages_of_others(self, source, slip):
        first, second = Finishing(slip), Finishing()
        with pytest.raises(RelayFailed, match="The pages of there were not updated"):
            mirror(source, first, second)
        assert [len(sink.finished) for sink in (first, second)] == [1, 1]

    def test_reports_failed_files_and_pages_together(self, source):
        sink = Finishing(Rejected("No pages here."))
        sink.refusals = {key: [Rejected("The disk is full.")] for key in ALL}
        with pytest.raises(RelayFailed) as failed:
            mirror(source, sink)
        assert "there has 0 of 5 files" in str(failed.value)
        assert "The disk is full. (The same for 4 more.)" in str(failed.value)
        assert "No pages here." in str(failed.value)
        assert "in place" not in str(failed.value)


@pytest.mark.parametrize("reason", ["disk/sample.whl cannot be written.", "sample-1.0.whl: it changed."])
def test_path_at_the_beginning_of_a_reason_keeps_its_case(source, sink, reason):
    sink.refusals = {SDIST: [Rejected(reason)]}
    with pytest.raises(RelayFailed) as failed:
        release(source, sink)
    assert f" {reason}" in str(failed.value)


class TestAdvice:
    def test_retryable_failure_suggests_the_same_command(self, source, sink):
        sink.refusals = {SDIST: [Unavailable("Busy.")] * 10}
        with pytest.raises(RelayFailed) as failed:
            release(source, sink)
        assert failed.value.hint == "Run the same command again to complete it."

    @pytest.mark.parametrize("run", [release, mirror])
    def test_lasting_failure_suggests_a_correction(self, source, sink, run):
        sink.refusals = {SDIST: [Rejected("The description is bad.", status=400)]}
        with pytest.raises(RelayFailed) as failed:
            run(source, sink)
        assert failed.value.hint.startswith("Correct this first")

    @pytest.mark.parametrize(
        ("slip", "advice"), [(Unavailable("Busy."), "Run the same"), (Rejected("No room."), "Correct this")]
    )
    def test_hint_for_failed_pages_depends_on_the_error(self, source, slip, advice):
        with pytest.raises(RelayFailed) as failed:
            release(source, Finishing(*[slip] * 10))
        assert failed.value.hint.startswith(advice)
        assert failed.value.receipt.findings[0].hint.startswith(advice)

    def test_lasting_page_error_outweighs_retryable_file_error(self, source):
        sink = Finishing(Rejected("No room."))
        sink.refusals = {SDIST: [Unavailable("Busy.")] * 10}
        with pytest.raises(RelayFailed, match=r"Busy\..*No room\.") as failed:
            release(source, sink)
        assert failed.value.hint.startswith("Correct this first")

    def test_unconfirmed_files_are_counted_separately(self, source, sink):
        sink.late = 1_000
        with pytest.raises(RelayFailed, match="there has 0 of 5 files; 4 could not be confirmed"):
            release(source, sink)


class Interrupted(Finishing):
    """A store whose pages are interrupted by Ctrl-C."""

    def finalize(self, projects):
        raise KeyboardInterrupt


class TestInterruptedPages:
    """Ctrl-C during the last step: all files are in place, and the message names the pages that are not."""

    @pytest.mark.parametrize("run", [release, mirror])
    def test_pages_and_the_command_that_updates_them_are_named(self, source, run):
        with pytest.raises(RelayFailed) as failed:
            run(source, Interrupted())
        assert failed.value.message == (
            "Interrupted: All files are in place. The pages of there were not updated."
        )
        assert failed.value.hint == (
            "Run the same command again, or `wheelrelay index there`, to update the pages."
        )
        assert failed.value.receipt.is_complete

    def test_pages_of_sinks_that_were_not_reached_are_named_too(self, source):
        with pytest.raises(RelayFailed, match=r"pages of there2 were not updated\. The pages of there3"):
            mirror(source, Finishing(), Interrupted(), Finishing())

    def test_pages_of_an_interrupted_upload_are_named(self, source):
        sink = Interrupted()

        def put(staged):
            MemoryStore.put(sink, staged)
            if staged.filename == WHEELS[0]:
                sink.refusals = {}
                raise Rejected("Bad.")

        sink.put = put
        with pytest.raises(RelayFailed, match="The pages of there were not updated"):
            release(source, sink, jobs=1)


class TestInterruptsAfterTheEnd:
    """An interrupt after the work is done does not change the result."""

    @pytest.fixture
    def interrupted_cleanup(self, monkeypatch):
        """Raise Ctrl-C while the temporary folder is removed."""
        remove = tempfile.TemporaryDirectory.cleanup

        def cleanup(folder):
            remove(folder)
            if folder.name.rpartition("/")[2].startswith("wheelrelay-"):
                raise KeyboardInterrupt

        monkeypatch.setattr(tempfile.TemporaryDirectory, "cleanup", cleanup)

    @pytest.mark.parametrize("run", [release, mirror])
    def test_complete_relay_stays_complete(self, source, sink, run, interrupted_cleanup):
        assert run(source, sink).is_complete

    def test_relay_without_work_stays_complete(self, source, sink, interrupted_cleanup):
        release(source, sink)
        assert release(source, sink).is_complete

    def test_failure_stays_a_failure(self, source, sink, interrupted_cleanup):
        sink.refusals = {SDIST: [Rejected("Bad.")]}
        with pytest.raises(RelayFailed, match="there has 4 of 5 files"):
            release(source, sink)


def test_waits_until_sink_shows_replacement(source, tmp_path):
    class Replacing(FaultyStore):
        """A store that shows a replacement only in the third read."""

        reads_until_shown = 0
        replacement = None

        def replace(self, staged):
            [self.replacement] = MemoryStore.iter_files(FaultyStore([staged]), None)
            self.reads_until_shown = 3

        def iter_files(self, project):
            self.reads_until_shown -= 1
            is_shown = self.replacement and self.reads_until_shown <= 0
            for file in super().iter_files(project):
                yield self.replacement if is_shown and file.filename == WHEELS[0] else file

    [wheel] = staged_files(tmp_path / "old", WHEELS[0], seed=1)
    sink = Replacing([wheel])
    assert release(source, sink, replace=True, confirm_timeout=20).is_complete
