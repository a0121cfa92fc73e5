"""Retries are bounded, pause longer each time, and end with the relay."""

import threading
import time

import pytest

from wheelrelay.errors import AuthenticationFailed, SizeMismatch, Unavailable
from wheelrelay.events import Waiting
from wheelrelay.transfer.retry import Retrier, RetryPolicy

QUICK = RetryPolicy(attempts=4, first_pause=0.001)


class Operation:
    """Fails as often as it has errors, and then succeeds."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.fixture
def events():
    return []


@pytest.fixture
def stopped():
    return threading.Event()


@pytest.fixture
def retrier(events, stopped):
    return Retrier(QUICK, events.append, stopped)


def test_retries_retryable_errors(retrier, events):
    operation = Operation(Unavailable("Busy."), SizeMismatch("Cut."))
    assert retrier.call("the page", operation) == "done"
    assert operation.calls == 3
    assert [(event.what, event.error) for event in events] == [("the page", "Busy."), ("the page", "Cut.")]
    assert all(isinstance(event, Waiting) for event in events)


def test_does_not_retry_other_errors(retrier):
    operation = Operation(AuthenticationFailed("Who are you?"))
    with pytest.raises(AuthenticationFailed):
        retrier.call("the page", operation)
    assert operation.calls == 1


def test_raises_the_last_error_after_all_attempts(retrier):
    operation = Operation(*[Unavailable(f"Busy {n}.") for n in range(10)])
    with pytest.raises(Unavailable, match="Busy 3"):
        retrier.call("the page", operation)
    assert operation.calls == QUICK.attempts


def test_pause_ends_when_the_relay_stops(events, stopped):
    retrier = Retrier(RetryPolicy(first_pause=60), events.append, stopped)
    threading.Timer(0.05, stopped.set).start()
    began = time.monotonic()
    with pytest.raises(Unavailable):
        retrier.call("the page", Operation(Unavailable("Busy.")))
    assert time.monotonic() - began < 10


def test_does_not_retry_after_the_relay_stopped(retrier, events, stopped):
    stopped.set()
    operation = Operation(Unavailable("Busy."))
    with pytest.raises(Unavailable):
        retrier.call("the page", operation)
    assert (operation.calls, events) == (1, [])


def test_pauses_double_with_a_random_part():
    policy = RetryPolicy(first_pause=1.0)
    for attempt, middle in ((1, 1.0), (2, 2.0), (3, 4.0)):
        pauses = {policy.pause_after(attempt, Unavailable("Busy.")) for _ in range(20)}
        assert len(pauses) > 1
        assert all(middle / 2 <= pause <= middle * 1.5 for pause in pauses)


def test_honours_retry_after_up_to_the_longest_pause():
    policy = RetryPolicy(longest_pause=60)
    assert policy.pause_after(1, Unavailable("Busy.", retry_after=7)) == 7
    assert policy.pause_after(1, Unavailable("Busy.", retry_after=86_400)) == 60
    assert policy.pause_after(1, Unavailable("Busy.", retry_after=0)) == 0
    assert policy.pause_after(20, Unavailable("Busy.")) == 60
