"""What a relay tells while it runs, for those who show progress.

A progress function is called with one event at a time, from several threads at once; it must be quick.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wheelrelay.records import Delivery, Plan

_log = logging.getLogger(__name__)


class Step(StrEnum):
    """The steps of the way that take time."""

    STAGE = "stage"
    SIGN = "sign"
    PUBLISH = "publish"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan is made; nothing was written yet."""

    plan: "Plan"


@dataclass(frozen=True, slots=True)
class StepBegan:
    """A step begins.

    Attributes:
        step: which.
        remote: the name of the remote that it is about.
        files: how many files it will handle.
        size: how many bytes, as far as known.
    """

    step: Step
    remote: str
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class FileBegan:
    """Work on one file begins; it begins again with each attempt."""

    step: Step
    filename: str
    size: int | None


@dataclass(frozen=True, slots=True)
class BytesMoved:
    """Some bytes of a file went over the wire, or were read for hashing."""

    step: Step
    filename: str
    count: int


@dataclass(frozen=True, slots=True)
class FileEnded:
    """Work on one file ended.

    Attributes:
        step: which.
        filename: whose.
        delivery: what became of it, when publishing.
        error: why it failed, if it did.
    """

    step: Step
    filename: str
    delivery: "Delivery | None" = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A try failed in a way that may pass; there will be another after a pause.

    Attributes:
        what: the file or the thing that is tried.
        error: why it failed.
        seconds: the length of the pause.
    """

    what: str
    error: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step ended, well or not."""

    step: Step
    remote: str


Event = Planned | StepBegan | FileBegan | BytesMoved | FileEnded | Waiting | StepEnded
Progress = Callable[[Event], None]


def ignore_events(event: Event) -> None:
    """Show nothing."""


def swallow_errors(progress: Progress) -> Progress:
    """The same, except that what it raises is logged: who stumbles while watching must not harm a relay."""

    def tell(event: Event) -> None:
        try:
            progress(event)
        except Exception as error:  # noqa: BLE001  (whatever they raise)
            _log.warning("The progress of the relay cannot be shown: %r.", error)

    return tell
