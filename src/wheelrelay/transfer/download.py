"""Download a distribution file, and verify it against the digests its source declares."""

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
from wheelrelay.protocols import (
    ByteStream,
    LimitsParallelRanges,
    Source,
    SupportsCompanions,
    SupportsLength,
    SupportsLocalPath,
    SupportsRange,
)
from wheelrelay.records import Finding
from wheelrelay.signing import refused_companion
from wheelrelay.staged import FileIdentity, StagedFile
from wheelrelay.transfer.hashing import HashingCopier, Watcher
from wheelrelay.transfer.parallel_ranges import (
    DEFAULT_POLICY,
    ParallelRangeReader,
    RangeExecutor,
    RangePolicy,
)
from wheelrelay.transfer.retry import Retrier
from wheelrelay.transfer.staging_area import StagingArea

_NEVER_STOPPED = threading.Event()

_REDIRECTS = range(300, 400)
"""The HTTP statuses of redirects."""

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
    on_size: Callable[[int], None] = lambda _: None,
    verify_archive: bool = True,
    executor: RangeExecutor | None = None,
    ranges: RangePolicy = DEFAULT_POLICY,
) -> StagedFile:
    """Bring ``file`` to local disk and verify it.

    A file on local disk is hashed in place. Any other is read once, in blocks, and hashed while it is
    written under a temporary name; it gets its final name only after size and digests match. A further
    attempt continues where the last one broke off, if the source serves ranges and declares a digest that
    proves the result.

    Args:
        source: The source.
        file: As the source lists it.
        staging_area: Where downloaded files are stored.
        watcher: Called with the number of bytes each time some were read.
        stopped: Set to give up in the middle of the file.
        retrier: Repeats failed attempts; without it there is one attempt.
        begin: Called before each attempt; ``watcher`` is called again with the bytes that are kept.
        on_size: Called with the size that the server declares, if the source lists none.
        verify_archive: Verify the archive's own checksums if the source declares no digest. A caller that
            reads all of the archive next does not need it.
        executor: Downloads ranges of a large file in parallel where one connection is slow.
        ranges: When and how a file is divided into ranges.

    Raises:
        DigestMismatch: The bytes do not have the declared digest.
        SizeMismatch: The source sent fewer or more bytes than it declares.
        IntegrityError: The bytes are not such an archive, or a damaged one.
        ChangedWhileReading: A local file changed while it was hashed.
        BackendError: The source failed.
    """
    copier = HashingCopier(file, watcher, stopped or _NEVER_STOPPED)

    def call(operation: Callable[[], Result]) -> Result:
        return retrier.call(file.filename, operation) if retrier else operation()

    if isinstance(source, SupportsLocalPath):
        path = source.local_path(file)
        identity = call(_after(begin, partial(_hash_in_place, path, copier)))
    else:
        path = staging_area.path_of(file.filename)
        with staging_area.incoming(file.filename) as target:
            call(_after(begin, _Download(source, file, target, copier, executor, ranges, on_size).attempt))
            if verify_archive and not file.digests.known():
                _verify_archive(Path(target.name), file.filename)
        identity = FileIdentity.of(path.stat())
    digests = copier.verify()
    companions, refusals = call(lambda: _companions(source, file))
    return StagedFile(
        file=replace(
            file,
            size=copier.size,
            digests=digests,
            companions=tuple(companion.suffix for companion in companions),
        ),
        path=path,
        size=copier.size,
        sha256=digests.sha256 or "",
        identity=identity,
        companions=companions,
        companion_findings=refusals,
    )


def hashed_in_place(path: Path, file: DistFile) -> DistFile:
    """Return a file on local disk with its size and sha256.

    Raises:
        SizeMismatch: The size is not the declared one, or zero.
        IntegrityError: The file is not such an archive.
        ChangedWhileReading: The file changed while it was hashed.
        BackendError: The file cannot be read.
    """
    copier = HashingCopier(file, lambda _: None, _NEVER_STOPPED)
    _hash_in_place(path, copier)
    return replace(file, size=copier.size, digests=Digests(sha256=copier.verify().sha256))


def _after(begin: Callable[[], None], attempt: Callable[[], Result]) -> Callable[[], Result]:
    """Return ``attempt`` with a call of ``begin`` before it."""

    def attempt_after() -> Result:
        begin()
        return attempt()

    return attempt_after


class _Download:
    """The download of one file, over several attempts.

    Args:
        source: The source.
        file: As the source lists it.
        target: Where the bytes are written.
        copier: Hashes them.
        executor: Downloads ranges in parallel; without it, one connection is used.
        ranges: When and how the file is divided into ranges.
        on_size: Called with the size that the server declares, if the source lists none.
    """

    def __init__(
        self,
        source: Source,
        file: DistFile,
        target: BinaryIO,
        copier: HashingCopier,
        executor: RangeExecutor | None,
        ranges: RangePolicy,
        on_size: Callable[[int], None],
    ) -> None:
        self._on_size = on_size
        self._source = source
        self._file = file
        self._target = target
        self._copier = copier
        self._executor = executor
        self._ranges = ranges

    def attempt(self) -> None:
        """Read the file to its end: from where the last attempt broke off, or from its beginning.

        Raises:
            Unavailable: The bytes of this attempt do not fit those of the last one.
            WheelrelayError: As `stage`.
        """
        with ExitStack() as stack:
            rest = self._open_rest(stack)
            if rest is None:
                self._restart()
                stream = stack.enter_context(self._source.open(self._file))
                self._report_size(stream)
            else:
                self._copier.report_again()
                stream = rest
            ranges = self._in_parallel(stream, stack)
            try:
                self._copier.copy(ranges or stream, self._target)
            finally:
                was_divided = ranges is not None and ranges.is_divided
                if was_divided:  # a further attempt uses one connection
                    self._executor = None
        try:
            self._copier.verify()
        except DigestMismatch as error:
            if rest is None and not was_divided:
                raise
            # The file may have been replaced between two requests, so all of it is read once more.
            self._restart()
            raise Unavailable(f"{self._file.filename}: the parts that were received do not match.") from error

    def _report_size(self, stream: ByteStream) -> None:
        if self._file.size is None and isinstance(stream, SupportsLength) and stream.length is not None:
            self._on_size(stream.length)

    def _in_parallel(self, stream: ByteStream, stack: ExitStack) -> ParallelRangeReader | None:
        """Return a reader that may use several connections, where that is possible; ``stack`` closes it."""
        file, source = self._file, self._source
        if not (self._executor and file.size and file.digests.known() and isinstance(source, SupportsRange)):
            return None
        if isinstance(source, LimitsParallelRanges) and not source.allows_parallel_ranges():
            return None
        connection, start = stack.pop_all(), self._copier.size
        reader = ParallelRangeReader(
            stream,
            connection,
            source=source,
            file=file,
            start=start,
            executor=self._executor,
            policy=self._ranges,
        )
        stack.callback(reader.close)
        return reader

    def _open_rest(self, stack: ExitStack) -> ByteStream | None:
        """Return the rest of the file after a broken attempt, if the source serves it."""
        file, size = self._file, self._copier.size
        has_rest = size > 0 and (file.size is None or size < file.size)
        if not (has_rest and file.digests.known() and isinstance(self._source, SupportsRange)):
            return None
        try:
            return stack.enter_context(self._source.open_range(file, size, file.size))
        except Rejected:
            return None

    def _restart(self) -> None:
        self._copier.restart()
        if self._target.tell():  # ext4 writes out a truncated file as soon as it is closed: avoid that
            self._target.seek(0)
            self._target.truncate()


def _hash_in_place(path: Path, copier: HashingCopier) -> FileIdentity:
    copier.restart()
    try:
        with path.open("rb", buffering=0) as stream:
            before = FileIdentity.of(os.fstat(stream.fileno()))
            copier.copy(stream, None)
            after = FileIdentity.of(os.fstat(stream.fileno()))
    except FileNotFoundError as error:
        raise NotFound(f"{path} does not exist any more.") from error
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror}.") from error
    if before != after or copier.size != after.size:
        raise ChangedWhileReading(
            f"{path} changed while it was hashed.", hint="Wait until nothing writes to it."
        )
    copier.verify()
    return after


def _verify_archive(path: Path, filename: str) -> None:
    """Verify the checksums inside an archive whose source declares no digest.

    Raises:
        IntegrityError: The archive is damaged, or exceeds the limits for reading.
    """
    from wheelrelay.checks import open_distribution  # heavy, and rarely needed

    contents = open_distribution(path, filename=filename).contents
    if contents.damage:
        raise IntegrityError(f"{filename} is damaged: {contents.damage}")
    if contents.unverified_reason:
        raise IntegrityError(f"{filename} cannot be verified by unpacking it: {contents.unverified_reason}")


def _companions(source: Source, file: DistFile) -> tuple[tuple[Companion, ...], tuple[Finding, ...]]:
    """Return the companions of a file at its source, and a finding for each that is on another host."""
    companions: list[Companion] = []
    refusals: list[Finding] = []
    if not isinstance(source, SupportsCompanions):
        return (), ()
    for suffix in file.companions:
        try:
            companions.append(Companion(suffix, source.read_companion(file, suffix)))
        except Rejected as error:
            if error.status not in _REDIRECTS:
                raise
            refusals.append(refused_companion(file.filename, suffix, error.message.rstrip(".")))
    return tuple(companions), tuple(refusals)
