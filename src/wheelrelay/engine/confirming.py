"""Confirm uploads: read a sink until it shows the staged bytes, or time is up."""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import monotonic

from wheelrelay.errors import ConfigError, WheelrelayError
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import CONFIRM_TIMEOUT, Confirm, DistFile
from wheelrelay.protocols import (
    Sink,
    Source,
    SupportsBulkLook,
    SupportsCacheStatus,
    SupportsCompanions,
    SupportsCompanionStorage,
    SupportsDoubt,
    SupportsInventory,
    SupportsLook,
)
from wheelrelay.staged import BLOCK_SIZE, StagedFile
from wheelrelay.transfer.thread_pool import RunAll, run_sequentially

FIRST_PAUSE, LONGEST_PAUSE, PAUSE_GROWTH = 0.1, 10.0, 1.5

NOTHING_REPLACED: Mapping[str, str | None] = {}
"""No file replaces other bytes."""

NOT_READABLE = 'Set confirm = "none" to rely on its answers.'


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Why a file could not be confirmed.

    Attributes:
        filename: The file.
        reason: A sentence.
        lasting: Whether waiting longer cannot help, because the sink holds other content or refuses to be
            read.
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
    run_all: RunAll = run_sequentially,
    replaced: Mapping[str, str | None] = NOTHING_REPLACED,
) -> list[Unconfirmed]:
    """Read a sink until it shows all published files with the staged bytes, or time is up.

    A file is confirmed with its companions, where the sink stores these as files: their bytes are compared. A
    sink behind caches must show a file in two reads in a row.

    Args:
        sink: The sink.
        files: The published files.
        how: ``index`` compares the digests that the sink declares; ``download``, and a sink that declares
            none, needs the bytes; ``none`` confirms nothing.
        within: Seconds until the remaining files count as unconfirmed.
        stopped: Set to end early.
        run_all: Downloads several files at once.
        replaced: The sha256 of the bytes that files replaced, by filename; ``None`` where it is unknown.
            A sink that still shows these bytes is read again.

    Returns:
        The files that were not confirmed.

    Raises:
        ConfigError: The sink is write-only, and ``how`` is not ``none``.
    """
    if how is Confirm.NONE or not files:
        return []
    if not isinstance(sink, SupportsInventory):
        raise ConfigError("The sink is write-only, so uploads cannot be confirmed.", hint=NOT_READABLE)
    wake_up = stopped or threading.Event()
    deadline = monotonic() + within
    pause = FIRST_PAUSE
    confirmation = _Confirmation(sink, files, how, run_all, replaced)
    while True:
        problem = None
        try:
            confirmation.read()
        except WheelrelayError as error:
            if not error.retryable:
                return confirmation.end(str(error), lasting=True)
            problem = str(error)
        if not confirmation.open_files:
            return confirmation.mismatches
        left = deadline - monotonic()
        if left <= 0 or wake_up.wait(min(pause, left)):
            return confirmation.end(problem, waited=within)
        pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE)


class _Confirmation:
    """The state of confirming the files of one sink, over several reads.

    Attributes:
        open_files: The files that are not confirmed yet, by name.
        mismatches: The files that the sink holds with other content.
    """

    def __init__(
        self,
        sink: SupportsInventory,
        files: Sequence[StagedFile],
        how: Confirm,
        run_all: RunAll,
        replaced: Mapping[str, str | None],
    ) -> None:
        self.open_files = {staged.filename: staged for staged in files}
        self.mismatches: list[Unconfirmed] = []
        self._sink = sink
        self._how = how
        self._run_all = run_all
        self._replaced = replaced
        self._reasons: dict[str, str] = {}
        self._shown_once: set[str] = set()
        self._downloaded: dict[str, str] = {}

    def read(self) -> None:
        """Read the sink, and remove the files that it shows from ``open_files``.

        Raises:
            WheelrelayError: Something cannot be read; the files that could be read are taken into account.
        """
        shown, look_errors = self._read_shown()
        self._shown_once &= shown.keys()
        self._reasons.clear()
        sha256s, download_errors = self._sha256s(list(shown.values()))
        different, companion_errors = self._different_companions([shown[name] for name in sha256s])
        for filename, sha256 in sha256s.items():
            if filename in different:
                self._compare(self.open_files[filename], shown[filename], sha256, different[filename])
        if errors := [
            *look_errors,
            *download_errors,
            *companion_errors,
        ]:  # one that is not retryable ends the confirmation, so it is raised first
            raise min(errors, key=lambda error: error.retryable)

    def _read_shown(self) -> tuple[dict[str, DistFile], list[WheelrelayError]]:
        """Return the open files that the sink shows, with one look per file or one read per project."""
        if isinstance(self._sink, SupportsLook):
            shown = self._look_at_many()
            rest = [staged for name, staged in self.open_files.items() if name not in shown]
            done = self._run_all(rest, self._look) if rest else []
            found = [one.unwrap() for one in done if one.error is None]
            shown |= {held.filename: held for (held,) in found if held is not None}
            return shown, [one.error for one in done if one.error is not None]
        projects = sorted({staged.file.project for staged in self.open_files.values()})
        files = (held for project in projects for held in self._sink.inventory(project))
        return {held.filename: held for held in files if held.filename in self.open_files}, []

    def _look_at_many(self) -> dict[str, DistFile]:
        """Return the open files that the sink can show at once."""
        if not isinstance(self._sink, SupportsBulkLook):
            return {}
        return dict(self._sink.look_at_many([_as_published(staged) for staged in self.open_files.values()]))

    def _look(self, staged: StagedFile) -> tuple[DistFile | None]:
        """Return the sink's file of the same name, wrapped: a missing file is a result too."""
        return (read_back(self._sink, staged),)

    def end(
        self, reason: str | None, *, waited: float | None = None, lasting: bool = False
    ) -> list[Unconfirmed]:
        """Return all files that are not confirmed; ``reason`` applies to those that the sink did not show.

        If the sink doubts its answers, waiting longer cannot help, and its doubt is the reason.
        """
        doubt = self._sink.doubt() if reason is None and isinstance(self._sink, SupportsDoubt) else None
        suffix = "" if waited is None else f" (waited {waited:.0f} s)."
        reasons = {
            name: self._reasons.get(name, reason or doubt or "The sink does not show it.")
            for name in self.open_files
        }
        doubted = set() if doubt is None else reasons.keys() - self._reasons.keys()
        unconfirmed = (
            Unconfirmed(
                name,
                f"{reasons[name].rstrip('.')}{suffix}" if suffix and name not in doubted else reasons[name],
                lasting or name in doubted,
            )
            for name in sorted(reasons)
        )
        return [*self.mismatches, *unconfirmed]

    def _sha256s(self, shown: Sequence[DistFile]) -> tuple[dict[str, str], list[WheelrelayError]]:
        """Return the sha256 of each file that the sink shows: as declared, or of the downloaded bytes."""
        declared = {
            held.filename: held.sha256 for held in shown if self._how is Confirm.INDEX and held.sha256
        }
        known = {name: self._downloaded[name] for name in self._shown_once if name in self._downloaded}
        unknown = [held for held in shown if not (held.filename in declared or held.filename in known)]
        done = self._run_all(unknown, self._download) if unknown else []
        downloaded = {one.item.filename: one.unwrap() for one in done if one.error is None}
        self._downloaded |= downloaded
        return declared | known | downloaded, [one.error for one in done if one.error is not None]

    def _download(self, held: DistFile) -> str:
        return fetched_sha256(self._sink, held)

    def _different_companions(
        self, shown: Sequence[DistFile]
    ) -> tuple[dict[str, list[str]], list[WheelrelayError]]:
        """Return the suffixes of the companions with other bytes, by the name of each file that has any."""
        signed = [held for held in shown if self.open_files[held.filename].companions]
        done = self._run_all(signed, self._different) if signed else []
        different: dict[str, list[str]] = {held.filename: [] for held in shown}
        for one in done:
            if one.error is None:
                different[one.item.filename] = one.unwrap()
            else:
                del different[one.item.filename]
        return different, [one.error for one in done if one.error is not None]

    def _different(self, held: DistFile) -> list[str]:
        return different_companions(self._sink, self.open_files[held.filename], held)

    def _compare(self, staged: StagedFile, held: DistFile, sha256: str, different: Sequence[str]) -> None:
        name = staged.filename
        if sha256 != staged.sha256 or different:
            self._shown_once.discard(name)
            if self._is_replaced(name, None if different else sha256):
                self._reasons[name] = "The sink still shows the bytes that were replaced."
            else:
                del self.open_files[name]
                self.mismatches.append(_mismatch(staged, sha256, different))
        elif missing := missing_companions(self._sink, staged, held):
            self._reasons[name] = f"The sink shows it without its {', '.join(missing)}."
        elif name in self._shown_once or not is_cached(self._sink):
            del self.open_files[name]
        else:  # other nodes of the cache may not know the file yet
            self._shown_once.add(name)
            self._reasons[name] = "The sink is behind a cache and has shown it only once."

    def _is_replaced(self, name: str, sha256: str | None) -> bool:
        """Return whether bytes may be those that were replaced; ``None`` if their digest was not recorded."""
        return name in self._replaced and (sha256 is None or self._replaced[name] in (None, sha256))


def read_back(sink: SupportsInventory, staged: StagedFile) -> DistFile | None:
    """Return the file that a sink holds under the name of a staged file; ``None`` if it has none.

    Raises:
        BackendError: The sink cannot be read.
    """
    if isinstance(sink, SupportsLook):
        return sink.look(_as_published(staged))
    files = sink.inventory(staged.file.project)
    return next((file for file in files if file.filename == staged.filename), None)


def _as_published(staged: StagedFile) -> DistFile:
    """Return the file with the companions that are published with it."""
    return replace(staged.file, companions=tuple(companion.suffix for companion in staged.companions))


def missing_companions(sink: object, staged: StagedFile, held: DistFile) -> list[str]:
    """Return the suffixes of the companions that a sink lacks, if it stores companions as files."""
    if not isinstance(sink, SupportsCompanionStorage):
        return []
    return [companion.suffix for companion in staged.companions if companion.suffix not in held.companions]


def different_companions(sink: object, staged: StagedFile, held: DistFile) -> list[str]:
    """Return the suffixes of the companions that a sink holds with other content, if it stores them as files.

    Raises:
        BackendError: A companion cannot be read.
    """
    if not (isinstance(sink, SupportsCompanionStorage) and isinstance(sink, SupportsCompanions)):
        return []
    return [
        companion.suffix
        for companion in staged.companions
        if companion.suffix in held.companions
        and sink.read_companion(held, companion.suffix) != companion.content
    ]


def is_cached(sink: object) -> bool:
    """Return whether a sink reports that caches answer for it."""
    return isinstance(sink, SupportsCacheStatus) and sink.is_cached()


def fetched_sha256(sink: object, file: DistFile) -> str:
    """Download a file from a sink and return its sha256.

    Raises:
        ConfigError: The sink serves no files.
        BackendError: The file cannot be downloaded.
    """
    if not isinstance(sink, Source):
        raise ConfigError("The sink cannot be read, so its files cannot be compared.", hint=NOT_READABLE)
    digest = hashlib.sha256()
    with sink.open(file) as stream:
        while block := stream.read(BLOCK_SIZE):
            digest.update(block)
    return digest.hexdigest()


def _mismatch(staged: StagedFile, sha256: str, different: Sequence[str]) -> Unconfirmed:
    if sha256 != staged.sha256:
        reason = f"It was uploaded with sha256 {staged.sha256}, but the sink has {sha256}."
    else:
        reason = f"The sink has the file with another {', '.join(different)} than was uploaded."
    return Unconfirmed(staged.filename, reason, lasting=True)
