"""Companions that lie on local disk, beside their distribution files.

A link is not followed: what it leads to may be anything that this user can read, and would be published.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from wheelrelay.containers.objects import MAX_COMPANION
from wheelrelay.errors import BackendError, NotFound


def is_there(path: Path) -> bool:
    """Whether there is a regular file at ``path`` itself; a link to one does not count."""
    with suppress(OSError):
        return stat.S_ISREG(path.lstat().st_mode)
    return False


def read_beside(path: Path) -> bytes:
    """The content of a companion.

    Raises:
        NotFound: it is not there, or is a link or something else that is no regular file.
        BackendError: it cannot be read, or has more than 1 MiB.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb", buffering=0) as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise NotFound(f"{path} is not a regular file.")
            content = stream.read(MAX_COMPANION + 1)
    except FileNotFoundError as error:
        raise NotFound(f"{path} is not there.") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotFound(f"{path} is a link, and links to companions are not followed.") from error
        raise BackendError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > MAX_COMPANION:
        raise BackendError(f"{path} is implausibly large: over {MAX_COMPANION} bytes.")
    return content
