"""Connect the remotes of a route: its source to read from, its sinks to publish to."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from wheelrelay.api.last_runs import last_run_of
from wheelrelay.api.reading import opened_for_reading
from wheelrelay.checks import Profile
from wheelrelay.config import Remote, Route, as_remote
from wheelrelay.engine.context import (
    AgePolicy,
    ConnectedSink,
    ConnectedSource,
    InstallPolicy,
    RelayOptions,
    RelayRequest,
    ReleasePolicy,
    SmokePolicy,
)
from wheelrelay.errors import BackendError, ConfigError
from wheelrelay.expect import Expected
from wheelrelay.model import DistFile, Mode
from wheelrelay.plugins import BACKEND_GROUP, CHECK_GROUP, installed_plugins
from wheelrelay.protocols import (
    ByteStream,
    Sink,
    Source,
    SupportsAnonymousReading,
    SupportsInstallers,
    SupportsInventory,
)
from wheelrelay.select import Selection
from wheelrelay.signing import TrustedKeys, TrustedPublishers, TrustPolicy, Verifier
from wheelrelay.staged import StagedFile
from wheelrelay.version import __version__


@contextmanager
def opened_source(remote: Remote) -> Iterator[ConnectedSource]:
    """Connect a remote for reading.

    Raises:
        ConfigError: The remote cannot be read from.
    """
    with opened_for_reading(remote) as source:
        yield ConnectedSource(remote.name, source)


@contextmanager
def opened_sink(
    remote: Remote,
    *,
    sign: bool = False,
    mirror: bool = False,
    profile: Profile | None = None,
    confirm_timeout: float | None = None,
    is_read_only: bool = False,
) -> Iterator[ConnectedSink]:
    """Connect a remote for publishing, or for comparing its files only.

    Args:
        remote: The sink.
        sign: Publish signatures even if the sink is configured without ``sign``.
        mirror: Whether the sink receives copies of files that were published elsewhere.
        profile: The profile of checks to use instead of the sink's own.
        confirm_timeout: Seconds to wait for confirmation, instead of the sink's own.
        is_read_only: Accept remotes that can only be read, because nothing will be published.

    Raises:
        ConfigError: The remote is read-only.
    """
    with remote.open() as backend:
        sink = _ReadOnlySink(backend) if is_read_only and not isinstance(backend, Sink) else backend
        if not isinstance(sink, Sink):
            raise ConfigError(
                f"{remote.name!r} is read-only: nothing can be published to it.",
                hint=_hint_for_read_only(remote),
            )
        checks = remote.checks_for(mirror=mirror)
        if profile is not None:
            checks = checks.with_profile(profile)
        yield ConnectedSink(
            remote.name,
            sink,
            remote.confirm,
            checks,
            sign or remote.sign,
            remote.attest,
            remote.confirm_timeout if confirm_timeout is None else confirm_timeout,
        )


@contextmanager
def connected_route(
    route: Route,
    selection: Selection,
    options: RelayOptions,
    *,
    sign: bool = False,
    confirm_timeout: float | None = None,
    profile: Profile | None = None,
    is_read_only: bool = False,
    is_plan: bool = False,
) -> Iterator[RelayRequest]:
    """Connect both sides of a route, and close everything at the end.

    Args:
        route: The source, the sinks and their requirements.
        selection: The files.
        options: How the relay runs.
        sign: Publish signatures to all sinks.
        confirm_timeout: Seconds to wait for confirmation, instead of each sink's own.
        profile: The profile of checks, instead of each sink's own.
        is_read_only: Whether nothing will be published: sinks may be remotes that can only be read.
        is_plan: Whether nothing will be published to the sinks: a missing secret is no error then.
    """
    expected = route.expect.expected() if route.expect else Expected()
    commit, sums = (route.expect.commit, route.expect.sums()) if route.expect else (None, None)
    with ExitStack() as stack:
        install = InstallPolicy() if is_read_only or is_plan else _install_policy(route, stack)
        policy = ReleasePolicy(
            commit=commit,
            sums=sums,
            trust=_trust_policy(route, stack),
            age=_age_policy(route),
            install=install,
            provenance=route.provenance,
        )
        source = stack.enter_context(opened_source(as_remote(route.source)))
        sinks = tuple(
            stack.enter_context(
                opened_sink(
                    sink,
                    sign=sign,
                    mirror=route.mode is Mode.MIRROR,
                    profile=profile,
                    confirm_timeout=confirm_timeout,
                    is_read_only=is_read_only,
                )
            )
            for sink in sinks_of(route)
        )
        for sink in sinks if is_plan else ():
            if isinstance(sink.sink, SupportsAnonymousReading):
                sink.sink.read_without_secrets()
        last_run = None if is_read_only or is_plan else last_run_of(route, selection, sign=sign)
        yield RelayRequest(source, sinks, selection, expected, policy, options, last_run)


def _install_policy(route: Route, stack: ExitStack) -> InstallPolicy:
    """Return how a route tries whether the release can be installed.

    Raises:
        ConfigError: Installers cannot read one of the indexes.
    """
    if not (route.resolve or route.smoke):
        return InstallPolicy()
    smoke = None
    if route.smoke is not None:
        timeout = route.smoke.timeout.total_seconds()
        smoke = SmokePolicy(tuple(route.smoke.python), tuple(route.smoke.run), route.smoke.sdist, timeout)
    indexes = []
    for remote in map(as_remote, route.indexes):
        backend = stack.enter_context(remote.open())
        index = backend.installer_index() if isinstance(backend, SupportsInstallers) else None
        if index is None:
            raise ConfigError(
                f"pip and uv cannot install from {remote.name!r}.",
                hint="Name an index, a directory, or a container with `public_url`, in `indexes`.",
            )
        indexes.append(index)
    return InstallPolicy(route.resolve, smoke, tuple(indexes))


def _age_policy(route: Route) -> AgePolicy | None:
    """Return the minimum age that a route requires, or else its source."""
    source = as_remote(route.source).config
    min_age = route.min_age or (source.min_age if source else None)
    unknown = route.unknown_age or (source.unknown_age if source else None)
    return AgePolicy(min_age, unknown == "take") if min_age else None


def _trust_policy(route: Route, stack: ExitStack) -> TrustPolicy | None:
    """Return the keys and publishers that a route trusts; ``None`` if files need no signature."""
    verifiers: list[Verifier] = []
    if route.trust.keys:
        verifiers.append(stack.enter_context(TrustedKeys.gathered(route.trust.keys)))
    if route.trust.publishers:
        publishers = [publisher.trusted() for publisher in route.trust.publishers]
        verifiers.append(TrustedPublishers(publishers, route.trust.root))
    return TrustPolicy(verifiers) if verifiers else None


class _ReadOnlySink:
    """A source in the role of a sink, so that its files can be compared with those of another."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """Yield the files of the source."""
        return self._source.iter_files(project)

    def inventory(self, project: str) -> Iterator[DistFile]:
        """Yield the files of a project, bypassing caches if the source supports that."""
        if isinstance(self._source, SupportsInventory):
            return self._source.inventory(project)
        return self._source.iter_files(project)

    def open(self, file: DistFile) -> AbstractContextManager[ByteStream]:
        """Open a file for reading."""
        return self._source.open(file)

    def put(self, staged: StagedFile) -> None:
        """Reject the file; comparing files calls this never."""
        raise BackendError(f"{staged.filename} cannot be published: the remote is read-only.")


def sinks_of(route: Route) -> list[Remote]:
    """Return the sinks of a route. Plans and receipts identify them by name, so names must differ.

    Raises:
        ConfigError: Two sinks have the same name.
    """
    sinks = [as_remote(sink) for sink in route.sinks]
    names = [sink.name for sink in sinks]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate:
        raise ConfigError(f"The sink {duplicate!r} is listed twice.", hint="List each sink once.")
    return sinks


def versions_of(*remotes: Remote) -> dict[str, str]:
    """Return the versions of wheelrelay and of the distributions that provide checks and these backends."""
    plugins = installed_plugins(BACKEND_GROUP)
    used = [
        plugins[remote.config.type] for remote in remotes if remote.config and remote.config.type in plugins
    ]
    used += installed_plugins(CHECK_GROUP).values()
    return {"wheelrelay": __version__, **{plugin.package: plugin.version for plugin in used}}


def _hint_for_read_only(remote: Remote) -> str | None:
    """Return how to configure a remote so that it can be published to."""
    if getattr(remote.config, "anonymous", False):
        return "It is read without credentials: remove `anonymous`, and configure credentials."
    if hasattr(remote.config, "upload_url"):
        return "To publish to an index, configure its `upload_url`."
    return None
