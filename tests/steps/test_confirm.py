"""What was published is read back, until it is there with the very bytes or time is up."""

import threading
import time
from itertools import pairwise

import pytest
from tests.servers.places import Blind, MoodyStore, Mute, staged_files

from wheelrelay.config import Confirm
from wheelrelay.errors import AuthenticationFailed, ConfigError, NotFound, Unavailable
from wheelrelay.model import Digests
from wheelrelay.steps.confirm import confirm

NAMES = ("sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz")


@pytest.fixture
def files(tmp_path):
    return staged_files(tmp_path, *NAMES)


@pytest.fixture
def store(files):
    made = MoodyStore()
    for staged in files:
        made.put(staged)
    return made


@pytest.mark.parametrize("how", [Confirm.INDEX, Confirm.DOWNLOAD])
def test_what_is_there_is_confirmed(store, files, how):
    assert confirm(store, files, how, within=5) == []


def test_what_shows_late_is_waited_for(store, files):
    store.late = 3
    assert confirm(store, files, Confirm.INDEX, within=10) == []
    assert store.late == 0


def test_what_does_not_show_in_time_is_in_doubt(store, files):
    store.late = 1_000
    doubts = confirm(store, files, Confirm.INDEX, within=0.3)
    assert [doubt.filename for doubt in doubts] == sorted(NAMES)
    assert all("does not show it" in doubt.reason for doubt in doubts)


@pytest.mark.parametrize("shown", [Digests(sha256="0" * 64), None], ids=["declared", "fetched"])
def test_other_bytes_are_told_at_once(store, files, tmp_path, shown):
    store.shown = shown
    sent = files if shown else staged_files(tmp_path / "other", *NAMES, seed=1)
    began = time.monotonic()
    doubts = confirm(store, sent, Confirm.INDEX if shown else Confirm.DOWNLOAD, within=60)
    assert time.monotonic() - began < 20
    assert sorted(doubt.filename for doubt in doubts) == sorted(NAMES)
    assert all(staged.sha256 in " ".join(doubt.reason for doubt in doubts) for staged in sent)


def test_a_sink_that_gives_no_digest_is_read_and_hashed(store, files, tmp_path):
    store.shown = Digests()
    assert confirm(store, files, Confirm.INDEX, within=5) == []
    others = staged_files(tmp_path / "other", *NAMES, seed=1)
    assert len(confirm(store, others, Confirm.INDEX, within=5)) == 2


def test_a_lie_of_the_index_is_found_by_downloading(store, files, tmp_path):
    others = staged_files(tmp_path / "other", *NAMES, seed=1)
    store.shown = Digests(sha256=others[0].sha256)
    assert confirm(store, others[:1], Confirm.INDEX, within=5) == []
    assert len(confirm(store, others[:1], Confirm.DOWNLOAD, within=5)) == 1


def test_trouble_that_may_pass_is_waited_out(store, files):
    store.list_errors = [Unavailable("Busy."), Unavailable("Busy.")]
    assert confirm(store, files, Confirm.INDEX, within=10) == []


def test_trouble_that_does_not_pass_leaves_all_in_doubt(store, files):
    store.list_errors = [AuthenticationFailed("Who are you?")]
    doubts = confirm(store, files, Confirm.INDEX, within=60)
    assert [doubt.reason for doubt in doubts] == ["Who are you?", "Who are you?"]


def test_trouble_at_the_end_is_the_reason(store, files):
    store.list_errors = [Unavailable(f"Busy {n}.") for n in range(1_000)]
    doubts = confirm(store, files, Confirm.INDEX, within=0.2)
    assert len(doubts) == 2
    assert "Busy" in doubts[0].reason


def test_other_bytes_are_not_forgotten_when_the_next_file_is_in_trouble(store, files, tmp_path):
    others = staged_files(tmp_path / "other", NAMES[0], seed=1)
    store.fetch_errors = {NAMES[1]: [Unavailable("Busy.")]}
    doubts = confirm(store, [*others, files[1]], Confirm.DOWNLOAD, within=10)
    assert [doubt.filename for doubt in doubts] == [NAMES[0]]


def test_a_file_that_cannot_be_had_for_good_leaves_the_others_alone(store, files):
    store.fetch_errors = {NAMES[0]: [NotFound("It is gone.")]}
    doubts = confirm(store, files, Confirm.DOWNLOAD, within=60)
    assert [(doubt.filename, doubt.reason) for doubt in doubts] == [(NAMES[0], "It is gone.")]


def test_nothing_is_asked_where_the_sinks_word_is_taken(files):
    assert confirm(Blind(MoodyStore()), files, Confirm.NONE) == []


def test_a_sink_that_cannot_be_read_back_needs_its_word_taken(files):
    with pytest.raises(ConfigError, match='confirm = "none"'):
        confirm(Blind(MoodyStore()), files, Confirm.INDEX)


def test_a_sink_that_gives_nothing_out_cannot_be_confirmed_by_downloading(store, files):
    assert confirm(Mute(store), files, Confirm.INDEX) == []
    doubts = confirm(Mute(store), files, Confirm.DOWNLOAD)
    assert [doubt.filename for doubt in doubts] == sorted(NAMES)
    assert 'confirm = "none"' in doubts[0].reason


def test_nothing_published_needs_no_confirmation():
    assert confirm(MoodyStore(), [], Confirm.INDEX) == []


def test_waiting_ends_when_the_relay_is_to_end(store, files):
    store.late = 1_000
    stopped = threading.Event()
    threading.Timer(0.2, stopped.set).start()
    began = time.monotonic()
    assert len(confirm(store, files, Confirm.INDEX, within=60, stopped=stopped)) == 2
    assert time.monotonic() - began < 20


def test_looks_come_further_and_further_apart(files):
    pauses = []

    class Impatient(threading.Event):
        def wait(self, timeout=None):
            pauses.append(timeout)
            return len(pauses) == 30

    confirm(MoodyStore(), files, Confirm.INDEX, within=600, stopped=Impatient())
    assert pauses[0] <= 0.2
    assert all(0 < one <= next_one for one, next_one in pairwise(pauses))
    assert 10 * pauses[0] < pauses[-1] == pauses[-2] <= 60
