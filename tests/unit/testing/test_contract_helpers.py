"""Helpers of the contract cases."""

from itertools import count
from threading import Event

import pytest

from wheelrelay.errors import NotFound, Unavailable
from wheelrelay.testing.contract_helpers import observe_during


def reader(outcomes):
    """Return a function that returns or raises each outcome, then the last one, and an event for its end."""
    is_done, calls = Event(), count(1)

    def read():
        if (call := next(calls)) >= len(outcomes):
            is_done.set()
        outcome = outcomes[min(call, len(outcomes)) - 1]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return read, is_done


def test_observer_reads_again_after_a_temporary_error():
    read, is_done = reader([Unavailable("The server answered 500."), "old", Unavailable("Again."), "new"])
    with observe_during(read) as observed:
        assert is_done.wait(30)
    assert observed.values[:2] == ["old", "new"]


@pytest.mark.parametrize("error", [Unavailable("The server answered 500."), NotFound("No such object.")])
def test_observer_raises_the_error_if_no_read_succeeds(error):
    read, is_done = reader([error])
    with pytest.raises(type(error)) as raised, observe_during(read):
        assert is_done.wait(30)
    assert raised.value is error


def test_observer_raises_other_errors_after_successful_reads():
    read, is_done = reader(["old", NotFound("No such object.")])
    with pytest.raises(NotFound), observe_during(read):
        assert is_done.wait(30)
