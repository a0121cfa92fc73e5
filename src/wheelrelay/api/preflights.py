"""Check before a build whether a release may be published."""

from collections.abc import Sequence, Set
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelrelay.api.connecting import opened_sink, opened_source, sinks_of
from wheelrelay.api.reading import Requirements
from wheelrelay.api.selecting import selection_of
from wheelrelay.ci import current_build
from wheelrelay.config import Remote, Route, as_remote
from wheelrelay.engine.context import ConnectedSink, RelayOptions, running
from wheelrelay.engine.listing import run_reads, source_reads
from wheelrelay.engine.preflight.run import preflight as run_preflight
from wheelrelay.engine.preflight.staging import STAGING, check_staging
from wheelrelay.engine.preflight.subject import PreflightRequest, Target, failed_by
from wheelrelay.errors import ConfigError, IntegrityError, MissingSecret, NotFound, WheelrelayError
from wheelrelay.events import Progress, ignore_events
from wheelrelay.expect import Expected
from wheelrelay.model import DistFile, Mode
from wheelrelay.protocols import Source, SupportsLocalPath
from wheelrelay.reports import PreflightItem, PreflightReport
from wheelrelay.select import Selection
from wheelrelay.transfer.download import hashed_in_place

if TYPE_CHECKING:
    from packaging.requirements import Requirement

CONNECTION = "connection"


def preflight(
    route: Route,
    requirements: Requirements = (),
    *,
    commit: str | None = None,
    progress: Progress = ignore_events,
) -> PreflightReport:
    """Check whether a release may be published, for the first job of a CI run: before anything is built.

    Nothing is uploaded or changed. A token that an index issues for the check is given back at the end. For a
    new project no token is requested, because that would create it from a pending publisher.

    Args:
        route: The source, where the built files will be staged, and the sinks.
        requirements: The projects to publish with their versions, such as ``"astropy==1.3.2"``, instead of
            the route's ``projects``.
        commit: The commit that will be built. [default: the route's, or that of the CI job]
        progress: Called with each event (`Event`), such as a pause before another attempt.

    Returns:
        The result of each check. Those that only an upload can show are ``unknown``.

    Raises:
        ConfigError: The configuration is wrong, or no project is named and the source holds none.
    """
    selection = selection_of(route, requirements)
    sinks, source = sinks_of(route), as_remote(route.source)
    options = RelayOptions(progress=progress)
    expected = route.expect.expected() if route.expect else Expected()
    commit = commit or (route.expect.commit if route.expect else None) or current_build().get("commit")
    staged, items = _read_source(source, selection, options)
    targets = _targets(selection, staged)
    if not items:
        items = [check_staging(source.name, target, staged, commit) for target in targets]
    with ExitStack() as stack:
        connected: list[ConnectedSink] = []
        unconnected: list[PreflightItem] = []
        for sink in sinks:
            try:
                opened = opened_sink(sink, mirror=route.mode is Mode.MIRROR)
                connected.append(stack.enter_context(opened))
            except WheelrelayError as error:
                if isinstance(error, ConfigError) and not isinstance(error, MissingSecret):
                    raise
                unconnected.append(failed_by(error, CONNECTION, sink.name))
        request = PreflightRequest(targets, connected, staged, commit, expected, options)
        return PreflightReport((*items, *unconnected, *run_preflight(request)))


def _read_source(
    source: Remote, selection: Selection, options: RelayOptions
) -> tuple[list[DistFile], list[PreflightItem]]:
    """Return the files that the source holds, which may not exist yet; or a failure if it cannot be read."""
    try:
        with opened_source(source) as connected, running(options) as runtime:
            reads = source_reads(connected, selection.projects(), runtime)
            files = run_reads(reads, runtime).of(reads)
            return [_with_digest(connected.source, file) for file in files], []
    except NotFound:
        return [], []
    except WheelrelayError as error:
        if isinstance(error, ConfigError) and not isinstance(error, MissingSecret):
            raise
        return [], [failed_by(error, STAGING, source.name)]


def _with_digest(source: Source, file: DistFile) -> DistFile:
    """Return a file with its digest, if it is local; a damaged file is reported when it is staged."""
    if file.sha256 is not None or not isinstance(source, SupportsLocalPath):
        return file
    try:
        return hashed_in_place(source.local_path(file), file)
    except IntegrityError:
        return file


def _targets(selection: Selection, staged: Sequence[DistFile]) -> list[Target]:
    """Return the projects to publish: those that are named, else those that are staged.

    Raises:
        ConfigError: There is none.
    """
    pinned = {
        canonicalize_name(requirement.name): _pinned_version(requirement)
        for requirement in selection.requirements
    }
    versions: dict[str, set[Version]] = {}
    for file in staged:
        versions.setdefault(file.project, set()).add(file.version)
    names = selection.projects() or tuple(sorted({file.project for file in staged}))
    if not names:
        raise ConfigError(
            "No project is named, and the source is empty.", hint="Name one, such as 'sample==1.0'."
        )
    return [Target(name, pinned.get(name) or _only(versions.get(name, set()))) for name in names]


def _pinned_version(requirement: "Requirement") -> Version | None:
    """Return the version that a requirement pins with ``==``; ``None`` if it allows others."""
    for part in requirement.specifier:
        if part.operator in ("==", "==="):
            with suppress(InvalidVersion):  # a prefix, such as 1.*
                return Version(part.version)
    return None


def _only(versions: Set[Version]) -> Version | None:
    return next(iter(versions)) if len(versions) == 1 else None
