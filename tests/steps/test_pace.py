"""More transfers at once as long as that helps, fewer when the other side asks for it."""

import pytest

from wheelrelay.steps.pace import MOST, START, Pace


class Time:
    """A clock that goes by hand, and what processors have worked meanwhile."""

    def __init__(self):
        self.now = self.work = 0.0

    def pace(self, fixed=None):
        return Pace(fixed, clock=lambda: self.now, worked=lambda: self.work)

    def window(self, pace, *, rate, busy=0.1):
        """Let as many transfers of 100 bytes end as may be under way, at so many bytes a second."""
        count = pace.limit
        for _ in range(count):
            self.now += 100 / rate
            self.work += busy * 100 / rate
            pace.ended(100)


@pytest.fixture
def time():
    return Time()


def test_it_grows_while_that_makes_the_whole_faster(time):
    pace = time.pace()
    seen = []
    for rate in (1000, 2000, 4000, 8000):
        seen.append(pace.limit)
        time.window(pace, rate=rate)
    assert seen == [START, 2 * START, 4 * START, MOST]


def test_what_did_not_help_is_taken_back_and_stays_so(time):
    pace = time.pace()
    time.window(pace, rate=1000)
    assert pace.limit == 2 * START
    for _ in range(5):
        time.window(pace, rate=1050)
    assert pace.limit == START


def test_it_does_not_grow_while_this_process_is_what_is_waited_for(time):
    pace = time.pace()
    for rate in (1000, 2000, 3000):
        time.window(pace, rate=rate, busy=0.9)
    assert pace.limit == START


def test_it_can_grow_later_when_the_process_has_time(time):
    pace = time.pace()
    time.window(pace, rate=1000, busy=0.9)
    time.window(pace, rate=1000, busy=0.1)
    assert pace.limit == 2 * START


def test_trouble_halves_it_and_it_comes_back_one_by_one(time):
    pace = time.pace()
    pace.troubled()
    assert pace.limit == START // 2
    time.window(pace, rate=1000)
    assert pace.limit == START // 2 + 1
    for _ in range(10):
        time.window(pace, rate=1000)
    assert pace.limit == START


def test_one_is_left_however_much_trouble_there_is(time):
    pace = time.pace()
    for _ in range(10):
        pace.troubled()
    assert pace.limit == 1


def test_another_place_begins_anew(time):
    pace = time.pace()
    pace.troubled()
    pace.begin()
    assert pace.limit == START
    time.window(pace, rate=1000)
    assert pace.limit == 2 * START


@pytest.mark.parametrize("jobs", [1, 3, 100])
def test_what_was_asked_for_stays(time, jobs):
    pace = time.pace(jobs)
    time.window(pace, rate=1000)
    pace.troubled()
    pace.begin()
    time.window(pace, rate=5000)
    assert (pace.limit, pace.most) == (jobs, jobs)


def test_bytes_that_move_in_no_time_do_no_harm(time):
    pace = time.pace()
    for _ in range(100):
        pace.ended(0)
    assert START <= pace.limit <= MOST
