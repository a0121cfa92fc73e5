"""Fetch a file from its source and prove that it is the file the source promised."""

import bz2
import gzip
import hashlib
import os
import secrets
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from wheelrelay.errors import (
    BackendError,
    ChangedWhileReading,
    DigestMismatch,
    IntegrityError,
    NotFound,
    SizeMismatch,
    WheelrelayError,
)
from wheelrelay.filenames import is_plain
from wheelrelay.model import Companion, Digests, DistFile
from wheelrelay.protocols import ByteStream, Source, SupportsCompanions, SupportsLocalPath
from wheelrelay.staged import BLOCK, FileIdentity, StagedFile

_NEVER = threading.Event()
"""Set by nobody: what is not to be given up half-way."""

MAGIC = {".whl": b"PK", ".zip": b"PK", ".gz": b"\x1f\x8b", ".tgz": b"\x1f\x8b", ".bz2": b"BZh"}
"""How the bytes of an archive begin, by the end of its name."""

Watcher = Callable[[int], None]


class Interrupted(WheelrelayError):
    """The relay was asked to stop in the middle of a file."""


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
        temporary = self.folder / f".{filename}.{secrets.token_hex(4)}.part"
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
    """A wheelhouse below the folder for temporary files (``TMPDIR``), gone at the end."""
    with tempfile.TemporaryDirectory(prefix="wheelrelay-", ignore_cleanup_errors=True) as folder:
        yield Wheelhouse(Path(folder))


def stage(
    source: Source,
    file: DistFile,
    wheelhouse: Wheelhouse,
    *,
    watcher: Watcher | None = None,
    stopped: threading.Event | None = None,
    proven: bool = True,
) -> StagedFile:
    """Bring ``file`` to local disk and verify it on the way.

    A file that lies on local disk already is hashed in place. Any other is read once, in blocks, and
    hashed as it is written to a temporary name, which becomes the real one only after size and digests
    agree with what the source declared. Where the source declares no digest, the archive's own checksums
    are verified, unless whoever calls is going to read it through anyway.

    Args:
        source: where the file is.
        file: as the source describes it.
        wheelhouse: where to put it.
        watcher: called with the number of bytes each time some have come.
        stopped: set to give up in the middle of the file.
        proven: verify the archive's checksums where no digest is declared.

    Raises:
        DigestMismatch: the bytes have another digest than the source declared.
        SizeMismatch: fewer or more bytes came than the source declared.
        IntegrityError: what came is no such archive, or a damaged one.
        ChangedWhileReading: a local file changed while it was hashed.
        BackendError: the source failed.
    """
    meter = _Meter(file, watcher or (lambda _: None), stopped or threading.Event())
    if isinstance(source, SupportsLocalPath):
        path = source.local_path(file)
        identity = _hash_in_place(path, meter)
    else:
        path = wheelhouse.folder / file.filename
        with wheelhouse.incoming(file.filename) as target, source.open(file) as stream:
            meter.copy(stream, target)
            meter.verify()
            if proven and not file.digests.known():
                _prove_whole(Path(target.name), file.filename)
        identity = FileIdentity.of(path.stat())
    digests = meter.verify()
    return StagedFile(
        file=replace(file, size=meter.size, digests=digests),
        path=path,
        size=meter.size,
        sha256=digests.sha256 or "",
        identity=identity,
        companions=_companions(source, file),
    )


def hashed_in_place(path: Path, file: DistFile) -> DistFile:
    """A file that lies on local disk, with the size and the sha256 of its bytes.

    Raises:
        SizeMismatch: fewer or more bytes are there than its place declared, or none.
        IntegrityError: it is no such archive.
        ChangedWhileReading: it changed while it was hashed.
        BackendError: it cannot be read.
    """
    meter = _Meter(file, lambda _: None, _NEVER)
    _hash_in_place(path, meter)
    return replace(file, size=meter.size, digests=Digests(sha256=meter.verify().sha256))


class _Meter:
    """Counts and hashes the bytes of one file as they pass."""

    def __init__(self, file: DistFile, watcher: Watcher, stopped: threading.Event) -> None:
        self.size = 0
        self._file = file
        self._watcher = watcher
        self._stopped = stopped
        wanted = {"sha256", *file.digests.known()}
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in wanted}

    def copy(self, stream: ByteStream, target: BinaryIO | None) -> None:
        """Read the stream to its end, into ``target`` if there is one."""
        while block := stream.read(self._next_block()):
            if self._stopped.is_set():
                raise Interrupted(f"{self._file.filename} was given up half-way.")
            _refuse_wrong_kind(self._file.filename, block, at=self.size)
            self.size += len(block)
            if self._file.size is not None and self.size > self._file.size:
                break
            for each in self._hashes.values():
                each.update(block)
            if target is not None:
                target.write(block)
            self._watcher(len(block))

    def _next_block(self) -> int:
        """How much to read: no more than is left of a small file, and a byte that should not be there."""
        return BLOCK if self._file.size is None else min(BLOCK, self._file.size - self.size + 1)

    def verify(self) -> Digests:
        """The digests of what has passed, if they and the size are what was declared."""
        name, declared = self._file.filename, self._file.size
        if declared is not None and self.size != declared:
            came = "more than" if self.size > declared else f"only {self.size} of"
            raise SizeMismatch(f"{name}: {came} {declared} bytes came.")
        if self.size == 0:
            raise SizeMismatch(f"{name} is empty.")
        for algorithm, expected in self._file.digests.known().items():
            found = self._hashes[algorithm].hexdigest()
            if found != expected.lower():
                raise DigestMismatch(
                    f"{name}: the source declares {algorithm} {expected}, but the bytes have {found}.",
                    hint="The file is damaged or was exchanged; do not publish it.",
                )
        return Digests(**{algorithm: each.hexdigest() for algorithm, each in self._hashes.items()})


def _hash_in_place(path: Path, meter: _Meter) -> FileIdentity:
    try:
        with path.open("rb", buffering=0) as stream:
            before = FileIdentity.of(os.fstat(stream.fileno()))
            meter.copy(stream, None)
            after = FileIdentity.of(os.fstat(stream.fileno()))
    except FileNotFoundError as error:
        raise NotFound(f"{path} is not there any more.") from error
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror}.") from error
    if before != after or meter.size != after.size:
        raise ChangedWhileReading(f"{path} changed while it was hashed.", hint="Wait until it is written.")
    return after


def _refuse_wrong_kind(filename: str, block: bytes, *, at: int) -> None:
    """Refuse what does not even begin like such an archive, such as an error page; ``at``: bytes before."""
    magic = next((magic for end, magic in MAGIC.items() if filename.endswith(end)), b"")
    if not block.startswith(magic[at : at + len(block)]):
        what = "a web page" if block.lstrip()[:1] == b"<" else "something else"
        raise IntegrityError(f"{filename}: {what} came in its place.", hint="Look at the source's address.")


def _prove_whole(path: Path, filename: str) -> None:
    """Verify the checksums inside an archive, for want of a declared digest."""
    try:
        if filename.endswith((".whl", ".zip")):
            with zipfile.ZipFile(path) as archive:
                damaged = archive.testzip()
        else:
            damaged = None
            with (bz2.open if filename.endswith(".bz2") else gzip.open)(path) as stream:
                while stream.read(BLOCK):
                    pass
    except (zipfile.BadZipFile, EOFError, OSError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise IntegrityError(f"{filename} came damaged: {error}.") from error
    if damaged:
        raise IntegrityError(f"{filename} came damaged: its member {damaged} has a wrong checksum.")


def _companions(source: Source, file: DistFile) -> tuple[Companion, ...]:
    if not isinstance(source, SupportsCompanions):
        return ()
    return tuple(Companion(suffix, source.read_companion(file, suffix)) for suffix in file.companions)
