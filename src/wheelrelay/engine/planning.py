"""Read both sides of a journey, and decide what is to be done; nothing is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import Any

from packaging.utils import NormalizedName

from wheelrelay.engine.choosing import chosen_files
from wheelrelay.engine.comparing import Inventory, make_plan, read_inventory
from wheelrelay.engine.context import ConnectedSink, RelayContext, error_context
from wheelrelay.engine.gate import replacing
from wheelrelay.engine.local_digests import with_digests
from wheelrelay.engine.variants import without_list
from wheelrelay.errors import ConfigError, Incomplete, NotFound, NothingMatched
from wheelrelay.events import Waiting
from wheelrelay.model import Confirm, DistFile
from wheelrelay.protocols import SupportsInventory
from wheelrelay.records import Plan
from wheelrelay.select import releases_of

FIRST_LOOK, LOOK_EVERY = 0.5, 10.0
"""Seconds until the second look at a source that is waited for, and between later ones."""


def plan_of(context: RelayContext, *, one_version: bool) -> Plan:
    """Read both sides and decide what is to be done.

    With ``wait`` set, that is done again and again until nothing is missing, or time is up.

    Args:
        context: both sides, connected; it gets to know what the sinks have.
        one_version: whether each project must come down to exactly one version.

    Raises:
        ConfigError: a sink cannot be read back, and its ``confirm`` is not ``none``.
        NothingMatched: no file is meant.
        Incomplete: there was none, however long was waited.
        SeveralVersions: a project has more than one version, and only one is allowed.
        BackendError: a side cannot be read.
    """
    _refuse_blind_sinks(context)
    ends = monotonic() + context.settings.wait
    pause = FIRST_LOOK
    while True:
        try:
            made = _plan(context, one_version=one_version)
        except (NothingMatched, NotFound) as error:
            if not _pause_until(context, ends, pause, "the files"):
                if context.settings.wait:
                    raise Incomplete(
                        f"{error.message} So it is after {context.settings.wait:.0f} s."
                    ) from error
                raise
        else:
            what = f"{len(made.missing)} expected files"
            if not made.missing or not _pause_until(context, ends, pause, what):
                return made
        pause = min(pause * 2, LOOK_EVERY)


def _pause_until(context: RelayContext, ends: float, longest: float, what: str) -> bool:
    """Wait a little for files that are not there yet; whether to look again."""
    left = ends - monotonic()
    if left <= 0:
        return False
    pause = min(left, longest)
    context.tell(Waiting(what, f"Not there yet; waiting for {left:.0f} s more.", pause))
    return not context.stopped.wait(pause)


def _plan(context: RelayContext, *, one_version: bool) -> Plan:
    source = context.origin.source
    files = _look(context, one_version=one_version)
    sinks = {each.name: (each.sink, context.inventories[each.name]) for each in context.destinations}
    there = {name for inventory in context.inventories.values() for name in inventory or ()}
    files = with_digests(source, files, there, context.workers)
    plan = make_plan(context.origin.name, files, sinks, context.expected, making=context.making)
    found = without_list(files, there)
    plan = replace(plan, findings=(*plan.findings, *context.settings.findings, *found))
    return replacing(plan, context.sinks) if context.settings.replace else plan


def _look(context: RelayContext, *, one_version: bool) -> list[DistFile]:
    """Read both sides: at once, if it is known beforehand which projects are meant."""
    listing = partial(_list, context, one_version=one_version)
    projects = context.selection.projects()
    files = None if projects else listing()
    if files is not None:
        projects = tuple(sorted({release.project for release in releases_of(files)}))
    reading = {each.name: partial(_inventory, context, each, projects) for each in context.destinations}
    looks: list[Callable[[], Any]] = [*([listing] if files is None else []), *reading.values()]
    done = {one.item: one for one in context.workers.each(looks, lambda look: look())}
    if files is None:
        files = done[listing].unwrap()
    context.inventories = {name: done[read].unwrap().files for name, read in reading.items()}
    return files


def _list(context: RelayContext, *, one_version: bool) -> list[DistFile]:
    with error_context(f"source {context.origin.name!r}"):
        return context.retrier.call(
            f"the files of {context.origin.name}",
            lambda: chosen_files(context.origin.source, context.selection, one_version=one_version),
        )


def _refuse_blind_sinks(context: RelayContext) -> None:
    """What cannot be read back cannot be confirmed: that has to be wanted, and said, beforehand."""
    for each in context.destinations:
        if not isinstance(each.sink, SupportsInventory) and each.confirm is not Confirm.NONE:
            raise ConfigError(
                f"The sink {each.name!r} is write-only, so uploads cannot be confirmed.",
                hint="Set `url` to the Simple API of the index, "
                f'or confirm = "none" to rely on its answers, under [remotes.{each.name}].',
            )


def _inventory(
    context: RelayContext, destination: ConnectedSink, projects: Sequence[NormalizedName]
) -> "_Read":
    with error_context(f"sink {destination.name!r}"):
        return _Read(
            context.retrier.call(
                f"the inventory of {destination.name}", lambda: read_inventory(destination.sink, projects)
            )
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """What reading a sink gave; its not being able to tell is an answer too."""

    files: Inventory | None
