"""Publishing one file: tried again where that helps, and what is not clear is settled by asking."""

import threading
import time
from dataclasses import replace
from itertools import chain

import pytest
from tests.servers.places import Blind, MoodyStore, staged_files
from tests.servers.raw import answer, run_raw

from wheelrelay.backends.index.config import IndexConfig
from wheelrelay.engine.upload import deliver
from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    BackendError,
    PermissionDenied,
    Rejected,
    TimedOut,
    Unavailable,
)
from wheelrelay.model import Companion, Digests
from wheelrelay.records import Outcome
from wheelrelay.transfer.retry import Retrier, RetryPolicy

WHEEL = "sample-1.0-py3-none-any.whl"
ATTEMPTS = 3


@pytest.fixture
def retrier():
    policy = RetryPolicy(attempts=ATTEMPTS, first_pause=0.001)
    return Retrier(policy, lambda event: None, threading.Event())


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


def test_a_file_is_published_at_the_first_attempt(store, staged, retrier):
    delivery = deliver(store, staged, retrier)
    assert (delivery.outcome, delivery.attempts, delivery.reason) == (Outcome.PUBLISHED, 1, None)
    assert store.names() == [WHEEL]


def test_trouble_that_may_pass_is_tried_again(store, staged, retrier):
    store.refusals[WHEEL] = [Unavailable("Busy."), Unavailable("Busy.")]
    delivery = deliver(store, staged, retrier)
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 3)


def test_a_refusal_is_final(store, staged, retrier):
    store.refusals[WHEEL] = [Rejected("The description is bad.", status=400)]
    delivery = deliver(store, staged, retrier)
    assert (delivery.outcome, delivery.attempts) == (Outcome.FAILED, 1)
    assert delivery.reason == "The description is bad."


def test_trouble_that_stays_is_a_failure_if_the_file_is_known_to_be_absent(store, staged, retrier):
    store.refusals[WHEEL] = [Unavailable("Busy.")] * 10
    delivery = deliver(store, staged, retrier)
    assert (delivery.outcome, delivery.attempts, delivery.reason) == (Outcome.FAILED, ATTEMPTS, "Busy.")


def test_a_lost_answer_is_settled_by_asking_and_not_by_sending_again(store, staged, retrier):
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    delivery = deliver(store, staged, retrier)
    assert delivery.outcome is Outcome.PUBLISHED
    assert store.puts == [WHEEL]


def test_a_lost_answer_is_settled_also_at_the_last_attempt(store, staged, retrier):
    store.refusals[WHEEL] = [Unavailable("Busy.")] * (ATTEMPTS - 1)
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    assert deliver(store, staged, retrier).outcome is Outcome.PUBLISHED
    assert len(store.puts) == ATTEMPTS


def test_a_lost_answer_of_a_sink_that_gives_no_digest_is_settled_by_reading(store, staged, retrier):
    store.shown = Digests()
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    assert deliver(store, staged, retrier).outcome is Outcome.PUBLISHED
    assert store.puts == [WHEEL]


def test_a_lost_answer_that_cannot_be_settled_is_unconfirmed(store, staged, retrier):
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")] * 10
    store.list_errors = [AuthenticationFailed("Who are you?")] * 10
    delivery = deliver(store, staged, retrier)
    assert (delivery.outcome, delivery.reason) == (Outcome.UNCONFIRMED, "The line broke.")


def test_a_refusal_after_a_lost_answer_is_no_proof_of_absence(store, staged, retrier):
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    blind = Blind(store)

    def put(file):
        if store.puts:
            raise Rejected("This name is taken, or something.", status=400)
        store.put(file)

    blind.put = put
    assert deliver(blind, staged, retrier).outcome is Outcome.UNCONFIRMED


def test_a_name_that_another_took_meanwhile_is_a_failure(store, staged, other, retrier):
    def put(file):
        store.put(other)
        raise Unavailable("The line broke.")

    sink = Blind(store)
    sink.put, sink.inventory = put, store.inventory
    delivery = deliver(sink, staged, retrier)
    assert delivery.outcome is Outcome.FAILED
    assert "other bytes" in delivery.reason


def test_the_same_bytes_that_are_there_are_skipped(store, staged, retrier):
    store.put(staged)
    store.refusals[WHEEL] = [AlreadyExists("It is there.")]
    delivery = deliver(store, staged, retrier)
    assert (delivery.outcome, delivery.reason) == (Outcome.SKIPPED, "the same bytes exist")


def test_the_same_bytes_met_at_a_later_attempt_are_our_own(store, staged, retrier):
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    store.late = 1  # the first look does not show what is there
    sink = Blind(store)
    sink.inventory = store.inventory

    def put(file):
        if file.filename in store.names():
            raise AlreadyExists("It is there.")
        store.put(file)

    sink.put = put
    delivery = deliver(sink, staged, retrier)
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 2)


def test_other_bytes_that_are_there_are_a_failure_and_stay(store, staged, other, retrier):
    store.put(other)
    delivery = deliver(store, staged, retrier)
    assert delivery.outcome is Outcome.FAILED
    [there] = store.iter_files("sample")
    assert there.sha256 == other.sha256


def test_a_taken_name_that_is_not_shown_is_unconfirmed(store, staged, retrier):
    store.refusals[WHEEL] = [AlreadyExists("It is there.")]
    assert deliver(store, staged, retrier).outcome is Outcome.UNCONFIRMED


def test_a_taken_name_at_a_sink_that_cannot_be_asked_is_skipped_by_its_word(store, staged, retrier):
    store.refusals[WHEEL] = [AlreadyExists("It is there.")]
    delivery = deliver(Blind(store), staged, retrier)
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


def test_a_sink_of_the_source_s_server_may_copy(staged, retrier):
    source, sink = MoodyStore(), Copying()
    delivery = deliver(sink, staged, retrier, source=source)
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 1)
    assert sink.copied == [(source, WHEEL)]


def test_after_a_copy_that_failed_the_staged_bytes_are_sent(staged, retrier):
    sink = Copying()
    sink.refusals[WHEEL] = [Unavailable("Busy."), Unavailable("Busy.")]
    delivery = deliver(sink, staged, retrier, source=MoodyStore())
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 3)
    assert len(sink.copied) == 1


def test_a_copy_whose_answer_was_lost_is_found_there(staged, retrier):
    sink = Copying()
    sink.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    delivery = deliver(sink, staged, retrier, source=MoodyStore())
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 1)
    assert sink.puts == [WHEEL]


class TestErrorsAfterTheFileArrived:
    """An error that no further attempt can mend says nothing about whether the sink took the file."""

    @pytest.mark.parametrize(
        "error",
        [
            BackendError("The folder cannot be synced."),
            PermissionDenied("HEAD is not allowed."),
            KeyError("x"),
        ],
        ids=["after-the-rename", "on-the-look-after-it", "of-a-foreign-backend"],
    )
    def test_the_file_is_found_there(self, store, staged, retrier, error):
        store.lost_answers[WHEEL] = [error]
        delivery = deliver(store, staged, retrier)
        assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 1)
        assert store.puts == [WHEEL]

    def test_where_the_sink_cannot_be_read_any_more_it_is_unconfirmed(self, store, staged, retrier):
        store.lost_answers[WHEEL] = [PermissionDenied("HEAD is not allowed.")]
        store.list_errors = [PermissionDenied("GET is not allowed.")] * 10
        delivery = deliver(store, staged, retrier)
        assert (delivery.outcome, delivery.reason) == (Outcome.UNCONFIRMED, "HEAD is not allowed.")

    def test_a_slip_of_a_sink_that_cannot_be_read_is_unconfirmed(self, staged, retrier):
        store = MoodyStore()
        store.lost_answers[WHEEL] = [KeyError("x")]
        assert deliver(Blind(store), staged, retrier).outcome is Outcome.UNCONFIRMED

    def test_a_refusal_of_a_sink_that_cannot_be_read_is_a_failure(self, store, staged, retrier):
        store.refusals[WHEEL] = [Rejected("The description is bad.", status=400)]
        assert deliver(Blind(store), staged, retrier).outcome is Outcome.FAILED


@pytest.mark.parametrize(("error", "lasting"), [(Rejected("Bad."), True), (Unavailable("Busy."), False)])
def test_a_failure_says_whether_sending_again_can_help(store, staged, retrier, error, lasting):
    store.refusals[WHEEL] = [error] * 10
    assert deliver(store, staged, retrier).lasting is lasting


def test_absence_that_a_cache_shows_is_no_proof_after_a_lost_answer(store, staged, retrier):
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")] * 10
    store.late = 1_000
    assert deliver(store, staged, retrier).outcome is Outcome.FAILED
    store.is_cached = lambda: True
    assert deliver(store, staged, retrier).outcome is Outcome.UNCONFIRMED


def dripping(block):
    """Yield a block again and again, with pauses."""
    while True:
        time.sleep(0.05)
        yield block


class TestSilence:
    """An upload that is not answered for long is not sent again: the sink is read once instead."""

    @pytest.fixture
    def retrier(self):
        policy = RetryPolicy(attempts=ATTEMPTS, first_pause=0.001, max_silence=90)
        return Retrier(policy, lambda event: None, threading.Event())

    def test_file_that_arrived_is_published(self, store, staged, retrier):
        store.lost_answers[WHEEL] = [TimedOut("No answer.", waited=120)]
        delivery = deliver(store, staged, retrier)
        assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 1)
        assert store.puts == [WHEEL]

    def test_file_that_is_not_shown_is_unconfirmed_and_not_sent_again(self, store, staged, retrier):
        store.refusals[WHEEL] = [TimedOut("No answer.", waited=120)] * 10
        delivery = deliver(store, staged, retrier)
        assert (delivery.outcome, delivery.attempts) == (Outcome.UNCONFIRMED, 1)
        assert (delivery.reason, delivery.lasting) == ("No answer.", False)
        assert store.puts == [WHEEL]

    def test_silent_sink_is_read_only_once(self, store, staged, retrier):
        store.refusals[WHEEL] = [TimedOut("No answer.", waited=120)]
        store.list_errors = [TimedOut("No answer.", waited=50)] * 10
        assert deliver(store, staged, retrier).outcome is Outcome.UNCONFIRMED
        assert len(store.list_errors) == 9

    def test_short_timeout_is_retried(self, store, staged, retrier):
        store.refusals[WHEEL] = [TimedOut("No answer.", waited=10)]
        delivery = deliver(store, staged, retrier)
        assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 2)

    @pytest.mark.parametrize(
        "blocks",
        [[], dripping(b"HTTP/1.1 100 Continue\r\n\r\n")],
        ids=["silence", "endless-100-continue"],
    )
    def test_silent_index_gets_the_upload_once_and_is_read_once(self, staged, blocks):
        policy = RetryPolicy(attempts=ATTEMPTS, first_pause=0.001, max_silence=0.4)
        retrier = Retrier(policy, lambda event: None, threading.Event())

        def respond(request):
            if request.method != "POST":
                return [answer(b"<!DOCTYPE html>")]
            return chain(blocks, wait_for_end())

        def wait_for_end():
            server.ended.wait(30)
            yield b""

        with run_raw(respond) as server:
            config = IndexConfig(url=f"{server.url}simple/", upload_url=f"{server.url}legacy/", timeout=0.3)
            with config.open() as sink:
                delivery = deliver(sink, staged, retrier)
        assert (delivery.outcome, delivery.attempts) == (Outcome.UNCONFIRMED, 1)
        assert [request.method for request in server.requests] == ["POST", "GET"]


class TestCompanions:
    @pytest.fixture
    def signed(self, staged):
        return replace(staged, companions=(Companion(".asc", b"signature"),))

    def test_a_file_whose_signature_was_lost_with_the_answer_is_completed(self, store, signed, retrier):
        take, store.put = store.put, None

        def put(file):
            if WHEEL in store.names():
                take(file)
            else:
                take(replace(file, companions=()))
                raise Unavailable("The line broke.")

        store.put = put
        delivery = deliver(store, signed, retrier)
        assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 2)
        [there] = store.iter_files("sample")
        assert there.companions == (".asc",)

    def test_a_signature_that_cannot_be_brought_leaves_the_file_unconfirmed(self, store, signed, retrier):
        take = store.put

        def put(file):
            take(replace(file, companions=()))
            raise BackendError("No room for signatures.")

        store.put = put
        delivery = deliver(store, signed, retrier)
        assert delivery.outcome is Outcome.UNCONFIRMED
        assert "without all of its companions: No room for signatures." in delivery.reason

    def test_another_signature_at_the_sink_after_a_lost_answer_is_a_failure(self, store, signed, retrier):
        def put(file):
            take(replace(file, companions=(Companion(".asc", b"another signature"),)))
            raise Unavailable("The line broke.")

        take, store.put = store.put, put
        delivery = deliver(store, signed, retrier)
        assert (delivery.outcome, delivery.lasting) == (Outcome.FAILED, True)
        assert "other companions" in delivery.reason
