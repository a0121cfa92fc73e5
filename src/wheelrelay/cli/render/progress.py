"""Show a relay while it runs: moving bars on a terminal, a plain line at sensible moments elsewhere."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.filesize import decimal

from wheelrelay.cli.render.console import LogConsole
from wheelrelay.cli.render.tables import plan_table
from wheelrelay.cli.render.tally import Tally
from wheelrelay.cli.render.wording import VERBS, counted
from wheelrelay.events import (
    BytesMoved,
    Event,
    FileBegan,
    FileEnded,
    Planned,
    Progress,
    Step,
    StepBegan,
    StepEnded,
    Waiting,
    ignore_events,
)

if TYPE_CHECKING:
    from rich.console import Console

EVERY = 10.0
"""Seconds between two plain lines of the same step."""


@contextmanager
def shown_on(console: "Console | LogConsole", *, quiet: bool = False) -> Iterator[Progress]:
    """A progress function that shows events on ``console``.

    Args:
        console: bars if it is a terminal, plain lines otherwise.
        quiet: show nothing.
    """
    if quiet:
        yield ignore_events
    elif not isinstance(console, LogConsole) and console.is_terminal:
        from wheelrelay.cli.render.live import LiveProgress

        live = LiveProgress(console)
        try:
            yield live
        finally:
            live.close()
    else:
        yield PlainProgress(console)


class PlainProgress:
    """Lines that a log keeps: where a step begins and ends, what goes wrong, and a sign of life."""

    def __init__(self, console: "Console | LogConsole") -> None:
        self._console = console
        self._lock = threading.Lock()
        self._tally = Tally()
        self._began = self._last = 0.0

    def __call__(self, event: Event) -> None:
        """Show one event."""
        with self._lock:
            match event:
                case Planned():
                    self._console.print(plan_table(event.plan, every_file=False, findings=False))
                case StepBegan():
                    self._begin(event)
                case FileBegan() if self._tally.is_about(event.step):
                    self._tally.take_back(event.filename)
                case BytesMoved() if self._tally.is_about(event.step):
                    self._tally.add(event.filename, event.count)
                    self._sign_of_life()
                case FileEnded():
                    if event.error and self._tally.is_new_error(event):
                        self._say(f"{event.filename}: {event.error}")
                    if self._tally.is_about(event.step):
                        self._tally.files += 1
                        self._sign_of_life()
                case Waiting():
                    self._say(f"{event.what}: {event.error} Trying again in {event.seconds:.1f} s.")
                case StepEnded():
                    self._end()
                case _:
                    pass

    def _begin(self, event: StepBegan) -> None:
        self._tally.begin(event)
        self._began = self._last = monotonic()

    def _sign_of_life(self) -> None:
        step = self._tally.step
        if step and monotonic() - self._last >= EVERY:
            self._last = monotonic()
            of = f" of {decimal(step.size)}" if step.size else ""
            files = f"{self._tally.files} of {counted(step.files)}"
            self._say(f"{VERBS[step.step]}: {files}, {decimal(self._tally.size)}{of}")

    def _end(self) -> None:
        for sentence in self._tally.repeated_errors():
            self._say(sentence)
        if step := self._tally.step:
            seconds = monotonic() - self._began
            moved = f", {decimal(self._tally.size)}" if self._tally.size else ""
            place = {Step.STAGE: "from", Step.SIGN: "with", Step.CONFIRM: "at"}.get(step.step, "to")
            files = counted(step.files)
            self._say(f"{VERBS[step.step]} {files} {place} {step.remote}{moved} in {seconds:.1f} s")
            self._tally.end()

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
