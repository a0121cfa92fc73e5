"""List a source and pick the files that are meant."""

from collections.abc import Callable, Iterator, Sequence

from packaging.utils import NormalizedName

from wheelrelay.errors import BackendError, ConfigError, NothingMatched
from wheelrelay.model import DistFile
from wheelrelay.protocols import Source, SupportsProjects
from wheelrelay.select import Selection, did_you_mean, refuse_several_versions


def chosen_files(source: Source, selection: Selection, *, one_version: bool) -> list[DistFile]:
    """List the source and pick the files that are meant.

    Args:
        source: where to look.
        selection: what is meant.
        one_version: whether each project must come down to exactly one version.

    Raises:
        NothingMatched: there is none; says what comes nearest.
        SeveralVersions: a project has more than one, and only one is allowed.
        BackendError: the source cannot be read.
    """
    wanted: Sequence[NormalizedName | None] = selection.projects() or (None,)
    files = [file for project in wanted for file in source.iter_files(project)]
    if not files and selection.requirements:
        raise NothingMatched(
            f"There is no file of {' or '.join(selection.projects())} there.",
            hint=_nearest_projects(source, selection.projects()),
        )
    picked = selection.pick(files)
    if one_version:
        refuse_several_versions(picked)
    return picked


def _nearest_projects(source: Source, wanted: Sequence[str]) -> str | None:
    """A sentence on the projects that are there and come nearest, if that can be had cheaply."""
    listing: Callable[[], Iterator[NormalizedName]]
    if isinstance(source, SupportsProjects):
        listing = source.projects
    else:
        listing = lambda: (file.project for file in source.iter_files(None))  # noqa: E731
    try:
        return did_you_mean(wanted, listing())
    except (BackendError, ConfigError):
        return None
