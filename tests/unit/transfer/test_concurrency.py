"""More transfers at once as long as that helps, fewer when the other side asks for it."""

import pytest

from wheelrelay.transfer.concurrency import (
    FAR,
    FEW,
    INSTANT,
    LONG,
    MOST,
    ROUNDS,
    START,
    ConcurrencyController,
)

PLENTY = 1000
"""Files that have not begun."""


class Time:
    """A clock that goes by hand, and what processors have worked meanwhile."""

    def __init__(self):
        self.now = self.work = 0.0

    def pace(self, fixed=None):
        return ConcurrencyController(fixed, clock=lambda: self.now, worked=lambda: self.work)

    def far(self, fixed=None):
        """A pace that has seen transfers wait for an instant, and one come to its end."""
        pace = self.pace(fixed)
        self.instant(pace, busy=0.1)
        pace.ended(0, PLENTY)
        self.instant(pace, busy=0.1)
        return pace

    def instant(self, pace, *, busy, seconds=INSTANT):
        """Let some time pass in which processors worked for a part of it."""
        self.now += seconds
        self.work += busy * seconds
        pace.sample()

    def window(self, pace, *, rate, busy=0.1, left=PLENTY):
        """Let as many transfers of 100 bytes end as may be under way, at so many bytes a second."""
        count = pace.limit
        for _ in range(count):
            self.now += 100 / rate
            self.work += busy * 100 / rate
            pace.ended(100, left)


@pytest.fixture
def time():
    return Time()


def test_it_begins_with_few_and_takes_several_as_soon_as_they_wait(time):
    pace = time.pace()
    assert (pace.limit, pace.begins) == (FEW, FEW < START)
    time.instant(pace, busy=0.9)
    assert pace.limit == FEW
    time.instant(pace, busy=0.1)
    assert (pace.limit, pace.begins) == (START, True)


def test_it_takes_more_of_what_is_far_away_as_soon_as_that_shows(time):
    pace = time.pace()
    time.instant(pace, busy=0.1)
    time.instant(pace, busy=0.1, seconds=LONG / 2)
    assert pace.limit == START
    time.instant(pace, busy=0.1, seconds=LONG / 2)
    assert (pace.limit, pace.begins) == (FAR, False)


def test_who_has_listed_what_is_far_away_fetches_it_accordingly(time):
    pace = time.pace()
    time.instant(pace, busy=0.1)
    time.instant(pace, busy=0.1, seconds=LONG)
    pace.begin()
    assert (pace.limit, pace.begins) == (FAR, False)


def test_what_soon_comes_to_an_end_is_not_far_away(time):
    pace = time.far()
    time.instant(pace, busy=0.1, seconds=LONG)
    assert (pace.limit, pace.begins) == (START, False)


def test_what_keeps_the_processors_busy_is_not_far_away(time):
    pace = time.pace()
    time.instant(pace, busy=0.1)
    time.instant(pace, busy=0.9, seconds=LONG)
    assert (pace.limit, pace.begins) == (START, True)


def test_a_new_connection_has_to_be_worth_its_beginning(time):
    pace = time.far()
    time.window(pace, rate=1000, left=ROUNDS * 2 * START - 1)
    assert pace.limit == START
    time.window(pace, rate=1000, left=ROUNDS * 2 * START)
    assert pace.limit == 2 * START


def test_less_than_an_instant_tells_nothing(time):
    pace = time.pace()
    time.now += INSTANT / 2
    pace.sample()
    assert pace.limit == FEW


def test_few_are_enough_as_long_as_the_processors_are_busy(time):
    pace = time.pace()
    for _ in range(3):
        time.window(pace, rate=1000, busy=0.9)
    assert pace.limit == FEW
    time.window(pace, rate=1000, busy=0.1)
    assert pace.limit == START


def test_it_grows_while_that_makes_the_whole_faster(time):
    pace = time.far()
    seen = []
    for rate in (1000, 2000, 4000, 8000):
        seen.append(pace.limit)
        time.window(pace, rate=rate)
    assert seen == [START, 2 * START, 4 * START, MOST]


def test_what_did_not_help_is_taken_back_and_stays_so(time):
    pace = time.far()
    time.window(pace, rate=1000)
    assert pace.limit == 2 * START
    for _ in range(5):
        time.window(pace, rate=1050)
    assert pace.limit == START


def test_it_does_not_grow_while_this_process_is_what_is_waited_for(time):
    pace = time.far()
    for rate in (1000, 2000, 3000):
        time.window(pace, rate=rate, busy=0.9)
    assert pace.limit == START


def test_it_can_grow_later_when_the_process_has_time(time):
    pace = time.far()
    time.window(pace, rate=1000, busy=0.9)
    time.window(pace, rate=1000, busy=0.1)
    assert pace.limit == 2 * START


def test_trouble_halves_it_and_it_comes_back_one_by_one(time):
    pace = time.far()
    pace.on_failure()
    assert pace.limit == START // 2
    time.window(pace, rate=1000)
    assert pace.limit == START // 2 + 1
    for _ in range(10):
        time.window(pace, rate=1000)
    assert pace.limit == START


def test_one_is_left_however_much_trouble_there_is(time):
    pace = time.pace()
    for _ in range(10):
        pace.on_failure()
    assert pace.limit == 1


def test_another_place_begins_anew(time):
    pace = time.pace()
    pace.on_failure()
    pace.begin()
    assert pace.limit == FEW
    time.window(pace, rate=1000)
    assert pace.limit == START


@pytest.mark.parametrize("jobs", [1, 3, 100])
def test_what_was_asked_for_stays(time, jobs):
    pace = time.pace(jobs)
    time.window(pace, rate=1000)
    pace.on_failure()
    pace.begin()
    time.window(pace, rate=5000)
    assert (pace.limit, pace.most) == (jobs, jobs)


def test_bytes_that_move_in_no_time_do_no_harm(time):
    pace = time.pace()
    for _ in range(100):
        pace.ended(0, PLENTY)
    assert FEW <= pace.limit <= MOST
