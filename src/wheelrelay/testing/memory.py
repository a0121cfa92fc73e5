"""A store in memory: for tests, and as an example of a store."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from io import BytesIO
from threading import Lock
from typing import Literal

from packaging.utils import canonicalize_name

from wheelrelay.errors import AlreadyExists, NotFound
from wheelrelay.filenames import dist_file
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import Digests, DistFile
from wheelrelay.protocols import ByteStream
from wheelrelay.staged import StagedFile


@dataclass(frozen=True, slots=True)
class _StoredFile:
    """The description and the bytes of a file."""

    file: DistFile
    content: bytes


class MemoryStore:
    """Stores distribution files with their companions in memory; for any number of threads.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from wheelrelay.testing import make_wheel, stage_path
    >>> store = MemoryStore()
    >>> with TemporaryDirectory() as folder:
    ...     store.put(stage_path(make_wheel(Path(folder), "Foo.Bar")))
    >>> [file.filename for file in store.iter_files("foo-bar")]
    ['foo_bar-1.0-py3-none-any.whl']
    """

    keeps_companions: Literal[True] = True

    def __init__(self) -> None:
        self._lock = Lock()
        self._files: dict[str, _StoredFile] = {}
        self._companions: dict[tuple[str, str], bytes] = {}

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """Yield the files of ``project``, or all files; see `Source`."""
        with self._lock:
            files = [self._with_companions(stored.file) for stored in self._files.values()]
        name = None if project is None else canonicalize_name(project)
        return (file for file in files if name in (None, file.project))

    def open(self, file: DistFile) -> AbstractContextManager[ByteStream]:
        """Open a file; see `Source`."""
        return BytesIO(self._content(file))

    def open_range(self, file: DistFile, start: int, stop: int | None) -> AbstractContextManager[ByteStream]:
        """Open a part of a file; see `SupportsRange`."""
        return BytesIO(self._content(file)[start:stop])

    def put(self, staged: StagedFile) -> None:
        """Store a file with its companions; see `Sink`."""
        with staged.open() as stream:
            content = b"".join(stream)
        file = dist_file(staged.filename, size=staged.size, digests=Digests(sha256=staged.sha256))
        with self._lock:
            existing = self._files.get(staged.filename)
            if existing is not None and existing.content != content:
                raise AlreadyExists(f"{staged.filename} already exists with other bytes.")
            for companion in staged.companions:
                self._companions.setdefault((staged.filename, companion.suffix), companion.content)
            self._files.setdefault(staged.filename, _StoredFile(file, content))

    def inventory(self, project: str) -> Iterator[DistFile]:
        """Yield the files of ``project``; see `SupportsInventory`."""
        return self.iter_files(project)

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """Read a companion; see `SupportsCompanions`."""
        with self._lock:
            content = self._companions.get((file.filename, suffix))
        if content is None:
            raise NotFound(f"{file.filename}{suffix} does not exist.")
        return content

    def _content(self, file: DistFile) -> bytes:
        with self._lock:
            stored = self._files.get(file.filename)
        if stored is None:
            raise NotFound(f"{file.filename} does not exist.")
        return stored.content

    def _with_companions(self, file: DistFile) -> DistFile:
        """Return ``file`` with its present companions; the caller holds the lock."""
        return replace(
            file, companions=tuple(suffix for name, suffix in self._companions if name == file.filename)
        )
