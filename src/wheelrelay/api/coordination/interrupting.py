"""Interrupt the tasks of a relay on a worker: Ctrl-C reaches the coordinator only."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from wheelrelay.transfer.hashing import Interrupted
from wheelrelay.transfer.interrupts import Interrupts

_running: dict[str, list[Interrupts]] = {}
_interrupted: set[str] = set()
_lock = threading.Lock()


@contextmanager
def interruptible(run: str) -> Iterator[Interrupts]:
    """Yield what `interrupt_tasks` interrupts on this worker during the context."""
    interrupts = Interrupts()
    with _lock:
        _running.setdefault(run, []).append(interrupts)
        is_interrupted = run in _interrupted
    if is_interrupted:  # the task waited for a thread when the interrupt came
        interrupts.interrupt()
    try:
        yield interrupts
    finally:
        with _lock:
            _running[run].remove(interrupts)
            if not _running[run]:
                del _running[run]


def interrupt_tasks(run: str) -> None:
    """Let the tasks of a relay on this worker start nothing more; what they are sending arrives.

    Args:
        run: The identity of the relay; a worker may have tasks of several.
    """
    with _lock:
        _interrupted.add(run)
        reached = list(_running.get(run, ()))
    for interrupts in reached:
        interrupts.interrupt()


def not_read(filename: str) -> Interrupted:
    """Return the error of a file that an interrupted task has not read."""
    return Interrupted(f"{filename}: the transfer was interrupted.")
