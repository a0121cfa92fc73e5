"""Tell the temporary files of a run that was killed from those of a run that is alive.

A run locks (``flock``) what it is writing, and the system releases the lock when the process ends. A lock
tells on the machine that holds it only: on NFS, or where two machines share a folder in another way, it may
not be visible. So a temporary file says which machine made it, and what another machine made counts as left
over only when nothing has changed it for long.
"""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

FILE_STALE_AFTER = 24 * 3600
"""Seconds without a change after which a temporary file counts as left over if its lock does not tell."""


@cache
def machine_id() -> str:
    """Twelve hexadecimal digits for this machine since it was started.

    Containers on one machine have the same ones, as they see each other's locks. Where the system does not
    number its starts, it is the address of a network card.
    """
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        return text.replace("-", "")[:12].rjust(12, "0")
    except (OSError, ValueError):
        import uuid

        return f"{uuid.getnode():012x}"


def try_lock(handle: int) -> bool | None:
    """Lock an open file until it is closed.

    Returns:
        ``False`` if another process has locked it, ``None`` where files cannot be locked.
    """
    if os.name == "nt":  # an open file cannot be removed there
        return None
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@contextmanager
def check_abandoned(
    path: Path, *, made_here: bool, age: float, stale: float = FILE_STALE_AFTER
) -> Iterator[bool]:
    """Whether nothing uses a file any more; within the context nothing else can take it for abandoned.

    Args:
        path: a regular file.
        made_here: whether this machine made it, so that its lock tells.
        age: seconds since the last change.
        stale: the age from which it is left over if its lock does not tell.

    Raises:
        OSError: it cannot be opened.
    """
    handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        locked = try_lock(handle)
        yield locked is not False and ((made_here and locked is True) or age > stale)
    finally:
        os.close(handle)


def is_own(status: os.stat_result, kind: int) -> bool:
    """Whether this user's file or folder has a status.

    Args:
        status: of the name itself, from `os.lstat`.
        kind: `stat.S_IFREG` or `stat.S_IFDIR`.
    """
    return stat.S_IFMT(status.st_mode) == kind and (os.name == "nt" or status.st_uid == os.geteuid())


def age_of(status: os.stat_result) -> float:
    """Seconds since the last change."""
    return time.time() - status.st_mtime
