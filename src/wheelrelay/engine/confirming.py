"""Read a sink back until it shows the very bytes that were published, or time is up."""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic

from wheelrelay.errors import ConfigError, WheelrelayError
from wheelrelay.model import CONFIRM_TIMEOUT, Confirm, DistFile
from wheelrelay.protocols import (
    Sink,
    Source,
    SupportsCacheStatus,
    SupportsCompanionStorage,
    SupportsInventory,
)
from wheelrelay.staged import BLOCK_SIZE, StagedFile
from wheelrelay.transfer.thread_pool import Done, one_by_one

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0

NOTHING_REPLACED: Mapping[str, str | None] = {}
"""Every file is published under a name that was free."""

Each = Callable[[Sequence[DistFile], Callable[[DistFile], str]], list[Done[DistFile, str]]]
"""Fetches many files: `one_by_one`, or `Workers.each`, which takes several at once."""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Why a file could not be confirmed.

    Attributes:
        filename: which.
        reason: as a sentence.
        lasting: whether the sink is known to hold other bytes, so that waiting longer cannot help.
    """

    filename: str
    reason: str
    lasting: bool = False


def confirm(
    sink: Sink,
    files: Sequence[StagedFile],
    how: Confirm,
    *,
    within: float = CONFIRM_TIMEOUT,
    stopped: threading.Event | None = None,
    each: Each = one_by_one,
    replaced: Mapping[str, str | None] = NOTHING_REPLACED,
) -> list[Unconfirmed]:
    """Compare what a sink shows with what was staged, polling until everything is there.

    A file is confirmed with its companions, where the sink keeps these as files. Where caches answer for the
    sink, it has to show a file twice in a row.

    Args:
        sink: read by its inventory, and for ``download``, or where it gives no sha256, by fetching.
        files: what was published.
        how: see `Confirm`; ``none`` takes the sink's word.
        within: seconds after which the rest is in doubt.
        stopped: set to give up early.
        each: fetches the files that have to be.
        replaced: the sha256 of the bytes that files took the place of, by filename, or ``None`` where it is
            not known. A sink that still shows these is read again.

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
    reading = _Reading(sink, files, how, each, replaced)
    while True:
        trouble = None
        try:
            reading.look()
        except WheelrelayError as error:
            if not error.retryable:
                return reading.end(str(error))
            trouble = str(error)
        if not reading.open_files:
            return reading.doubts
        left = ends - monotonic()
        if left <= 0 or waited.wait(min(pause, left)):
            return reading.end(trouble, after=within)
        pause = min(pause * 1.5, LONGEST_PAUSE)


class _Reading:
    """What reading a sink again and again has shown so far.

    Attributes:
        open_files: the files that are not confirmed yet, by name.
        doubts: those that the sink has with other bytes.
    """

    def __init__(
        self,
        sink: SupportsInventory,
        files: Sequence[StagedFile],
        how: Confirm,
        each: Each,
        replaced: Mapping[str, str | None],
    ) -> None:
        self.open_files = {staged.filename: staged for staged in files}
        self.doubts: list[Unconfirmed] = []
        self._sink = sink
        self._how = how
        self._each = each
        self._replaced = replaced
        self._reasons: dict[str, str] = {}
        self._shown_once: set[str] = set()
        self._fetched: dict[str, str] = {}

    def look(self) -> None:
        """Read the sink, and take what it shows out of ``open_files``.

        Raises:
            WheelrelayError: something cannot be read; what could be read counts all the same.
        """
        shown = {
            there.filename: there
            for project in sorted({staged.file.project for staged in self.open_files.values()})
            for there in self._sink.inventory(project)
            if there.filename in self.open_files
        }
        self._shown_once &= shown.keys()
        self._reasons.clear()
        sha256s, errors = self._sha256s(list(shown.values()))
        for filename, sha256 in sha256s.items():
            self._judge(self.open_files[filename], shown[filename], sha256)
        if errors:
            raise min(errors, key=lambda error: error.retryable)

    def end(self, reason: str | None, *, after: float | None = None) -> list[Unconfirmed]:
        """All doubts, when nothing more is read: ``reason`` is that of files which the sink did not show."""
        late = "" if after is None else f"After {after:.0f} s: "
        stop = "" if after is None else "."
        reasons = {
            name: self._reasons.get(name, reason or "the sink does not show it") for name in self.open_files
        }
        return [
            *self.doubts,
            *(Unconfirmed(name, f"{late}{reasons[name]}{stop}") for name in sorted(reasons)),
        ]

    def _sha256s(self, shown: Sequence[DistFile]) -> tuple[dict[str, str], list[WheelrelayError]]:
        """The sha256 of each file that the sink shows: as it declares it, or of what it gives out."""
        declared = {
            there.filename: there.sha256 for there in shown if self._how is Confirm.INDEX and there.sha256
        }
        known = {name: self._fetched[name] for name in self._shown_once if name in self._fetched}
        unknown = [there for there in shown if there.filename not in declared | known]
        done = self._each(unknown, partial(fetched_sha256, self._sink)) if unknown else []
        fetched = {one.item.filename: one.unwrap() for one in done if one.error is None}
        self._fetched |= fetched
        return declared | known | fetched, [one.error for one in done if one.error is not None]

    def _judge(self, staged: StagedFile, there: DistFile, sha256: str) -> None:
        name = staged.filename
        if sha256 != staged.sha256:
            self._shown_once.discard(name)
            if self._is_old(name, sha256):
                self._reasons[name] = "the sink still shows the bytes that were replaced"
            else:
                del self.open_files[name]
                self.doubts.append(_wrong(staged, sha256))
        elif lacking := lacking_companions(self._sink, staged, there):
            self._reasons[name] = f"the sink shows it without its {', '.join(lacking)}"
        elif name in self._shown_once or not is_cached(self._sink):
            del self.open_files[name]
        else:
            self._shown_once.add(name)
            self._reasons[name] = "the sink, which is behind a cache, has shown it only once"

    def _is_old(self, name: str, sha256: str) -> bool:
        return name in self._replaced and self._replaced[name] in (None, sha256)


def lacking_companions(sink: object, staged: StagedFile, there: DistFile) -> list[str]:
    """The suffixes of the companions that a sink does not show beside a file, if it keeps them as files."""
    if not isinstance(sink, SupportsCompanionStorage):
        return []
    return [companion.suffix for companion in staged.companions if companion.suffix not in there.companions]


def is_cached(sink: object) -> bool:
    """Whether a sink says that caches answer for it."""
    return isinstance(sink, SupportsCacheStatus) and sink.is_cached()


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
        while block := stream.read(BLOCK_SIZE):
            digest.update(block)
    return digest.hexdigest()


def _wrong(staged: StagedFile, sha256: str) -> Unconfirmed:
    reason = f"It was sent with sha256 {staged.sha256}, but the sink has {sha256}."
    return Unconfirmed(staged.filename, reason, lasting=True)
