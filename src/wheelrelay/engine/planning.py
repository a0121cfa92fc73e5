"""Read both sides and plan the relay; nothing is written."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from time import monotonic

from packaging.utils import NormalizedName

from wheelrelay.engine.ages import leave_out_new
from wheelrelay.engine.comparing import compare_companions, make_plan, replacing
from wheelrelay.engine.context import ConnectedSink, RelayRequest, Runtime, error_context
from wheelrelay.engine.listing import (
    Inventory,
    Read,
    ReadFiles,
    Unreadable,
    run_reads,
    sink_reads,
    source_reads,
)
from wheelrelay.engine.narrowing import narrowed
from wheelrelay.engine.staging import copies_provenance
from wheelrelay.engine.unchanged import NOTHING_UNCHANGED, Unchanged
from wheelrelay.engine.upstream import with_updates, without_uploads, yanked_copies
from wheelrelay.engine.withdrawn import quarantined_copies, quarantined_projects, withdrawn_findings
from wheelrelay.errors import ConfigError, Incomplete, NotFound, NothingMatched
from wheelrelay.events import AwaitingFiles
from wheelrelay.expect import Expected
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.lock_matching import LOCK_MISSING, split_differing
from wheelrelay.model import Confirm, DistFile, Kind
from wheelrelay.protocols import Source, SupportsInventory, SupportsLocalPath
from wheelrelay.records import Finding, Plan, Severity
from wheelrelay.select import releases_of
from wheelrelay.source_files import Selected, select_listed
from wheelrelay.transfer.download import hashed_in_place
from wheelrelay.transfer.thread_pool import Workers

FIRST_POLL, POLL_INTERVAL = 0.5, 10.0
"""Seconds until a source that is waited for is read again: at first, and at most."""

HASH_BATCH = 32
"""Local files that one thread hashes in a row: most are small, and starting a task takes time too."""

VARIANTS_MISSING = "variants-missing"


@dataclass(frozen=True, slots=True)
class PlannedRelay:
    """A plan, and the inventories of the sinks.

    Attributes:
        plan: The action for each file at each sink.
        inventories: The files of each sink, by its name; ``None`` for a sink that is write-only.
    """

    plan: Plan
    inventories: Mapping[str, Inventory | None]


@dataclass(frozen=True, slots=True)
class _BothSides:
    """What the source lists, the selected part of it, and the inventories of the sinks."""

    listed: Sequence[DistFile]
    selected: Selected
    inventories: Mapping[str, Inventory | None]
    quarantined: Sequence[NormalizedName] = ()


def plan_relay(
    request: RelayRequest,
    runtime: Runtime,
    *,
    one_version: bool,
    is_mirror: bool = False,
    unreadable: Unreadable | None = None,
    unchanged: Unchanged = NOTHING_UNCHANGED,
) -> PlannedRelay:
    """Read both sides and decide the action for each file at each sink.

    If the options set ``wait``, both sides are read again until no expected file is missing, or time is up.

    Args:
        request: The source, the sinks and the options.
        runtime: Threads, retries and progress.
        one_version: Whether the selection must contain exactly one version of each project.
        is_mirror: Whether each file is on its own. What upstream lists for files that the sinks hold is then
            compared instead of the content of companions.
        unreadable: Records pages and listings that cannot be read; without it, they are an error. It is
            always an error if nothing of the source can be read.
        unchanged: The projects to leave out.

    Raises:
        ConfigError: A sink is write-only, and its ``confirm`` is not ``none``.
        NothingMatched: No file is selected.
        Incomplete: No file is selected, after waiting.
        SeveralVersions: A project has more than one version, and only one is allowed.
        BackendError: A side cannot be read.
    """
    for sink in request.sinks:
        _refuse_unconfirmable(sink)
    deadline = monotonic() + request.options.wait
    pause = FIRST_POLL
    while True:
        try:
            planned = _plan_once(
                request, runtime, unreadable, unchanged, one_version=one_version, is_mirror=is_mirror
            )
        except (NothingMatched, NotFound) as error:
            if not _pause_until(runtime, deadline, pause, _Awaited(missing=(error.message,))):
                if request.options.wait:
                    waited = f"(waited {request.options.wait:.0f} s)"
                    raise Incomplete(f"{error.message.rstrip('.')} {waited}.", hint=error.hint) from error
                raise
        else:
            awaited = _awaited(planned.plan, request.expected)
            if not awaited.missing or not _pause_until(runtime, deadline, pause, awaited):
                return planned
        pause = min(pause * 2, POLL_INTERVAL)


@dataclass(frozen=True, slots=True)
class _Awaited:
    """The expected files that a source has, and what is missing; see `AwaitingFiles`."""

    present: int = 0
    expected: int = 0
    missing: tuple[str, ...] = ()


def _awaited(plan: Plan, expected: Expected) -> _Awaited:
    """Return which of the files that the route or a lock expects are in a plan."""
    files = [planned.file for planned in plan.files]
    locked = [
        finding.filename or finding.message for finding in plan.findings if finding.check == LOCK_MISSING
    ]
    if locked:
        return _Awaited(len(files), len(files) + len(locked), (*locked, *plan.missing))
    total = expected.total()
    return _Awaited(total - expected.lacking(files), total, plan.missing)


def _pause_until(runtime: Runtime, deadline: float, longest: float, awaited: _Awaited) -> bool:
    """Wait a little for files that are missing; return whether to read again."""
    left = deadline - monotonic()
    if left <= 0:
        return False
    runtime.report(AwaitingFiles(awaited.present, awaited.expected, awaited.missing, left))
    return not runtime.stopped.wait(min(left, longest))


def _plan_once(
    request: RelayRequest,
    runtime: Runtime,
    unreadable: Unreadable | None,
    unchanged: Unchanged,
    *,
    one_version: bool,
    is_mirror: bool,
) -> PlannedRelay:
    request = unchanged.narrow(narrowed(request, runtime))
    source, sinks, options = request.source, request.sinks, request.options
    choose = partial(
        _select, one_version=one_version, is_mirror=is_mirror, may_be_empty=bool(unchanged.files)
    )
    both = _read_both_sides(request, runtime, unreadable, choose, is_mirror=is_mirror)
    selected, inventories = both.selected, both.inventories
    held = {name for inventory in inventories.values() for name in inventory or ()}
    files = _with_local_digests(source.source, selected.files, held, runtime.workers)
    differing: list[Finding] = []
    if age := request.policy.age:
        files, differing = leave_out_new(files, age, is_mirror=is_mirror, now=datetime.now(UTC))
    if request.selection.lock is not None:
        files, others = split_differing(request.selection.lock, files)
        differing += others
    yanked = yanked_copies(both.listed, files, held) if is_mirror else []
    quarantined = quarantined_copies(both.quarantined, inventories)
    files = sorted([*files, *yanked, *quarantined], key=lambda file: file.filename)
    plan = make_plan(source.name, files, sinks, inventories, request.expected)
    if is_mirror:
        plan = without_uploads(plan, [*yanked, *quarantined])
        if request.selection.files is None:  # else the source is not listed
            plan = with_updates(plan, source, sinks, provenance=copies_provenance(request))
    else:
        plan = compare_companions(plan, source.source, sinks, runtime.retrier, runtime.workers.run_all)
    warnings = _missing_variants_lists(files, held)
    findings = (*plan.findings, *options.findings, *selected.findings, *differing, *warnings)
    plan = replace(plan, findings=findings, unchanged=unchanged.files)
    return PlannedRelay(replacing(plan, sinks) if options.replace else plan, inventories)


def _read_both_sides(
    request: RelayRequest,
    runtime: Runtime,
    unreadable: Unreadable | None,
    choose: Callable[[RelayRequest, Sequence[DistFile], Sequence[NormalizedName]], Selected],
    *,
    is_mirror: bool,
) -> _BothSides:
    """Return what the source lists, the selected files, and the inventories of the sinks.

    Both sides are read at once if the selection names the projects; otherwise the source comes first.
    """
    source, projects = request.source, request.selection.projects()
    if request.selection.is_empty:
        return _BothSides((), Selected(), _read_inventories(request, (), runtime, unreadable))
    if request.selection.files is not None:
        chosen = request.selection.files
        selected = choose(request, chosen, ())
        return _BothSides(chosen, selected, _read_inventories(request, projects, runtime, unreadable))
    from_source = source_reads(source, projects, runtime)
    if not projects:
        listed = run_reads(from_source, runtime, unreadable).of(from_source)
        quarantined = (
            quarantined_projects(source, from_source, listed, request.selection) if is_mirror else []
        )
        selected = choose(request, listed, quarantined)
        shard = request.selection.shard
        yanked = (
            file
            for file in listed
            if file.yanked is not None and (shard is None or shard.includes(file.project))
        )
        projects = tuple(sorted({*quarantined, *(file.project for file in chain(selected.files, yanked))}))
        inventories = _read_inventories(request, projects, runtime, unreadable)
        return _BothSides(listed, selected, inventories, quarantined)
    from_sinks = {sink.name: sink_reads(sink, projects) for sink in request.sinks}
    reads = [*from_source, *chain(*filter(None, from_sinks.values()))]
    results = run_reads(reads, runtime, unreadable)
    listed = results.of(from_source)
    quarantined = _quarantined(request, from_source, listed) if is_mirror else []
    selected = choose(request, listed, quarantined)
    return _BothSides(listed, selected, _inventories(results, from_sinks), quarantined)


def _quarantined(
    request: RelayRequest, reads: Sequence[Read], listed: Sequence[DistFile]
) -> list[NormalizedName]:
    with error_context(f"source {request.source.name!r}"):
        return quarantined_projects(request.source, reads, listed, request.selection)


def _read_inventories(
    request: RelayRequest,
    projects: Sequence[NormalizedName],
    runtime: Runtime,
    unreadable: Unreadable | None,
) -> dict[str, Inventory | None]:
    reads = {sink.name: sink_reads(sink, projects) for sink in request.sinks}
    return _inventories(run_reads([*chain(*filter(None, reads.values()))], runtime, unreadable), reads)


def _inventories(
    results: ReadFiles, reads: Mapping[str, Sequence[Read] | None]
) -> dict[str, Inventory | None]:
    return {
        name: None if of_sink is None else Inventory(results.of(of_sink, is_required=False))
        for name, of_sink in reads.items()
    }


def _select(
    request: RelayRequest,
    files: Sequence[DistFile],
    quarantined: Sequence[NormalizedName],
    *,
    one_version: bool,
    is_mirror: bool,
    may_be_empty: bool,
) -> Selected:
    """Return the selected files; a shard may have none, and a mirror if the source has withdrawn them.

    The same holds for the projects of a mirror that have changed since its last run, if others have files.
    """
    selection = request.selection
    withdrawn = tuple(withdrawn_findings(selection, files, quarantined)) if is_mirror else ()
    if may_be_empty and not files:  # an error would list the whole source for a hint
        return Selected(findings=withdrawn)
    try:
        with error_context(f"source {request.source.name!r}"):
            selected = select_listed(files, request.source.source, selection, one_version=one_version)
            return replace(selected, findings=(*selected.findings, *withdrawn))
    except NothingMatched:
        if withdrawn or may_be_empty:
            return Selected(findings=withdrawn)
        if selection.shard is None or selection.names_projects or not (files or selection.only):
            raise
        return Selected()


def _refuse_unconfirmable(sink: ConnectedSink) -> None:
    """Refuse a write-only sink unless its configuration turns confirmation off.

    Raises:
        ConfigError: The sink is write-only, and its ``confirm`` is not ``none``.
    """
    if not isinstance(sink.sink, SupportsInventory) and sink.confirm is not Confirm.NONE:
        raise ConfigError(
            f"The sink {sink.name!r} is write-only, so uploads cannot be confirmed.",
            hint="Set `url` to the Simple API of the index, "
            f'or confirm = "none" to rely on its answers, under [remotes.{sink.name}].',
        )


def _with_local_digests(
    source: Source, files: Sequence[DistFile], held: Collection[str], workers: Workers
) -> list[DistFile]:
    """Return the files, with the digests of local files whose names a sink holds: so the plan is definite.

    Raises:
        ChangedWhileReading: A file changed while it was hashed.
        IntegrityError: A file is not the kind of archive that its name promises.
        BackendError: A file cannot be read.
    """
    if not isinstance(source, SupportsLocalPath):
        return list(files)
    needed = [file for file in files if file.sha256 is None and file.filename in held]
    batches = [needed[start : start + HASH_BATCH] for start in range(0, len(needed), HASH_BATCH)]
    hashed = workers.run_all(
        batches, lambda batch: [hashed_in_place(source.local_path(file), file) for file in batch]
    )
    known = {file.filename: file for done in hashed for file in done.unwrap()}
    return [known.get(file.filename, file) for file in files]


def _missing_variants_lists(files: Sequence[DistFile], held: Collection[str]) -> Iterator[Finding]:
    """Yield a warning for each release with variant wheels and no list of them (PEP 825)."""
    for release in releases_of(files):
        wheels = [file.filename for file in release.files if file.variant]
        if not wheels or any(file.kind is Kind.VARIANTS for file in release.files):
            continue
        name = f"{'-'.join(wheels[0].split('-')[:2])}-variants.json"
        if name not in held:
            yield Finding(
                VARIANTS_MISSING,
                Severity.WARNING,
                f"{release.project} {release.version} has variant wheels ({len(wheels)}), and the source has "
                f"no {name}. Installers do not find variant wheels without it.",
                hint="Generate it from the variant wheels, and store it next to them (PEP 825).",
            )
