"""Write files so that a file with its final name is always complete.

An unbuffered ``write`` may write only a part, for example on a full disk, so all functions loop until
everything is written or the system reports an error. A file is written under a hidden temporary name in the
same folder. It is renamed only after its size and digest are compared and it is synced to disk.
"""

import errno
import os
import re
import stat
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from wheelrelay.disk.locks import FILE_STALE_AFTER, age_of, check_abandoned, is_own, machine_id, try_lock
from wheelrelay.errors import DigestMismatch, IntegrityError, WheelrelayError

TEMPORARY_PREFIX = ".wheelrelay-"
"""Prefix of the names of temporary files."""

_FORM = re.compile(re.escape(TEMPORARY_PREFIX) + r"(?:([0-9a-f]{12})-)?[0-9a-f]{16}")
"""The name of a temporary file: an optional machine id, and random digits."""

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
"""Errors of file systems without hard links: FAT, exFAT and SMB on Linux, macOS (45) and Windows (22)."""

_NO_FLUSH = {errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.ENOSYS}
"""Errors of file systems that cannot sync a folder."""

_one_by_one = threading.Lock()

_ADVICE = {
    "ENOSPC": "Free space on the disk",
    "EDQUOT": "Free space within the quota",
    "EFBIG": "Raise the limit on file sizes (ulimit -f), or use a file system that supports larger files",
    "EIO": "Check the disk and the system log",
    "EROFS": "Use a writable disk",
}
_BY_NUMBER = {getattr(errno, name): text for name, text in _ADVICE.items() if hasattr(errno, name)}


def write_error_hint(error: OSError, *, alternative: str = "", otherwise: str | None = None) -> str | None:
    """Return a hint for an error while writing.

    Args:
        error: The error.
        alternative: Another remedy for a full disk, as a part of a sentence.
        otherwise: The hint for all other errors.
    """
    text = _BY_NUMBER.get(error.errno or 0)
    return f"{text}{alternative}." if text else otherwise


def write_all(stream: BinaryIO | FileIO, block: bytes) -> None:
    """Write a block completely to a stream whose ``write`` may write only a part.

    Raises:
        OSError: The block cannot be written.
    """
    remaining = memoryview(block)
    while remaining:
        count = stream.write(remaining)
        if not count:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        remaining = remaining[count:]


@contextmanager
def write_temporary(
    target: Path, blocks: Iterable[bytes], *, size: int, sha256: str | None = None, sync: bool = True
) -> Iterator[Path]:
    """Write a verified temporary file next to ``target``; it is removed at the end unless renamed.

    The caller renames it within the context, with `rename_exclusively` or ``Path.replace``.

    Args:
        target: The final path.
        blocks: The content.
        size: The expected size in bytes.
        sha256: The expected SHA-256 digest, if known.
        sync: Whether file and folder are synced, so that they survive a crash of the machine.

    Raises:
        OSError: The file cannot be written.
        IntegrityError: Size or digest differ from the expected ones.
    """
    stream, temporary = _create_temporary(target)
    try:
        with stream:  # holds the lock until the file is renamed
            digest = _write_blocks(stream, blocks, hashed=sha256 is not None)
            if sync:
                os.fsync(stream.fileno())
            written = os.fstat(stream.fileno()).st_size
            if written != size:
                raise IntegrityError(f"{target}: {written} of {size} bytes were written.")
            if digest != sha256:
                raise DigestMismatch(f"{target}: expected SHA-256 {sha256}, got {digest}.")
            if sys.platform == "win32":  # Windows cannot rename an open file
                stream.close()
            yield temporary
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108  (called for every file of a mirror)
    if sync:
        _flush_folder(target.parent)


def _write_blocks(stream: FileIO, blocks: Iterable[bytes], *, hashed: bool) -> str | None:
    if not hashed:
        for block in blocks:
            write_all(stream, block)
        return None
    import hashlib

    digest = hashlib.sha256()
    for block in blocks:
        write_all(stream, block)
        digest.update(block)
    return digest.hexdigest()


def _create_temporary(target: Path) -> tuple[FileIO, Path]:
    """Create and lock a file with a temporary name."""
    while True:
        temporary = target.parent / f"{TEMPORARY_PREFIX}{machine_id()}-{os.urandom(8).hex()}"
        stream = FileIO(temporary, "xb")
        if try_lock(stream.fileno()) is not False and _is_at(temporary, stream):
            return stream, temporary
        stream.close()  # another run removed the file as a leftover before it was locked
        temporary.unlink(missing_ok=True)


def _is_at(path: Path, stream: FileIO) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def rename_exclusively(temporary: Path, target: Path) -> None:
    """Rename a file, and fail if the new name is taken, without a race.

    Creates a hard link, which fails if the name exists. On file systems without hard links, renames under a
    lock, which excludes other writers on this machine only.

    Raises:
        FileExistsError: The name is taken.
    """
    try:
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with _folder_lock(target.parent):
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
            temporary.rename(target)


def replace_file(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Create or replace a file atomically: readers see the old or the new content.

    Args:
        path: The file.
        content: The new content.
        sync: Whether it must survive a crash of the machine; otherwise readers need to detect damage.

    Raises:
        WheelrelayError: The file cannot be written; the old content is unchanged.
    """
    with write_errors(path):
        _refuse_special(path)
        with write_temporary(path, [content], size=len(content), sync=sync) as temporary:
            temporary.replace(path)


def create_file(path: Path, content: bytes) -> None:
    """Create a file.

    Raises:
        FileExistsError: The name is taken.
        WheelrelayError: The file cannot be written.
    """
    with write_errors(path), write_temporary(path, [content], size=len(content)) as temporary:
        rename_exclusively(temporary, path)


def append_to_file(path: Path, content: bytes) -> None:
    """Append content completely or not at all, to a file that other programs append to as well.

    Raises:
        OSError: The content cannot be written; a partial write is undone as far as possible.
    """
    with path.open("ab", buffering=0) as stream:
        before = os.fstat(stream.fileno()).st_size
        try:
            write_all(stream, content)
        except OSError:
            with suppress(OSError):
                stream.truncate(before)
            raise


def ensure_writable(path: Path) -> None:
    """Ensure that `replace_file` can write a file, before irreversible work begins.

    Raises:
        WheelrelayError: The file cannot be written.
    """
    with write_errors(path):
        _refuse_special(path)
        with write_temporary(path, [b"\n"], size=1):
            pass


def _refuse_special(path: Path) -> None:
    """Refuse to replace folders, devices and pipes."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a regular file")


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Convert `OSError` into `WheelrelayError`, except `FileExistsError`."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise WheelrelayError(
            f"{path} cannot be written: {error.strerror}.",
            hint=write_error_hint(error, otherwise="Check that its folder exists and is writable."),
        ) from error


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that this user's killed runs left in a folder, as far as possible."""
    with suppress(OSError):
        # A folder may have very many files, and `Path.glob` makes an object of each.
        with os.scandir(folder) as entries:
            leftovers = [Path(entry) for entry in entries if entry.name.startswith(TEMPORARY_PREFIX)]
        for path in leftovers:
            if form := _FORM.fullmatch(path.name):
                with suppress(OSError):
                    _remove_abandoned(path, made_here=form[1] == machine_id())


def _remove_abandoned(path: Path, *, made_here: bool) -> None:
    status = path.lstat()
    if not is_own(status, stat.S_IFREG):
        return
    is_stale = age_of(status) > FILE_STALE_AFTER
    with check_abandoned(path, made_here=made_here, is_stale=lambda: is_stale) as dead:
        if dead and sys.platform != "win32":
            path.unlink()
    if dead and sys.platform == "win32":  # Windows cannot remove an open file
        path.unlink()


@contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    """Exclude other writers on this machine; the system releases the lock of a killed process."""
    if sys.platform == "win32":  # on Windows, renaming never overwrites
        yield
        return
    import fcntl

    with _one_by_one:
        handle = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # without locks, only threads of this process are excluded
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _flush_folder(folder: Path) -> None:
    """Sync the names in a folder to disk, where the system supports it."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise
    finally:
        os.close(handle)
