"""Read a lock file of any format."""

from pathlib import Path

from wheelrelay.lock_files.model import Lock
from wheelrelay.lock_files.pylock import exported_by_uv, parse_pylock
from wheelrelay.lock_files.requirements import read_locked_requirements, read_text


def read_lock(path: Path) -> Lock:
    """Read a lock file; its name decides on the format.

    Args:
        path: ``pylock.toml``, ``pylock.NAME.toml``, ``uv.lock``, or a requirements file.

    Raises:
        ConfigError: The file cannot be read or parsed, a requirement has no hash or no exact version, a
            package comes from version control or a direct address, or uv is not installed.
    """
    if path.name == "uv.lock":
        return parse_pylock(path, exported_by_uv(path))
    if path.suffix == ".toml":
        return parse_pylock(path, read_text(path))
    return read_locked_requirements(path)
