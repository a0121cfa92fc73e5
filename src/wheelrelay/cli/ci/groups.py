"""Fold the steps of a relay in the log of a CI system."""

from collections.abc import Callable
from threading import Lock

from wheelrelay.cli.ci.syntax import Dialect
from wheelrelay.cli.render.wording import VERBS, counted
from wheelrelay.events import Event, Planned, Progress, StepBegan, StepEnded


class GroupedProgress:
    """A progress function that folds what another one says: the plan, and what is said during each step.

    How a step ended is said outside its group. Groups are not nested: of steps that run at the same time, as
    in a mirror, the one that began last is the one that is open.

    Args:
        progress: says things on the log.
        dialect: of the CI system.
        say: writes commands to the same log.
    """

    def __init__(self, progress: Progress, dialect: Dialect, say: Callable[[str], None]) -> None:
        self._progress = progress
        self._dialect = dialect
        self._say = say
        self._lock = Lock()
        self._number = 0
        self._open = False

    def __call__(self, event: Event) -> None:
        """Show one event."""
        with self._lock:
            match event:
                case Planned():
                    plan = event.plan
                    self._begin(f"Plan: {counted(len(plan.files))} to {', '.join(plan.sinks)}")
                    self._progress(event)
                    self._end()
                case StepBegan():
                    self._begin(f"{VERBS[event.step].capitalize()} {counted(event.files)}, {event.remote}")
                    self._progress(event)
                case StepEnded():
                    self._end()
                    self._progress(event)
                case _:
                    self._progress(event)

    def close(self) -> None:
        """Close a group that an error left open."""
        with self._lock:
            self._end()

    def _begin(self, title: str) -> None:
        self._end()
        self._number += 1
        self._open = True
        self._say(self._dialect.group(title, self._number))

    def _end(self) -> None:
        if self._open:
            self._open = False
            self._say(self._dialect.end_group(self._number))
