"""Find and read the configuration: ``wheelrelay.toml``, or ``[tool.wheelrelay]`` in ``pyproject.toml``."""

import os
from pathlib import Path
from typing import Any

from wheelrelay.config.loaded import Config
from wheelrelay.config.texts import read_text
from wheelrelay.errors import ConfigError

FILE = "wheelrelay.toml"
VARIABLE = "WHEELRELAY_CONFIG"


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

    text = read_text(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    if path.name == "pyproject.toml":
        table: dict[str, Any] | None = document.get("tool", {}).get("wheelrelay")
        return table
    return document
