"""A relay from end to end: all files or none, and a correct receipt."""

import tempfile
import threading

import pytest
from tests.servers.faulty_store import FaultyStore, WriteOnlySink, staged_files
from tests.servers.openpgp import armored, signature
from tests.unit.engine.conftest import ALL, SDIST, WHEELS, mirror, outcomes, release

from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    CheckFailed,
    ConfigError,
    Conflict,
    DigestMismatch,
    IntegrityError,
    NothingMatched,
    Rejected,
    RelayFailed,
    ReleaseRefused,
    SeveralVersions,
    Unavailable,
)
from wheelrelay.model import Confirm, Digests, Order
from wheelrelay.records import Action, Outcome


class Finishing(FaultyStore):
    """A store with pages."""

    def __init__(self, *troubles):
        super().__init__()
        self.troubles = list(troubles)
        self.finished = []

    def finalize(self, projects):
        self.finished.append((sorted(projects), self.names()))
        if self.troubles:
            raise self.troubles.pop(0)


class TestRelease:
    def test_publishes_all_files(self, source, sink):
        receipt = release(source, sink)
        assert sink.names() == ALL
        assert outcomes(receipt) == dict.fromkeys(ALL, Outcome.PUBLISHED)

    def test_second_run_skips_all_files(self, source, sink):
        release(source, sink)
        assert outcomes(release(source, sink)) == dict.fromkeys(ALL, Outcome.SKIPPED)
        assert len(sink.puts) == len(ALL)

    def test_one_damaged_file_stops_the_release(self, source, sink):
        source.fetch_errors = {WHEELS[2]: [DigestMismatch("It is another.")]}
        with pytest.raises(DigestMismatch, match="source 'here'"):
            release(source, sink)
        assert sink.puts == []

    def test_reports_all_damaged_files(self, source, sink):
        source.fetch_errors = {name: [IntegrityError(f"{name} is bad.")] for name in ALL}
        with pytest.raises(IntegrityError) as failed:
            release(source, sink)
        assert all(f"{name} is bad." in str(failed.value) for name in ALL)

    def test_counts_damaged_files_beyond_the_first(self, sink, tmp_path):
        names = [f"sample-1.0-py3-none-manylinux_2_{number}_x86_64.whl" for number in range(30)]
        source = FaultyStore(staged_files(tmp_path, *names))
        source.fetch_errors = {name: [IntegrityError(f"{name} is bad.")] for name in names}
        with pytest.raises(IntegrityError, match="And 19 more"):
            release(source, sink)

    def test_source_that_refuses_is_asked_once(self, source, sink):
        source.fetch_errors = {name: [AuthenticationFailed("Who are you?")] for name in ALL}
        with pytest.raises(AuthenticationFailed):
            release(source, sink, jobs=1)
        assert sum(map(len, source.fetch_errors.values())) == len(ALL) - 1

    def test_lasting_source_error_ends_the_relay(self, source, sink):
        source.fetch_errors = {WHEELS[0]: [Unavailable("Busy.")] * 10}
        with pytest.raises(Unavailable, match="Busy"):
            release(source, sink)
        assert sink.puts == []

    def test_unexpected_source_error_ends_the_relay(self, source, sink):
        source.fetch_errors = {WHEELS[0]: [KeyError("slip")]}
        with pytest.raises(BackendError, match="KeyError"):
            release(source, sink)
        assert sink.puts == []

    def test_conflict_at_the_last_sink_stops_all_uploads(self, source, sink, other):
        with pytest.raises(Conflict) as refused:
            release(source, sink, other(WHEELS[0]))
        assert sink.puts == []
        [finding] = refused.value.findings
        assert "there2" in finding.message

    def test_refuses_several_versions(self, sink, tmp_path):
        names = ("sample-1.0.tar.gz", "sample-2.0.tar.gz")
        with pytest.raises(SeveralVersions, match=r"1\.0, 2\.0"):
            release(FaultyStore(staged_files(tmp_path, *names)), sink)

    def test_no_match_is_an_error_of_the_source(self, source, sink):
        with pytest.raises(NothingMatched, match="source 'here'"):
            release(source, sink, requirement="sampel")

    def test_existing_files_are_not_downloaded(self, source, sink):
        release(source, sink)
        source.fetch_errors = {name: [BackendError("Nobody asked.")] for name in ALL}
        assert release(source, sink).is_complete

    def test_missing_companion_is_added_by_a_later_run(self, source, sink, tmp_path):
        from dataclasses import replace

        from wheelrelay.model import Companion

        release(source, sink)
        [staged] = staged_files(tmp_path / "files", SDIST)
        source.put(replace(staged, companions=(Companion(".asc", armored(signature())),)))
        release(source, sink)
        [file] = [file for file in sink.iter_files("sample") if file.filename == SDIST]
        assert file.companions == (".asc",)

    def test_transfers_at_most_jobs_files_at_once(self, source, sink):
        source.pause = sink.pause = 0.02
        release(source, sink, jobs=2)
        assert source.most_at_once == sink.most_at_once == 2

    def test_confirms_by_parallel_downloads(self, tmp_path):
        class Meeting(FaultyStore):
            """Serves a file only when all are requested at the same time."""

            together = threading.Barrier(len(WHEELS))

            def open(self, file):
                self.together.wait(10)
                return super().open(file)

        wheels = FaultyStore(staged_files(tmp_path, *WHEELS))
        assert release(wheels, Meeting(), confirm=Confirm.DOWNLOAD, jobs=len(WHEELS)).is_complete

    def test_removes_temporary_files_after_success_and_failure(self, source, sink, tmp_path, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
        (tmp_path / "scratch").mkdir()
        release(source, sink)
        source.fetch_errors = {WHEELS[0]: [IntegrityError("It is bad.")]}
        with pytest.raises(IntegrityError):
            release(source, FaultyStore())
        assert list((tmp_path / "scratch").iterdir()) == []


class TestMemory:
    """A file that exhausts the memory is reported as a finding."""

    def test_memory_error_of_the_upload_form_is_a_finding(self, source, sink):
        def validate_form(staged):
            if staged.filename == WHEELS[1]:
                raise MemoryError

        sink.validate_form = validate_form
        with pytest.raises(CheckFailed) as refused:
            release(source, sink)
        [finding] = refused.value.findings
        assert (finding.check, finding.filename) == ("upload-form", WHEELS[1])
        assert "Unexpected MemoryError" in finding.message
        assert sink.puts == []

    def test_memory_error_of_the_upload_form_fails_one_file_of_a_mirror(self, source, sink):
        def validate_form(staged):
            if staged.filename == WHEELS[1]:
                raise MemoryError

        sink.validate_form = validate_form
        with pytest.raises(RelayFailed, match="there has 4 of 5 files"):
            mirror(source, sink)
        assert sink.names() == [name for name in ALL if name != WHEELS[1]]


class TestApproval:
    def test_is_requested_once_before_the_first_download(self, source, sink):
        plans = []

        def approve(plan):
            assert not source.began.is_set()
            assert sink.puts == []
            plans.append(plan)
            return True

        release(source, sink, approve=approve)
        [plan] = plans
        assert plan.count("there", Action.UPLOAD) == len(ALL)

    @pytest.mark.parametrize("run", [release, mirror])
    def test_denial_publishes_nothing(self, source, sink, run):
        with pytest.raises(ReleaseRefused, match="not approved"):
            run(source, sink, approve=lambda _: False)
        assert sink.puts == []

    def test_is_not_requested_without_work(self, source, sink):
        release(source, sink)
        assert release(source, sink, approve=lambda _: False).is_complete


class TestPublishing:
    def test_sdist_follows_confirmed_wheels(self, source, sink):
        seen = []
        sink.late = 2
        take = sink.put

        def put(staged):
            if staged.filename == SDIST:
                seen.append((sorted(sink.puts), sink.late))
            take(staged)

        sink.put = put
        release(source, sink)
        assert seen == [(sorted(WHEELS), 0)]

    def test_any_order_publishes_sdist_with_wheels(self, source, sink):
        together, take = threading.Barrier(len(ALL), timeout=10), sink.put

        def put(staged):
            together.wait()
            take(staged)

        sink.put = put
        assert release(source, sink, order=Order.ANY, jobs=len(ALL)).is_complete

    def test_refusal_ends_the_relay_with_exact_receipt(self, source, sink):
        sink.refusals = {WHEELS[1]: [Rejected("The description is bad.", status=400)]}
        with pytest.raises(RelayFailed, match="there has 1 of 5 files") as failed:
            release(source, sink, jobs=1)
        receipt = failed.value.receipt
        assert outcomes(receipt) == {
            WHEELS[0]: Outcome.PUBLISHED,
            WHEELS[1]: Outcome.FAILED,
            WHEELS[2]: Outcome.PENDING,
            WHEELS[3]: Outcome.PENDING,
            SDIST: Outcome.PENDING,
        }
        assert sink.names() == [WHEELS[0]]
        assert receipt.has_changes
        assert not receipt.is_complete
        assert release(source, sink).is_complete
        assert sink.names() == ALL

    def test_running_uploads_end_and_are_recorded_after_a_refusal(self, source, sink):
        together = threading.Barrier(4, timeout=10)
        take = sink.put

        def put(staged):
            together.wait()
            if staged.filename == WHEELS[0]:
                raise Rejected("Bad.")
            threading.Event().wait(0.1)
            take(staged)

        sink.put = put
        with pytest.raises(RelayFailed) as failed:
            release(source, sink, jobs=4)
        results = outcomes(failed.value.receipt)
        assert results.pop(SDIST) is Outcome.PENDING
        assert results.pop(WHEELS[0]) is Outcome.FAILED
        assert set(results.values()) == {Outcome.PUBLISHED}

    def test_sink_is_read_after_an_unexpected_error(self, source, sink):
        sink.lost_answers = {WHEELS[0]: [KeyError("slip")]}
        sink.refusals = {WHEELS[1]: [KeyError("slip")]}
        with pytest.raises(RelayFailed, match="KeyError") as failed:
            release(source, sink, jobs=1)
        results = outcomes(failed.value.receipt)
        assert (results[WHEELS[0]], results[WHEELS[1]]) == (Outcome.PUBLISHED, Outcome.FAILED)

    def test_unexpected_error_of_unreadable_sink_leaves_file_unconfirmed(self, source, sink):
        def broken(staged):
            sink.list_errors = [KeyError("another slip")] * 10
            raise KeyError("slip")

        take, sink.put = sink.put, broken
        with pytest.raises(RelayFailed, match="KeyError") as failed:
            release(source, sink, jobs=1)
        assert outcomes(failed.value.receipt)[WHEELS[0]] is Outcome.UNCONFIRMED
        sink.put, sink.list_errors = take, []
        assert release(source, sink).is_complete

    def test_sinks_are_published_to_in_order(self, source, sink):
        second = FaultyStore()
        take = second.put

        def put(staged):
            assert sink.names() == ALL
            take(staged)

        second.put = put
        receipt = release(source, sink, second)
        assert outcomes(receipt, "there2") == dict.fromkeys(ALL, Outcome.PUBLISHED)

    def test_next_sink_is_untouched_after_a_failure(self, source, sink):
        second = FaultyStore()
        sink.refusals = {SDIST: [Rejected("Bad.")]}
        with pytest.raises(RelayFailed) as failed:
            release(source, sink, second)
        assert second.puts == []
        assert outcomes(failed.value.receipt, "there2") == dict.fromkeys(ALL, Outcome.PENDING)

    def test_other_bytes_at_the_sink_are_a_failure_with_changes(self, source, sink):
        sink.lost_answers = {}
        take = sink.put

        def put(staged):
            take(staged)
            sink.shown = Digests(sha256="0" * 64)

        sink.put = put
        with pytest.raises(RelayFailed, match="the sink has 0000") as failed:
            release(source, sink)
        assert failed.value.receipt.has_changes

    def test_write_only_sink_requires_confirm_none_in_a_relay(self, source, sink):
        with pytest.raises(ConfigError, match='confirm = "none"'):
            release(source, WriteOnlySink(sink))
        assert sink.puts == []
        assert release(source, WriteOnlySink(sink), confirm=Confirm.NONE).is_complete

    def test_error_while_confirming_leaves_files_unconfirmed(self, source, sink):
        take = sink.put

        def put(staged):
            take(staged)
            sink.inventory = broken

        def broken(project):
            raise KeyError("slip")

        sink.put = put
        with pytest.raises(RelayFailed, match="KeyError") as failed:
            release(source, sink)
        results = outcomes(failed.value.receipt)
        assert results.pop(SDIST) is Outcome.PENDING
        assert set(results.values()) == {Outcome.UNCONFIRMED}


class TestPages:
    def test_are_updated_after_the_last_file(self, source):
        sink = Finishing()
        release(source, sink)
        assert sink.finished == [(["sample"], ALL)]

    def test_are_updated_again_if_all_files_exist(self, source):
        sink = Finishing()
        release(source, sink)
        release(source, sink)
        assert len(sink.finished) == 2

    def test_retries_retryable_errors(self, source):
        sink = Finishing(Unavailable("Busy."))
        assert release(source, sink).is_complete
        assert len(sink.finished) == 2

    @pytest.mark.parametrize("run", [release, mirror])
    def test_failure_is_reported_although_all_files_are_in_place(self, source, run):
        sink = Finishing(*[Unavailable("Busy.")] * 10)
        with pytest.raises(RelayFailed, match=r"in place\. The pages of there were not updated") as failed:
            run(source, sink)
        receipt = failed.value.receipt
        assert receipt.is_complete
        assert [finding.check for finding in receipt.findings] == ["finalize"]


class TestComparing:
    def test_downloads_files_without_digests_in_parallel(self, source, sink):
        release(source, sink)
        sink.shown = Digests()
        together, take = threading.Barrier(len(ALL), timeout=10), sink.open

        def open_file(file):
            together.wait()
            return take(file)

        sink.open = open_file
        assert outcomes(release(source, sink, jobs=len(ALL))) == dict.fromkeys(ALL, Outcome.SKIPPED)

    def test_unreadable_file_ends_the_release_before_publishing(self, source, sink):
        release(source, sink)
        sink.shown, before = Digests(), list(sink.puts)
        sink.fetch_errors = {WHEELS[1]: [AuthenticationFailed("Who are you?")]}
        with pytest.raises(AuthenticationFailed, match="Who are you"):
            release(source, sink)
        assert sink.puts == before
