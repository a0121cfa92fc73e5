"""Publishing one file: tried again where that helps, and what is not clear is settled by asking."""

import threading

import pytest
from tests.servers.places import Blind, MoodyStore, staged_files

from wheelrelay.errors import AlreadyExists, AuthenticationFailed, Rejected, Unavailable
from wheelrelay.model import Digests
from wheelrelay.records import Outcome
from wheelrelay.steps.publish import deliver
from wheelrelay.steps.retry import Patience, Persistence

WHEEL = "sample-1.0-py3-none-any.whl"
ATTEMPTS = 3


@pytest.fixture
def persistence():
    patience = Patience(attempts=ATTEMPTS, first_pause=0.001)
    return Persistence(patience, lambda event: None, threading.Event())


@pytest.fixture
def staged(tmp_path):
    return staged_files(tmp_path, WHEEL)[0]


@pytest.fixture
def other(tmp_path):
    """The same name with other bytes."""
    return staged_files(tmp_path / "other", WHEEL, seed=1)[0]


@pytest.fixture
def store():
    return MoodyStore()


def test_a_file_is_published_at_the_first_attempt(store, staged, persistence):
    delivery = deliver(store, staged, persistence)
    assert (delivery.outcome, delivery.attempts, delivery.reason) == (Outcome.PUBLISHED, 1, None)
    assert store.names() == [WHEEL]


def test_trouble_that_may_pass_is_tried_again(store, staged, persistence):
    store.refusals[WHEEL] = [Unavailable("Busy."), Unavailable("Busy.")]
    delivery = deliver(store, staged, persistence)
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 3)


def test_a_refusal_is_final(store, staged, persistence):
    store.refusals[WHEEL] = [Rejected("The description is bad.", status=400)]
    delivery = deliver(store, staged, persistence)
    assert (delivery.outcome, delivery.attempts) == (Outcome.FAILED, 1)
    assert delivery.reason == "The description is bad."


def test_trouble_that_stays_is_a_failure_if_the_file_is_known_to_be_absent(store, staged, persistence):
    store.refusals[WHEEL] = [Unavailable("Busy.")] * 10
    delivery = deliver(store, staged, persistence)
    assert (delivery.outcome, delivery.attempts, delivery.reason) == (Outcome.FAILED, ATTEMPTS, "Busy.")


def test_a_lost_answer_is_settled_by_asking_and_not_by_sending_again(store, staged, persistence):
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    delivery = deliver(store, staged, persistence)
    assert delivery.outcome is Outcome.PUBLISHED
    assert store.puts == [WHEEL]


def test_a_lost_answer_is_settled_also_at_the_last_attempt(store, staged, persistence):
    store.refusals[WHEEL] = [Unavailable("Busy.")] * (ATTEMPTS - 1)
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    assert deliver(store, staged, persistence).outcome is Outcome.PUBLISHED
    assert len(store.puts) == ATTEMPTS


def test_a_lost_answer_of_a_sink_that_gives_no_digest_is_settled_by_reading(store, staged, persistence):
    store.shown = Digests()
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    assert deliver(store, staged, persistence).outcome is Outcome.PUBLISHED
    assert store.puts == [WHEEL]


def test_a_lost_answer_that_cannot_be_settled_is_unconfirmed(store, staged, persistence):
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")] * 10
    store.list_errors = [AuthenticationFailed("Who are you?")] * 10
    delivery = deliver(store, staged, persistence)
    assert (delivery.outcome, delivery.reason) == (Outcome.UNCONFIRMED, "The line broke.")


def test_a_refusal_after_a_lost_answer_is_no_proof_of_absence(store, staged, persistence):
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    blind = Blind(store)

    def put(file):
        if store.puts:
            raise Rejected("This name is taken, or something.", status=400)
        store.put(file)

    blind.put = put
    assert deliver(blind, staged, persistence).outcome is Outcome.UNCONFIRMED


def test_a_name_that_another_took_meanwhile_is_a_failure(store, staged, other, persistence):
    def put(file):
        store.put(other)
        raise Unavailable("The line broke.")

    sink = Blind(store)
    sink.put, sink.inventory = put, store.inventory
    delivery = deliver(sink, staged, persistence)
    assert delivery.outcome is Outcome.FAILED
    assert "other bytes" in delivery.reason


def test_the_same_bytes_that_are_there_are_skipped(store, staged, persistence):
    store.put(staged)
    store.refusals[WHEEL] = [AlreadyExists("It is there.")]
    delivery = deliver(store, staged, persistence)
    assert (delivery.outcome, delivery.reason) == (Outcome.SKIPPED, "the same bytes are there")


def test_the_same_bytes_met_at_a_later_attempt_are_our_own(store, staged, persistence):
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    store.late = 1  # the first look does not show what is there
    sink = Blind(store)
    sink.inventory = store.inventory

    def put(file):
        if file.filename in store.names():
            raise AlreadyExists("It is there.")
        store.put(file)

    sink.put = put
    delivery = deliver(sink, staged, persistence)
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 2)


def test_other_bytes_that_are_there_are_a_failure_and_stay(store, staged, other, persistence):
    store.put(other)
    delivery = deliver(store, staged, persistence)
    assert delivery.outcome is Outcome.FAILED
    [there] = store.iter_files("sample")
    assert there.sha256 == other.sha256


def test_a_taken_name_that_is_not_shown_is_unconfirmed(store, staged, persistence):
    store.refusals[WHEEL] = [AlreadyExists("It is there.")]
    assert deliver(store, staged, persistence).outcome is Outcome.UNCONFIRMED


def test_a_taken_name_at_a_sink_that_cannot_be_asked_is_skipped_by_its_word(store, staged, persistence):
    store.refusals[WHEEL] = [AlreadyExists("It is there.")]
    delivery = deliver(Blind(store), staged, persistence)
    assert delivery.outcome is Outcome.SKIPPED
    assert "cannot be compared" in delivery.reason


class Copying(MoodyStore):
    """A store of the server that the source is on: remembers from where it was to copy what."""

    def __init__(self) -> None:
        super().__init__()
        self.copied = []

    def put_from(self, source, staged):
        self.copied.append((source, staged.filename))
        self.put(staged)


def test_a_sink_of_the_source_s_server_may_copy(staged, persistence):
    source, sink = MoodyStore(), Copying()
    delivery = deliver(sink, staged, persistence, source=source)
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 1)
    assert sink.copied == [(source, WHEEL)]


def test_after_a_copy_that_failed_the_staged_bytes_are_sent(staged, persistence):
    sink = Copying()
    sink.refusals[WHEEL] = [Unavailable("Busy."), Unavailable("Busy.")]
    delivery = deliver(sink, staged, persistence, source=MoodyStore())
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 3)
    assert len(sink.copied) == 1


def test_a_copy_whose_answer_was_lost_is_found_there(staged, persistence):
    sink = Copying()
    sink.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    delivery = deliver(sink, staged, persistence, source=MoodyStore())
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 1)
    assert sink.puts == [WHEEL]
