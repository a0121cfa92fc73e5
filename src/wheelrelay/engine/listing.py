"""Read the files of the source and of the sinks: each page once, many pages in parallel."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from packaging.utils import NormalizedName

from wheelrelay.engine.context import ConnectedSink, ConnectedSource, Runtime, error_context
from wheelrelay.model import DistFile
from wheelrelay.protocols import (
    SupportsBulkInventory,
    SupportsBulkListing,
    SupportsInventory,
    SupportsProjects,
)
from wheelrelay.transfer.thread_pool import Done


class Inventory(Mapping[str, DistFile]):
    """The files that a sink holds of the selected projects, by filename."""

    def __init__(self, files: Iterable[DistFile] = ()) -> None:
        self._files = {file.filename: file for file in files}
        self._by_project: dict[NormalizedName, list[DistFile]] = {}
        for file in self._files.values():
            self._by_project.setdefault(file.project, []).append(file)

    def __getitem__(self, filename: str) -> DistFile:
        return self._files[filename]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def of_project(self, project: NormalizedName) -> Sequence[DistFile]:
        """Return the files of one project."""
        return self._by_project.get(project, ())


@dataclass(frozen=True, eq=False)
class Read:
    """One read of a side: a page of an index, or a listing.

    Attributes:
        subject: Its content, for progress.
        where: The side, for errors.
        files: Reads the files.
    """

    subject: str
    where: str
    files: Callable[[], Iterable[DistFile]]


class ReadFiles:
    """The results of reads that ran in parallel."""

    def __init__(self, done: Sequence[Done[Read, list[DistFile]]]) -> None:
        self._done = {one.item: one for one in done}

    def of(self, reads: Sequence[Read]) -> list[DistFile]:
        """Return the files of some reads, in their order.

        Raises:
            WheelrelayError: The first error of these reads, or else of the others that ended them.
        """
        for done in (self._done.get(read) for read in reads):
            if done and done.error:
                raise done.error
        if any(read not in self._done for read in reads):
            raise next(done.error for done in self._done.values() if done.error)
        return [file for read in reads for file in self._done[read].unwrap()]


def run_reads(reads: Sequence[Read], runtime: Runtime) -> ReadFiles:
    """Run reads in parallel, each with its own retries; no further read starts after one has failed."""

    def run(read: Read) -> list[DistFile]:
        with error_context(read.where):
            return runtime.retrier.call(read.subject, lambda: list(read.files()))

    return ReadFiles(runtime.workers.run_all(reads, run, is_last=lambda done: done.error is not None))


def source_reads(
    source: ConnectedSource, projects: Collection[NormalizedName], runtime: Runtime
) -> list[Read]:
    """Return the reads that list a source: one for each project of an index, a single one for a listing.

    Args:
        source: The source.
        projects: The projects; all projects if empty.
        runtime: Retries.

    Raises:
        BackendError: The list of all projects cannot be read.
    """
    backend = source.source
    if not projects and isinstance(backend, SupportsProjects):
        with error_context(_source(source)):
            names = partial(_project_names, backend)
            projects = runtime.retrier.call(f"the projects of {source.name}", names)
        reads = [partial(backend.iter_files, project) for project in projects]
    elif not projects:
        reads = [partial(backend.iter_files, None)]
    elif len(projects) > 1 and isinstance(backend, SupportsBulkListing):
        reads = [partial(backend.iter_files_of, projects)]
    else:
        reads = [partial(backend.iter_files, project) for project in projects]
    return [Read(f"the files of {source.name}", _source(source), read) for read in reads]


def sink_reads(sink: ConnectedSink, projects: Collection[NormalizedName]) -> list[Read] | None:
    """Return the reads that list some projects at a sink; ``None`` if it is write-only."""
    backend = sink.sink
    if not isinstance(backend, SupportsInventory):
        return None
    if len(projects) > 1 and isinstance(backend, SupportsBulkInventory):
        reads = [partial(backend.inventory_of, projects)]
    else:
        reads = [partial(backend.inventory, project) for project in projects]
    return [Read(f"the inventory of {sink.name}", f"sink {sink.name!r}", read) for read in reads]


def _source(source: ConnectedSource) -> str:
    return f"source {source.name!r}"


def _project_names(source: SupportsProjects) -> list[NormalizedName]:
    return list(source.projects())
