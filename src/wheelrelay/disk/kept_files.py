"""Keep files in the cache folder of this user: they save work, and may be deleted at any time."""

import hashlib
import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from wheelrelay.disk.writing import replace_file
from wheelrelay.errors import WheelrelayError

CACHE_VARIABLE = "WHEELRELAY_CACHE_DIR"
"""The environment variable that sets the folder."""

MAX_AGE = 30 * 86_400
"""Seconds after which a file is removed, and what it contains must be read again."""

_log = logging.getLogger(__name__)


class KeptFiles:
    """Files of one kind by key; safe for threads and for several processes.

    Files are not synced, so a crash of the machine may damage them: readers compare digests.

    Args:
        folder: Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def open(cls, kind: str) -> Self | None:
        """Return the files of a kind, after removing old ones; ``None`` if they cannot be written."""
        if not (folder := os.environ.get(CACHE_VARIABLE)):
            from platformdirs import user_cache_dir  # rarely needed

            folder = user_cache_dir("wheelrelay", appauthor=False)
        path = Path(folder) / kind
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _remove_old(path)
        except OSError as error:
            _log.info("Nothing is kept in %s: %s", path, error.strerror)
            return None
        return cls(path)

    def get(self, key: str) -> bytes | None:
        """Return what was kept under a key, if the file is this user's.

        In a shared folder, a file of another user could contain anything.
        """
        try:
            with self._path(key).open("rb") as stream:
                if hasattr(os, "geteuid") and os.fstat(stream.fileno()).st_uid != os.geteuid():
                    return None
                return stream.read()
        except OSError:
            return None

    def put(self, key: str, content: bytes) -> None:
        """Keep the content; if it cannot be written, it is not kept."""
        try:
            replace_file(self._path(key), content, sync=False)
        except WheelrelayError as error:
            _log.info("%s", error)

    def _path(self, key: str) -> Path:
        return self._folder / hashlib.sha256(key.encode()).hexdigest()[:40]


def _remove_old(folder: Path) -> None:
    oldest = time.time() - MAX_AGE
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # another process removed it
                if entry.stat().st_mtime < oldest:
                    Path(entry).unlink()
