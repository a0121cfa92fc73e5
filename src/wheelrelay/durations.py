"""Durations as users write them: ``90s``, ``20m``, ``2h``, ``14d``.

Separate from `config.values`, because commands without a configuration need them without pydantic.
"""

import re
from datetime import timedelta
from typing import Any

MAX_DURATION = timedelta(days=36_500)
"""The longest accepted duration, a hundred years: longer ones are typing errors, and overflow dates."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(value: Any) -> timedelta:
    """Parse ``90s``, ``20m``, ``2h``, ``14d``, ``3w`` or a combination such as ``1h30m``.

    Raises:
        ValueError: It is not a duration, or is longer than `MAX_DURATION`.

    >>> parse_duration("1h30m")
    datetime.timedelta(seconds=5400)
    """
    if isinstance(value, timedelta):
        return value
    parts = re.findall(r"(\d+)([smhdw])", value) if isinstance(value, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != value:
        raise ValueError(f"{value!r} is not a duration: write 90s, 20m, 2h or 14d")
    try:
        duration = sum(
            (timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), start=timedelta()
        )
    except (OverflowError, ValueError):  # too large for a timedelta, or for int()
        duration = timedelta.max
    if duration > MAX_DURATION:
        raise ValueError(f"{value[:40]!r} is too long: at most {MAX_DURATION.days}d")
    return duration


def format_duration(value: timedelta) -> str:
    """Return a duration in the form that configurations use.

    >>> format_duration(timedelta(minutes=90))
    '90m'
    """
    seconds = int(value.total_seconds())
    lengths = {"d": 86400, "h": 3600, "m": 60}
    return next(
        (
            f"{seconds // length}{unit}"
            for unit, length in lengths.items()
            if seconds and seconds % length == 0
        ),
        f"{seconds}s",
    )
