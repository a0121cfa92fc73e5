"""Compare this machine's clock with that of a server, by the header ``Date`` of its responses."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time


class ServerClock:
    """The time that a server reported last, and the local time at which it was received.

    A cache may send the time at which it stored a response, so a time without ``Age`` is preferred.
    """

    def __init__(self) -> None:
        self._reading: tuple[str, str, float] | None = None

    def observe(self, headers: Mapping[str, str]) -> None:
        """Record the time in the headers of a response that arrived at this moment."""
        date, age = headers.get("Date"), headers.get("Age", "")
        if date and (not age or self._reading is None or self._reading[1]):
            self._reading = (date, age, time())

    def offset(self) -> float | None:
        """Return the seconds by which the local clock is ahead of the server's, negative if it is behind.

        The result is 0 if both may agree, as far as caches allow, and ``None`` if no time is known.

        >>> clock = ServerClock()
        >>> clock.observe({"Date": "Thu, 01 Jan 1970 00:00:00 GMT"})
        >>> clock.offset() > 1e9
        True
        """
        if self._reading is None:
            return None
        date, age, now = self._reading
        try:
            sent = parsedate_to_datetime(date).timestamp()
            newest = sent + int(age or 0) + 1  # the header has full seconds
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
        return min(now - sent, 0.0) or max(now - newest, 0.0)
