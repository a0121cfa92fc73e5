"""How much TCP lets a connection have on its way: little at first, and more with all that arrives.

A new connection sends ten segments (RFC 6928) and no more until the first is acknowledged, which takes a
round trip. For each byte that is acknowledged one more may be on its way (slow start, RFC 5681), so the
window doubles each round trip as long as it is made use of. On a line that loses nothing it never shrinks.
"""

from collections import deque

SEGMENT = 1460
FIRST = 10 * SEGMENT
"""Bytes that a new connection sends before anything is acknowledged."""


class Window:
    """One direction of a connection.

    Args:
        trip: seconds of a round trip, after which what was sent is acknowledged.
    """

    def __init__(self, trip: float) -> None:
        self._trip = trip
        self._size = FIRST
        self._under_way: deque[tuple[float, int]] = deque()
        """When it will be acknowledged, and how many bytes."""
        self._taken = 0

    def room(self, now: float) -> int:
        """Bytes that may be sent now."""
        while self._under_way and self._under_way[0][0] <= now:
            _, size = self._under_way.popleft()
            self._taken -= size
            self._size += size
        return self._size - self._taken

    def sent(self, size: int, when: float) -> None:
        """Note that bytes leave at some time."""
        if size:
            self._under_way.append((when + self._trip, size))
            self._taken += size

    def opens(self) -> float:
        """When there will be room again, if there is none now."""
        return self._under_way[0][0]
