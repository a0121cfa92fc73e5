"""Projects whose files the source no longer offers: all are yanked (PEP 592), or it is quarantined (PEP 792).

A mirror keeps the files that it has and lists them as the source does: yanked ones as yanked, those of a
quarantined project not at all. It gets no others.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from packaging.utils import NormalizedName

from wheelrelay.engine.context import ConnectedSource
from wheelrelay.engine.listing import Inventory, Read
from wheelrelay.model import DistFile
from wheelrelay.protocols import SupportsStatus
from wheelrelay.records import Finding, Severity
from wheelrelay.select import Selection

ALL_YANKED, QUARANTINED = "all-yanked", "project-quarantined"


def quarantined_projects(
    source: ConnectedSource, reads: Sequence[Read], listed: Sequence[DistFile], selection: Selection
) -> list[NormalizedName]:
    """Return the selected projects that the source has quarantined, so that it lists no files of them.

    Args:
        source: The source.
        reads: The reads that listed it.
        listed: The files that they returned.
        selection: Which projects.

    Raises:
        BackendError: A status cannot be read.
    """
    backend = source.source
    if not isinstance(backend, SupportsStatus):
        return []
    without_files = {project for read in reads for project in read.projects}
    without_files -= {file.project for file in listed}
    return [
        project
        for project in sorted(without_files)
        if selection.accepts_project(project)
        and (status := backend.project_status(project))
        and status.status == "quarantined"
    ]


def quarantined_copies(
    projects: Collection[NormalizedName], inventories: Mapping[str, Inventory | None]
) -> list[DistFile]:
    """Return the files of quarantined projects that any sink holds, each once."""
    copies = {
        file.filename: file
        for inventory in inventories.values()
        for project in projects
        for file in (inventory.of_project(project) if inventory is not None else ())
    }
    return list(copies.values())


def withdrawn_findings(
    selection: Selection, listed: Sequence[DistFile], quarantined: Collection[NormalizedName]
) -> Iterator[Finding]:
    """Yield a warning for each project without files to select, because all were withdrawn."""
    for project in quarantined:
        yield Finding(
            QUARANTINED,
            Severity.WARNING,
            f"The source has quarantined {project}: it offers no files of the project, and neither does "
            "the mirror.",
        )
    offered = {file.project for file in listed if file.yanked is None}
    yanked = {file.project for file in listed if file.yanked is not None} - offered
    named = set(selection.projects())
    for project in sorted(yanked & named):
        if selection.accepts_project(project):
            yield Finding(
                ALL_YANKED,
                Severity.WARNING,
                f"All files of {project} are yanked at the source, so the mirror gets no others.",
                hint="Pin a version with == to mirror it all the same.",
            )
