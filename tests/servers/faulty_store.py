"""A store in memory that fails on request, for errors that no real server produces on demand."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock
from time import sleep

from wheelrelay.errors import WheelrelayError
from wheelrelay.model import Digests, DistFile
from wheelrelay.protocols import ByteStream
from wheelrelay.staged import StagedFile
from wheelrelay.testing import MemoryStore, stage_path, write_distribution


class FaultyStore(MemoryStore):
    """A store that records its calls and raises configured errors.

    Attributes:
        puts: The filenames of all puts, in order.
        refusals: The errors that the next puts of a filename raise before they store the file.
        lost_answers: The errors that the next puts of a filename raise after they have stored the file.
        fetch_errors: The errors that the next openings of a filename raise.
        list_errors: The errors that the next listings raise.
        late: The number of listings after the first put that still show the state before it.
        shown: Digests to list instead of the true ones.
        pause: Seconds that each put and each opening takes.
        most_at_once: The largest number of puts and openings at one time.
        began: Set when the first put begins.
    """

    def __init__(self, files: Iterable[StagedFile] = ()) -> None:
        super().__init__()
        self.puts: list[str] = []
        self.refusals: dict[str, list[BaseException]] = {}
        self.lost_answers: dict[str, list[BaseException]] = {}
        self.fetch_errors: dict[str, list[BaseException]] = {}
        self.list_errors: list[WheelrelayError] = []
        self.late = 0
        self.shown: Digests | None = None
        self.pause = 0.0
        self.most_at_once = 0
        self.began = Event()
        self._running = 0
        self._calls_lock = Lock()
        for staged in files:
            super().put(staged)
        self._initial = [staged.filename for staged in files]

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """Yield the listed files."""
        if self.list_errors:
            raise self.list_errors.pop(0)
        hidden = bool(self.puts and self.late)
        self.late -= hidden
        for file in super().iter_files(project):
            if not hidden or file.filename in self._initial:
                yield file if self.shown is None else replace(file, digests=self.shown)

    def open(self, file: DistFile) -> AbstractContextManager[ByteStream]:
        """Open a file or raise its next error."""
        self.began.set()
        self._take_time()
        _raise_next(self.fetch_errors, file.filename)
        return super().open(file)

    def put(self, staged: StagedFile) -> None:
        """Store a file or raise its next error."""
        with self._calls_lock:
            self.puts.append(staged.filename)
        self.began.set()
        self._take_time()
        _raise_next(self.refusals, staged.filename)
        super().put(staged)
        _raise_next(self.lost_answers, staged.filename)

    def names(self) -> list[str]:
        """Return the stored filenames, also those that listings do not show yet."""
        return sorted(self._files)

    def _take_time(self) -> None:
        with self._calls_lock:
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        sleep(self.pause)
        with self._calls_lock:
            self._running -= 1


class WriteOnlySink:
    """A sink without an inventory."""

    def __init__(self, store: FaultyStore) -> None:
        self.put = store.put


class InventoryOnlySink:
    """A sink with an inventory, whose files cannot be opened."""

    def __init__(self, store: FaultyStore) -> None:
        self.put = store.put
        self.inventory = store.inventory


def staged_files(folder: Path, *names: str, seed: int = 0) -> list[StagedFile]:
    """Return staged sample files with these names."""
    return [stage_path(write_distribution(folder, name, seed=seed)) for name in names]


def _raise_next(errors: dict[str, list[BaseException]], filename: str) -> None:
    if errors.get(filename):
        raise errors[filename].pop(0)
