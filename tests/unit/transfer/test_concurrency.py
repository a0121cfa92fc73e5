"""More transfers at once as long as that helps, fewer when the other side asks for it."""

import pytest

from wheelrelay.transfer.concurrency import (
    CPU_BOUND,
    INITIAL,
    MAXIMUM,
    MIN_ROUNDS,
    REMOTE,
    REMOTE_AFTER,
    SAMPLE_INTERVAL,
    ConcurrencyController,
)

PLENTY = 1000
"""Files that have not begun."""


class Time:
    """A clock that goes by hand, and what processors have worked meanwhile."""

    def __init__(self):
        self.now = self.work = 0.0

    def controller(self, fixed=None):
        return ConcurrencyController(fixed, clock=lambda: self.now, cpu_time=lambda: self.work)

    def nearby(self, fixed=None):
        """A controller that has seen transfers wait for an instant, and one come to its end."""
        controller = self.controller(fixed)
        self.instant(controller, busy=0.1)
        controller.on_completion(0, PLENTY)
        self.instant(controller, busy=0.1)
        return controller

    def instant(self, controller, *, busy, seconds=SAMPLE_INTERVAL):
        """Let some time pass in which processors worked for a part of it."""
        self.now += seconds
        self.work += busy * seconds
        controller.sample()

    def window(self, controller, *, rate, busy=0.1, left=PLENTY):
        """Let as many transfers of 100 bytes end as may be under way, at so many bytes a second."""
        count = controller.limit
        for _ in range(count):
            self.now += 100 / rate
            self.work += busy * 100 / rate
            controller.on_completion(100, left)


@pytest.fixture
def time():
    return Time()


def test_it_begins_with_few_and_takes_several_as_soon_as_they_wait(time):
    controller = time.controller()
    assert (controller.limit, controller.is_ramping_up) == (CPU_BOUND, CPU_BOUND < INITIAL)
    time.instant(controller, busy=0.9)
    assert controller.limit == CPU_BOUND
    time.instant(controller, busy=0.1)
    assert (controller.limit, controller.is_ramping_up) == (INITIAL, True)


def test_it_takes_more_of_what_is_far_away_as_soon_as_that_shows(time):
    controller = time.controller()
    time.instant(controller, busy=0.1)
    time.instant(controller, busy=0.1, seconds=REMOTE_AFTER / 2)
    assert controller.limit == INITIAL
    time.instant(controller, busy=0.1, seconds=REMOTE_AFTER / 2)
    assert (controller.limit, controller.is_ramping_up) == (REMOTE, False)


def test_who_has_listed_what_is_far_away_fetches_it_accordingly(time):
    controller = time.controller()
    time.instant(controller, busy=0.1)
    time.instant(controller, busy=0.1, seconds=REMOTE_AFTER)
    controller.begin_batch()
    assert (controller.limit, controller.is_ramping_up) == (REMOTE, False)


def test_what_soon_comes_to_an_end_is_not_far_away(time):
    controller = time.nearby()
    time.instant(controller, busy=0.1, seconds=REMOTE_AFTER)
    assert (controller.limit, controller.is_ramping_up) == (INITIAL, False)


def test_what_keeps_the_processors_busy_is_not_far_away(time):
    controller = time.controller()
    time.instant(controller, busy=0.1)
    time.instant(controller, busy=0.9, seconds=REMOTE_AFTER)
    assert (controller.limit, controller.is_ramping_up) == (INITIAL, True)


def test_a_new_connection_has_to_be_worth_its_beginning(time):
    controller = time.nearby()
    time.window(controller, rate=1000, left=MIN_ROUNDS * 2 * INITIAL - 1)
    assert controller.limit == INITIAL
    time.window(controller, rate=1000, left=MIN_ROUNDS * 2 * INITIAL)
    assert controller.limit == 2 * INITIAL


def test_less_than_an_instant_tells_nothing(time):
    controller = time.controller()
    time.now += SAMPLE_INTERVAL / 2
    controller.sample()
    assert controller.limit == CPU_BOUND


def test_few_are_enough_as_long_as_the_processors_are_busy(time):
    controller = time.controller()
    for _ in range(3):
        time.window(controller, rate=1000, busy=0.9)
    assert controller.limit == CPU_BOUND
    time.window(controller, rate=1000, busy=0.1)
    assert controller.limit == INITIAL


def test_it_grows_while_that_makes_the_whole_faster(time):
    controller = time.nearby()
    seen = []
    for rate in (1000, 2000, 4000, 8000):
        seen.append(controller.limit)
        time.window(controller, rate=rate)
    assert seen == [INITIAL, 2 * INITIAL, 4 * INITIAL, MAXIMUM]


def test_what_did_not_help_is_taken_back_and_stays_so(time):
    controller = time.nearby()
    time.window(controller, rate=1000)
    assert controller.limit == 2 * INITIAL
    for _ in range(5):
        time.window(controller, rate=1050)
    assert controller.limit == INITIAL


def test_it_does_not_grow_while_this_process_is_what_is_waited_for(time):
    controller = time.nearby()
    for rate in (1000, 2000, 3000):
        time.window(controller, rate=rate, busy=0.9)
    assert controller.limit == INITIAL


def test_it_can_grow_later_when_the_process_has_time(time):
    controller = time.nearby()
    time.window(controller, rate=1000, busy=0.9)
    time.window(controller, rate=1000, busy=0.1)
    assert controller.limit == 2 * INITIAL


def test_trouble_halves_it_and_it_comes_back_one_by_one(time):
    controller = time.nearby()
    controller.on_failure()
    assert controller.limit == INITIAL // 2
    time.window(controller, rate=1000)
    assert controller.limit == INITIAL // 2 + 1
    for _ in range(10):
        time.window(controller, rate=1000)
    assert controller.limit == INITIAL


def test_one_is_left_however_much_trouble_there_is(time):
    controller = time.controller()
    for _ in range(10):
        controller.on_failure()
    assert controller.limit == 1


def test_another_place_begins_anew(time):
    controller = time.controller()
    controller.on_failure()
    controller.begin_batch()
    assert controller.limit == CPU_BOUND
    time.window(controller, rate=1000)
    assert controller.limit == INITIAL


@pytest.mark.parametrize("jobs", [1, 3, 100])
def test_what_was_asked_for_stays(time, jobs):
    controller = time.controller(jobs)
    time.window(controller, rate=1000)
    controller.on_failure()
    controller.begin_batch()
    time.window(controller, rate=5000)
    assert (controller.limit, controller.maximum) == (jobs, jobs)


def test_bytes_that_move_in_no_time_do_no_harm(time):
    controller = time.controller()
    for _ in range(100):
        controller.on_completion(0, PLENTY)
    assert CPU_BOUND <= controller.limit <= MAXIMUM
