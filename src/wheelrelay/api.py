"""What Python users, the command line and CI steps all call.

>>> import wheelrelay
>>> from wheelrelay.testing.samples import make_wheel
>>> wheel = make_wheel(tmp_path, "sample", "1.0")
>>> route = wheelrelay.Route(source=str(tmp_path), sinks=[str(tmp_path / "wheelhouse")])
>>> wheelrelay.plan(route, ["sample"]).files[0].file.filename
'sample-1.0-py3-none-any.whl'
>>> receipt = wheelrelay.steps(route, ["sample==1.0"])
>>> receipt.complete()
True
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import Requirement

from wheelrelay.backends.paths import Pathlike, find_paths
from wheelrelay.config import Config, Mode, Remote, RemoteLike, Route, as_remote, load_config
from wheelrelay.errors import ConfigError, RelayFailed, WheelrelayError
from wheelrelay.expect import Expected
from wheelrelay.model import DistFile
from wheelrelay.plugins import BACKENDS, installed
from wheelrelay.protocols import Sink, Source, SupportsInventory
from wheelrelay.records import Plan, Receipt
from wheelrelay.report.documents import receipt_document, to_json
from wheelrelay.select import Selection
from wheelrelay.steps import engine
from wheelrelay.steps.confirm import DEADLINE
from wheelrelay.steps.events import Progress, silent
from wheelrelay.steps.journey import JOBS, Destination, Journey, Origin, Settings
from wheelrelay.steps.plan import chosen_files

__all__ = ["Config", "Route", "list_files", "load_config", "plan", "push", "relay"]

Requirements = Sequence[str | Requirement]


def list_files(
    remote: RemoteLike, requirements: Requirements = (), *, with_digests: bool = False
) -> list[DistFile]:
    """What is there.

    Args:
        remote: where to look.
        requirements: which projects and versions; none means all that is there.
        with_digests: ask for digests also where that means reading the files, as in a directory.

    Raises:
        NothingMatched: there is none; says what comes nearest.
        ConfigError: the remote cannot be read.
        BackendError: the remote fails.
    """
    selection = Selection(requirements=_parsed(requirements))
    with _opened_source(as_remote(remote)) as origin:
        files = chosen_files(origin.source, selection, one_version=False)
        if with_digests and isinstance(origin.source, SupportsInventory):
            known = {
                file.filename: file
                for project in sorted({file.project for file in files if file.sha256 is None})
                for file in origin.source.inventory(project)
            }
            files = [known.get(file.filename, file) for file in files]
        return files


def plan(route: Route, requirements: Requirements = (), *, jobs: int = JOBS) -> Plan:
    """What a relay would do; nothing is written anywhere.

    Args:
        route: from where to where; `Config.route` gives a configured one.
        requirements: which projects and versions; they take the place of the route's own.
        jobs: how many sinks are read at once.

    Raises:
        NothingMatched: no file is meant; says what comes nearest.
        SeveralVersions: a release takes one version of a project, and there are more.
        ConfigError: a remote or requirement is wrong.
        BackendError: a remote fails.
    """
    with _journey(route, route.selection(_texts(requirements)), Settings(jobs=jobs)) as journey:
        return journey.plan(one_version=route.mode is Mode.RELEASE)


def relay(
    route: Route,
    requirements: Requirements = (),
    *,
    jobs: int = JOBS,
    progress: Progress = silent,
    receipt: Pathlike | None = None,
    allow_unexpected: bool = False,
    approve: Callable[[Plan], bool] | None = None,
    confirm_within: float = DEADLINE,
) -> Receipt:
    """Move the files of a route.

    Args:
        route: from where to where; `Config.route` gives a configured one.
        requirements: which projects and versions; they take the place of the route's own.
        jobs: how many files are moved at once.
        progress: told of what happens, see `wheelrelay.steps.events`.
        receipt: where to write the receipt, however the relay ends.
        allow_unexpected: publish also files that the route's expected set does not name.
        approve: asked once, after the gate and before the first byte is published.
        confirm_within: seconds to wait until a sink shows what was published.

    Raises:
        ReleaseRefused: something is wrong with the release; nothing was published.
        RelayFailed: publishing began and did not come to its end; a re-run completes it.
        WheelrelayError: anything else; nothing was published.
    """
    settings = _settings(jobs, progress, approve, confirm_within, allow_unexpected=allow_unexpected)
    with _journey(route, route.selection(_texts(requirements)), settings) as journey:
        versions = _versions(as_remote(route.source), *map(as_remote, route.sinks))
        if route.mode is Mode.MIRROR:
            return _recorded(lambda: engine.mirror(journey, versions=versions), receipt)
        return _recorded(lambda: engine.release(journey, versions=versions), receipt)


def push(
    paths: Sequence[Pathlike],
    to: RemoteLike,
    *,
    jobs: int = JOBS,
    progress: Progress = silent,
    receipt: Pathlike | None = None,
    confirm_within: float = DEADLINE,
) -> Receipt:
    """Publish local files: verified all together, then all or none.

    Args:
        paths: distribution files, directories that hold some, or glob patterns.
        to: the remote to publish to.
        jobs: how many files are moved at once.
        progress: told of what happens.
        receipt: where to write the receipt, however it ends.
        confirm_within: seconds to wait until the remote shows what was published.

    Raises:
        Conflict: the remote has one of the names with other bytes; nothing was published.
        RelayFailed: publishing began and did not come to its end; a re-run completes it.
        WheelrelayError: anything else; nothing was published.
    """
    route = Route(source=Remote("local files", connected=find_paths(paths)), sinks=[to])
    settings = _settings(jobs, progress, None, confirm_within)
    with _journey(route, Selection(), settings) as journey:
        versions = _versions(as_remote(to))
        return _recorded(lambda: engine.release(journey, one_version=False, versions=versions), receipt)


@contextmanager
def _journey(route: Route, selection: Selection, settings: Settings) -> Iterator[Journey]:
    """Connect both sides of a route; everything is closed at the end."""
    with ExitStack() as stack:
        origin = stack.enter_context(_opened_source(as_remote(route.source)))
        destinations = [stack.enter_context(_opened_sink(sink)) for sink in _named_apart(route)]
        expected = route.expect.expected() if route.expect else Expected()
        journey = Journey(origin, destinations, selection, expected, settings)
        stack.callback(journey.close)
        yield journey


@contextmanager
def _opened_source(remote: Remote) -> Iterator[Origin]:
    with remote.open() as backend:
        if not isinstance(backend, Source):
            raise ConfigError(
                f"{remote.name!r} can be written to, but not read.",
                hint="Give an index its Simple API as url.",
            )
        yield Origin(remote.name, backend)


@contextmanager
def _opened_sink(remote: Remote) -> Iterator[Destination]:
    with remote.open() as backend:
        if not isinstance(backend, Sink):
            raise ConfigError(
                f"{remote.name!r} can only be read.",
                hint="Publishing to an index needs its upload_url in the configuration.",
            )
        yield Destination(remote.name, backend, remote.confirm)


def _named_apart(route: Route) -> list[Remote]:
    """The sinks of a route, whose names keep them apart in plans and receipts."""
    sinks = [as_remote(sink) for sink in route.sinks]
    names = [sink.name for sink in sinks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ConfigError(f"The sink {twice!r} is given twice.", hint="Name each sink once.")
    return sinks


def _settings(
    jobs: int,
    progress: Progress,
    approve: Callable[[Plan], bool] | None,
    confirm_within: float,
    *,
    allow_unexpected: bool = False,
) -> Settings:
    if jobs < 1:
        raise ConfigError(f"{jobs} files at once cannot be moved.", hint="Give --jobs 1 or more.")
    return Settings(
        jobs,
        progress,
        approve or (lambda _: True),
        confirm_within=confirm_within,
        allow_unexpected=allow_unexpected,
    )


def _recorded(run: Callable[[], Receipt], path: Pathlike | None) -> Receipt:
    """Run, and write the receipt to ``path`` however it ends, if there is one to write."""
    try:
        receipt = run()
    except RelayFailed as failure:
        _write_receipt(failure.receipt, path)
        raise
    _write_receipt(receipt, path)
    return receipt


def _write_receipt(receipt: Receipt, path: Pathlike | None) -> None:
    if path is None:
        return
    try:
        Path(os.fspath(path)).write_text(to_json(receipt_document(receipt)), encoding="utf-8")
    except OSError as error:
        raise WheelrelayError(f"The receipt cannot be written to {path}: {error.strerror}.") from error


def _versions(*remotes: Remote) -> Mapping[str, str]:
    """The versions of wheelrelay and of the distributions that bring the backends of these remotes."""
    plugins = installed(BACKENDS)
    used = [
        plugins[remote.config.type] for remote in remotes if remote.config and remote.config.type in plugins
    ]
    return {"wheelrelay": version("wheelrelay"), **{plugin.package: plugin.version for plugin in used}}


def _parsed(requirements: Requirements) -> tuple[Requirement, ...]:
    from wheelrelay.select import parse_requirement

    return tuple(parse_requirement(text) for text in _texts(requirements))


def _texts(requirements: Requirements) -> list[str]:
    return [str(requirement) for requirement in requirements]
