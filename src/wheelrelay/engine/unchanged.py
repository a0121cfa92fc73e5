"""Leave out the projects of a mirror that have not changed since the last run, on both sides.

The source numbers the changes of its projects, and a listing of a sink shows which files have changed. So a
run with nothing to do reads one page of the source and one listing of each sink, and parses no filename.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import partial

from packaging.utils import NormalizedName, canonicalize_name

from wheelrelay.engine.context import ConnectedSink, RelayRequest, Runtime, error_context
from wheelrelay.engine.last_run import FileRow, LastRun, ProjectRow, SinkRow, row_of
from wheelrelay.engine.listing import MANY_PROJECTS
from wheelrelay.engine.recording import ReceiptRecorder
from wheelrelay.expect import Expected
from wheelrelay.filenames import possible_projects
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.protocols import Snapshot, SupportsSerials, SupportsSnapshots
from wheelrelay.records import Delivery, Outcome, Plan, ReceiptFile, Severity

_IN_PLACE = Delivery(Outcome.SKIPPED, reason="the same bytes exist")


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The projects of a mirror that need not be read.

    Attributes:
        projects: Their names.
        files: Their selected files; every sink has them.
        sinks: The names of the sinks where nothing has changed at all, and whose pages are current.
        last: The last run.
        snapshots: The current state of each sink; empty if the last run is unknown.
        touched: Projects whose files or pages have changed at a sink since the last run.
    """

    projects: frozenset[NormalizedName] = frozenset()
    files: tuple[ReceiptFile, ...] = ()
    sinks: frozenset[str] = frozenset()
    last: LastRun = field(default_factory=LastRun)
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)
    touched: frozenset[str] = frozenset()

    def narrow(self, request: RelayRequest) -> RelayRequest:
        """Return the request for the other projects."""
        if not self.projects:
            return request
        others = [name for name in request.selection.projects() if name not in self.projects]
        return replace(request, selection=request.selection.within(others))

    def others(self, sinks: Sequence[ConnectedSink], plan: Plan) -> list[ConnectedSink]:
        """Return the sinks whose pages may be outdated; all, if the plan has any file."""
        return [sink for sink in sinks if plan.files or sink.name not in self.sinks]


NOTHING_UNCHANGED = Unchanged()
"""All projects are read."""


def find_unchanged(request: RelayRequest, runtime: Runtime) -> Unchanged:
    """Return the projects that have changed neither at the source nor at any sink since the last run.

    Raises:
        BackendError: A sink cannot be listed.
    """
    source, projects = request.source.source, request.selection.projects()
    last = request.last_run.load() if request.last_run and _is_supported(request) else None
    if last is None or not isinstance(source, SupportsSerials):
        return NOTHING_UNCHANGED
    serials = source.current_serials()
    snapshots = {sink.name: _current_snapshot(sink, projects, runtime) for sink in request.sinks}
    touched = frozenset(_touched({name: row.snapshot for name, row in last.sinks.items()}, snapshots))
    versions = _required_versions(request)
    unchanged = {
        name: row
        for name in projects
        if (row := last.projects.get(name))
        and row.serial == serials.get(name)
        and row.versions == versions.get(name)
        and name not in touched
        and not row.is_old()
    }
    deliveries = {sink.name: _IN_PLACE for sink in request.sinks}
    files = (
        ReceiptFile(filename, project, version, size, sha256, url, deliveries)
        for project, row in unchanged.items()
        for filename, version, size, sha256, url in row.files
    )
    current = (
        name for name, row in last.sinks.items() if row.is_finalized and row.snapshot == snapshots[name]
    )
    return Unchanged(frozenset(unchanged), tuple(files), frozenset(current), last, snapshots, touched)


def remember_run(request: RelayRequest, plan: Plan, recorder: ReceiptRecorder, unchanged: Unchanged) -> None:
    """Keep what the next run needs to find unchanged projects; called after the pages were updated.

    A project is kept only if every selected file is in place with the digest of the source, and no finding is
    about it. So to leave it out skips nothing but the comparison, until its serial changes at the source, or
    one of its files or pages at a sink.

    Raises:
        BackendError: A sink cannot be listed.
    """
    source, projects = request.source.source, request.selection.projects()
    if not request.last_run or not _is_supported(request) or not isinstance(source, SupportsSerials):
        return
    serials = source.read_serials()
    has_news = plan.files or serials or unchanged.sinks != {sink.name for sink in request.sinks}
    if not has_news or not (serials or unchanged.projects):
        return
    findings = recorder.receipt().findings
    if any(finding.severity is Severity.ERROR and not finding.filename for finding in findings):
        return
    snapshots = {}
    for sink in request.sinks:
        assert isinstance(sink.sink, SupportsSnapshots)
        snapshots[sink.name] = sink.sink.snapshot(projects, reuse=True)
    complete = _complete_projects(request, plan, recorder, snapshots)
    messages = " ".join(finding.message for finding in findings if not finding.filename)
    versions, now = _required_versions(request), time.time()
    rows = {
        name: ProjectRow(serials[name], now, versions[name], complete[name])
        for name in projects
        if name in serials and name in complete and name not in messages
    }
    touched = unchanged.touched | set(_touched(unchanged.snapshots, snapshots))
    read = set(projects) - unchanged.projects
    others = {
        name: row
        for name, row in unchanged.last.projects.items()
        if name not in touched and name not in read and not row.is_old()
    }
    sinks = {name: SinkRow(snapshot, request.options.finalize) for name, snapshot in snapshots.items()}
    request.last_run.save(LastRun(sinks, others | rows))


def _is_supported(request: RelayRequest) -> bool:
    """Whether the request and its sinks permit to leave out projects."""
    selection = request.selection
    return (
        bool(selection.requirements)
        and selection.lock is None
        and selection.files is None
        and request.policy.age is None  # a file that is too new for this run is not for a later one
        and request.expected == Expected()
        and not request.options.replace
        and len(selection.projects()) >= MANY_PROJECTS
        and all(isinstance(sink.sink, SupportsSnapshots) for sink in request.sinks)
    )


def _current_snapshot(sink: ConnectedSink, projects: Collection[str], runtime: Runtime) -> Snapshot:
    backend = sink.sink
    assert isinstance(backend, SupportsSnapshots)
    with error_context(f"sink {sink.name!r}"):
        return runtime.retrier.call(f"the inventory of {sink.name}", partial(backend.snapshot, projects))


def _touched(before: Mapping[str, Snapshot], now: Mapping[str, Snapshot]) -> Iterator[str]:
    """Yield the projects whose files or pages may differ at any sink; some may not exist."""
    for name, old in before.items():
        for filename, _ in old.files.items() ^ now[name].files.items():
            yield from possible_projects(filename)
        for project, _ in old.pages.items() ^ now[name].pages.items():
            yield project


def _required_versions(request: RelayRequest) -> dict[NormalizedName, str]:
    """Return the required versions of each project as text."""
    versions: dict[NormalizedName, list[str]] = {}
    for required in request.selection.requirements:
        versions.setdefault(canonicalize_name(required.name), []).append(str(required.specifier))
    return {name: " ".join(texts) for name, texts in versions.items()}


def _complete_projects(
    request: RelayRequest, plan: Plan, recorder: ReceiptRecorder, snapshots: Mapping[str, Snapshot]
) -> dict[str, list[FileRow]]:
    """Return the projects that were read and are complete at every sink, with their files.

    A digest counts only if it is known of the very state that the snapshot shows.
    """
    receipt = recorder.receipt()
    planned = {file.file.filename for file in plan.files}
    incomplete = {finding.filename for finding in receipt.findings}
    digests = {}
    for sink in request.sinks:
        assert isinstance(sink.sink, SupportsSnapshots)
        digests[sink.name] = sink.sink.known_digests()
    complete: dict[str, list[FileRow]] = {name: [] for name in request.selection.projects()}
    for file in receipt.files:
        if file.filename not in planned:
            continue
        is_complete = file.sha256 is not None and file.filename not in incomplete
        for name, known in digests.items():
            state = snapshots[name].files.get(file.filename)
            is_here = file.sinks[name].is_in_place and known.get(file.filename) == (state, file.sha256)
            is_complete = is_complete and is_here
        if not is_complete:
            complete.pop(file.project, None)
        elif file.project in complete:
            complete[file.project].append(row_of(file))
    return complete
