"""Open the remotes of a route in the roles that they play on it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from wheelrelay import __version__
from wheelrelay.api.reading import readable
from wheelrelay.checks import Profile
from wheelrelay.config import Remote, Route, as_remote
from wheelrelay.engine.context import ConnectedSink, ConnectedSource
from wheelrelay.errors import ConfigError
from wheelrelay.plugins import BACKEND_GROUP, CHECK_GROUP, installed_plugins
from wheelrelay.protocols import Sink


@contextmanager
def opened_source(remote: Remote) -> Iterator[ConnectedSource]:
    """A remote, connected to be read.

    Raises:
        ConfigError: it cannot be read.
    """
    with readable(remote) as source:
        yield ConnectedSource(remote.name, source)


@contextmanager
def opened_sink(
    remote: Remote, *, sign: bool = False, mirror: bool = False, profile: Profile | None = None
) -> Iterator[ConnectedSink]:
    """A remote, connected to be published to.

    Args:
        remote: the sink.
        sign: publish signatures there also if it does not ask for them.
        mirror: the sink gets copies of files that were published elsewhere.
        profile: the profile of checks to use instead of the sink's own.

    Raises:
        ConfigError: it can only be read.
    """
    with remote.open() as backend:
        if not isinstance(backend, Sink):
            raise ConfigError(
                f"{remote.name!r} can only be read.",
                hint="Publishing to an index needs its upload_url in the configuration.",
            )
        checks = remote.checks_for(mirror=mirror)
        if profile is not None:
            checks = checks.with_profile(profile)
        yield ConnectedSink(remote.name, backend, remote.confirm, checks, sign or remote.sign, remote.attest)


def sinks_of(route: Route) -> list[Remote]:
    """The sinks of a route, whose names keep them apart in plans and receipts.

    Raises:
        ConfigError: one is given twice.
    """
    sinks = [as_remote(sink) for sink in route.sinks]
    names = [sink.name for sink in sinks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ConfigError(f"The sink {twice!r} is given twice.", hint="Name each sink once.")
    return sinks


def versions_of(*remotes: Remote) -> Mapping[str, str]:
    """The versions of wheelrelay and of the distributions that bring checks or some remotes' backends."""
    plugins = installed_plugins(BACKEND_GROUP)
    used = [
        plugins[remote.config.type] for remote in remotes if remote.config and remote.config.type in plugins
    ]
    used += installed_plugins(CHECK_GROUP).values()
    return {"wheelrelay": __version__, **{plugin.package: plugin.version for plugin in used}}
