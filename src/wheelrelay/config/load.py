"""The loaded configuration, and how it is read from ``wheelrelay.toml`` or ``pyproject.toml``.

Pydantic is imported only once a configuration has remotes or routes: commands that work with addresses alone
start without it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheelrelay.config.files import (
    CONFIG_FILE,
    PROJECT_FILE,
    find_config,
    read_table,
    read_text,
    refuse_if_writable_by_others,
)
from wheelrelay.config.remotes import PRESETS, Remote, as_remote
from wheelrelay.errors import ConfigError, PluginLoadError, UnknownBackend, UnknownEngine
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.select import did_you_mean

if TYPE_CHECKING:
    from wheelrelay.config.engines import EngineConfig
    from wheelrelay.config.errors import KeyProblem
    from wheelrelay.config.routes import Route

CONFIG_VARIABLE = "WHEELRELAY_CONFIG"
"""The environment variable with the path of the configuration."""

SECTIONS = ("engines", "remotes", "routes")
"""The tables of a configuration."""


@dataclass(frozen=True, slots=True)
class Config:
    """A loaded configuration.

    Attributes:
        path: The file; ``None`` if there is no configuration.
        remotes: The configured remotes by name.
        routes: The configured routes by name.
        engines: The configured engines by name.
        broken: Why a table cannot be used, by its path, such as ``remotes.staging``: its backend is not
            installed or cannot be imported, or it is a route with such a remote. The error is raised only
            when the table is used, because a machine needs only the backends of the routes that it uses.
    """

    path: Path | None = None
    remotes: Mapping[str, Remote] = field(default_factory=dict)
    routes: "Mapping[str, Route]" = field(default_factory=dict)
    engines: "Mapping[str, EngineConfig]" = field(default_factory=dict)
    broken: Mapping[str, ConfigError] = field(default_factory=dict)

    def remote(self, name: str) -> Remote:
        """Return the configured remote with this name, or the remote that an address names.

        Raises:
            ConfigError: There is no such remote, or its backend cannot be used.
        """
        if error := self.broken.get(f"remotes.{name}"):
            raise error
        return as_remote(name, configured=self.remotes)

    def route(self, name: str) -> "Route":
        """Return the configured route with this name.

        Raises:
            ConfigError: There is no such route, or one of its remotes cannot be used.
        """
        if error := self.broken.get(f"routes.{name}"):
            raise error
        if name not in self.routes:
            hint = did_you_mean([name], self.routes) if self.routes else "No route is configured."
            raise ConfigError(f"There is no route {name!r}.", hint=hint)
        return self.routes[name]

    def engine(self, name: str) -> "EngineConfig":
        """Return the configured engine with this name.

        Raises:
            ConfigError: There is no such engine, or its plugin cannot be used.
        """
        if error := self.broken.get(f"engines.{name}"):
            raise error
        if name not in self.engines:
            hint = did_you_mean([name], self.engines) if self.engines else "No engine is configured."
            raise ConfigError(f"There is no engine {name!r}.", hint=hint)
        return self.engines[name]

    def route_names(self) -> list[str]:
        """Return the names of all configured routes, including those that cannot be used on this machine."""
        broken = [path.removeprefix("routes.") for path in self.broken if path.startswith("routes.")]
        return sorted([*self.routes, *broken])


def load_config(path: str | os.PathLike[str] | None = None) -> Config:
    """Load the configuration.

    Args:
        path: The file. [default: the path in ``WHEELRELAY_CONFIG``; else the nearest ``wheelrelay.toml``, or
            ``pyproject.toml`` with a ``[tool.wheelrelay]`` table, from the working directory up to the root
            of the repository or the home directory]

    Returns:
        The configuration; an empty one if there is no file. Presets and addresses work without a file.

    Raises:
        ConfigError: The file cannot be read, or a key in it is wrong; or the file was found by searching,
            and other users of the machine can write to it.

    >>> load_config().remote("pypi").name
    'pypi'
    """
    file = which_config(path)
    return Config() if file is None else parse_config(_read_required_table(file), file)


def which_config(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the file that `load_config` reads; ``None`` if there is none.

    Raises:
        ConfigError: The file was found by searching, and other users of the machine can write to it.
    """
    named = path or os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    file = find_config(Path.cwd())
    if file:
        refuse_if_writable_by_others(file)
    return file


def configured_names(section: str, path: str | os.PathLike[str] | None = None) -> list[str]:
    """Return the names of the tables in a section, including those that cannot be used on this machine.

    Args:
        section: One of `SECTIONS`.
        path: The file, as for `load_config`.

    Raises:
        ConfigError: The file cannot be read.
    """
    file = which_config(path)
    tables = None if file is None else _read_required_table(file).get(section)
    return sorted(tables) if isinstance(tables, dict) else []


def parse_config(document: Mapping[str, Any], path: Path) -> Config:
    """Validate a configuration that was read from ``path``.

    Raises:
        ConfigError: A key is wrong. The message names each wrong key.
    """
    for key in document:
        if key not in SECTIONS:
            from wheelrelay.config.errors import unknown_key

            raise unknown_key(key, path.name, SECTIONS)
    broken: dict[str, ConfigError] = {}
    remotes: dict[str, Remote] = {}
    for name, table in _tables(document, "remotes", path).items():
        try:
            remotes[name] = _parse_remote(name, table, path)
        except (UnknownBackend, PluginLoadError) as error:
            broken[f"remotes.{name}"] = error.at(f"{path.name}: remotes.{name}")
    routes: dict[str, Route] = {}
    for name, table in _tables(document, "routes", path).items():
        used = [f"remotes.{remote}" for remote in [table.get("source"), *_as_list(table.get("sinks"))]]
        broken_remote = next((remote for remote in used if remote in broken), None)
        if broken_remote:
            broken[f"routes.{name}"] = broken[broken_remote]
        else:
            routes[name] = _parse_route(name, table, path, remotes)
    engines: dict[str, EngineConfig] = {}
    for name, table in _tables(document, "engines", path).items():
        try:
            engines[name] = _parse_engine(name, table, path)
        except (UnknownEngine, PluginLoadError) as error:
            broken[f"engines.{name}"] = error.at(f"{path.name}: engines.{name}")
    return Config(path, remotes, routes, engines, broken)


def find_problems(path: Path) -> "list[tuple[int, str]]":
    """Return everything that is wrong with a configuration: the line and a sentence for each problem.

    Unlike `parse_config`, this continues after the first wrong table, and types that are not installed
    count.

    Raises:
        ConfigError: The file cannot be read, or is not TOML.
    """
    from wheelrelay.config.errors import KeyProblem, unknown_key
    from wheelrelay.config.toml_lines import key_lines, line_of

    document = _read_required_table(path)
    unknown = document.keys() - set(SECTIONS)
    problems = [KeyProblem((key,), str(unknown_key(key, path.name, SECTIONS))) for key in unknown]
    remotes: dict[str, Remote] = {}
    parsers: dict[str, Callable[[str, dict[str, Any]], object]] = {
        "remotes": lambda name, table: remotes.update({name: _parse_remote(name, table, path)}),
        "routes": lambda name, table: _parse_route(name, table, path, remotes),
        "engines": lambda name, table: _parse_engine(name, table, path),
    }
    for section, parse in parsers.items():
        try:
            tables = _tables(document, section, path)
        except ConfigError as error:
            problems.append(KeyProblem((section,), str(error)))
            continue
        for name, table in tables.items():
            try:
                parse(name, table)
            except ConfigError as error:
                if section == "remotes":
                    remotes[name] = Remote(name)  # routes may name it
                problems += _problems_of(error.at(f"{path.name}: {section}.{name}"), (section, name))
    lines = key_lines(read_text(path))
    prefix = ("tool", "wheelrelay") if path.name == PROJECT_FILE else ()
    located = {
        (line_of((*prefix, *problem.path), lines), problem.message.removeprefix(f"{path.name}: "))
        for problem in problems
    }
    return sorted(located)


def _problems_of(error: ConfigError, table: tuple[str, str]) -> "list[KeyProblem]":
    """Return the problem of each key of a table."""
    from wheelrelay.config.errors import KeyProblem

    if not error.problems:
        return [KeyProblem((*table, "type"), str(error))]
    return [KeyProblem((*table, *path), message) for path, message in error.problems]


def looks_like_remote(word: str, config: Config) -> bool:
    """Whether a word on the command line can only be a remote: a known name, or an address.

    A section of ``~/.pypirc`` may have the name of a project, because people have a section per project
    token. So it counts only if no route is configured that the word could be a requirement for.
    """
    is_known = word in config.remotes or f"remotes.{word}" in config.broken or word in PRESETS
    if is_known or "/" in word or word.startswith((".", "~")):
        return True
    from wheelrelay.config.pypirc import sections

    return not config.route_names() and word in sections()


def _read_required_table(path: Path) -> dict[str, Any]:
    table = read_table(path)
    if table is None:
        raise ConfigError(
            f"{path} has no [tool.wheelrelay] table.", hint=f"Add the table, or use a {CONFIG_FILE} file."
        )
    return table


def _tables(document: Mapping[str, Any], section: str, path: Path) -> dict[str, dict[str, Any]]:
    tables = document.get(section, {})
    hint = f"Write [{section}.NAME]."
    if not isinstance(tables, dict):
        raise ConfigError(f"{path.name}: {section} is not a table.", hint=hint)
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigError(f"{path.name}: {section}.{name} is not a table.", hint=hint)
    return dict(tables)


def _parse_remote(name: str, table: dict[str, Any], path: Path) -> Remote:
    from wheelrelay.config.remote_types import make_config

    where = f"{path.name}: remotes.{name}"
    if "/" in name:
        raise ConfigError(f"{where}: the name of a remote must not contain a slash.")
    kind = table.get("type", name if name in PRESETS else None)
    if name in PRESETS and kind != name:
        raise ConfigError(
            f"{where}.type: {name!r} is a preset, whose type and URLs cannot change.",
            hint="Give this remote another name.",
        )
    if not isinstance(kind, str):
        raise ConfigError(f"{where}.type: this key is required.", hint='Example: type = "index".')
    keys = {key: value for key, value in table.items() if key != "type"}
    return Remote(name, make_config(kind, keys, where=where, base=path.parent))


def _parse_route(name: str, table: dict[str, Any], path: Path, remotes: Mapping[str, Remote]) -> "Route":
    from wheelrelay.config.routes import Route

    context = {"remotes": remotes, "base": path.parent, "where": f"{path.name}: routes.{name}"}
    return Route.model_validate(table, context=context)


def _parse_engine(name: str, table: dict[str, Any], path: Path) -> "EngineConfig":
    from wheelrelay.config.engines import make_engine_config

    where = f"{path.name}: engines.{name}"
    kind = table.get("type")
    if not isinstance(kind, str):
        raise ConfigError(f"{where}.type: this key is required.", hint='Example: type = "dask".')
    keys = {key: value for key, value in table.items() if key != "type"}
    return make_engine_config(kind, keys, where=where, base=path.parent)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
