"""A sink is read until it shows all published files with the staged bytes, or time is up."""

import threading
import time
from dataclasses import replace
from itertools import pairwise

import pytest
from tests.servers.faulty_store import FaultyStore, InventoryOnlySink, WriteOnlySink, staged_files

from wheelrelay.engine.confirming import confirm
from wheelrelay.errors import AuthenticationFailed, ConfigError, NotFound, Unavailable
from wheelrelay.model import Companion, Confirm, Digests

NAMES = ("sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz")


@pytest.fixture
def files(tmp_path):
    return staged_files(tmp_path, *NAMES)


@pytest.fixture
def store(files):
    made = FaultyStore()
    for staged in files:
        made.put(staged)
    return made


@pytest.mark.parametrize("how", [Confirm.INDEX, Confirm.DOWNLOAD])
def test_existing_files_are_confirmed(store, files, how):
    assert confirm(store, files, how, within=5) == []


def test_waits_for_files_that_show_late(store, files):
    store.late = 3
    assert confirm(store, files, Confirm.INDEX, within=10) == []
    assert store.late == 0


def test_files_that_do_not_show_in_time_are_unconfirmed(store, files):
    store.late = 1_000
    problems = confirm(store, files, Confirm.INDEX, within=0.3)
    assert [problem.filename for problem in problems] == sorted(NAMES)
    assert all("does not show it" in problem.reason for problem in problems)


@pytest.mark.parametrize("shown", [Digests(sha256="0" * 64), None], ids=["declared", "fetched"])
def test_other_bytes_are_reported_immediately(store, files, tmp_path, shown):
    store.shown = shown
    sent = files if shown else staged_files(tmp_path / "other", *NAMES, seed=1)
    began = time.monotonic()
    problems = confirm(store, sent, Confirm.INDEX if shown else Confirm.DOWNLOAD, within=60)
    assert time.monotonic() - began < 20
    assert sorted(problem.filename for problem in problems) == sorted(NAMES)
    assert all(staged.sha256 in " ".join(problem.reason for problem in problems) for staged in sent)


def test_downloads_from_sink_without_digests(store, files, tmp_path):
    store.shown = Digests()
    assert confirm(store, files, Confirm.INDEX, within=5) == []
    others = staged_files(tmp_path / "other", *NAMES, seed=1)
    assert len(confirm(store, others, Confirm.INDEX, within=5)) == 2


def test_download_detects_wrong_declared_digest(store, files, tmp_path):
    others = staged_files(tmp_path / "other", *NAMES, seed=1)
    store.shown = Digests(sha256=others[0].sha256)
    assert confirm(store, others[:1], Confirm.INDEX, within=5) == []
    assert len(confirm(store, others[:1], Confirm.DOWNLOAD, within=5)) == 1


def test_waits_out_retryable_errors(store, files):
    store.list_errors = [Unavailable("Busy."), Unavailable("Busy.")]
    assert confirm(store, files, Confirm.INDEX, within=10) == []


def test_other_error_leaves_all_files_unconfirmed(store, files):
    store.list_errors = [AuthenticationFailed("Who are you?")]
    problems = confirm(store, files, Confirm.INDEX, within=60)
    assert [problem.reason for problem in problems] == ["Who are you?", "Who are you?"]
    assert all(problem.lasting for problem in problems)


def test_last_error_is_the_reason(store, files):
    store.list_errors = [Unavailable(f"Busy {n}.") for n in range(1_000)]
    problems = confirm(store, files, Confirm.INDEX, within=0.2)
    assert len(problems) == 2
    assert "Busy" in problems[0].reason


def test_other_bytes_are_reported_although_another_file_fails(store, files, tmp_path):
    others = staged_files(tmp_path / "other", NAMES[0], seed=1)
    store.fetch_errors = {NAMES[1]: [Unavailable("Busy.")]}
    problems = confirm(store, [*others, files[1]], Confirm.DOWNLOAD, within=10)
    assert [problem.filename for problem in problems] == [NAMES[0]]


def test_missing_file_does_not_affect_the_others(store, files):
    store.fetch_errors = {NAMES[0]: [NotFound("It is gone.")]}
    problems = confirm(store, files, Confirm.DOWNLOAD, within=60)
    assert [(problem.filename, problem.reason) for problem in problems] == [(NAMES[0], "It is gone.")]


def test_confirm_none_reads_nothing(files):
    assert confirm(WriteOnlySink(FaultyStore()), files, Confirm.NONE) == []


def test_write_only_sink_requires_confirm_none(files):
    with pytest.raises(ConfigError, match='confirm = "none"'):
        confirm(WriteOnlySink(FaultyStore()), files, Confirm.INDEX)


def test_sink_that_serves_no_files_cannot_be_confirmed_by_download(store, files):
    assert confirm(InventoryOnlySink(store), files, Confirm.INDEX) == []
    problems = confirm(InventoryOnlySink(store), files, Confirm.DOWNLOAD)
    assert [problem.filename for problem in problems] == sorted(NAMES)
    assert 'confirm = "none"' in problems[0].reason


def test_no_files_need_no_confirmation():
    assert confirm(FaultyStore(), [], Confirm.INDEX) == []


def test_waiting_ends_when_the_relay_stops(store, files):
    store.late = 1_000
    stopped = threading.Event()
    threading.Timer(0.2, stopped.set).start()
    began = time.monotonic()
    assert len(confirm(store, files, Confirm.INDEX, within=60, stopped=stopped)) == 2
    assert time.monotonic() - began < 20


def test_pauses_grow_between_reads(files):
    pauses = []

    class Impatient(threading.Event):
        def wait(self, timeout=None):
            pauses.append(timeout)
            return len(pauses) == 30

    confirm(FaultyStore(), files, Confirm.INDEX, within=600, stopped=Impatient())
    assert pauses[0] <= 0.2
    assert all(0 < one <= next_one for one, next_one in pairwise(pauses))
    assert 10 * pauses[0] < pauses[-1] == pauses[-2] <= 60


class TestReplacedFiles:
    """A sink shows the replaced bytes for a while."""

    @pytest.fixture
    def old(self, tmp_path):
        [old] = staged_files(tmp_path / "old", NAMES[0], seed=1)
        return old

    @pytest.fixture
    def slow(self, old, store, files):
        """A sink that shows the old bytes three times."""

        class Slow(InventoryOnlySink):
            looks = 0

            def inventory(self, project):
                self.looks += 1
                yield from (FaultyStore([old]) if self.looks <= 3 else store).inventory(project)

        made = Slow(store)
        del made.__dict__["inventory"]
        return made

    @pytest.mark.parametrize("known", [True, False])
    def test_replaced_bytes_are_read_again(self, slow, files, old, known):
        before = {NAMES[0]: old.sha256 if known else None}
        assert confirm(slow, files[:1], Confirm.INDEX, within=60, replaced=before) == []
        assert slow.looks == 4

    def test_bytes_that_are_neither_old_nor_new_are_reported_immediately(self, slow, files):
        [problem] = confirm(slow, files[:1], Confirm.INDEX, within=60, replaced={NAMES[0]: "0" * 64})
        assert problem.lasting
        assert slow.looks == 1

    def test_replaced_bytes_at_the_deadline_are_the_reason(self, files, old):
        sink = FaultyStore([old])
        [problem] = confirm(sink, files[:1], Confirm.INDEX, within=0.2, replaced={NAMES[0]: old.sha256})
        assert "still shows the bytes that were replaced" in problem.reason
        assert not problem.lasting


def test_last_read_is_at_the_deadline(store, files):
    looks = []

    class Noting(threading.Event):
        def wait(self, timeout=None):
            looks.append(timeout)
            return super().wait(timeout)

    store.late = 1_000
    began = time.monotonic()
    confirm(store, files, Confirm.INDEX, within=1.5, stopped=Noting())
    assert time.monotonic() - began >= 1.5
    assert looks[-1] <= looks[-2] * 1.5


class TestCompanions:
    @pytest.fixture
    def signed(self, files):
        return replace(files[0], companions=(Companion(".asc", b"signature"),))

    def test_file_without_its_signature_is_not_confirmed(self, store, signed):
        [problem] = confirm(store, [signed], Confirm.INDEX, within=0.2)
        assert "without its .asc" in problem.reason

    def test_file_is_confirmed_with_its_signature(self, store, signed):
        store.put(signed)
        assert confirm(store, [signed], Confirm.INDEX, within=5) == []

    @pytest.mark.parametrize("how", [Confirm.INDEX, Confirm.DOWNLOAD])
    def test_content_of_signatures_is_compared(self, files, signed, how):
        store = FaultyStore(
            [replace(signed, companions=(Companion(".asc", b"another signature"),)), files[1]]
        )
        [problem] = confirm(store, [signed, files[1]], how, within=5)
        assert problem.filename == NAMES[0]
        assert problem.reason == "The sink has the file with another .asc than was uploaded."
        assert problem.lasting

    def test_waits_while_the_replaced_signature_shows(self, signed):
        class Slow(FaultyStore):
            reads = 0

            def read_companion(self, file, suffix):
                self.reads += 1
                return b"old signature" if self.reads < 3 else super().read_companion(file, suffix)

        store = Slow([signed])
        assert confirm(store, [signed], Confirm.INDEX, within=10, replaced={signed.filename: None}) == []
        assert store.reads == 3

    def test_unreadable_signature_leaves_only_its_file_unconfirmed(self, files, signed):
        class Private(FaultyStore):
            def read_companion(self, file, suffix):
                raise AuthenticationFailed("Signatures are private.")

        [problem] = confirm(Private([signed, files[1]]), [signed, files[1]], Confirm.INDEX, within=5)
        assert (problem.filename, problem.reason) == (NAMES[0], "Signatures are private.")

    def test_ignores_companions_where_they_are_not_files(self, store, signed):
        assert confirm(InventoryOnlySink(store), [signed], Confirm.INDEX, within=5) == []


class TestDoubts:
    """A sink noticed that its answers do not prove anything."""

    class Doubtful(FaultyStore):
        def doubt(self):
            return "It answered with a web page. Correct upload_url."

    def test_doubt_is_the_reason_for_files_that_do_not_show(self, files):
        [problem] = confirm(self.Doubtful(), files[:1], Confirm.INDEX, within=0.1)
        assert problem.reason == "It answered with a web page. Correct upload_url."
        assert problem.lasting

    def test_doubt_does_not_matter_if_the_files_show(self, files):
        assert confirm(self.Doubtful(files), files, Confirm.INDEX, within=5) == []


class TestCaches:
    """A sink behind caches, some of which do not know a file yet."""

    class Cached(FaultyStore):
        def __init__(self, *looks):
            super().__init__()
            self.looks = list(looks)
            self.opened = 0

        def is_cached(self):
            return True

        def open(self, file):
            self.opened += 1
            return super().open(file)

        def iter_files(self, project):
            shows = self.looks.pop(0) if self.looks else True
            return super().iter_files(project) if shows else iter(())

    def test_requires_two_reads_in_a_row(self, files):
        sink = self.Cached(True, False, True, True)
        for staged in files:
            sink.put(staged)
        assert confirm(sink, files, Confirm.INDEX, within=60) == []
        assert sink.looks == []

    def test_downloads_a_file_only_once(self, files):
        sink = self.Cached()
        for staged in files:
            sink.put(staged)
        assert confirm(sink, files, Confirm.DOWNLOAD, within=60) == []
        assert sink.opened == len(files)

    def test_one_read_is_enough_without_a_cache(self, store, files):
        looks = []
        store.iter_files = lambda project, read=store.iter_files: looks.append(project) or read(project)
        assert confirm(store, files, Confirm.INDEX, within=5) == []
        assert looks == ["sample"]
