"""Read a sink back until it shows the very bytes that were published, or time is up."""

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic

from wheelrelay.config import Confirm
from wheelrelay.errors import ConfigError, WheelrelayError
from wheelrelay.model import DistFile
from wheelrelay.protocols import Sink, Source, SupportsInventory
from wheelrelay.staged import BLOCK, StagedFile
from wheelrelay.steps.workers import Done, one_by_one

DEADLINE = 900.0
"""Seconds to wait until a sink shows everything: PyPI's pages may be ten minutes old."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0

Each = Callable[[Sequence[DistFile], Callable[[DistFile], str]], list[Done[DistFile, str]]]
"""Fetches many files: `one_by_one`, or `Workers.each`, which takes several at once."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a file could not be confirmed.

    Attributes:
        filename: which.
        reason: as a sentence.
    """

    filename: str
    reason: str


def confirm(
    sink: Sink,
    files: Sequence[StagedFile],
    how: Confirm,
    *,
    within: float = DEADLINE,
    stopped: threading.Event | None = None,
    each: Each = one_by_one,
) -> list[Doubt]:
    """Compare what a sink shows with what was staged, polling until everything is there.

    Args:
        sink: read by its inventory, and for ``download``, or where it gives no sha256, by fetching.
        files: what was published.
        how: see `Confirm`; ``none`` takes the sink's word.
        within: seconds after which the rest is in doubt.
        stopped: set to give up early.
        each: fetches the files that have to be.

    Returns:
        The files that are in doubt; none if all is well.

    Raises:
        ConfigError: the sink cannot be read back at all, and ``confirm`` is not ``none``.
    """
    if how is Confirm.NONE or not files:
        return []
    if not isinstance(sink, SupportsInventory):
        raise ConfigError("This sink cannot be read back.", hint='Say confirm = "none" to take its word.')
    waited = stopped or threading.Event()
    ends = monotonic() + within
    pause = FIRST_PAUSE
    open_files = {staged.filename: staged for staged in files}
    doubts: list[Doubt] = []
    trouble = "the sink does not show it"
    while True:
        try:
            _strike_off(sink, open_files, how, doubts, each)
        except WheelrelayError as error:
            if not error.retryable:
                return [*doubts, *_late(open_files, str(error))]
            trouble = str(error)
        if not open_files:
            return doubts
        if monotonic() + pause > ends or waited.wait(pause):
            return [*doubts, *_late(open_files, f"After {within:.0f} s: {trouble}.")]
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _strike_off(
    sink: SupportsInventory,
    open_files: dict[str, StagedFile],
    how: Confirm,
    doubts: list[Doubt],
    each: Each,
) -> None:
    """Move out of ``open_files`` what the sink shows; to ``doubts``, if it shows it wrongly.

    Both are true also when this ends with an error, as when one of several files cannot be fetched.
    """
    shown = [
        there
        for project in sorted({staged.file.project for staged in open_files.values()})
        for there in sink.inventory(project)
        if there.filename in open_files
    ]
    told = {there.filename: there.sha256 for there in shown if how is Confirm.INDEX and there.sha256}
    untold = [there for there in shown if there.filename not in told]
    fetched = each(untold, partial(fetched_sha256, sink)) if untold else []
    told |= {one.item.filename: one.unwrap() for one in fetched if one.error is None}
    for filename, sha256 in told.items():
        staged = open_files.pop(filename)
        if sha256 != staged.sha256:
            doubts.append(_wrong(staged, sha256))
    errors = [one.error for one in fetched if one.error is not None]
    if errors:
        raise min(errors, key=lambda error: error.retryable)


def fetched_sha256(sink: object, file: DistFile) -> str:
    """The sha256 of the bytes that a sink gives out.

    Raises:
        ConfigError: it gives none out.
        BackendError: they cannot be fetched.
    """
    if not isinstance(sink, Source):
        raise ConfigError("This sink cannot be read back.", hint='Say confirm = "none" to take its word.')
    digest = hashlib.sha256()
    with sink.open(file) as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _wrong(staged: StagedFile, sha256: str) -> Doubt:
    return Doubt(staged.filename, f"It was sent with sha256 {staged.sha256}, but the sink has {sha256}.")


def _late(files: Iterable[str], reason: str) -> list[Doubt]:
    return [Doubt(filename, reason) for filename in sorted(files)]
