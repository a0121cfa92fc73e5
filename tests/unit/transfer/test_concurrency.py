"""The number of parallel transfers grows while that helps, and shrinks when the server fails."""

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
    """A manual clock for real time and processor time."""

    def __init__(self):
        self.now = self.work = 0.0

    def controller(self, fixed=None):
        return ConcurrencyController(fixed, clock=lambda: self.now, cpu_time=lambda: self.work)

    def nearby(self, fixed=None):
        """Return a controller that has limits transfers wait, and one complete."""
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


def test_starts_cpu_bound_and_grows_when_transfers_wait(time):
    controller = time.controller()
    assert (controller.limit, controller.is_ramping_up) == (CPU_BOUND, CPU_BOUND < INITIAL)
    time.instant(controller, busy=0.9)
    assert controller.limit == CPU_BOUND
    time.instant(controller, busy=0.1)
    assert (controller.limit, controller.is_ramping_up) == (INITIAL, True)


def test_grows_further_for_a_remote_server(time):
    controller = time.controller()
    time.instant(controller, busy=0.1)
    time.instant(controller, busy=0.1, seconds=REMOTE_AFTER / 2)
    assert controller.limit == INITIAL
    time.instant(controller, busy=0.1, seconds=REMOTE_AFTER / 2)
    assert (controller.limit, controller.is_ramping_up) == (REMOTE, False)


def test_next_batch_remembers_that_the_server_is_remote(time):
    controller = time.controller()
    time.instant(controller, busy=0.1)
    time.instant(controller, busy=0.1, seconds=REMOTE_AFTER)
    controller.begin_batch()
    assert (controller.limit, controller.is_ramping_up) == (REMOTE, False)


def test_server_with_quick_transfers_is_not_remote(time):
    controller = time.nearby()
    time.instant(controller, busy=0.1, seconds=REMOTE_AFTER)
    assert (controller.limit, controller.is_ramping_up) == (INITIAL, False)


def test_server_that_keeps_processors_busy_is_not_remote(time):
    controller = time.controller()
    time.instant(controller, busy=0.1)
    time.instant(controller, busy=0.9, seconds=REMOTE_AFTER)
    assert (controller.limit, controller.is_ramping_up) == (INITIAL, True)


def test_does_not_grow_with_few_files_remaining(time):
    controller = time.nearby()
    time.window(controller, rate=1000, left=MIN_ROUNDS * 2 * INITIAL - 1)
    assert controller.limit == INITIAL
    time.window(controller, rate=1000, left=MIN_ROUNDS * 2 * INITIAL)
    assert controller.limit == 2 * INITIAL


def test_ignores_samples_within_the_interval(time):
    controller = time.controller()
    time.now += SAMPLE_INTERVAL / 2
    controller.sample()
    assert controller.limit == CPU_BOUND


def test_stays_cpu_bound_while_processors_are_busy(time):
    controller = time.controller()
    for _ in range(3):
        time.window(controller, rate=1000, busy=0.9)
    assert controller.limit == CPU_BOUND
    time.window(controller, rate=1000, busy=0.1)
    assert controller.limit == INITIAL


def test_doubles_while_throughput_rises(time):
    controller = time.nearby()
    limits = []
    for rate in (1000, 2000, 4000, 8000):
        limits.append(controller.limit)
        time.window(controller, rate=rate)
    assert limits == [INITIAL, 2 * INITIAL, 4 * INITIAL, MAXIMUM]


def test_takes_back_growth_that_did_not_help(time):
    controller = time.nearby()
    time.window(controller, rate=1000)
    assert controller.limit == 2 * INITIAL
    for _ in range(5):
        time.window(controller, rate=1050)
    assert controller.limit == INITIAL


def test_does_not_grow_while_this_process_is_the_bottleneck(time):
    controller = time.nearby()
    for rate in (1000, 2000, 3000):
        time.window(controller, rate=rate, busy=0.9)
    assert controller.limit == INITIAL


def test_grows_later_when_processors_become_idle(time):
    controller = time.nearby()
    time.window(controller, rate=1000, busy=0.9)
    time.window(controller, rate=1000, busy=0.1)
    assert controller.limit == 2 * INITIAL


def test_failure_halves_the_limit_and_it_recovers_one_by_one(time):
    controller = time.nearby()
    controller.on_failure()
    assert controller.limit == INITIAL // 2
    time.window(controller, rate=1000)
    assert controller.limit == INITIAL // 2 + 1
    for _ in range(10):
        time.window(controller, rate=1000)
    assert controller.limit == INITIAL


def test_limit_stays_at_least_one(time):
    controller = time.controller()
    for _ in range(10):
        controller.on_failure()
    assert controller.limit == 1


def test_next_batch_starts_anew(time):
    controller = time.controller()
    controller.on_failure()
    controller.begin_batch()
    assert controller.limit == CPU_BOUND
    time.window(controller, rate=1000)
    assert controller.limit == INITIAL


@pytest.mark.parametrize("jobs", [1, 3, 100])
def test_fixed_limit_does_not_change(time, jobs):
    controller = time.controller(jobs)
    time.window(controller, rate=1000)
    controller.on_failure()
    controller.begin_batch()
    time.window(controller, rate=5000)
    assert (controller.limit, controller.maximum) == (jobs, jobs)


def test_transfers_in_zero_seconds_are_harmless(time):
    controller = time.controller()
    for _ in range(100):
        controller.on_completion(0, PLENTY)
    assert CPU_BOUND <= controller.limit <= MAXIMUM
