"""The local clock is compared with the header ``Date`` of responses."""

import time
from email.utils import formatdate

import pytest

from wheelrelay.http import HttpClient
from wheelrelay.http.clock import ServerClock


def clock(*readings):
    observed = ServerClock()
    for seconds, age in readings:
        headers = {"Date": formatdate(time.time() + seconds, usegmt=True)}
        observed.observe(headers | ({"Age": age} if age else {}))
    return observed


def test_offset_is_zero_if_the_clocks_agree():
    assert clock((0, "")).offset() == pytest.approx(0, abs=1)


def test_offset_is_positive_if_the_local_clock_is_ahead():
    assert clock((-3600, "")).offset() == pytest.approx(3599, abs=2)


def test_offset_is_negative_if_the_local_clock_is_behind():
    assert clock((3600, "")).offset() == pytest.approx(-3600, abs=2)


def test_stored_response_may_be_as_old_as_its_age():
    assert clock((-500, "600")).offset() == 0
    assert clock((0, "600")).offset() == pytest.approx(0, abs=1)
    assert clock((-900, "600")).offset() == pytest.approx(299, abs=2)


def test_time_without_age_is_preferred():
    assert clock((-500, ""), (-9000, "600")).offset() == pytest.approx(499, abs=2)
    assert clock((-9000, "600"), (-500, "")).offset() == pytest.approx(499, abs=2)


@pytest.mark.parametrize("headers", [{}, {"Date": "today"}, {"Date": formatdate(), "Age": "old"}])
def test_offset_is_unknown_without_a_valid_time(headers):
    observed = ServerClock()
    observed.observe(headers)
    assert observed.offset() is None


def test_client_observes_each_response(web):
    http = HttpClient()
    assert http.clock.offset() is None
    with http.get(web.serve("/page", "text")):
        pass
    assert http.clock.offset() == pytest.approx(0, abs=2)
    http.close()
