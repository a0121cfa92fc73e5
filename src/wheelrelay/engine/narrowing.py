"""Narrow the selection of a relay to the projects of its shard, before both sides are read."""

from dataclasses import replace

from wheelrelay.engine.context import RelayRequest, Runtime, error_context
from wheelrelay.errors import NothingMatched
from wheelrelay.protocols import SupportsProjects


def narrowed(request: RelayRequest, runtime: Runtime) -> RelayRequest:
    """Return the request for the projects of its shard, if the source can list the names of all projects.

    So an index is read only where the shard has projects. Other sources are listed as a whole, and
    `Selection.pick` takes the files of the shard.

    Raises:
        NothingMatched: The source has no projects, or the selection has none without having a shard.
        BackendError: The source cannot be read.
    """
    selection, source = request.selection, request.source
    if selection.is_empty and selection.shard is None:
        raise NothingMatched("The selection contains no project.")
    names_projects = selection.is_empty or bool(selection.projects())
    if selection.shard is None or names_projects or not isinstance(source.source, SupportsProjects):
        return request
    listing = source.source.projects
    with error_context(f"source {source.name!r}"):
        projects = runtime.retrier.call(f"the projects of {source.name}", lambda: list(listing()))
        if not projects:
            raise NothingMatched("No distribution files found.")
    return replace(request, selection=selection.within(filter(selection.shard.includes, projects)))
