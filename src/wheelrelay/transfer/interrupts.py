"""Interrupt work from another thread, for work that Ctrl-C does not reach."""

import threading
from collections.abc import Callable


class Interrupts:
    """Passes one interrupt on to all work that it reaches; safe for threads.

    >>> interrupts = Interrupts()
    >>> interrupts.reach(lambda: print("interrupted"))
    >>> interrupts.interrupt()
    interrupted
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Callable[[], object]] = []
        self._is_set = False

    def reach(self, call: Callable[[], object]) -> None:
        """Call a function when the interrupt comes; at once if it has come already."""
        with self._lock:
            self._calls.append(call)
            is_set = self._is_set
        if is_set:
            call()

    def interrupt(self) -> None:
        """Call all functions."""
        with self._lock:
            self._is_set = True
            calls = list(self._calls)
        for call in calls:
            call()
