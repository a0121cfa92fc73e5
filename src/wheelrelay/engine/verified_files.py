"""Remember which files a run of ``verify`` has verified, so that a later run can skip them."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Self

from wheelrelay.disk.writing import ensure_writable, replace_file
from wheelrelay.engine.recording import SAVE_PAUSE_FACTOR
from wheelrelay.errors import ConfigError
from wheelrelay.model import DistFile

SAVE_INTERVAL = 5.0
"""Seconds between two saved states, if saving takes no longer."""

FORMAT = "wheelrelay verified files, format 1"
"""The only key of the document."""

_State = list[str | int | None]


class VerifiedFiles:
    """The files that were verified at remotes, kept in a file; safe for threads.

    The file may be deleted: all files are verified again then. It is saved while files are recorded, and at
    the end of the context.

    Args:
        path: The file; without one, nothing is remembered.
        clock: Returns the time in seconds; it never goes back.

    Raises:
        ConfigError: The file exists and is something else; it is not overwritten.
    """

    def __init__(self, path: Path | None, *, clock: Callable[[], float] = monotonic) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._remotes: dict[str, dict[str, _State]] = _read(path) if path else {}
        self._next_save = clock() + SAVE_INTERVAL

    def has(self, remote: str, file: DistFile) -> bool:
        """Return whether this state of a file was verified: its digest, size and time of modification.

        A file without a declared sha256 is verified each time: other bytes could not be noticed.
        """
        state = _state_of(file)
        return state is not None and self._remotes.get(remote, {}).get(file.filename) == state

    def record(self, remote: str, file: DistFile) -> None:
        """Record that a file was verified, and save that from time to time.

        Raises:
            WheelrelayError: The state cannot be saved.
        """
        state = _state_of(file)
        if self._path is None or state is None:
            return
        with self._lock:
            self._remotes.setdefault(remote, {})[file.filename] = state
        if self._clock() >= self._next_save and self._saving.acquire(blocking=False):
            try:
                self._save()
            finally:
                self._saving.release()

    def forget(self, remote: str, file: DistFile) -> None:
        """Forget a file that is damaged."""
        with self._lock:
            self._remotes.get(remote, {}).pop(file.filename, None)

    def __enter__(self) -> Self:
        """Ensure that the state can be saved, before files are read.

        Raises:
            WheelrelayError: It cannot be saved.
        """
        if self._path is not None:
            ensure_writable(self._path)
        return self

    def __exit__(self, *_: object) -> None:
        """Save the state, also after an interrupt.

        Raises:
            WheelrelayError: It cannot be saved.
        """
        with self._saving:
            self._save()

    def _save(self) -> None:
        if self._path is None:
            return
        began = self._clock()
        with self._lock:
            text = json.dumps({FORMAT: self._remotes})
        replace_file(self._path, text.encode())
        ended = self._clock()
        self._next_save = ended + max(SAVE_INTERVAL, SAVE_PAUSE_FACTOR * (ended - began))


def _state_of(file: DistFile) -> _State | None:
    if file.sha256 is None:
        return None
    return [file.sha256, file.size, file.upload_time.isoformat() if file.upload_time else None]


def _read(path: Path) -> dict[str, dict[str, _State]]:
    try:
        document = json.loads(path.read_bytes())
        return {str(remote): dict(files) for remote, files in document[FORMAT].items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError(
            f"{path} is not a list of verified files.", hint="Choose another path, or delete it."
        ) from error
