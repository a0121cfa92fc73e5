"""Keep what an index lists for files that a mirror holds: upload time, yanked state, project status."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from packaging.utils import NormalizedName

from wheelrelay.engine.context import ConnectedSink, ConnectedSource, Runtime
from wheelrelay.engine.recording import ReceiptRecorder
from wheelrelay.engine.staging import read_provenance
from wheelrelay.model import PROVENANCE_SUFFIX, Companion, DistFile, ProjectStatus
from wheelrelay.protocols import Sink, Source, SupportsStatus, SupportsUpstreamState
from wheelrelay.records import Action, Delivery, Finding, Intent, Outcome, Plan, PlannedFile, Severity
from wheelrelay.signing import provenance_of, refused_companion

STATE_NOT_RECORDED = "upstream-state"

NOT_PUBLISHED = "withdrawn upstream, so it is not published"


def yanked_copies(
    listed: Sequence[DistFile], selected: Sequence[DistFile], held: Collection[str]
) -> list[DistFile]:
    """Return the files that were yanked upstream since a sink got them; a selection leaves these out."""
    names = {file.filename for file in selected}
    return [
        file
        for file in listed
        if file.yanked is not None and file.filename in held and file.filename not in names
    ]


def without_uploads(plan: Plan, withdrawn: Sequence[DistFile]) -> Plan:
    """Skip files that were withdrawn upstream at the sinks that do not have them.

    Args:
        plan: With the actions that the digests decide.
        withdrawn: The yanked files (PEP 592) and those of quarantined projects (PEP 792); at least one sink
            has each of them.
    """
    names = {file.filename for file in withdrawn}
    skipped = Intent(Action.SKIP, NOT_PUBLISHED)
    return replace(
        plan,
        files=tuple(
            replace(
                planned,
                sinks={
                    sink: intent if intent.existing is not None else skipped
                    for sink, intent in planned.sinks.items()
                },
            )
            if planned.file.filename in names
            else planned
            for planned in plan.files
        ),
    )


def with_updates(
    plan: Plan, source: ConnectedSource, sinks: Sequence[ConnectedSink], *, provenance: bool
) -> Plan:
    """Plan updates of what the sinks list for files whose bytes they have.

    Args:
        plan: With the actions that the digests decide.
        source: The source; only indexes know the state of their files.
        sinks: The sinks, in order.
        provenance: Whether the sinks store the provenance that the source serves.
    """
    tracked = [sink for sink in sinks if _keeps_state(sink)]
    if not tracked or not isinstance(source.source, SupportsStatus):
        return plan
    upstream = _Statuses(source.source)
    listed = {sink.name: _Statuses(sink.sink) for sink in tracked}
    files = []
    for planned in plan.files:
        status = upstream.of(planned.file.project)
        changes = dict(_updates(planned, status, listed, provenance=provenance)) if status else {}
        files.append(replace(planned, sinks={**planned.sinks, **changes}) if changes else planned)
    return replace(plan, files=tuple(files))


class _Statuses:
    """The statuses of the projects of a remote, each read once."""

    def __init__(self, remote: Source | Sink) -> None:
        self._read = remote.project_status if isinstance(remote, SupportsStatus) else None
        self._known: dict[NormalizedName, ProjectStatus | None] = {}

    def of(self, project: NormalizedName) -> ProjectStatus | None:
        """Return the status of a project, if the remote knows it."""
        if project not in self._known:
            self._known[project] = self._read(project) if self._read else None
        return self._known[project]


def record_upstream(
    plan: Plan,
    source: ConnectedSource,
    sinks: Sequence[ConnectedSink],
    recorder: ReceiptRecorder,
    runtime: Runtime,
    *,
    provenance: bool,
) -> None:
    """Record what the source lists for new and changed files, before the pages of the sinks are updated."""
    if isinstance(source.source, SupportsStatus):
        for sink in filter(_keeps_state, sinks):
            _record_at(plan, source, sink, recorder, runtime, provenance=provenance)


def _record_at(
    plan: Plan,
    source: ConnectedSource,
    sink: ConnectedSink,
    recorder: ReceiptRecorder,
    runtime: Runtime,
    *,
    provenance: bool,
) -> None:
    projects: dict[NormalizedName, list[PlannedFile]] = {}
    for planned in plan.files:
        if _is_changed(planned, sink, recorder):
            projects.setdefault(planned.file.project, []).append(planned)

    def record(project: NormalizedName) -> None:
        _record(project, projects[project], source, sink, recorder, runtime, provenance=provenance)

    for done in runtime.workers.run_all(list(projects), record):
        reason = None if done.error is None else str(done.error)
        for planned in projects[done.item]:
            intent = planned.sinks[sink.name]
            if intent.action is Action.UPDATE:
                outcome = Outcome.FAILED if reason else Outcome.UPDATED
                delivery = Delivery(outcome, 1, reason=reason or intent.reason)
                recorder.record(sink.name, planned.file.filename, delivery)
        if reason:
            message = f"What the source lists about {done.item} was not recorded at {sink.name}: {reason}"
            recorder.record_findings([Finding(STATE_NOT_RECORDED, Severity.ERROR, message)])


def _record(
    project: NormalizedName,
    files: Sequence[PlannedFile],
    source: ConnectedSource,
    sink: ConnectedSink,
    recorder: ReceiptRecorder,
    runtime: Runtime,
    *,
    provenance: bool,
) -> None:
    backend, upstream = sink.sink, source.source
    assert isinstance(backend, SupportsUpstreamState)
    assert isinstance(upstream, SupportsStatus)
    status = upstream.project_status(project)
    if status is None:  # a source that does not know the states of its files, such as a plain directory
        return
    described = []
    # The source lists no files of a quarantined project, so their states are not known.
    for planned in files if status.status != "quarantined" else ():
        existing = planned.sinks[sink.name].existing
        digests = recorder.file(planned.file.filename).digests
        if digests.sha256 is None and existing is not None:
            digests = existing.digests
        described.append(replace(planned.file, digests=digests))
    held = {planned.file.filename: planned.sinks[sink.name].existing for planned in files}
    lacking = [file for file in described if provenance and _lacks_provenance(file, held[file.filename])]
    found = {
        file.filename: companion.content
        for file in lacking
        if (companion := _provenance(file, source, recorder, runtime))
    }
    runtime.retrier.call(
        f"the state of {project} at {sink.name}",
        lambda: backend.record_upstream(project, described, status, found),
    )


def _provenance(
    file: DistFile, source: ConnectedSource, recorder: ReceiptRecorder, runtime: Runtime
) -> Companion | None:
    """Return the provenance of a file that a sink has without it; ``None``, with a finding, if it is bad."""
    content = read_provenance(source, file, runtime)
    companion, reason = provenance_of(file.filename, file.sha256 or "", content)
    if reason:
        recorder.record_findings([refused_companion(file.filename, PROVENANCE_SUFFIX, reason)])
    return companion


def _is_changed(planned: PlannedFile, sink: ConnectedSink, recorder: ReceiptRecorder) -> bool:
    action = planned.sinks[sink.name].action
    if action is Action.UPDATE:
        return True
    is_new = action in (Action.UPLOAD, Action.UNKNOWN)
    return is_new and recorder.delivery(sink.name, planned.file.filename).is_in_place


def _keeps_state(sink: ConnectedSink) -> bool:
    return isinstance(sink.sink, SupportsUpstreamState) and sink.sink.keeps_state()


def _updates(
    planned: PlannedFile, status: ProjectStatus, listed: Mapping[str, _Statuses], *, provenance: bool
) -> Iterator[tuple[str, Intent]]:
    """Yield the names of the sinks that list another state of a file than upstream, with their intents."""
    file = planned.file
    for sink, statuses in listed.items():
        intent = planned.sinks[sink]
        if intent.action is not Action.SKIP or intent.existing is None:
            continue
        changes = list(_changes(file, intent.existing))
        status_here = statuses.of(file.project)
        if status_here and status_here != status:
            changes.append(f"the project is {status.status} upstream")
        if provenance and _lacks_provenance(file, intent.existing):
            changes.append("provenance upstream")
        if changes:
            yield sink, replace(intent, action=Action.UPDATE, reason="; ".join(changes))


def _lacks_provenance(file: DistFile, held: DistFile | None) -> bool:
    return bool(file.provenance and held and PROVENANCE_SUFFIX not in held.companions)


def _changes(file: DistFile, held: DistFile) -> Iterator[str]:
    """Yield how the state of a file upstream differs from that at a sink."""
    if not held.yanked_here and file.yanked != held.yanked:
        if file.yanked is None:
            yield "no longer yanked upstream"
        else:
            yield f"yanked upstream: {file.yanked}" if file.yanked else "yanked upstream"
    if file.upload_time and (
        held.upload_time is None or int(file.upload_time.timestamp()) != int(held.upload_time.timestamp())
    ):
        yield "another upload time upstream"
