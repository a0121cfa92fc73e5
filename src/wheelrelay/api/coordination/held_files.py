"""The staged files that a worker holds between the tasks of a release: their bytes stay on its disk."""

import atexit
import threading
from contextlib import ExitStack
from dataclasses import field

from wheelrelay.engine.gate import CheckedFile
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.transfer.staging_area import StagingArea, temporary_staging_area

LEASE = 3600.0
"""Seconds after the last task of a release until its files are removed: its coordinator may be lost."""


@dataclass(slots=True)
class HeldFiles:
    """The files of one release on this worker.

    Attributes:
        staging_area: The folder with the files.
        checked: The files by filename.
    """

    staging_area: StagingArea
    checked: dict[str, CheckedFile] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)
    _timer: threading.Timer | None = None

    def extend(self, release: str) -> None:
        """Keep the files for another `LEASE`."""
        self.stop()
        self._timer = threading.Timer(LEASE, drop_release, (release,))
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """Stop the time that is left."""
        if self._timer is not None:
            self._timer.cancel()

    def close(self) -> None:
        """Remove the files."""
        self.stop()
        self._stack.close()


_releases: dict[str, HeldFiles] = {}
_lock = threading.Lock()


def held_files(release: str) -> HeldFiles:
    """Return the files that this worker holds for a release, and keep them for another `LEASE`."""
    with _lock:
        if release not in _releases:
            stack = ExitStack()
            _releases[release] = HeldFiles(stack.enter_context(temporary_staging_area()), _stack=stack)
        held = _releases[release]
        held.extend(release)
        return held


def drop_release(release: str) -> None:
    """Remove the files of a release from this worker."""
    with _lock:
        held = _releases.pop(release, None)
    if held is not None:
        held.close()


@atexit.register
def _drop_all() -> None:
    for release in list(_releases):
        drop_release(release)
