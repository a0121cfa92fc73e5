"""Write and parse values of HTTP headers."""

import math
from email.utils import parsedate_to_datetime
from time import time

MAX_RETRY_AFTER = 1e9
"""Seconds; a server that requests a longer wait is understood to request this one."""


def range_header(start: int, stop: int | None) -> str:
    """Return the ``Range`` header for the bytes from ``start`` up to ``stop`` (RFC 9110, section 14.2).

    >>> range_header(100, 200), range_header(100, None)
    ('bytes=100-199', 'bytes=100-')
    """
    return f"bytes={start}-{'' if stop is None else stop - 1}"


def content_range_starts_at(start: int, content_range: str) -> bool:
    """Return whether a ``Content-Range`` header describes a part that starts at byte ``start``.

    Args:
        start: the first byte, from 0.
        content_range: the header; empty if the response has none.

    >>> content_range_starts_at(100, "bytes 100-199/1000")
    True
    >>> content_range_starts_at(100, "bytes 0-999/1000"), content_range_starts_at(100, "")
    (False, False)
    """
    return content_range.strip().lower().startswith(f"bytes {start}-")


def parse_retry_after(value: str) -> float | None:
    """Parse a ``Retry-After`` header into seconds: a number, or a date relative to now.

    A value that cannot be parsed is ignored. The result is finite and not negative.

    >>> parse_retry_after("120"), parse_retry_after("1.5")
    (120.0, 1.5)
    >>> parse_retry_after("nan"), parse_retry_after("soon")
    (None, None)
    """
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    if math.isnan(seconds) or seconds < 0:
        return None
    return min(seconds, MAX_RETRY_AFTER)


def _seconds_until(date: str) -> float:
    """Return the seconds until an HTTP date: 0 if it has passed, NaN if it cannot be parsed."""
    try:
        return max(0.0, parsedate_to_datetime(date.strip()).timestamp() - time())
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return math.nan
