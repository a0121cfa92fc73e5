"""Read companion files on local disk.

Symbolic links are not followed: they could lead to any file of this user, which would then be published.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from wheelrelay.containers.objects import MAX_COMPANION
from wheelrelay.errors import BackendError, NotFound


def is_regular_file(path: Path) -> bool:
    """Return whether ``path`` itself is a regular file, and not a link to one."""
    with suppress(OSError):
        return stat.S_ISREG(path.lstat().st_mode)
    return False


def read_companion_file(path: Path) -> bytes:
    """Return the content of a companion.

    Raises:
        NotFound: it does not exist, or is a link or anything else but a regular file.
        BackendError: it cannot be read, or is larger than 1 MiB.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb", buffering=0) as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise NotFound(f"{path} is not a regular file.")
            content = stream.read(MAX_COMPANION + 1)
    except FileNotFoundError as error:
        raise NotFound(f"{path} does not exist.") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotFound(f"{path} is a link. Links to companions are not followed.") from error
        raise BackendError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > MAX_COMPANION:
        raise BackendError(f"{path} is too large for a companion: more than {MAX_COMPANION} bytes.")
    return content
