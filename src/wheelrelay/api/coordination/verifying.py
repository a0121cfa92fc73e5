"""Verify on the workers of an engine: they download, and this process compares and reports."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Generic, TypeVar

from wheelrelay.api.coordination.access import EngineAccess
from wheelrelay.api.coordination.batches import Batches
from wheelrelay.api.coordination.dispatching import Dispatcher, Job
from wheelrelay.api.coordination.interrupting import not_read
from wheelrelay.api.coordination.messages import receiver, sending_events
from wheelrelay.api.coordination.release_tasks import without_bytes
from wheelrelay.api.coordination.tasks import Circumstances
from wheelrelay.config import EngineLike, Route
from wheelrelay.engine.context import ConnectedSink, RelayRequest, Runtime, running
from wheelrelay.engine.gate import CheckedFile
from wheelrelay.engine.reading_files import LocalReader, ReadFiles
from wheelrelay.errors import WheelrelayError
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile
from wheelrelay.protocols import Report
from wheelrelay.records import PlannedFile
from wheelrelay.transfer.batch import Done
from wheelrelay.transfer.staging_area import StagingArea, temporary_staging_area

Item = TypeVar("Item", DistFile, PlannedFile)

Results = Mapping[str, Any]
"""Results or errors by filename."""


@dataclass(frozen=True, slots=True)
class ReadBatch(Generic[Item]):
    """Download some files of a verification.

    Attributes:
        shared: What all tasks share.
        files: The files.
        jobs: The number of parallel transfers; adaptive by default.
        sink: The sink whose files they are; ``None`` for those of the source.
    """

    shared: Circumstances
    files: tuple[Item, ...]
    jobs: int | None
    sink: str | None = None

    def __call__(self, report: Report) -> Results:
        """Return the result of each file, or its error, by filename."""
        with (
            sending_events(report) as progress,
            self.shared.connected(tuple(map(_file, self.files)), self.jobs, progress) as request,
            running(request.options) as runtime,
            temporary_staging_area() as area,
        ):
            done = self._read(request, LocalReader(request, area, runtime))
        return {_file(one.item).filename: one.error or _portable(one.result) for one in done}

    def _read(self, request: RelayRequest, reader: LocalReader) -> Sequence[Done[Any, Any]]:
        everything: Sequence[DistFile | PlannedFile] = self.files
        planned = [item for item in everything if isinstance(item, PlannedFile)]
        if planned:
            return reader.stage(planned)
        files = [item for item in everything if isinstance(item, DistFile)]
        if self.sink is None:
            return reader.fetch(files, lambda _: None)
        (sink,) = (sink for sink in request.sinks if sink.name == self.sink)
        return reader.hash(sink, files, lambda _, __: None)


@contextmanager
def reading_on(engine: EngineLike, route: Route) -> Iterator[ReadFiles]:
    """Yield what downloads files on the workers of an engine.

    Args:
        engine: The engine, which is connected when the first file is downloaded.
        route: The route; for a remote alone, its sink is the same.
    """
    with ExitStack() as stack:

        def read_files(request: RelayRequest, _: StagingArea, runtime: Runtime) -> "WorkerReader":
            return WorkerReader(EngineAccess(engine), route, request, runtime, stack)

        yield read_files


class WorkerReader:
    """Downloads files on workers; see `wheelrelay.engine.reading_files.FileReader`.

    Args:
        access: The engine.
        route: The route.
        request: Both sides and the selection.
        runtime: Progress.
        stack: Closes the engine.
    """

    def __init__(
        self,
        access: EngineAccess,
        route: Route,
        request: RelayRequest,
        runtime: Runtime,
        stack: ExitStack,
    ) -> None:
        self._access = access
        self._route = route
        self._request = request
        self._runtime = runtime
        self._stack = stack
        self._dispatcher: Dispatcher[Sequence[Any]] | None = None
        self._shared: Circumstances | None = None

    def stage(self, files: Sequence[PlannedFile]) -> list[Done[PlannedFile, CheckedFile]]:
        """Stage and check files of the source without keeping their bytes."""
        return self._read(files, None, lambda _, __: None)

    def fetch(
        self, files: Sequence[DistFile], on_fetched: Callable[[DistFile], None]
    ) -> list[Done[DistFile, DistFile]]:
        """Download files of the source."""
        return self._read(files, None, lambda file, _: on_fetched(file))

    def hash(
        self, sink: ConnectedSink, files: Sequence[DistFile], on_hashed: Callable[[DistFile, str], None]
    ) -> list[Done[DistFile, str]]:
        """Download files of a sink."""
        return self._read(files, sink.name, on_hashed)

    def _read(
        self, files: Sequence[Item], sink: str | None, on_result: Callable[[Item, Any], None]
    ) -> list[Done[Item, Any]]:
        if not files:
            return []
        dispatcher, shared = self._connected()
        batches = Batches([(_file(item), item) for item in files], self._access.limits)
        done: list[Done[Item, Any]] = []

        def task_of(job: Job[Sequence[Any]]) -> ReadBatch[Any]:
            return ReadBatch(shared, tuple(job.part), job.jobs, sink)

        for job, results, error in dispatcher.run(lambda slots, _: batches.take(slots) or None, task_of):
            for item in job.part:
                name = _file(item).filename
                result = error or results.get(name) or not_read(name)
                done.append(_done(item, result, on_result))
        return done

    def _connected(self) -> tuple[Dispatcher[Sequence[Any]], Circumstances]:
        if self._dispatcher is None or self._shared is None:
            pool, self._shared = self._access.admitted(
                self._stack, self._route, self._request, publishes=False
            )
            self._dispatcher = Dispatcher(
                pool,
                receiver(self._runtime.report),
                jobs=self._request.options.jobs,
                host_limit=self._access.config.host_limit,
            )
        return self._dispatcher, self._shared


def _done(item: Item, result: Any, on_result: Callable[[Item, Any], None]) -> Done[Item, Any]:
    if isinstance(result, WheelrelayError):
        return Done(item, None, result)
    try:
        on_result(item, result)
    except WheelrelayError as error:
        return Done(item, None, error)
    return Done(item, result, None)


def _file(item: DistFile | PlannedFile) -> DistFile:
    return item.file if isinstance(item, PlannedFile) else item


def _portable(result: Any) -> Any:
    return without_bytes(result) if isinstance(result, CheckedFile) else result
