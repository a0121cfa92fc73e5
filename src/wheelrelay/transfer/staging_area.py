"""The temporary folder that holds the staged files of one relay."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from wheelrelay.disk.folders import TMPDIR_ALTERNATIVE, TMPDIR_HINT, remove_leftover_folders, temporary_folder
from wheelrelay.disk.writing import write_error_hint
from wheelrelay.errors import WheelrelayError
from wheelrelay.filenames import is_plain
from wheelrelay.staged import StagedFile


class StagingArea:
    """A folder on local disk that holds the staged files of one relay; safe for threads.

    Filenames that differ only in case get different folders: some file systems treat them as the same name.

    Args:
        folder: An existing folder that only this relay uses.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._spellings: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def path_of(self, filename: str) -> Path:
        """Return the path of the staged file of this name."""
        assert is_plain(filename)
        with self._lock:
            spellings = self._spellings.setdefault(filename.casefold(), [])
            if filename not in spellings:
                spellings.append(filename)
            number = spellings.index(filename)
        return self.folder / filename if number == 0 else self.folder / f"spelling-{number}" / filename

    @contextmanager
    def incoming(self, filename: str) -> Iterator[BinaryIO]:
        """Open a new file under a temporary name; it is renamed to `path_of` if the context succeeds.

        It is not synced: no other run reads it, and this run compares its size and state before it is sent.

        Raises:
            WheelrelayError: The file cannot be written, for example because the disk is full.
        """
        path = self.path_of(filename)
        temporary = path.with_name(f".{os.urandom(8).hex()}.part")
        try:
            if path.parent != self.folder:
                path.parent.mkdir(exist_ok=True)
            with temporary.open("xb", buffering=0) as stream:
                yield stream
                written, stored = stream.tell(), os.fstat(stream.fileno()).st_size
            if written != stored:
                raise WheelrelayError(f"{path}: only {stored} of {written} bytes were written.")
            temporary.rename(path)
        except OSError as error:
            raise WheelrelayError(
                f"{filename} cannot be written to {self.folder}: {error.strerror}.",
                hint=write_error_hint(error, alternative=TMPDIR_ALTERNATIVE, otherwise=TMPDIR_HINT),
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    def drop(self, staged: StagedFile) -> None:
        """Remove a staged file from the folder; a local file that was hashed in place is kept."""
        if staged.path.is_relative_to(self.folder):
            staged.path.unlink(missing_ok=True)


@contextmanager
def temporary_staging_area() -> Iterator[StagingArea]:
    """Create a staging area in the folder for temporary files (``TMPDIR``), and remove it at the end.

    The staging areas of relays that were killed are removed as well.

    Raises:
        WheelrelayError: The folder cannot be created.
    """
    remove_leftover_folders()
    with temporary_folder() as folder:
        yield StagingArea(folder)
