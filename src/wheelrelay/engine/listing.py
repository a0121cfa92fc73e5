"""Read the files of the source and of the sinks: each page once, many pages in parallel."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial

from packaging.utils import NormalizedName

from wheelrelay.engine.context import ConnectedSink, ConnectedSource, Runtime, error_context
from wheelrelay.errors import WheelrelayError
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile
from wheelrelay.protocols import (
    SupportsBulkInventory,
    SupportsBulkListing,
    SupportsInventory,
    SupportsProjects,
    SupportsReuse,
)
from wheelrelay.transfer.batch import Done

MANY_PROJECTS = 200
"""From this number of projects on, pages are reused: reading a list of all projects takes time, too."""


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


_Part = tuple[Collection[NormalizedName], Callable[[], Iterable[DistFile]]]
"""Some projects, and the function that reads their files."""


@dataclass(frozen=True, eq=False)
class Read:
    """One read of a side: a page of an index, or a listing.

    Attributes:
        remote: The name of the remote.
        projects: The projects whose files it returns; empty for all projects.
        subject: Its content, for progress.
        where: The side, for errors.
        files: Reads the files.
    """

    remote: str
    projects: Collection[NormalizedName]
    subject: str
    where: str
    files: Callable[[], Iterable[DistFile]]


class Unreadable:
    """Reads that failed while the others went on: their files are unknown, not missing.

    Attributes:
        errors: The errors of the reads.
    """

    def __init__(self) -> None:
        self.errors: dict[Read, WheelrelayError] = {}

    def covers(self, remote: str, project: NormalizedName) -> bool:
        """Return whether the files of a project at a remote are unknown."""
        return remote in self._remotes or (remote, project) in self._projects

    def record(self, read: Read, error: WheelrelayError) -> None:
        """Record that a read failed."""
        self.errors[read] = error
        self.__dict__.pop("_remotes", None)
        self.__dict__.pop("_projects", None)

    @cached_property
    def _remotes(self) -> set[str]:
        return {read.remote for read in self.errors if not read.projects}

    @cached_property
    def _projects(self) -> set[tuple[str, NormalizedName]]:
        return {(read.remote, project) for read in self.errors for project in read.projects}


class ReadFiles:
    """The results of reads that ran in parallel."""

    def __init__(self, done: Sequence[Done[Read, list[DistFile]]], unreadable: Unreadable | None) -> None:
        self._done = {one.item: one for one in done}
        self._unreadable = unreadable

    def of(self, reads: Sequence[Read], *, is_required: bool = True) -> list[DistFile]:
        """Return the files of some reads, in their order.

        Args:
            reads: The reads.
            is_required: Whether it is an error if none of the reads succeeded, although others may fail.

        Raises:
            WheelrelayError: The first error of these reads, or else of the others that ended them.
        """
        done = [self._done[read] for read in reads if read in self._done]
        errors = [one.error for one in done if one.error]
        if errors and (self._unreadable is None or (is_required and len(errors) == len(reads))):
            raise errors[0]
        if len(done) < len(reads):
            raise next(one.error for one in self._done.values() if one.error)
        for one in done:
            if one.error and self._unreadable:
                self._unreadable.record(one.item, one.error)
        return [file for one in done if one.error is None for file in one.unwrap()]


def run_reads(reads: Sequence[Read], runtime: Runtime, unreadable: Unreadable | None = None) -> ReadFiles:
    """Run reads in parallel, each with its own retries.

    Args:
        reads: The reads.
        runtime: Threads and retries.
        unreadable: Records reads that fail; without it, no further read starts after one has failed.
    """

    def run(read: Read) -> list[DistFile]:
        with error_context(read.where):
            return runtime.retrier.call(read.subject, lambda: list(read.files()))

    def is_last(done: Done[Read, list[DistFile]]) -> bool:
        return unreadable is None and done.error is not None

    return ReadFiles(runtime.workers.run_all(reads, run, is_last=is_last), unreadable)


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
    is_listed = not projects and isinstance(backend, SupportsProjects)
    reads: list[_Part]
    if not projects and isinstance(backend, SupportsProjects):
        with error_context(_source(source)):
            names = partial(_project_names, backend)
            projects = runtime.retrier.call(f"the projects of {source.name}", names)
    if not projects:
        reads = [(projects, partial(backend.iter_files, None))] if not is_listed else []
    elif len(projects) > 1 and isinstance(backend, SupportsBulkListing):
        reads = [(projects, partial(backend.iter_files_of, projects))]
    else:
        reads = [((project,), partial(backend.iter_files, project)) for project in projects]
        if len(reads) >= MANY_PROJECTS and isinstance(backend, SupportsReuse):
            backend.reuse_pages(projects)
    subject = f"the files of {source.name}"
    return [Read(source.name, names, subject, _source(source), read) for names, read in reads]


def sink_reads(sink: ConnectedSink, projects: Collection[NormalizedName]) -> list[Read] | None:
    """Return the reads that list some projects at a sink; ``None`` if it is write-only."""
    backend = sink.sink
    if not isinstance(backend, SupportsInventory):
        return None
    reads: list[_Part]
    if len(projects) > 1 and isinstance(backend, SupportsBulkInventory):
        reads = [(projects, partial(backend.inventory_of, projects))]
    else:
        reads = [((project,), partial(backend.inventory, project)) for project in projects]
    subject, where = f"the inventory of {sink.name}", f"sink {sink.name!r}"
    return [Read(sink.name, names, subject, where, read) for names, read in reads]


def _source(source: ConnectedSource) -> str:
    return f"source {source.name!r}"


def _project_names(source: SupportsProjects) -> list[NormalizedName]:
    return list(source.projects())
