"""Read both sides and plan the relay; nothing is written."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import Any

from packaging.utils import NormalizedName

from wheelrelay.engine.comparing import Inventory, compare_companions, make_plan, read_inventory, replacing
from wheelrelay.engine.context import ConnectedSink, RelayRequest, Runtime, error_context
from wheelrelay.errors import ConfigError, Incomplete, NotFound, NothingMatched
from wheelrelay.events import Waiting
from wheelrelay.model import Confirm, DistFile, Kind
from wheelrelay.protocols import Source, SupportsInventory, SupportsLocalPath
from wheelrelay.records import Finding, Plan, Severity
from wheelrelay.select import releases_of, select_from
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


def plan_relay(
    request: RelayRequest, runtime: Runtime, *, one_version: bool, companions: bool = True
) -> PlannedRelay:
    """Read both sides and decide the action for each file at each sink.

    If the options set ``wait``, both sides are read again until no expected file is missing, or time is up.

    Args:
        request: The source, the sinks and the options.
        runtime: Threads, retries and progress.
        one_version: Whether the selection must contain exactly one version of each project.
        companions: Whether the content of companions is compared where both sides hold the same file.

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
            planned = _plan_once(request, runtime, one_version=one_version, companions=companions)
        except (NothingMatched, NotFound) as error:
            if not _pause_until(runtime, deadline, pause, "the files"):
                if request.options.wait:
                    waited = f"(waited {request.options.wait:.0f} s)"
                    raise Incomplete(f"{error.message.rstrip('.')} {waited}.", hint=error.hint) from error
                raise
        else:
            missing = planned.plan.missing
            if not missing or not _pause_until(runtime, deadline, pause, f"{len(missing)} expected files"):
                return planned
        pause = min(pause * 2, POLL_INTERVAL)


def _pause_until(runtime: Runtime, deadline: float, longest: float, missing: str) -> bool:
    """Wait a little for files that are missing; return whether to read again."""
    left = deadline - monotonic()
    if left <= 0:
        return False
    pause = min(left, longest)
    runtime.report(Waiting(missing, f"Missing; waiting for up to {left:.0f} s more.", pause))
    return not runtime.stopped.wait(pause)


def _plan_once(
    request: RelayRequest, runtime: Runtime, *, one_version: bool, companions: bool
) -> PlannedRelay:
    source, sinks, options = request.source, request.sinks, request.options
    files, inventories = _read_both_sides(request, runtime, one_version=one_version)
    held = {name for inventory in inventories.values() for name in inventory or ()}
    files = _with_local_digests(source.source, files, held, runtime.workers)
    plan = make_plan(source.name, files, sinks, inventories, request.expected)
    if companions:
        plan = compare_companions(plan, source.source, sinks, runtime.retrier, runtime.workers.run_all)
    findings = (*plan.findings, *options.findings, *_missing_variants_lists(files, held))
    plan = replace(plan, findings=findings)
    return PlannedRelay(replacing(plan, sinks) if options.replace else plan, inventories)


def _read_both_sides(
    request: RelayRequest, runtime: Runtime, *, one_version: bool
) -> tuple[list[DistFile], dict[str, Inventory | None]]:
    """Return the selected files and the inventories of the sinks.

    Both sides are read at once if the selection names the projects; otherwise the source comes first.
    """

    def list_source() -> list[DistFile]:
        source = request.source
        with error_context(f"source {source.name!r}"):
            return runtime.retrier.call(
                f"the files of {source.name}",
                lambda: select_from(source.source, request.selection, one_version=one_version),
            )

    projects = request.selection.projects()
    files = None if projects else list_source()
    if files is not None:
        projects = tuple(sorted({release.project for release in releases_of(files)}))
    reads = {sink.name: partial(_read_sink, sink, projects, runtime) for sink in request.sinks}
    tasks: list[Callable[[], Any]] = [*([list_source] if files is None else []), *reads.values()]
    done = {one.item: one for one in runtime.workers.run_all(tasks, lambda task: task())}
    if files is None:
        files = done[list_source].unwrap()
    return files, {name: done[read].unwrap()[0] for name, read in reads.items()}


def _read_sink(
    sink: ConnectedSink, projects: Sequence[NormalizedName], runtime: Runtime
) -> tuple[Inventory | None]:
    """Return the inventory of a sink, wrapped: a write-only sink has none, and that is a result too."""
    with error_context(f"sink {sink.name!r}"):
        inventory = runtime.retrier.call(
            f"the inventory of {sink.name}", lambda: read_inventory(sink.sink, projects)
        )
        return (inventory,)


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
