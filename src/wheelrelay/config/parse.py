"""Validate a configuration that was read: its remotes by their types, and the routes between them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wheelrelay.config.configuration import Config
from wheelrelay.config.errors import unknown_key
from wheelrelay.config.remote_types import make_config
from wheelrelay.config.remotes import PRESETS, Remote
from wheelrelay.config.routes import Route
from wheelrelay.errors import ConfigError, PluginLoadError, UnknownBackend


def parse_config(table: Mapping[str, Any], path: Path) -> Config:
    """Validate a configuration that was read from ``path``.

    Raises:
        ConfigError: it is wrong; says which keys.
    """
    for key in table:
        if key not in ("remotes", "routes"):
            raise unknown_key(key, path.name, ["remotes", "routes"])
    broken: dict[str, ConfigError] = {}
    remotes: dict[str, Remote] = {}
    for name, keys in _tables(table, "remotes", path).items():
        try:
            remotes[name] = _remote(name, keys, path)
        except (UnknownBackend, PluginLoadError) as error:
            broken[f"remotes.{name}"] = error.at(f"{path.name}: remotes.{name}")
    routes: dict[str, Route] = {}
    for name, keys in _tables(table, "routes", path).items():
        used = [f"remotes.{remote}" for remote in [keys.get("source"), *_listed(keys.get("sinks"))]]
        inherited = next((broken[remote] for remote in used if remote in broken), None)
        if inherited:
            broken[f"routes.{name}"] = inherited
        else:
            where = f"{path.name}: routes.{name}"
            routes[name] = Route.model_validate(
                keys, context={"remotes": remotes, "base": path.parent, "where": where}
            )
    return Config(path, remotes, routes, broken)


def _tables(table: Mapping[str, Any], group: str, path: Path) -> dict[str, dict[str, Any]]:
    tables = table.get(group, {})
    wrong = (
        next((name for name, keys in tables.items() if not isinstance(keys, dict)), None)
        if isinstance(tables, dict)
        else group
    )
    if wrong is not None:
        raise ConfigError(f"{path.name}: {group}: {wrong!r} is not a table.", hint=f"Write [{group}.NAME].")
    return dict(tables)


def _remote(name: str, keys: dict[str, Any], path: Path) -> Remote:
    where = f"{path.name}: remotes.{name}"
    if "://" in name or "/" in name:
        raise ConfigError(f"{where}: a name cannot look like an address.")
    kind = keys.get("type", name if name in PRESETS else None)
    if name in PRESETS and kind != name:
        raise ConfigError(
            f"{where}.type: the name {name!r} is that of a preset, whose type and addresses stay.",
            hint="Give this remote another name.",
        )
    if not isinstance(kind, str):
        raise ConfigError(f"{where}.type: this key is required.", hint='As in type = "index".')
    given = {key: value for key, value in keys.items() if key != "type"}
    return Remote(name, make_config(kind, given, where=where, base=path.parent))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
