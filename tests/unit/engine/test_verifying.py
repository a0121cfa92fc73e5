"""Published files are compared with their source, or with the digests that their remote declares."""

from dataclasses import replace
from threading import Barrier

import pytest
from tests.servers.faulty_store import FaultyStore, staged_files
from tests.unit.engine.conftest import SDIST, WHEELS, release, request_between

from wheelrelay.engine.verified_files import VerifiedFiles
from wheelrelay.engine.verifying import verify_remote, verify_sinks
from wheelrelay.errors import (
    AuthenticationFailed,
    ConfigError,
    DigestMismatch,
    IntegrityError,
    Unavailable,
    WheelrelayError,
)
from wheelrelay.events import FileEnded, Verified
from wheelrelay.model import Digests
from wheelrelay.transfer.staging_area import temporary_staging_area

PATIENCE = 20


def found(*places, download=False, state=None, **options):
    request = request_between(*places, **options)
    with temporary_staging_area() as staging_area, VerifiedFiles(state) as verified:
        if len(places) == 1:
            findings = verify_remote(request, staging_area, verified)
        else:
            findings = verify_sinks(request, staging_area, verified, download=download)
    return sorted(((finding.check, finding.filename) for finding in findings), key=str)


@pytest.mark.parametrize("download", [False, True])
def test_relayed_files_are_verified(source, sink, download):
    release(source, sink)
    assert found(source, sink, download=download) == []


def test_reports_missing_and_different_files(source, other):
    assert found(source, other(WHEELS[0])) == sorted(
        [("verify-differs", WHEELS[0]), *(("verify-missing", name) for name in [*WHEELS[1:], SDIST])]
    )


@pytest.mark.parametrize("download", [False, True])
def test_compares_bytes_without_declared_digests(source, sink, other, download):
    release(source, sink)
    source.shown = sink.shown = Digests()
    assert found(source, sink, download=download) == []
    second = other(*WHEELS, SDIST)
    second.shown = Digests()
    assert {check for check, _ in found(source, second, download=download)} == {"verify-differs"}


def test_download_detects_wrong_bytes(source, tmp_path, files):
    honest = {staged.filename: staged.file for staged in files}

    class Liar(FaultyStore):
        def inventory(self, project):
            for file in super().iter_files(project):
                yield honest[file.filename]

    sink = Liar(staged_files(tmp_path / "other", *WHEELS, SDIST, seed=1))
    assert found(source, sink) == []
    assert {check for check, _ in found(source, sink, download=True)} == {"verify-damaged"}


def test_compares_files_of_a_remote_with_its_digests(source):
    assert found(source) == []
    source.fetch_errors = {WHEELS[0]: [IntegrityError("It is bad.")], SDIST: [Unavailable("Busy.")]}
    assert found(source) == [("verify-damaged", WHEELS[0])]
    source.shown = Digests(sha256="0" * 64)
    assert len(found(source)) == 5


def test_file_that_cannot_be_read_is_reported_and_the_others_are_verified(source, sink):
    release(source, sink)
    source.fetch_errors = {WHEELS[0]: [AuthenticationFailed("Log in.")]}
    assert found(source) == [("verify-unreadable", WHEELS[0])]
    sink.fetch_errors = {WHEELS[0]: [AuthenticationFailed("Log in.")]}
    assert found(source, sink, download=True) == [("verify-unreadable", WHEELS[0])]


def test_remote_without_any_readable_file_is_an_error(source, sink):
    release(source, sink)
    for store, places in ((source, [source]), (sink, [source, sink])):
        store.fetch_errors = {name: [AuthenticationFailed("Log in.")] for name in [*WHEELS, SDIST]}
        with pytest.raises(AuthenticationFailed):
            found(*places, download=True)


def test_sink_that_cannot_be_listed_has_no_missing_files(source, sink, other):
    sink.list_errors = [AuthenticationFailed("Log in.")]
    assert found(source, sink, other(*WHEELS[1:])) == sorted(
        [("verify-unreadable", None), ("verify-missing", WHEELS[0]), ("verify-missing", SDIST)]
        + [("verify-differs", name) for name in WHEELS[1:]],
        key=str,
    )


def test_damaged_file_of_the_source_is_reported(source, sink):
    release(source, sink)
    source.shown = Digests()
    source.fetch_errors = {WHEELS[0]: [DigestMismatch("It is bad.")]}
    assert found(source, sink) == [("verify-damaged", WHEELS[0])]


class TestState:
    """A state file lets a later run continue."""

    @pytest.fixture
    def state(self, tmp_path):
        return tmp_path / "state.json"

    def test_verified_files_are_skipped(self, source, state):
        source.fetch_errors = {WHEELS[0]: [AuthenticationFailed("Log in.")]}
        assert found(source, state=state) == [("verify-unreadable", WHEELS[0])]
        events = []
        assert found(source, state=state, progress=events.append) == []
        assert read_files(events) == [WHEELS[0]]
        assert Verified(5, 4, 0) in events

    def test_changed_files_are_verified_again(self, source, state):
        assert found(source, state=state) == []
        source.shown = Digests(sha256="0" * 64)
        assert len(found(source, state=state)) == 5

    def test_lost_state_verifies_all_files(self, source, state):
        assert found(source, state=state) == []
        state.unlink()
        events = []
        assert found(source, state=state, progress=events.append) == []
        assert len(read_files(events)) == 5

    def test_files_without_declared_digest_are_verified_each_time(self, source, state):
        source.shown = Digests()
        for _ in range(2):
            events = []
            assert found(source, state=state, progress=events.append) == []
            assert len(read_files(events)) == 5

    def test_downloads_from_sinks_are_skipped(self, source, sink, state):
        release(source, sink)
        assert found(source, sink, download=True, state=state) == []
        sink.fetch_errors = {name: [AuthenticationFailed("Log in.")] for name in [*WHEELS, SDIST]}
        assert found(source, sink, download=True, state=state) == []

    def test_other_file_is_not_overwritten(self, source, state):
        state.write_text("[1, 2]")
        with pytest.raises(ConfigError, match="not a list of verified files"):
            found(source, state=state)
        assert state.read_text() == "[1, 2]"

    def test_state_that_cannot_be_saved_is_an_error_before_any_file_is_read(self, source, tmp_path):
        events = []
        with pytest.raises(WheelrelayError, match="cannot be written"):
            found(source, state=tmp_path / "absent" / "state.json", progress=events.append)
        assert events == []

    def test_state_is_saved_after_an_interrupt(self, source, files, state):
        def interrupted():
            with VerifiedFiles(state) as verified:
                verified.record("here", replace(files[0].file, digests=Digests(sha256=files[0].sha256)))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert files[0].filename in state.read_text()


def read_files(events):
    """Return the names of the files that were downloaded."""
    return [event.filename for event in events if isinstance(event, FileEnded)]


class CountingStore(FaultyStore):
    """A store that counts listings and downloads, and waits until two downloads run at once."""

    def __init__(self, files):
        super().__init__(files)
        self.listings = self.downloads = 0
        self.barrier = Barrier(2)

    def iter_files(self, project):
        self.listings += 1
        return super().iter_files(project)

    def open(self, file):
        self.barrier.wait(PATIENCE)
        self.downloads += 1
        return super().open(file)


@pytest.mark.parametrize("count", [10, 20])
def test_each_file_is_downloaded_once_in_parallel_and_only_new_ones_later(tmp_path, count):
    names = [f"sample-{number}.0-py3-none-any.whl" for number in range(count)]
    files = staged_files(tmp_path / "files", *names)
    store, state = CountingStore(files[:-2]), tmp_path / "state.json"
    assert found(store, state=state) == []
    assert (store.listings, store.downloads) == (1, count - 2)
    store = CountingStore(files)
    assert found(store, state=state) == []
    assert (store.listings, store.downloads) == (1, 2)
    state.unlink()  # it may be lost
    store = CountingStore(files)
    assert found(store, state=state) == []
    assert store.downloads == count
