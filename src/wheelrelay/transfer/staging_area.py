"""The folder where the files of one relay are staged."""

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
    """A folder on local disk where the files of one relay are staged.

    Names that differ only in case, which some file systems take for one name, lie in different folders.

    Args:
        folder: exists, and belongs to this relay alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._spellings: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def path_of(self, filename: str) -> Path:
        """Where a file of this name is staged."""
        assert is_plain(filename)
        with self._lock:
            spellings = self._spellings.setdefault(filename.casefold(), [])
            if filename not in spellings:
                spellings.append(filename)
            number = spellings.index(filename)
        return self.folder / filename if number == 0 else self.folder / f"spelling-{number}" / filename

    @contextmanager
    def incoming(self, filename: str) -> Iterator[BinaryIO]:
        """A new file with a temporary name; `path_of` is its name when the context ends well.

        It is not synced: no other run reads it, and this run compares its size and state before it is sent.

        Raises:
            WheelrelayError: it cannot be written, as when the disk is full.
        """
        path = self.path_of(filename)
        temporary = path.with_name(f".{os.urandom(8).hex()}.part")
        try:
            if path.parent != self.folder:
                path.parent.mkdir(exist_ok=True)
            with temporary.open("xb", buffering=0) as stream:
                yield stream
                written, there = stream.tell(), os.fstat(stream.fileno()).st_size
            if written != there:
                raise WheelrelayError(f"{path}: {there} of {written} bytes were written.")
            temporary.rename(path)
        except OSError as error:
            raise WheelrelayError(
                f"{filename} cannot be written to {self.folder}: {error.strerror}.",
                hint=write_error_hint(error, alternative=TMPDIR_ALTERNATIVE, otherwise=TMPDIR_HINT),
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    def drop(self, staged: StagedFile) -> None:
        """Remove a staged file that lies here; one that lies elsewhere is the user's own and stays."""
        if staged.path.is_relative_to(self.folder):
            staged.path.unlink(missing_ok=True)


@contextmanager
def temporary_staging_area() -> Iterator[StagingArea]:
    """A wheelhouse below the folder for temporary files (``TMPDIR``), gone at the end.

    Those of relays that were killed are removed as well: their owners could not do it any more.

    Raises:
        WheelrelayError: it cannot be made.
    """
    remove_leftover_folders()
    with temporary_folder() as folder:
        yield StagingArea(folder)
