"""Detect temporary files whose run is no longer alive.

A run locks (``flock``) the files that it writes, and the system releases the lock when the process ends.
Other machines may not see the lock, for example on NFS. The name of a temporary file therefore contains the
id of its machine, and files of another machine are leftovers only if they have not changed for a long time.
"""

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

FILE_STALE_AFTER = 24 * 3600
"""Seconds without a change after which a file counts as a leftover if its lock is inconclusive."""


@cache
def machine_id() -> str:
    """Return twelve hexadecimal digits that identify this machine since its last boot.

    Docker containers on one machine share them, because they see each other's locks. Without a boot id, this
    is the address of a network card.
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
        ``False`` if another process has locked it, ``None`` if the file system has no locks.
    """
    if sys.platform == "win32":  # Windows cannot remove an open file, so needs no lock
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
def check_abandoned(path: Path, *, made_here: bool, is_stale: Callable[[], bool]) -> Iterator[bool]:
    """Yield whether a file is a leftover of a dead run, and hold its lock within the context.

    Args:
        path: A regular file.
        made_here: Whether this machine created it, so that its lock is conclusive.
        is_stale: Whether it has not changed for so long that it is a leftover; asked only if its lock is
            inconclusive.

    Raises:
        OSError: The file cannot be opened.
    """
    handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        locked = try_lock(handle)
        yield locked is not False and ((made_here and locked is True) or is_stale())
    finally:
        os.close(handle)


def is_own(status: os.stat_result, kind: int) -> bool:
    """Return whether a status belongs to a file or folder of this user.

    Args:
        status: The result of `os.lstat`.
        kind: `stat.S_IFREG` or `stat.S_IFDIR`.
    """
    return stat.S_IFMT(status.st_mode) == kind and (sys.platform == "win32" or status.st_uid == os.geteuid())


def age_of(status: os.stat_result) -> float:
    """Return the seconds since the last change."""
    return time.time() - status.st_mtime
