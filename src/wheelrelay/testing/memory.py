"""A store in memory: for tests that need a place to read from or publish to, and an example of a store."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from io import BytesIO
from threading import Lock
from typing import Literal

from packaging.utils import canonicalize_name

from wheelrelay.errors import AlreadyExists, NotFound
from wheelrelay.filenames import dist_file
from wheelrelay.model import Digests, DistFile
from wheelrelay.protocols import ByteStream
from wheelrelay.staged import StagedFile


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file as it is kept: what is said of it, and its bytes."""

    file: DistFile
    content: bytes


class MemoryStore:
    """Distribution files with their companions, as long as the object lives; for any number of threads.

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
        self._kept: dict[str, _Kept] = {}
        self._companions: dict[tuple[str, str], bytes] = {}

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """The files of ``project``, or all files; see `Source`."""
        with self._lock:
            files = [self._described(kept.file) for kept in self._kept.values()]
        wanted = None if project is None else canonicalize_name(project)
        return (file for file in files if wanted in (None, file.project))

    def open(self, file: DistFile) -> AbstractContextManager[ByteStream]:
        """Open a file; see `Source`."""
        return BytesIO(self._content(file))

    def open_range(self, file: DistFile, start: int, stop: int | None) -> AbstractContextManager[ByteStream]:
        """Open a part of a file; see `SupportsRange`."""
        return BytesIO(self._content(file)[start:stop])

    def put(self, staged: StagedFile) -> None:
        """Keep a file with its companions; see `Sink`."""
        with staged.open() as stream:
            content = b"".join(stream)
        file = dist_file(staged.filename, size=staged.size, digests=Digests(sha256=staged.sha256))
        with self._lock:
            there = self._kept.get(staged.filename)
            if there is not None and there.content != content:
                raise AlreadyExists(f"{staged.filename} is in memory with other bytes.")
            for companion in staged.companions:
                self._companions.setdefault((staged.filename, companion.suffix), companion.content)
            self._kept.setdefault(staged.filename, _Kept(file, content))

    def inventory(self, project: str) -> Iterator[DistFile]:
        """The files of ``project``; see `SupportsInventory`."""
        return self.iter_files(project)

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """The content of a companion; see `SupportsCompanions`."""
        with self._lock:
            content = self._companions.get((file.filename, suffix))
        if content is None:
            raise NotFound(f"{file.filename}{suffix} is not in memory.")
        return content

    def _content(self, file: DistFile) -> bytes:
        with self._lock:
            kept = self._kept.get(file.filename)
        if kept is None:
            raise NotFound(f"{file.filename} is not in memory.")
        return kept.content

    def _described(self, file: DistFile) -> DistFile:
        """``file`` with the companions that it has now; the lock is held."""
        return replace(
            file, companions=tuple(suffix for name, suffix in self._companions if name == file.filename)
        )
