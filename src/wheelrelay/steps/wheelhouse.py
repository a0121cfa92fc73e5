"""The folder where the files of one relay are staged, and what relays that were killed have left behind."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from wheelrelay.errors import WheelrelayError
from wheelrelay.filenames import is_plain
from wheelrelay.staged import StagedFile

PREFIX = "wheelrelay-"
LOCK = "lock"
"""The file in the folder of a relay that is locked as long as the relay lives."""


class Wheelhouse:
    """A folder on local disk where the files of one relay are staged.

    Args:
        folder: exists, and belongs to this relay alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def incoming(self, filename: str) -> Iterator[BinaryIO]:
        """A new file with a temporary name; the real name is given when the context ends well.

        Raises:
            WheelrelayError: it cannot be written, as when the disk is full.
        """
        assert is_plain(filename)
        temporary = self.folder / f".{filename}.{os.urandom(4).hex()}.part"
        try:
            with temporary.open("xb", buffering=0) as stream:
                yield stream
            temporary.rename(self.folder / filename)
        except OSError as error:
            raise WheelrelayError(
                f"{filename} cannot be written to {self.folder}: {error.strerror}.",
                hint="Make room there, or set TMPDIR to a folder on a larger disk.",
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    def drop(self, staged: StagedFile) -> None:
        """Remove a staged file that lies here; one that lies elsewhere is the user's own and stays."""
        if staged.path.parent == self.folder:
            staged.path.unlink(missing_ok=True)


@contextmanager
def temporary_wheelhouse() -> Iterator[Wheelhouse]:
    """A wheelhouse below the folder for temporary files (``TMPDIR``), gone at the end.

    Those of relays that were killed are removed as well: their owners could not do it any more.
    """
    _sweep(Path(tempfile.gettempdir()))
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder,
        _locked(Path(folder)),
    ):
        files = Path(folder, "files")
        files.mkdir()
        yield Wheelhouse(files)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a lock in a folder, by which others see that its owner lives; a killed one lets go.

    The lock has its name only once it is held, so that nobody takes a beginning for an end. Where the
    system has no such locks the folder has none either, and nobody will sweep it.
    """
    if os.name == "nt":
        yield
        return
    import fcntl

    new = folder / f"{LOCK}.new"
    handle = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            new.rename(folder / LOCK)
        yield
    finally:
        os.close(handle)


def _sweep(parent: Path) -> None:
    """Remove the wheelhouses of this user whose owners are dead."""
    if os.name == "nt":
        return
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if _is_left_behind(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left_behind(folder: Path) -> bool:
    """Whether a folder is this user's own and its lock is held by nobody.

    Raises:
        OSError: it has no lock, or the lock is held.
    """
    import fcntl

    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        return False
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(handle)
    return True
