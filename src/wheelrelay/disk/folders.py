"""Temporary folders, locked while their run is alive so that others can remove leftovers."""

import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from pathlib import Path

from wheelrelay.disk.locks import age_of, check_abandoned, is_own, machine_id, try_lock
from wheelrelay.disk.writing import write_all, write_error_hint
from wheelrelay.errors import WheelrelayError

FOLDER_PREFIX = "wheelrelay-"
LOCK_NAME = "lock"
"""The locked file in a temporary folder, which contains the id of its machine."""

CONTENT_NAME = "files"
"""The subfolder for the content."""

TMPDIR_ALTERNATIVE = ", or set TMPDIR to a folder on a larger disk"
"""A remedy for a full disk."""

TMPDIR_HINT = "Set TMPDIR to a folder on another disk."
"""A remedy for other errors."""

FOLDER_STALE_AFTER = 7 * 24 * 3600
"""Seconds without a change after which a folder is a leftover if its lock is inconclusive; runs may wait."""

_FORM = re.compile(re.escape(FOLDER_PREFIX) + r"(?:[a-z]+-)?[a-z0-9_]{8}")


@contextmanager
def temporary_folder(kind: str = "") -> Iterator[Path]:
    """Create an empty folder in the folder for temporary files (``TMPDIR``), and remove it at the end.

    Args:
        kind: A word for its name.

    Raises:
        WheelrelayError: The folder cannot be created.
    """
    prefix = f"{FOLDER_PREFIX}{kind}-" if kind else FOLDER_PREFIX
    with ExitStack() as stack:
        try:
            directory = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(directory))
            stack.enter_context(_locked(folder))
            (folder / CONTENT_NAME).mkdir()
        except OSError as error:
            raise WheelrelayError(
                f"A temporary folder cannot be created: {error.strerror or error}.",
                hint=write_error_hint(error, alternative=TMPDIR_ALTERNATIVE, otherwise=TMPDIR_HINT),
            ) from error
        yield folder / CONTENT_NAME


@contextmanager
def temporary_file(folder: Path) -> Iterator[FileIO]:
    """Create a file in a temporary folder; write to it with `write_all`.

    Raises:
        WheelrelayError: The file cannot be written, for example on a full disk.
    """
    path = folder / secrets.token_hex(8)
    try:
        with path.open("xb", buffering=0) as stream:
            yield stream
    except OSError as error:
        raise WheelrelayError(
            f"A temporary file in {folder} cannot be written: {error.strerror or error}.",
            hint=write_error_hint(error, alternative=TMPDIR_ALTERNATIVE, otherwise=TMPDIR_HINT),
        ) from error


def link_file(path: Path, target: Path) -> None:
    """Give a file a second name in a temporary folder; copy it if the file system has no links.

    Args:
        path: The file.
        target: The new name.

    Raises:
        WheelrelayError: The file can be neither linked nor copied.
    """
    try:
        target.symlink_to(path.absolute())
    except OSError:  # Windows lets only some users create links
        try:
            shutil.copyfile(path, target)
        except OSError as error:
            raise WheelrelayError(
                f"{path.name} cannot be copied to {target.parent}: {error.strerror or error}.",
                hint=write_error_hint(error, alternative=TMPDIR_ALTERNATIVE, otherwise=TMPDIR_HINT),
            ) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; the lock file is locked before it gets its final name."""
    new = folder / f"{LOCK_NAME}.new"
    with new.open("xb", buffering=0) as stream:
        write_all(stream, machine_id().encode())
        try_lock(stream.fileno())
        if sys.platform != "win32":  # Windows cannot rename an open file, and removes no leftovers
            new.rename(folder / LOCK_NAME)
        yield


def remove_leftover_folders() -> None:
    """Remove this user's temporary folders whose runs are dead, as far as possible."""
    if sys.platform == "win32":
        return
    with suppress(OSError):
        for folder in list(Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*")):
            if _FORM.fullmatch(folder.name):
                with suppress(OSError):
                    _remove_abandoned(folder)


def _remove_abandoned(folder: Path) -> None:
    if not is_own(folder.lstat(), stat.S_IFDIR):
        return
    name = folder / LOCK_NAME
    try:
        with check_abandoned(name, made_here=_made_here(name), is_stale=lambda: _is_stale(folder)) as dead:
            if dead:
                shutil.rmtree(folder, ignore_errors=True)
    except FileNotFoundError:  # the run has not created its lock yet, or cannot
        if _is_stale(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_stale(folder: Path) -> bool:
    """Return whether nothing in a folder has changed for a long time.

    The first recent change decides, because a folder may hold any number of files.
    """
    if age_of(folder.lstat()) <= FOLDER_STALE_AFTER:
        return False
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not _is_stale(Path(entry)):
                    return False
            elif age_of(entry.stat(follow_symlinks=False)) <= FOLDER_STALE_AFTER:
                return False
    return True


def _made_here(name: Path) -> bool:
    if sys.platform == "win32":
        return False
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        return os.read(handle, 64) == machine_id().encode()
    finally:
        os.close(handle)
