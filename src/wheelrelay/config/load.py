"""Find and read the configuration: ``wheelrelay.toml``, or ``[tool.wheelrelay]`` in ``pyproject.toml``."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheelrelay.config.remotes import PRESETS, Remote, as_remote
from wheelrelay.errors import ConfigError
from wheelrelay.select import nearest

if TYPE_CHECKING:
    from wheelrelay.config.routes import Route

FILE = "wheelrelay.toml"
VARIABLE = "WHEELRELAY_CONFIG"


@dataclass(frozen=True, slots=True)
class Config:
    """A loaded configuration.

    Attributes:
        path: the file that it was read from; ``None`` if there is none.
        remotes: the configured remotes by name.
        routes: the configured routes by name.
        broken: why a table cannot be used, by its path, as ``remotes.staging``: a type is not installed
            or cannot be loaded, and a route inherits this from its remotes. A machine that does not need
            the remote need not have its backend, so the error waits for whoever asks for it.
    """

    path: Path | None = None
    remotes: Mapping[str, Remote] = field(default_factory=dict)
    routes: "Mapping[str, Route]" = field(default_factory=dict)
    broken: Mapping[str, ConfigError] = field(default_factory=dict)

    def remote(self, name: str) -> Remote:
        """The configured remote of this name, a preset, or what the address stands for.

        Raises:
            ConfigError: there is none, or its backend cannot be used.
        """
        if error := self.broken.get(f"remotes.{name}"):
            raise error
        return as_remote(name, configured=self.remotes)

    def route(self, name: str) -> "Route":
        """The configured route of this name.

        Raises:
            ConfigError: there is none, or one of its remotes cannot be used.
        """
        if error := self.broken.get(f"routes.{name}"):
            raise error
        if name not in self.routes:
            there = nearest([name], self.routes) if self.routes else "None is configured."
            raise ConfigError(f"There is no route {name!r}.", hint=there)
        return self.routes[name]

    def route_names(self) -> list[str]:
        """The names of all configured routes, usable here or not."""
        unusable = [path.removeprefix("routes.") for path in self.broken if path.startswith("routes.")]
        return sorted([*self.routes, *unusable])


def looks_like_remote(word: str, config: Config) -> bool:
    """Whether a word on the command line can only mean a remote: a known name, or an address.

    The name of a section of ``~/.pypirc`` may be that of a project as well, as for a token of its own; it
    counts where no route is configured that a requirement could be for.
    """
    known = word in config.remotes or f"remotes.{word}" in config.broken or word in PRESETS
    if known or "/" in word or word.startswith((".", "~")):
        return True
    from wheelrelay.config.pypirc import sections

    return not config.route_names() and word in sections()


def load_config(path: str | os.PathLike[str] | None = None) -> Config:
    """Read the configuration.

    Args:
        path: the file; if not given, the variable ``WHEELRELAY_CONFIG`` names it, else the nearest
            ``wheelrelay.toml`` or ``pyproject.toml`` with ``[tool.wheelrelay]``, upward from the working
            directory. None found is an empty configuration: presets and addresses work without any.

    Raises:
        ConfigError: it cannot be read or is wrong; says which keys.

    >>> load_config().remote("pypi").name
    'pypi'
    """
    found = which_config(path)
    if found is None:
        return Config()
    from wheelrelay.config.parse import parse_config

    return parse_config(_table(found), found)


def configured_names(group: str, path: str | os.PathLike[str] | None = None) -> list[str]:
    """The names of the ``remotes`` or ``routes`` that are written down, usable or not.

    Args:
        group: which of them.
        path: the file; as for `load_config`.

    Raises:
        ConfigError: it cannot be read.
    """
    found = which_config(path)
    tables = None if found is None else _table(found).get(group)
    return sorted(tables) if isinstance(tables, dict) else []


def find_config(start: Path) -> Path | None:
    """The nearest configuration file, from ``start`` upward; ``wheelrelay.toml`` wins in one folder."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        project = folder / "pyproject.toml"
        if project.is_file() and _read(project) is not None:
            return project
    return None


def which_config(path: str | os.PathLike[str] | None = None) -> Path | None:
    """The file that `load_config` reads; ``None`` if there is none."""
    named = path or os.environ.get(VARIABLE)
    return Path(named) if named else find_config(Path.cwd())


def _table(path: Path) -> dict[str, Any]:
    table = _read(path)
    if table is None:
        raise ConfigError(f"{path} has no [tool.wheelrelay] table.", hint=f"Write one, or name a {FILE}.")
    return table


def _read(path: Path) -> dict[str, Any] | None:
    """The wheelrelay table of a TOML file; ``None`` for a ``pyproject.toml`` without one."""
    import tomllib

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    if path.name == "pyproject.toml":
        table: dict[str, Any] | None = document.get("tool", {}).get("wheelrelay")
        return table
    return document
