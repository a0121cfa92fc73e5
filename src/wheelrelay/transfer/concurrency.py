"""How many transfers are under way at once: as asked for, or chosen by what is observed.

More transfers at once hide the time that each of them waits for the other side; they help as long as there is
such time. Where there is none, as with a server next door, they only stand in each other's way. So it begins
with what keeps the processors busy. After an instant, if these have time left, there are several; and more
if the other side turns out to be far away, for a new connection is slow at first (RFC 5681), and one that is
there from the beginning is fast when it is needed. While that makes the whole faster, and enough is left to
be moved, more are added; what did not help is taken back. What a server cannot take, or does not want (429,
503), halves them; they come back one by one.
"""

import os
import threading
from collections.abc import Callable
from time import monotonic, process_time

START, FAR, MOST = 8, 16, 32
"""Transfers at once in the beginning, to what is far away, and at most: more to one host are not polite."""

FEW = min(max(os.cpu_count() or 1, 2), START)
"""Transfers at once that keep the processors busy if nobody has to wait."""

INSTANT = 0.01
"""Seconds after which it shows whether transfers wait."""

LONG = 0.05
"""Seconds after which it shows that the other side is far away: nothing came to its end, and all wait."""

ROUNDS = 2
"""How often each of more transfers at once has to find another file for them to be worth their beginning."""

GROWTH = 2
"""The factor by which they become more, and fewer."""

WORTH = 1.1
"""The factor by which the whole has to become faster for more of them to stay."""

BUSY = 0.5
"""The share of a processor from which on it is this process that is waited for, and not the wires."""


class ConcurrencyController:
    """How many transfers may be under way at once; safe for threads.

    Args:
        fixed: how many, if that is not to be found out.
        clock: seconds that have passed.
        worked: seconds that processors have worked for this process.
    """

    def __init__(
        self,
        fixed: int | None = None,
        *,
        clock: Callable[[], float] = monotonic,
        worked: Callable[[], float] = process_time,
    ) -> None:
        self.most = fixed or MOST
        self._fixed = fixed is not None
        self._clock = clock
        self._worked = worked
        self._lock = threading.Lock()
        self._limit = fixed or FEW
        self._peak = fixed or START
        self._before: tuple[int, float] | None = None
        self._settled = self._is_far = False
        self._ended = 0
        self._open_window()

    @property
    def limit(self) -> int:
        """How many may be under way now."""
        return self._limit

    def begin(self) -> None:
        """Note that something of another kind begins, perhaps at another place.

        What was observed does not count, apart from a distance: what was listed far away is fetched there.
        """
        with self._lock:
            if not self._fixed:
                self._limit, self._peak = (FAR, FAR) if self._is_far else (FEW, START)
                self._limit, self._peak = min(self._limit, self.most), min(self._peak, self.most)
                self._before, self._settled = None, False
            self._ended = 0
            self._open_window()

    @property
    def begins(self) -> bool:
        """Whether `glance` is to be called every `INSTANT`."""
        return not (self._fixed or self._settled or self._limit >= (START if self._ended else FAR))

    def sample(self) -> None:
        """Look whether the processors had time left since something changed; if so, more may be under way."""
        with self._lock:
            passed = self._clock() - self._began
            if self.begins and passed >= (INSTANT if self._limit < START else LONG):
                if self._has_time(passed):
                    self._is_far = self._limit >= START
                    self._limit = self._peak = min(FAR if self._is_far else START, self.most)
                self._open_window()

    def ended(self, moved: int, left: int) -> None:
        """Note that a transfer came to its end.

        Args:
            moved: its bytes.
            left: how many have not begun.
        """
        with self._lock:
            self._ended += 1
            self._count += 1
            self._moved += moved
            if not self._fixed and self._count >= self._limit:
                self._judge(left)
                self._open_window()

    def on_failure(self) -> None:
        """Note that the other side failed, or asked for patience: that may be because of too many."""
        with self._lock:
            if not self._fixed:
                self._limit = max(1, self._limit // GROWTH)
                self._settled = True
                self._open_window()

    def cap(self, most: int) -> None:
        """Note that the system gives no more threads than so many, or one: more are not asked for."""
        with self._lock:
            self.most = max(1, min(self.most, most))
            self._limit, self._peak = min(self._limit, self.most), min(self._peak, self.most)
            self._settled = True

    def _judge(self, left: int) -> None:
        """Decide by the window that is full now."""
        passed = self._clock() - self._began
        rate = self._moved / passed if passed > 0 else 0.0
        if self._settled:
            self._limit = min(self._limit + 1, self._peak)
        elif self._before and rate < self._before[1] * WORTH:
            self._limit, self._settled = self._before[0], True
            self._peak = self._limit
        elif self._has_time(passed):
            more = min(max(self._limit * GROWTH, START), self.most)
            if left >= ROUNDS * more:
                self._before = self._limit, rate
                self._limit = self._peak = more
                self._settled = more == self._before[0]

    def _has_time(self, passed: float) -> bool:
        return self._worked() - self._worked_before < BUSY * passed

    def _open_window(self) -> None:
        self._count = self._moved = 0
        self._began, self._worked_before = self._clock(), self._worked()
