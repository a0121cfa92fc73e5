"""Checks of the project at a sink: whether it exists, and whether its name can be taken."""

from collections.abc import Iterator

from wheelrelay.checks import Profile
from wheelrelay.engine.context import ConnectedSink
from wheelrelay.engine.listing import sink_reads
from wheelrelay.engine.preflight.names import confusable_with, is_standard_library
from wheelrelay.engine.preflight.subject import HeldProject, Target
from wheelrelay.model import DistFile
from wheelrelay.protocols import SupportsProjects, SupportsStatus, SupportsUpstreamState
from wheelrelay.reports import PreflightItem, Verdict

PROJECT, NAME = "project", "name"


def read_project(sink: ConnectedSink, target: Target) -> HeldProject:
    """Return what a sink holds of a project.

    Raises:
        BackendError: It cannot be read.
    """
    reads = sink_reads(sink, [target.project])
    if reads is None:
        return HeldProject(target, sink, is_readable=False)
    files: list[DistFile] = [file for read in reads for file in read.files()]
    return HeldProject(target, sink, tuple(files), _status(sink, target))


def _status(sink: ConnectedSink, target: Target) -> str | None:
    # A container lists the status of the project upstream, which does not close the container.
    if not isinstance(sink.sink, SupportsStatus) or isinstance(sink.sink, SupportsUpstreamState):
        return None
    found = sink.sink.project_status(target.project)
    return found.status if found else None


def check_project(held: HeldProject) -> PreflightItem:
    """Return whether the project exists; a new one is created by its first upload."""
    if not held.is_readable:
        return held.item(PROJECT, Verdict.UNKNOWN, "The sink is write-only, so it cannot be read.")
    if held.exists:
        versions = {file.version for file in held.published}
        newest = f"; the newest of {len(versions)} versions is {max(versions)}" if versions else ""
        return held.item(PROJECT, Verdict.PASS, f"The project exists{newest}.")
    return held.item(PROJECT, Verdict.PASS, "The project is new: its first upload creates it.")


def check_name(held: HeldProject) -> Iterator[PreflightItem]:
    """Check whether the name of a new project can be taken at PyPI.

    Raises:
        BackendError: The names of all projects cannot be read.
    """
    if held.exists or not held.is_readable or held.sink.checks.profile is not Profile.PYPI:
        return
    project = held.target.project
    hint = "Choose another name."
    if is_standard_library(project):
        reason = f"{project} is a module of the standard library, whose names PyPI refuses."
        yield held.item(NAME, Verdict.FAIL, reason, hint=hint)
        return
    if not isinstance(held.sink.sink, SupportsProjects):
        yield held.item(NAME, Verdict.UNKNOWN, "The sink does not list its projects.")
        return
    similar = confusable_with(project, held.sink.sink.projects())
    if similar:
        reason = f"PyPI refuses a name that can be confused with an existing one: {similar}."
        yield held.item(NAME, Verdict.FAIL, reason, hint=hint)
        return
    reason = (
        "No similar name exists. PyPI does not publish which names are prohibited (PEP 541) or reserved "
        "(PEP 752)."
    )
    yield held.item(NAME, Verdict.UNKNOWN, reason)
