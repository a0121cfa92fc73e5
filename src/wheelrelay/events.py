"""The events that a relay reports while it runs, for progress functions.

A progress function is called with one event, from several threads at once. It must return quickly.
"""

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from wheelrelay.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from wheelrelay.records import Delivery, Plan

__all__ = [
    "AwaitingFiles",
    "BytesMoved",
    "Event",
    "FileBegan",
    "FileEnded",
    "Interrupting",
    "Planned",
    "Progress",
    "SizeKnown",
    "Step",
    "StepBegan",
    "StepEnded",
    "Verified",
    "Waiting",
    "ignore_events",
]

_log = logging.getLogger(__name__)


class Step(StrEnum):
    """The steps of a relay that report progress."""

    STAGE = "stage"
    RESOLVE = "resolve"
    TRY = "try"
    SIGN = "sign"
    PUBLISH = "publish"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan is complete; nothing is written yet."""

    plan: "Plan"


@dataclass(frozen=True, slots=True)
class StepBegan:
    """A step begins.

    Attributes:
        step: The step.
        remote: The name of the remote.
        files: Number of files.
        size: Number of bytes, as far as known.
    """

    step: Step
    remote: str
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class FileBegan:
    """A step begins with a file; reported again for each attempt."""

    step: Step
    filename: str
    size: int | None


@dataclass(frozen=True, slots=True)
class SizeKnown:
    """The server declared the size of a file whose listing has none.

    Attributes:
        step: The step.
        filename: The file.
        size: Its size in bytes.
    """

    step: Step
    filename: str
    size: int


@dataclass(frozen=True, slots=True)
class BytesMoved:
    """Bytes of a file were transferred, or read for hashing."""

    step: Step
    filename: str
    count: int


@dataclass(frozen=True, slots=True)
class FileEnded:
    """A step ended for a file.

    Attributes:
        step: The step.
        filename: The file.
        delivery: The delivery, after publishing.
        error: The error, if the step failed.
    """

    step: Step
    filename: str
    delivery: "Delivery | None" = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An attempt failed temporarily; another one follows after a pause.

    Attributes:
        what: The file or operation.
        error: Why the attempt failed, as a sentence.
        seconds: Length of the pause.
    """

    what: str
    error: str
    seconds: float


@dataclass(frozen=True, slots=True)
class AwaitingFiles:
    """The source does not have all expected files yet; it is read again after a pause.

    Attributes:
        present: How many expected files the source has.
        expected: How many files are expected; 0 if that is unknown.
        missing: What is missing: expectations, or a sentence if nothing matches.
        seconds_left: Seconds until the relay gives up.
    """

    present: int
    expected: int
    missing: tuple[str, ...]
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Interrupting:
    """Ctrl-C or a signal ends the relay: nothing further begins, and running transfers may end.

    Attributes:
        seconds: How long running transfers may take to end.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step ended, successfully or not."""

    step: Step
    remote: str


@dataclass(frozen=True, slots=True)
class Verified:
    """Published files were verified.

    Attributes:
        files: The number of selected files of the source or remote.
        skipped: The number of files that an earlier run had verified, and that have not changed since.
        failed: The number of findings.
    """

    files: int
    skipped: int
    failed: int


Event = (
    Planned
    | AwaitingFiles
    | StepBegan
    | FileBegan
    | SizeKnown
    | BytesMoved
    | FileEnded
    | Waiting
    | Interrupting
    | StepEnded
    | Verified
)
Progress = Callable[[Event], None]


def ignore_events(event: Event) -> None:
    """Ignore an event; the default progress function."""


def swallow_errors(progress: Progress) -> Progress:
    """Return a progress function that logs errors of ``progress``, so that they do not stop a relay."""

    def report(event: Event) -> None:
        try:
            progress(event)
        except Exception as error:  # noqa: BLE001  (any error of the caller's function)
            _log.warning("The progress function failed: %r.", error)

    return report
