"""Find the configuration: the nearest file upward that nobody else can have put there.

A configuration is code: its references run commands, and its addresses decide where secrets go. A file that
somebody names is trusted. One that is merely found counts only within the repository or the home folder, and
only if no other user of the machine can write it.
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISVTX, S_IWGRP, S_IWOTH
from typing import Any

from wheelrelay.config.text_files import LARGEST, read_text
from wheelrelay.errors import ConfigError

FILE = "wheelrelay.toml"
PROJECT = "pyproject.toml"

_log = logging.getLogger(__name__)


def find_config(start: Path) -> Path | None:
    """The nearest configuration file, from ``start`` upward; ``wheelrelay.toml`` wins in one folder.

    The search ends at the root of a repository (a folder with ``.git``) and at the home folder.
    """
    for folder in _searched(start):
        if _is_file(folder / FILE):
            return folder / FILE
        if _is_ours(folder / PROJECT):
            return folder / PROJECT
    return None


def refuse_what_others_can_write(path: Path) -> None:
    """Make sure that a file which was found was written by this user or the system's administrator.

    Systems without POSIX permissions are not asked.

    Raises:
        ConfigError: the file belongs to another user, or another user can write or replace it.
    """
    if os.name != "posix":
        return
    for each in (path.lstat(), path.stat()):
        if each.st_uid not in _trusted_owners():
            raise _refused(path, f"it belongs to {_user(each.st_uid)}")
    if _others_may_write(path.stat()):
        raise _refused(path, "other users may write it", f"Run chmod go-w {path}")
    for folder in dict.fromkeys((path.parent, path.resolve().parent)):
        _refuse_where_others_can_replace(path, folder)


def _refuse_where_others_can_replace(path: Path, folder: Path) -> None:
    """Refuse a file for the folder that it, or what it links to, is in."""
    status = folder.stat()
    if status.st_uid not in _trusted_owners():
        raise _refused(path, f"{folder} belongs to {_user(status.st_uid)}")
    if _others_may_write(status) and not status.st_mode & S_ISVTX:
        raise _refused(path, f"other users may write to {folder}", f"Run chmod go-w {folder}")


def wheelrelay_table(path: Path) -> dict[str, Any] | None:
    """The configuration in a TOML file; ``None`` for a ``pyproject.toml`` without one.

    Raises:
        ConfigError: the file cannot be read or is not TOML.
    """
    import tomllib

    text = read_text(path)
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise ConfigError(f"{path} is not valid TOML: {reason}.") from error
    if path.name != PROJECT:
        return document
    tools = document.get("tool")
    table = tools.get("wheelrelay") if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.wheelrelay is not a table.")
    return table


def _searched(start: Path) -> Iterator[Path]:
    home = Path.home()
    for folder in (start, *start.parents):
        yield folder
        if folder == home or os.path.lexists(folder / ".git"):
            return


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder above that this user may not look into
        return False


def _is_ours(project: Path) -> bool:
    """Whether a ``pyproject.toml`` has our table; one of another tool that cannot be read has not."""
    if not _is_file(project):  # a pipe would never end
        return False
    try:
        with project.open("rb") as stream:
            content = stream.read(LARGEST).replace(b"\0", b"")  # it may be UTF-16
    except OSError:
        return False
    if b"wheelrelay" not in content:
        return False
    try:
        return wheelrelay_table(project) is not None
    except ConfigError as error:
        if b"[tool.wheelrelay" in content:
            raise
        _log.info("%s", error)
        return False


def _trusted_owners() -> set[int]:
    """This user and root; under sudo, who called it."""
    caller = os.environ.get("SUDO_UID", "") if os.geteuid() == 0 else ""
    return {0, os.geteuid(), *([int(caller)] if caller.isdecimal() else [])}


def _others_may_write(status: os.stat_result) -> bool:
    if status.st_mode & S_IWOTH:
        return True
    return bool(status.st_mode & S_IWGRP) and not _is_private_group(status)


def _is_private_group(status: os.stat_result) -> bool:
    """Whether the owner is alone in the group, as on systems that give each user a group of the same name."""
    import grp
    import pwd

    if status.st_gid == 0:  # containers put users into it
        return False
    try:
        group, owner = grp.getgrgid(status.st_gid), pwd.getpwuid(status.st_uid)
    except KeyError:
        return False
    return group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}


def _user(number: int) -> str:
    import pwd

    try:
        return f"the user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"the user {number}"


def _refused(path: Path, reason: str, remedy: str = "") -> ConfigError:
    name_it = f"name it with --config {path} or in WHEELRELAY_CONFIG if you trust it."
    return ConfigError(
        f"{path} is not used: it was found by searching, and {reason}.",
        hint=f"{remedy}, or {name_it}" if remedy else name_it[:1].upper() + name_it[1:],
    )
