"""Choose how many transfers run in parallel: a fixed number, or one that adapts to measurements.

More parallel transfers hide the latency of each. Without latency, as with a server on the same network, they
only slow each other down. So the controller

1. starts with as many transfers as keep the processors busy;
2. goes to `INITIAL` after an instant if the processors are idle, and to `REMOTE` if nothing has completed by
   then: the other side is far away. A new connection is slow at first (RFC 5681), so all are opened early;
3. doubles while that raises the throughput, and takes the last step back when it does not;
4. halves when the server fails or throttles (429, 503), and recovers one by one.
"""

import os
import threading
from collections.abc import Callable
from time import monotonic, process_time

INITIAL, REMOTE, MAXIMUM = 8, 16, 32
"""Parallel transfers: the usual start, the start with a remote server, and the limit of politeness."""

CPU_BOUND = min(max(os.cpu_count() or 1, 2), INITIAL)
"""Parallel transfers that keep the processors busy if there is no latency."""

SAMPLE_INTERVAL = 0.01
"""Seconds until it shows whether transfers wait for the other side."""

REMOTE_AFTER = 0.05
"""Seconds after which the other side counts as remote, if no transfer has completed and all wait."""

MIN_ROUNDS = 2
"""How many files must remain for each parallel transfer to make a new connection worth its start."""

GROWTH_FACTOR = 2

MIN_SPEEDUP = 1.1
"""The factor by which the throughput must rise for additional transfers to stay."""

BUSY_SHARE = 0.5
"""The share of a processor above which this process, not the network, is the bottleneck."""


class ConcurrencyController:
    """The number of transfers that may run in parallel; safe for threads.

    Args:
        fixed: A fixed number; adaptive without it.
        clock: Returns the time in seconds.
        cpu_time: Returns the processor time of this process in seconds.
    """

    def __init__(
        self,
        fixed: int | None = None,
        *,
        clock: Callable[[], float] = monotonic,
        cpu_time: Callable[[], float] = process_time,
    ) -> None:
        self.maximum = fixed or MAXIMUM
        self._is_fixed = fixed is not None
        self._clock = clock
        self._cpu_time = cpu_time
        self._lock = threading.Lock()
        self._limit = fixed or CPU_BOUND
        self._peak = fixed or INITIAL
        self._before_growth: tuple[int, float] | None = None
        self._is_settled = self._is_remote = False
        self._completed = 0
        self._open_window()

    @property
    def limit(self) -> int:
        """The number of transfers that may run now."""
        return self._limit

    def begin_batch(self) -> None:
        """Start measuring anew for another kind of work, perhaps with another server.

        The distance is kept: files that were listed far away are downloaded from there.
        """
        with self._lock:
            if not self._is_fixed:
                self._limit, self._peak = (REMOTE, REMOTE) if self._is_remote else (CPU_BOUND, INITIAL)
                self._limit, self._peak = min(self._limit, self.maximum), min(self._peak, self.maximum)
                self._before_growth, self._is_settled = None, False
            self._completed = 0
            self._open_window()

    @property
    def is_ramping_up(self) -> bool:
        """Whether `sample` is to be called every `SAMPLE_INTERVAL`."""
        is_high_enough = self._limit >= (INITIAL if self._completed else REMOTE)
        return not (self._is_fixed or self._is_settled or is_high_enough)

    def sample(self) -> None:
        """Raise the limit if the processors were idle since the last change."""
        with self._lock:
            elapsed = self._clock() - self._window_began
            interval = SAMPLE_INTERVAL if self._limit < INITIAL else REMOTE_AFTER
            if self.is_ramping_up and elapsed >= interval:
                if self._was_idle(elapsed):
                    self._is_remote = self._limit >= INITIAL
                    self._limit = self._peak = min(REMOTE if self._is_remote else INITIAL, self.maximum)
                self._open_window()

    def on_completion(self, size: int, remaining: int) -> None:
        """Record a completed transfer.

        Args:
            size: The bytes it moved.
            remaining: The number of transfers that have not begun.
        """
        with self._lock:
            self._completed += 1
            self._window_count += 1
            self._window_bytes += size
            if not self._is_fixed and self._window_count >= self._limit:
                self._adapt(remaining)
                self._open_window()

    def on_failure(self) -> None:
        """Record that the other side failed or throttled, perhaps because of too many transfers."""
        with self._lock:
            if not self._is_fixed:
                self._limit = max(1, self._limit // GROWTH_FACTOR)
                self._is_settled = True
                self._open_window()

    def cap(self, threads: int) -> None:
        """Record that the system does not start more threads than this; at least one is assumed."""
        with self._lock:
            self.maximum = max(1, min(self.maximum, threads))
            self._limit, self._peak = min(self._limit, self.maximum), min(self._peak, self.maximum)
            self._is_settled = True

    def _adapt(self, remaining: int) -> None:
        """Change the limit according to the measurements of the window."""
        elapsed = self._clock() - self._window_began
        rate = self._window_bytes / elapsed if elapsed > 0 else 0.0
        if self._is_settled:  # recover after failures
            self._limit = min(self._limit + 1, self._peak)
        elif self._before_growth and rate < self._before_growth[1] * MIN_SPEEDUP:
            self._limit, self._is_settled = self._before_growth[0], True
            self._peak = self._limit
        elif self._was_idle(elapsed):
            more = min(max(self._limit * GROWTH_FACTOR, INITIAL), self.maximum)
            if remaining >= MIN_ROUNDS * more:
                self._before_growth = self._limit, rate
                self._limit = self._peak = more
                self._is_settled = more == self._before_growth[0]

    def _was_idle(self, elapsed: float) -> bool:
        return self._cpu_time() - self._window_cpu_time < BUSY_SHARE * elapsed

    def _open_window(self) -> None:
        self._window_count = self._window_bytes = 0
        self._window_began, self._window_cpu_time = self._clock(), self._cpu_time()
