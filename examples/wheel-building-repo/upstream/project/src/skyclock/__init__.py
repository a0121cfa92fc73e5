"""Dates and times as astronomers count them."""

from datetime import UTC, datetime, timedelta

from skyclock import _skytime

__all__ = ["julian_day", "moment"]

_DAY = timedelta(days=1)


def julian_day(moment: datetime) -> float:
    """The Julian day of a moment; one without a time zone counts as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    utc = moment.astimezone(UTC)
    midnight = utc.replace(hour=0, minute=0, second=0, microsecond=0)
    return _skytime.julian_day(utc.year, utc.month, utc.day + (utc - midnight) / _DAY)


def moment(julian_day: float) -> datetime:
    """The moment of a Julian day in UTC, to a tenth of a millisecond: a float has no more.

    Raises:
        ValueError: it is not in the years 1 to 9999.
    """
    year, month, day = _skytime.calendar(julian_day)
    whole = int(day)
    time_of_day = timedelta(milliseconds=round((day - whole) * 864_000_000) / 10)
    return datetime(year, month, whole, tzinfo=UTC) + time_of_day
