"""Write files so that one under its final name is whole: counted, compared, synced, and then named.

An unbuffered ``write`` may take a part of what it is given, as on a disk that becomes full. Everything here
goes on until all is taken or the system says why not. A file is written under a hidden temporary name in the
same folder, and has its final name only when its size and digest are the expected ones and it is on disk.
"""

import errno
import os
import re
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from wheelrelay.disk.owners import age_of, check_abandoned, is_own, machine_id, try_lock
from wheelrelay.errors import DigestMismatch, IntegrityError, WheelrelayError

TEMPORARY_PREFIX = ".wheelrelay-"
"""How the names of files begin that are being written."""

_FORM = re.compile(re.escape(TEMPORARY_PREFIX) + r"(?:([0-9a-f]{12})-)?[0-9a-f]{16}")
"""Such a name: the machine, which older versions do not give, and digits that nobody can guess."""

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
"""What file systems without hard links say: FAT, exFAT and SMB by Linux, macOS (45) and Windows (22)."""

_NO_FLUSH = {errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.ENOSYS}
"""What file systems say that cannot sync a folder by itself."""

_one_by_one = threading.Lock()

_ADVICE = {
    "ENOSPC": "Make room on that disk",
    "EDQUOT": "Make room within the quota there",
    "EFBIG": "Raise the limit on the size of files (ulimit -f), or take a disk that holds files of that size",
    "EIO": "Look in the system's log what is wrong with that disk",
    "EROFS": "Take a disk that can be written to",
}
_BY_NUMBER = {getattr(errno, name): text for name, text in _ADVICE.items() if hasattr(errno, name)}


def write_error_hint(error: OSError, *, alternative: str = "", otherwise: str | None = None) -> str | None:
    """What to do about an error of writing, as a sentence.

    Args:
        error: what the system raised.
        alternative: what else helps where there is no room, as a part of a sentence.
        otherwise: the advice for all other errors.
    """
    text = _BY_NUMBER.get(error.errno or 0)
    return f"{text}{alternative}." if text else otherwise


def write_all(stream: BinaryIO | FileIO, block: bytes) -> None:
    """Write a whole block to a stream that may take a part of it at once.

    Raises:
        OSError: it cannot be written.
    """
    left = memoryview(block)
    while left:
        taken = stream.write(left)
        if not taken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        left = left[taken:]


@contextmanager
def temporary_file(
    target: Path, blocks: Iterable[bytes], *, size: int, sha256: str | None = None
) -> Iterator[Path]:
    """The blocks in a temporary file beside ``target``, on disk; it is removed at the end.

    Within the context it gets its name, by `rename_exclusively` or by ``Path.replace``.

    Args:
        target: what the file is to be called.
        blocks: its bytes.
        size: how many bytes they have to be.
        sha256: what they have to hash to, if that is known.

    Raises:
        OSError: it cannot be written.
        IntegrityError: the blocks, or what is on disk, are not what they should be.
    """
    stream, temporary = _new_beside(target)
    try:
        with stream:  # and so locked, until it has its name
            digest = _write_blocks(stream, blocks, hashed=sha256 is not None)
            os.fsync(stream.fileno())
            there = os.fstat(stream.fileno()).st_size
            if there != size:
                raise IntegrityError(f"{target}: {there} of {size} bytes were written.")
            if digest != sha256:
                raise DigestMismatch(f"{target}: the bytes have the sha256 {digest} instead of {sha256}.")
            if os.name == "nt":  # an open file cannot be renamed there
                stream.close()
            yield temporary
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
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


def _new_beside(target: Path) -> tuple[FileIO, Path]:
    """A new locked file with a temporary name."""
    import secrets  # which takes long to import, and commands that only read do not need it

    while True:
        temporary = target.parent / f"{TEMPORARY_PREFIX}{machine_id()}-{secrets.token_hex(8)}"
        stream = temporary.open("xb", buffering=0)
        if try_lock(stream.fileno()) is not False and _is_at(temporary, stream):
            return stream, temporary
        stream.close()  # a run that removes what is left over was faster than the lock
        temporary.unlink(missing_ok=True)


def _is_at(path: Path, stream: FileIO) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def rename_exclusively(temporary: Path, target: Path) -> None:
    """Let a file have a name that is not taken, whoever else tries.

    By a hard link, which fails if the name is taken; where there are none, by renaming under a lock, which
    holds off the writers of this machine.

    Raises:
        FileExistsError: the name is taken.
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


def replace_file(path: Path, content: bytes) -> None:
    """Write a file of the user's, in place of the one that may be there; readers see the old or the new one.

    Raises:
        WheelrelayError: it cannot be written; the old one is as it was.
    """
    with write_errors(path):
        _refuse_special(path)
        with temporary_file(path, [content], size=len(content)) as temporary:
            temporary.replace(path)


def create_file(path: Path, content: bytes) -> None:
    """Write a file of the user's under a name that is not taken.

    Raises:
        FileExistsError: the name is taken.
        WheelrelayError: it cannot be written.
    """
    with write_errors(path), temporary_file(path, [content], size=len(content)) as temporary:
        rename_exclusively(temporary, path)


def append_to_file(path: Path, content: bytes) -> None:
    """Append to a file that other programs append to as well: all of it, or nothing.

    Raises:
        OSError: it cannot be written; what was written of it is taken off again, as far as possible.
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
    """Make sure that `replace_file` can write a file, before anything is done that cannot be undone.

    Raises:
        WheelrelayError: it cannot.
    """
    with write_errors(path):
        _refuse_special(path)
        with temporary_file(path, [b"\n"], size=1):
            pass


def _refuse_special(path: Path) -> None:
    """Refuse what a regular file must not take the place of."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is a device or a pipe, and no regular file")


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn what the system raises about a file of the user's into our error; `FileExistsError` stays."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise WheelrelayError(
            f"{path} cannot be written: {error.strerror}.",
            hint=write_error_hint(
                error, otherwise="Check that its folder is there, and that you may write in it."
            ),
        ) from error


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that killed runs of this user left in a folder, as far as possible."""
    with suppress(OSError):
        for left in list(folder.glob(f"{TEMPORARY_PREFIX}*")):
            if form := _FORM.fullmatch(left.name):
                with suppress(OSError):
                    _remove_abandoned(left, made_here=form[1] == machine_id())


def _remove_abandoned(left: Path, *, made_here: bool) -> None:
    status = left.lstat()
    if not is_own(status, stat.S_IFREG):
        return
    with check_abandoned(left, made_here=made_here, age=age_of(status)) as dead:
        if dead and os.name != "nt":
            left.unlink()
    if dead and os.name == "nt":  # an open file cannot be removed there
        left.unlink()


@contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    """Hold off the other writers of this machine, where the system can; a killed one lets go."""
    if os.name == "nt":  # renaming never overwrites there
        yield
        return
    import fcntl

    with _one_by_one:
        handle = os.open(folder, os.O_RDONLY)
        try:
            with suppress(
                OSError
            ):  # the file system has no locks either: this process is all that is held off
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _flush_folder(folder: Path) -> None:
    """Make the names in ``folder`` outlive a crash, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise
    finally:
        os.close(handle)
