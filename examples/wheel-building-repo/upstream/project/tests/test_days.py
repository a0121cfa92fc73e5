"""Julian days, and the way back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import skyclock

KNOWN = {
    2451545.0: datetime(2000, 1, 1, 12, tzinfo=UTC),
    2446822.5: datetime(1987, 1, 27, tzinfo=UTC),
    2415020.5: datetime(1900, 1, 1, tzinfo=UTC),
    2436116.31: datetime(1957, 10, 4, 19, 26, 24, tzinfo=UTC),
    1721425.5: datetime(1, 1, 1, tzinfo=UTC),
}


@pytest.mark.parametrize("day", KNOWN)
def test_known_days_are_found_both_ways(day):
    assert skyclock.julian_day(KNOWN[day]) == pytest.approx(day, abs=1e-8)
    assert abs(skyclock.moment(day) - KNOWN[day]) < timedelta(milliseconds=1)


def test_every_day_of_four_centuries_is_one_later_than_the_day_before():
    start = datetime(1800, 1, 1, tzinfo=UTC)
    first = skyclock.julian_day(start)
    for count in range(400 * 365):
        assert skyclock.julian_day(start + timedelta(days=count)) == first + count
        assert skyclock.moment(first + count) == start + timedelta(days=count)


def test_time_zones_are_taken_into_account():
    berlin = timezone(timedelta(hours=1))
    assert skyclock.julian_day(datetime(2000, 1, 1, 13, tzinfo=berlin)) == 2451545.0


@pytest.mark.parametrize("day", [float("nan"), float("inf"), -1.0, 1e9])
def test_what_is_no_day_is_refused(day):
    with pytest.raises(ValueError, match="julian_day"):
        skyclock.moment(day)
