"""Fetch a file from its source and prove that it is the file the source promised."""

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from wheelrelay.errors import (
    BackendError,
    ChangedWhileReading,
    DigestMismatch,
    IntegrityError,
    NotFound,
    Rejected,
    Unavailable,
)
from wheelrelay.model import Companion, Digests, DistFile
from wheelrelay.protocols import ByteStream, Source, SupportsCompanions, SupportsLocalPath, SupportsRange
from wheelrelay.records import Finding
from wheelrelay.signing import refused_companion
from wheelrelay.staged import FileIdentity, StagedFile
from wheelrelay.transfer.hashing import HashingCopier, Watcher
from wheelrelay.transfer.parallel_ranges import ParallelRangeReader, RangeExecutor
from wheelrelay.transfer.retry import Retrier
from wheelrelay.transfer.staging_area import StagingArea

_NEVER = threading.Event()
"""Set by nobody: what is not to be given up half-way."""

_REDIRECTS = range(300, 400)
"""The HTTP statuses with which a server says that something is elsewhere."""

Result = TypeVar("Result")


def stage(
    source: Source,
    file: DistFile,
    staging_area: StagingArea,
    *,
    watcher: Watcher = lambda _: None,
    stopped: threading.Event | None = None,
    retrier: Retrier | None = None,
    begin: Callable[[], None] = lambda: None,
    proven: bool = True,
    crew: RangeExecutor | None = None,
) -> StagedFile:
    """Bring ``file`` to local disk and verify it on the way.

    A file that lies on local disk already is hashed in place. Any other is read once, in blocks, and
    hashed as it is written to a temporary name, which becomes the real one only after size and digests
    agree with what the source declared. Where the source declares no digest, the archive's own checksums
    are verified, unless whoever calls is going to read it through anyway.

    When it is tried again, what has come already is kept if the source can go on from there and the
    declared digest will prove the whole.

    Args:
        source: where the file is.
        file: as the source describes it.
        staging_area: where to put it.
        watcher: called with the number of bytes each time some have come.
        stopped: set to give up in the middle of the file.
        retrier: tries again and pauses; without it there is one attempt.
        begin: called before each attempt; what was kept is told to ``watcher`` once more then.
        proven: verify the archive's checksums where no digest is declared.
        crew: fetches parts of a large file ahead where one connection is slow, and a digest proves the whole.

    Raises:
        DigestMismatch: the bytes have another digest than the source declared.
        SizeMismatch: fewer or more bytes came than the source declared.
        IntegrityError: what came is no such archive, or a damaged one.
        ChangedWhileReading: a local file changed while it was hashed.
        BackendError: the source failed.
    """
    meter = HashingCopier(file, watcher, stopped or _NEVER)

    def call(operation: Callable[[], Result]) -> Result:
        return retrier.call(file.filename, operation) if retrier else operation()

    if isinstance(source, SupportsLocalPath):
        path = source.local_path(file)
        identity = call(_begun(begin, partial(_hash_in_place, path, meter)))
    else:
        path = staging_area.path_of(file.filename)
        with staging_area.incoming(file.filename) as target:
            call(_begun(begin, _Fetch(source, file, target, meter, crew).attempt))
            if proven and not file.digests.known():
                _prove_whole(Path(target.name), file.filename)
        identity = FileIdentity.of(path.stat())
    digests = meter.verify()
    companions, refusals = call(lambda: _companions(source, file))
    kept = tuple(companion.suffix for companion in companions)
    return StagedFile(
        file=replace(file, size=meter.size, digests=digests, companions=kept),
        path=path,
        size=meter.size,
        sha256=digests.sha256 or "",
        identity=identity,
        companions=companions,
        companion_findings=refusals,
    )


def hashed_in_place(path: Path, file: DistFile) -> DistFile:
    """A file that lies on local disk, with the size and the sha256 of its bytes.

    Raises:
        SizeMismatch: fewer or more bytes are there than its place declared, or none.
        IntegrityError: it is no such archive.
        ChangedWhileReading: it changed while it was hashed.
        BackendError: it cannot be read.
    """
    meter = HashingCopier(file, lambda _: None, _NEVER)
    _hash_in_place(path, meter)
    return replace(file, size=meter.size, digests=Digests(sha256=meter.verify().sha256))


def _begun(begin: Callable[[], None], attempt: Callable[[], Result]) -> Callable[[], Result]:
    def begun() -> Result:
        begin()
        return attempt()

    return begun


class _Fetch:
    """A file on its way from a source to the wheelhouse.

    Args:
        source: where it is.
        file: as the source describes it.
        target: where its bytes go.
        meter: hashes them.
        crew: fetches parts ahead; if there is none, nothing is.
    """

    def __init__(
        self,
        source: Source,
        file: DistFile,
        target: BinaryIO,
        meter: HashingCopier,
        crew: RangeExecutor | None,
    ) -> None:
        self._source = source
        self._file = file
        self._target = target
        self._meter = meter
        self._crew = crew

    def attempt(self) -> None:
        """Read the file to its end: from where the attempt before broke off, or from its beginning.

        Raises:
            Unavailable: what came after an interruption does not fit what had come before it.
            WheelrelayError: as `stage`.
        """
        with ExitStack() as stack:
            rest = self._rest(stack)
            if rest is None:
                self._start_anew()
                stream = stack.enter_context(self._source.open(self._file))
            else:
                self._meter.tell_again()
                stream = rest
            ahead = self._ahead(stream, stack)
            try:
                self._meter.copy(ahead or stream, self._target)
            finally:
                divided = ahead is not None and ahead.divided
                if divided:  # should it fail, it is tried again in the plain way
                    self._crew = None
        try:
            self._meter.verify()
        except DigestMismatch as error:
            if rest is None and not divided:
                raise
            self._start_anew()
            raise Unavailable(f"{self._file.filename} came in pieces that do not belong together.") from error

    def _ahead(self, stream: ByteStream, stack: ExitStack) -> ParallelRangeReader | None:
        """The same stream, helped along, where that is possible; ``stack`` closes it."""
        file, source = self._file, self._source
        if not (self._crew and file.size and file.digests.known() and isinstance(source, SupportsRange)):
            return None
        held, start = stack.pop_all(), self._meter.size
        ahead = ParallelRangeReader(stream, held, source=source, file=file, start=start, crew=self._crew)
        stack.callback(ahead.close)
        return ahead

    def _rest(self, stack: ExitStack) -> ByteStream | None:
        """What is still to come after a broken attempt, if the source gives it out."""
        file, size = self._file, self._meter.size
        fits = size > 0 and (file.size is None or size < file.size)
        if not (fits and file.digests.known() and isinstance(self._source, SupportsRange)):
            return None
        try:
            return stack.enter_context(self._source.open_range(file, size, file.size))
        except Rejected:
            return None

    def _start_anew(self) -> None:
        self._meter.start_anew()
        if self._target.tell():  # a file that was truncated is written out by ext4 as soon as it is closed
            self._target.seek(0)
            self._target.truncate()


def _hash_in_place(path: Path, meter: HashingCopier) -> FileIdentity:
    meter.start_anew()
    try:
        with path.open("rb", buffering=0) as stream:
            before = FileIdentity.of(os.fstat(stream.fileno()))
            meter.copy(stream, None)
            after = FileIdentity.of(os.fstat(stream.fileno()))
    except FileNotFoundError as error:
        raise NotFound(f"{path} is not there any more.") from error
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror}.") from error
    if before != after or meter.size != after.size:
        raise ChangedWhileReading(f"{path} changed while it was hashed.", hint="Wait until it is written.")
    meter.verify()
    return after


def _prove_whole(path: Path, filename: str) -> None:
    """Verify the checksums inside an archive, for want of a declared digest.

    Raises:
        IntegrityError: the archive is damaged, or it exceeds the limits of what is read.
    """
    from wheelrelay.checks import open_distribution  # which reads archives within bounds

    contents = open_distribution(path, filename=filename).contents
    if contents.damage:
        raise IntegrityError(f"{filename} came damaged: {contents.damage}")
    if contents.unverified_reason:
        raise IntegrityError(
            f"{filename} is not unpacked, so nothing proves that it is whole: {contents.unverified_reason}"
        )


def _companions(source: Source, file: DistFile) -> tuple[tuple[Companion, ...], tuple[Finding, ...]]:
    """What lies beside a file at its source; what the source has only at another host stays behind."""
    read: list[Companion] = []
    refusals: list[Finding] = []
    if not isinstance(source, SupportsCompanions):
        return (), ()
    for suffix in file.companions:
        try:
            read.append(Companion(suffix, source.read_companion(file, suffix)))
        except Rejected as error:
            if error.status not in _REDIRECTS:
                raise
            refusals.append(refused_companion(file.filename, suffix, error.message.rstrip(".")))
    return tuple(read), tuple(refusals)
