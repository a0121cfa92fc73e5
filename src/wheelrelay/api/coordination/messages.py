"""Pass the events of a worker to the coordinator: few messages, each with several events."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from wheelrelay.events import BytesMoved, Event, FileBegan, FileEnded, Progress, Step, Waiting
from wheelrelay.protocols import Report

INTERVAL = 0.5
"""Seconds between two messages of a task."""

MAX_EVENTS = 200
"""Most events that wait for the next message."""

FORWARDED = (FileBegan, BytesMoved, FileEnded, Waiting)
"""Events of the whole relay, which the coordinator shows. It reports the others for all workers together."""


class EventSender:
    """A progress function that reports events to the coordinator; safe for threads.

    Args:
        report: Passes a message, a tuple of events, to the coordinator.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._bytes: dict[tuple[Step, str], int] = {}
        self._sent = monotonic()

    def __call__(self, event: Event) -> None:
        """Report an event, now or with later ones."""
        if not isinstance(event, FORWARDED):
            return
        with self._lock:
            if isinstance(event, BytesMoved):
                key = event.step, event.filename
                self._bytes[key] = self._bytes.get(key, 0) + event.count
            else:
                self._move_bytes()
                self._events.append(event)
            if monotonic() - self._sent >= INTERVAL or len(self._events) >= MAX_EVENTS:
                self._send()

    def flush(self) -> None:
        """Report the events that wait."""
        with self._lock:
            self._send()

    def _move_bytes(self) -> None:
        """Keep the order of bytes and of other events of a file."""
        self._events += [BytesMoved(step, name, count) for (step, name), count in self._bytes.items()]
        self._bytes.clear()

    def _send(self) -> None:
        self._move_bytes()
        if self._events:
            self._report(tuple(self._events))
            self._events = []
        self._sent = monotonic()


@contextmanager
def sending_events(report: Report) -> Iterator[Progress]:
    """Yield a progress function for a task, and send the last events at the end."""
    sender = EventSender(report)
    try:
        yield sender
    finally:
        sender.flush()


def receiver(progress: Progress) -> Report:
    """Return the function that receives messages, and passes their events to a progress function."""

    def receive(message: object) -> None:
        if isinstance(message, tuple):
            for event in message:
                progress(event)

    return receive
