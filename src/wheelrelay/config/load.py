"""Find and read the configuration: ``wheelrelay.toml``, or ``[tool.wheelrelay]`` in ``pyproject.toml``."""

import os
from pathlib import Path
from typing import Any

from wheelrelay.config.configuration import Config
from wheelrelay.config.discovery import FILE, find_config, refuse_what_others_can_write, wheelrelay_table
from wheelrelay.errors import ConfigError

VARIABLE = "WHEELRELAY_CONFIG"


def load_config(path: str | os.PathLike[str] | None = None) -> Config:
    """Read the configuration.

    Args:
        path: the file; if not given, the variable ``WHEELRELAY_CONFIG`` names it, else the nearest
            ``wheelrelay.toml`` or ``pyproject.toml`` with ``[tool.wheelrelay]``, upward from the working
            directory to the repository's root or the home folder. None found is an empty configuration:
            presets and addresses work without any.

    Raises:
        ConfigError: it cannot be read or is wrong; says which keys. Or it was found, not named, and another
            user of the machine can write it.

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


def which_config(path: str | os.PathLike[str] | None = None) -> Path | None:
    """The file that `load_config` reads; ``None`` if there is none.

    Raises:
        ConfigError: a file was found that another user of the machine can write.
    """
    named = path or os.environ.get(VARIABLE)
    if named:
        return Path(named)
    found = find_config(Path.cwd())
    if found:
        refuse_what_others_can_write(found)
    return found


def _table(path: Path) -> dict[str, Any]:
    table = wheelrelay_table(path)
    if table is None:
        raise ConfigError(f"{path} has no [tool.wheelrelay] table.", hint=f"Write one, or name a {FILE}.")
    return table
