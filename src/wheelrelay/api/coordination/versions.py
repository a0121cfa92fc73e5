"""Compare the versions of wheelrelay and its plugins on all machines that take part in a relay."""

from collections.abc import Mapping

from wheelrelay.config import EngineConfig, EngineLike
from wheelrelay.errors import ConfigError
from wheelrelay.plugins import ENGINE_GROUP, installed_plugins


def versions_of_engine(engine: EngineLike) -> dict[str, str]:
    """Return the version of the distribution that provides an engine, by its name."""
    if not isinstance(engine, EngineConfig):
        return {}
    plugin = installed_plugins(ENGINE_GROUP).get(engine.type)
    return {} if plugin is None else {plugin.package: plugin.version}


def refuse_other_versions(worker: str, theirs: Mapping[str, str], ours: Mapping[str, str]) -> None:
    """Refuse a worker with other versions: it might check or publish files differently.

    Raises:
        ConfigError: Versions differ, or a distribution is only on one side.
    """
    different = [
        f"{name} {theirs.get(name, '(none)')} instead of {ours.get(name, '(none)')}"
        for name in sorted(theirs.keys() | ours.keys())
        if theirs.get(name) != ours.get(name)
    ]
    if different:
        raise ConfigError(
            f"The worker {worker} has {', '.join(different)}.",
            hint="Install the same versions on this machine and on all workers.",
        )
