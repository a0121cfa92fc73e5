"""Who downloads the files of a verification: this process, or others."""

from collections.abc import Callable, Sequence
from typing import Protocol

from wheelrelay.engine.confirming import fetched_sha256
from wheelrelay.engine.context import ConnectedSink, RelayRequest, Runtime
from wheelrelay.engine.gate import CheckedFile
from wheelrelay.engine.staging import InspectionRules, Stager, fetch
from wheelrelay.errors import WheelrelayError
from wheelrelay.events import FileEnded, Step
from wheelrelay.lock_matching import verify_locked
from wheelrelay.model import DistFile
from wheelrelay.records import PlannedFile
from wheelrelay.transfer.batch import Done
from wheelrelay.transfer.staging_area import StagingArea


class FileReader(Protocol):
    """Downloads many files; one that fails does not end the others."""

    def stage(self, files: Sequence[PlannedFile]) -> list[Done[PlannedFile, CheckedFile]]:
        """Stage and check files of the source without keeping their bytes, for their digests."""
        ...

    def fetch(
        self, files: Sequence[DistFile], on_fetched: Callable[[DistFile], None]
    ) -> list[Done[DistFile, DistFile]]:
        """Download files of the source, and compare them with its digests and with the lock.

        Args:
            files: The files.
            on_fetched: Called with each file that is verified.
        """
        ...

    def hash(
        self, sink: ConnectedSink, files: Sequence[DistFile], on_hashed: Callable[[DistFile, str], None]
    ) -> list[Done[DistFile, str]]:
        """Download files of a sink.

        Args:
            sink: The sink.
            files: The files, as the sink describes them.
            on_hashed: Called with each file and its sha256; what it raises is the error of the file.
        """
        ...


ReadFiles = Callable[[RelayRequest, StagingArea, Runtime], FileReader]


class LocalReader:
    """Downloads files in this process.

    Args:
        request: Both sides and the selection.
        staging_area: For the files while they are read.
        runtime: Threads, retries and progress.
    """

    def __init__(self, request: RelayRequest, staging_area: StagingArea, runtime: Runtime) -> None:
        self._request = request
        self._staging_area = staging_area
        self._runtime = runtime

    def stage(self, files: Sequence[PlannedFile]) -> list[Done[PlannedFile, CheckedFile]]:
        """Stage files, and drop each: its digest is enough, and there may be very many files."""
        rules = InspectionRules.of(self._request)
        stager = Stager(self._request.source, self._staging_area, rules, self._runtime)

        def stage(planned: PlannedFile) -> CheckedFile:
            checked = stager.stage(planned)
            self._staging_area.drop(checked.staged)
            return checked

        return self._runtime.workers.run_all(files, stage)

    def fetch(
        self, files: Sequence[DistFile], on_fetched: Callable[[DistFile], None]
    ) -> list[Done[DistFile, DistFile]]:
        """Download files of the source."""

        def verify(file: DistFile) -> DistFile:
            self._verify(file)
            on_fetched(file)
            return file

        return self._runtime.workers.run_all(files, verify)

    def hash(
        self, sink: ConnectedSink, files: Sequence[DistFile], on_hashed: Callable[[DistFile, str], None]
    ) -> list[Done[DistFile, str]]:
        """Download files of a sink."""

        def download(file: DistFile) -> str:
            sha256 = self._runtime.retrier.call(file.filename, lambda: fetched_sha256(sink.sink, file))
            on_hashed(file, sha256)
            return sha256

        return self._runtime.workers.run_all(files, download)

    def _verify(self, file: DistFile) -> None:
        request, runtime = self._request, self._runtime
        try:
            staged = fetch(
                request.source, file, self._staging_area, runtime, Step.CONFIRM, verify_archive=True
            )
            verify_locked(request.selection.lock, staged.file)
        except WheelrelayError as error:
            runtime.report(FileEnded(Step.CONFIRM, file.filename, error=str(error)))
            raise
        self._staging_area.drop(staged)
        runtime.report(FileEnded(Step.CONFIRM, file.filename))
