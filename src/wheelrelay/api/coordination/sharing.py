"""Make sure that workers reach the same remotes as this process, and prepare what is sent to them."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from wheelrelay.config import Remote, Route, as_remote
from wheelrelay.engine.context import RelayRequest
from wheelrelay.errors import ConfigError
from wheelrelay.protocols import Engine

Model = TypeVar("Model", bound=BaseModel)


def refuse_unreachable(engine: Engine, *remotes: Remote) -> None:
    """Refuse remotes that workers cannot connect to, or whose name means another place for them.

    Raises:
        ConfigError: A remote is such a place, or needs attestations.
    """
    for remote in remotes:
        if remote.config is None:
            raise ConfigError(
                f"{remote.name} is a connected backend, which cannot be sent to the workers of an engine.",
                hint="Pass its configuration or its address instead.",
            )
        if remote.attest:
            raise ConfigError(
                f"{remote.name!r} requires attestations, which need the identity of this CI job; the workers "
                "of an engine do not have it.",
                hint="Relay to this remote without an engine.",
            )
        if engine.spans_machines and not remote.is_shared:
            raise ConfigError(
                f"{remote.name!r} is a place on this machine, and workers on other machines would read or "
                "write another place under its name.",
                hint="If all machines have it under the same path, for example on NFS, configure it as a "
                'remote with type = "directory" and shared = true.',
            )


def refuse_checks_with_installers(request: RelayRequest) -> None:
    """Refuse a release that is to be installed before it is published.

    Raises:
        ConfigError: The route has such checks.
    """
    if request.policy.install.resolve or request.policy.install.smoke:
        raise ConfigError(
            "The checks with installers need all files on one machine; each worker of an engine has a part.",
            hint="Relay without an engine, or remove `resolve` and `smoke` from the route.",
        )


def portable_route(route: Route) -> Route:
    """Return a route that means the same in another working directory, without the files that it reads.

    The lists of ``expect`` are read by this process; workers get their content.
    """
    absolute = with_absolute_paths(route)
    return absolute.model_copy(
        update={
            "source": portable_remote(route.source),
            "sinks": tuple(map(portable_remote, route.sinks)),
            "expect": None,
        }
    )


def portable_remote(remote: Any) -> Remote:
    """Return a remote whose configuration has absolute paths only."""
    known = as_remote(remote)
    assert known.config is not None
    return Remote(known.name, with_absolute_paths(known.config))


def with_absolute_paths(model: Model) -> Model:
    """Return a configuration in which every path is absolute."""
    changes = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        changed = _absolute(value)
        if changed is not value:
            changes[name] = changed
    return model.model_copy(update=changes) if changes else model


def _absolute(value: Any) -> Any:
    if isinstance(value, Path):
        return value if value.is_absolute() else Path.cwd() / value
    if isinstance(value, BaseModel):
        return with_absolute_paths(value)
    if isinstance(value, tuple | list) and any(isinstance(item, Path | BaseModel) for item in value):
        return type(value)(map(_absolute, value))
    return value
