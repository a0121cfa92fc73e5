"""Connect the remotes of a route: its source to read from, its sinks to publish to."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from wheelrelay.api.reading import opened_for_reading
from wheelrelay.checks import Profile
from wheelrelay.config import Remote, Route, as_remote
from wheelrelay.engine.context import ConnectedSink, ConnectedSource
from wheelrelay.errors import BackendError, ConfigError
from wheelrelay.model import DistFile
from wheelrelay.plugins import BACKEND_GROUP, CHECK_GROUP, installed_plugins
from wheelrelay.protocols import ByteStream, Sink, Source, SupportsInventory
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
                hint="To publish to an index, configure its `upload_url`.",
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


def versions_of(*remotes: Remote) -> Mapping[str, str]:
    """Return the versions of wheelrelay and of the distributions that provide checks and these backends."""
    plugins = installed_plugins(BACKEND_GROUP)
    used = [
        plugins[remote.config.type] for remote in remotes if remote.config and remote.config.type in plugins
    ]
    used += installed_plugins(CHECK_GROUP).values()
    return {"wheelrelay": __version__, **{plugin.package: plugin.version for plugin in used}}
