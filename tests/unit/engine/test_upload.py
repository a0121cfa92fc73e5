"""Publishing one file: retries, and outcomes that are determined by reading the sink."""

import threading
import time
from dataclasses import replace
from itertools import chain

import pytest
from tests.servers.faulty_store import FaultyStore, WriteOnlySink, staged_files
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
    return FaultyStore()


def test_publishes_at_the_first_attempt(store, staged, retrier):
    delivery = deliver(store, staged, retrier)
    assert (delivery.outcome, delivery.attempts, delivery.reason) == (Outcome.PUBLISHED, 1, None)
    assert store.names() == [WHEEL]


def test_retries_retryable_errors(store, staged, retrier):
    store.refusals[WHEEL] = [Unavailable("Busy."), Unavailable("Busy.")]
    delivery = deliver(store, staged, retrier)
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 3)


def test_refusal_is_not_retried(store, staged, retrier):
    store.refusals[WHEEL] = [Rejected("The description is bad.", status=400)]
    delivery = deliver(store, staged, retrier)
    assert (delivery.outcome, delivery.attempts) == (Outcome.FAILED, 1)
    assert delivery.reason == "The description is bad."


def test_lasting_error_is_a_failure_if_the_file_is_absent(store, staged, retrier):
    store.refusals[WHEEL] = [Unavailable("Busy.")] * 10
    delivery = deliver(store, staged, retrier)
    assert (delivery.outcome, delivery.attempts, delivery.reason) == (Outcome.FAILED, ATTEMPTS, "Busy.")


def test_lost_answer_is_resolved_by_reading_not_by_sending_again(store, staged, retrier):
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    delivery = deliver(store, staged, retrier)
    assert delivery.outcome is Outcome.PUBLISHED
    assert store.puts == [WHEEL]


def test_lost_answer_is_resolved_at_the_last_attempt(store, staged, retrier):
    store.refusals[WHEEL] = [Unavailable("Busy.")] * (ATTEMPTS - 1)
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    assert deliver(store, staged, retrier).outcome is Outcome.PUBLISHED
    assert len(store.puts) == ATTEMPTS


def test_lost_answer_of_sink_without_digests_is_resolved_by_downloading(store, staged, retrier):
    store.shown = Digests()
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    assert deliver(store, staged, retrier).outcome is Outcome.PUBLISHED
    assert store.puts == [WHEEL]


def test_lost_answer_of_unreadable_sink_is_unconfirmed(store, staged, retrier):
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")] * 10
    store.list_errors = [AuthenticationFailed("Who are you?")] * 10
    delivery = deliver(store, staged, retrier)
    assert (delivery.outcome, delivery.reason) == (Outcome.UNCONFIRMED, "The line broke.")


def test_refusal_after_lost_answer_does_not_prove_absence(store, staged, retrier):
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    blind = WriteOnlySink(store)

    def put(file):
        if store.puts:
            raise Rejected("This name is taken, or something.", status=400)
        store.put(file)

    blind.put = put
    assert deliver(blind, staged, retrier).outcome is Outcome.UNCONFIRMED


def test_name_taken_by_another_upload_is_a_failure(store, staged, other, retrier):
    def put(file):
        store.put(other)
        raise Unavailable("The line broke.")

    sink = WriteOnlySink(store)
    sink.put, sink.inventory = put, store.inventory
    delivery = deliver(sink, staged, retrier)
    assert delivery.outcome is Outcome.FAILED
    assert "other bytes" in delivery.reason


def test_existing_same_bytes_are_skipped(store, staged, retrier):
    store.put(staged)
    store.refusals[WHEEL] = [AlreadyExists("It is there.")]
    delivery = deliver(store, staged, retrier)
    assert (delivery.outcome, delivery.reason) == (Outcome.SKIPPED, "the same bytes exist")


def test_same_bytes_at_a_later_attempt_count_as_published(store, staged, retrier):
    store.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    store.late = 1  # the first read does not show the file
    sink = WriteOnlySink(store)
    sink.inventory = store.inventory

    def put(file):
        if file.filename in store.names():
            raise AlreadyExists("It is there.")
        store.put(file)

    sink.put = put
    delivery = deliver(sink, staged, retrier)
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 2)


def test_existing_other_bytes_are_a_failure_and_stay(store, staged, other, retrier):
    store.put(other)
    delivery = deliver(store, staged, retrier)
    assert delivery.outcome is Outcome.FAILED
    [there] = store.iter_files("sample")
    assert there.sha256 == other.sha256


def test_taken_name_that_is_not_shown_is_unconfirmed(store, staged, retrier):
    store.refusals[WHEEL] = [AlreadyExists("It is there.")]
    assert deliver(store, staged, retrier).outcome is Outcome.UNCONFIRMED


def test_taken_name_at_write_only_sink_is_skipped(store, staged, retrier):
    store.refusals[WHEEL] = [AlreadyExists("It is there.")]
    delivery = deliver(WriteOnlySink(store), staged, retrier)
    assert delivery.outcome is Outcome.SKIPPED
    assert "cannot be compared" in delivery.reason


class Copying(FaultyStore):
    """A store on the server of the source; it records the copies."""

    def __init__(self):
        super().__init__()
        self.copied = []

    def put_from(self, source, staged):
        self.copied.append((source, staged.filename))
        self.put(staged)


def test_sink_on_the_same_server_copies(staged, retrier):
    source, sink = FaultyStore(), Copying()
    delivery = deliver(sink, staged, retrier, source=source)
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 1)
    assert sink.copied == [(source, WHEEL)]


def test_sends_staged_bytes_after_failed_copy(staged, retrier):
    sink = Copying()
    sink.refusals[WHEEL] = [Unavailable("Busy."), Unavailable("Busy.")]
    delivery = deliver(sink, staged, retrier, source=FaultyStore())
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 3)
    assert len(sink.copied) == 1


def test_copy_with_lost_answer_is_published(staged, retrier):
    sink = Copying()
    sink.lost_answers[WHEEL] = [Unavailable("The line broke.")]
    delivery = deliver(sink, staged, retrier, source=FaultyStore())
    assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 1)
    assert sink.puts == [WHEEL]


class TestErrorsAfterTheFileArrived:
    """An error that is not retryable does not prove that the sink has not accepted the file."""

    @pytest.mark.parametrize(
        "error",
        [
            BackendError("The folder cannot be synced."),
            PermissionDenied("HEAD is not allowed."),
            KeyError("x"),
        ],
        ids=["after-the-rename", "on-the-look-after-it", "of-a-foreign-backend"],
    )
    def test_file_that_arrived_despite_an_error_is_published(self, store, staged, retrier, error):
        store.lost_answers[WHEEL] = [error]
        delivery = deliver(store, staged, retrier)
        assert (delivery.outcome, delivery.attempts) == (Outcome.PUBLISHED, 1)
        assert store.puts == [WHEEL]

    def test_is_unconfirmed_if_the_sink_cannot_be_read(self, store, staged, retrier):
        store.lost_answers[WHEEL] = [PermissionDenied("HEAD is not allowed.")]
        store.list_errors = [PermissionDenied("GET is not allowed.")] * 10
        delivery = deliver(store, staged, retrier)
        assert (delivery.outcome, delivery.reason) == (Outcome.UNCONFIRMED, "HEAD is not allowed.")

    def test_unexpected_error_of_write_only_sink_is_unconfirmed(self, staged, retrier):
        store = FaultyStore()
        store.lost_answers[WHEEL] = [KeyError("x")]
        assert deliver(WriteOnlySink(store), staged, retrier).outcome is Outcome.UNCONFIRMED

    def test_refusal_of_write_only_sink_is_a_failure(self, store, staged, retrier):
        store.refusals[WHEEL] = [Rejected("The description is bad.", status=400)]
        assert deliver(WriteOnlySink(store), staged, retrier).outcome is Outcome.FAILED


@pytest.mark.parametrize(("error", "lasting"), [(Rejected("Bad."), True), (Unavailable("Busy."), False)])
def test_failure_is_lasting_unless_retryable(store, staged, retrier, error, lasting):
    store.refusals[WHEEL] = [error] * 10
    assert deliver(store, staged, retrier).lasting is lasting


def test_cached_absence_does_not_prove_a_failure(store, staged, retrier):
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

    def test_look_after_silence_is_short(self, store, staged):
        policy = RetryPolicy(attempts=ATTEMPTS, first_pause=0.001, look_after_silence=0.05)
        store.refusals[WHEEL] = [TimedOut("No answer.", waited=100)]
        ended = threading.Event()
        sink = WriteOnlySink(store)
        sink.inventory = lambda project: ended.wait(60) and []
        try:
            delivery = deliver(sink, staged, Retrier(policy, lambda event: None, threading.Event()))
            assert not ended.is_set()
        finally:
            ended.set()
        assert (delivery.outcome, delivery.attempts) == (Outcome.UNCONFIRMED, 1)

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

    def test_signature_lost_with_the_answer_is_sent_again(self, store, signed, retrier):
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

    def test_file_without_its_signature_is_unconfirmed(self, store, signed, retrier):
        take = store.put

        def put(file):
            take(replace(file, companions=()))
            raise BackendError("No room for signatures.")

        store.put = put
        delivery = deliver(store, signed, retrier)
        assert delivery.outcome is Outcome.UNCONFIRMED
        assert "without all of its companions: No room for signatures." in delivery.reason

    def test_different_signature_after_lost_answer_is_a_failure(self, store, signed, retrier):
        def put(file):
            take(replace(file, companions=(Companion(".asc", b"another signature"),)))
            raise Unavailable("The line broke.")

        take, store.put = store.put, put
        delivery = deliver(store, signed, retrier)
        assert (delivery.outcome, delivery.lasting) == (Outcome.FAILED, True)
        assert "other companions" in delivery.reason
