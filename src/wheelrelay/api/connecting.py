"""Connect the remotes of a route: its source to read from, its sinks to publish to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from wheelrelay.api.reading import opened_for_reading
from wheelrelay.checks import Profile
from wheelrelay.config import Remote, Route, as_remote
from wheelrelay.engine.context import ConnectedSink, ConnectedSource
from wheelrelay.errors import ConfigError
from wheelrelay.plugins import BACKEND_GROUP, CHECK_GROUP, installed_plugins
from wheelrelay.protocols import Sink
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
) -> Iterator[ConnectedSink]:
    """Connect a remote for publishing.

    Args:
        remote: The sink.
        sign: Publish signatures even if the sink is configured without ``sign``.
        mirror: Whether the sink receives copies of files that were published elsewhere.
        profile: The profile of checks to use instead of the sink's own.
        confirm_timeout: Seconds to wait for confirmation, instead of the sink's own.

    Raises:
        ConfigError: The remote is read-only.
    """
    with remote.open() as backend:
        if not isinstance(backend, Sink):
            raise ConfigError(
                f"{remote.name!r} is read-only: nothing can be published to it.",
                hint="To publish to an index, configure its `upload_url`.",
            )
        checks = remote.checks_for(mirror=mirror)
        if profile is not None:
            checks = checks.with_profile(profile)
        yield ConnectedSink(
            remote.name,
            backend,
            remote.confirm,
            checks,
            sign or remote.sign,
            remote.attest,
            remote.confirm_timeout if confirm_timeout is None else confirm_timeout,
        )


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
