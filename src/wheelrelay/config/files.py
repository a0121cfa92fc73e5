"""Find configuration files, and read the text files that users write.

A configuration is code: it names commands to run and the URLs that secrets are sent to. A file that the user
names is trusted. A file that is found by searching is used only if it is inside the repository or the home
directory, and only if no other user of the machine can write to it.
"""

import codecs
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISVTX, S_IWGRP, S_IWOTH
from typing import Any

from wheelrelay.errors import ConfigError

CONFIG_FILE = "wheelrelay.toml"
PROJECT_FILE = "pyproject.toml"

MAX_TEXT_SIZE = 64 << 20
"""Largest text file that is read, in bytes; the files of the largest releases are far smaller."""

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_log = logging.getLogger(__name__)


def find_config(start: Path) -> Path | None:
    """Return the nearest configuration file from ``start`` upward; ``None`` if there is none.

    The search ends at the root of the repository (a folder with ``.git``) and at the home directory. In one
    folder, ``wheelrelay.toml`` takes precedence.
    """
    for folder in _searched_folders(start):
        if _is_file(folder / CONFIG_FILE):
            return folder / CONFIG_FILE
        if _has_our_table(folder / PROJECT_FILE):
            return folder / PROJECT_FILE
    return None


def read_table(path: Path) -> dict[str, Any] | None:
    """Return the configuration in a TOML file; ``None`` for a ``pyproject.toml`` without one.

    Raises:
        ConfigError: The file cannot be read or is not TOML.
    """
    import tomllib

    text = read_text(path)
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise ConfigError(f"{path} is not valid TOML: {reason}.") from error
    if path.name != PROJECT_FILE:
        return document
    tools = document.get("tool")
    table = tools.get("wheelrelay") if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.wheelrelay is not a table.")
    return table


def read_text(path: Path) -> str:
    """Return the text of a file: UTF-8, or UTF-16 with a byte order mark, as PowerShell's ``>`` writes it.

    Raises:
        ConfigError: The file cannot be read, is larger than `MAX_TEXT_SIZE`, or has another encoding.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_TEXT_SIZE + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > MAX_TEXT_SIZE:
        raise ConfigError(f"{path} is larger than {MAX_TEXT_SIZE >> 20} MiB.")
    try:
        return content.decode("utf-16" if content.startswith(_UTF16_MARKS) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text.", hint="Save it as UTF-8.") from error


def refuse_if_writable_by_others(path: Path) -> None:
    """Make sure that only this user, or the administrator, can have written a file that was found.

    Systems without POSIX permissions are not checked.

    Raises:
        ConfigError: The file belongs to another user, or another user can write to it or replace it.
    """
    if sys.platform == "win32":
        return
    for status in (path.lstat(), path.stat()):  # a link, and the file that it leads to
        if status.st_uid not in _trusted_owners():
            raise _refused(path, f"it belongs to {_user_name(status.st_uid)}")
    if _is_writable_by_others(path.stat()):
        raise _refused(path, "other users can write to it", f"Run chmod go-w {path}")
    for folder in dict.fromkeys((path.parent, path.resolve().parent)):
        _refuse_if_replaceable(path, folder)


def _refuse_if_replaceable(path: Path, folder: Path) -> None:
    """Refuse a file if other users can replace it in ``folder``."""
    status = folder.stat()
    if status.st_uid not in _trusted_owners():
        raise _refused(path, f"{folder} belongs to {_user_name(status.st_uid)}")
    # In a sticky folder, such as /tmp, users can replace only their own files.
    if _is_writable_by_others(status) and not status.st_mode & S_ISVTX:
        raise _refused(path, f"other users can write to {folder}", f"Run chmod go-w {folder}")


def _searched_folders(start: Path) -> Iterator[Path]:
    home = Path.home()
    for folder in (start, *start.parents):
        yield folder
        if folder == home or os.path.lexists(folder / ".git"):
            return


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder that this user may not read
        return False


def _has_our_table(project: Path) -> bool:
    """Whether a ``pyproject.toml`` has a ``[tool.wheelrelay]`` table.

    A file that cannot be parsed is reported only if it mentions that table; otherwise it belongs to other
    tools, and the search goes on.
    """
    if not _is_file(project):  # reading a pipe would block
        return False
    try:
        with project.open("rb") as stream:
            content = stream.read(MAX_TEXT_SIZE).replace(b"\0", b"")  # finds the name in UTF-16 too
    except OSError:
        return False
    if b"wheelrelay" not in content:
        return False
    try:
        return read_table(project) is not None
    except ConfigError as error:
        if b"[tool.wheelrelay" in content:
            raise
        _log.info("%s", error)
        return False


def _trusted_owners() -> set[int]:
    """Return the ids of this user and of root; under sudo, also of the user who ran it."""
    if sys.platform == "win32":
        return set()
    caller = os.environ.get("SUDO_UID", "") if os.geteuid() == 0 else ""
    return {0, os.geteuid(), *([int(caller)] if caller.isdecimal() else [])}


def _is_writable_by_others(status: os.stat_result) -> bool:
    if status.st_mode & S_IWOTH:
        return True
    return bool(status.st_mode & S_IWGRP) and not _is_private_group(status)


def _is_private_group(status: os.stat_result) -> bool:
    """Whether the owner is the only member of the group, on systems with one group per user."""
    if sys.platform == "win32":
        return False
    import grp
    import pwd

    if status.st_gid == 0:  # container images add users to this group
        return False
    try:
        group, owner = grp.getgrgid(status.st_gid), pwd.getpwuid(status.st_uid)
    except KeyError:
        return False
    return group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}


def _user_name(number: int) -> str:
    if sys.platform == "win32":
        return f"the user {number}"
    import pwd

    try:
        return f"the user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"the user {number}"


def _refused(path: Path, reason: str, remedy: str = "") -> ConfigError:
    trust_it = f"if you trust it, set WHEELRELAY_CONFIG={path}."
    return ConfigError(
        f"{path} is not used: it was found by searching, and {reason}.",
        hint=f"{remedy}, or, {trust_it}" if remedy else trust_it[:1].upper() + trust_it[1:],
    )
