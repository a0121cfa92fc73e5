"""Read a sink back until it shows the very bytes that were published, or time is up."""

import hashlib
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic

from wheelrelay.config import Confirm
from wheelrelay.errors import ConfigError, WheelrelayError
from wheelrelay.model import DistFile
from wheelrelay.protocols import Sink, Source, SupportsInventory
from wheelrelay.staged import BLOCK, StagedFile

DEADLINE = 900.0
"""Seconds to wait until a sink shows everything: PyPI's pages may be ten minutes old."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0


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
) -> list[Doubt]:
    """Compare what a sink shows with what was staged, polling until everything is there.

    Args:
        sink: read by its inventory, and for ``download``, or where it gives no sha256, by fetching.
        files: what was published.
        how: see `Confirm`; ``none`` takes the sink's word.
        within: seconds after which the rest is in doubt.
        stopped: set to give up early.

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
            _strike_off(sink, open_files, how, doubts)
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
    sink: SupportsInventory, open_files: dict[str, StagedFile], how: Confirm, doubts: list[Doubt]
) -> None:
    """Move out of ``open_files`` what the sink shows; to ``doubts``, if it shows it wrongly.

    Both are true also when this ends with an error, as when one of several files cannot be fetched.
    """
    for project in sorted({staged.file.project for staged in open_files.values()}):
        for there in sink.inventory(project):
            staged = open_files.get(there.filename)
            if staged is None:
                continue
            sha256 = there.sha256 if how is Confirm.INDEX and there.sha256 else fetched_sha256(sink, there)
            del open_files[there.filename]
            if sha256 != staged.sha256:
                doubts.append(_wrong(staged, sha256))


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
