"""A store in memory that fails when it is told to, for what no real server does at will."""

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


class MoodyStore(MemoryStore):
    """A store that keeps a diary, and fails as it is told.

    Attributes:
        puts: the filenames that were put, in the order of arrival.
        refusals: what to raise instead of taking a file, one each time, by filename.
        lost_answers: what to raise after a file was taken, likewise.
        fetch_errors: what to raise when a file is opened, likewise.
        list_errors: what to raise when it is listed or asked what it has, one each time.
        late: how many times it shows the state before the first put.
        shown: digests that it shows in place of the true ones.
        pause: seconds that each put and each opening takes.
        most_at_once: how many puts and openings there were at one time, at most.
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
        self._at_once = 0
        self._diary = Lock()
        for staged in files:
            super().put(staged)
        self._at_first = [staged.filename for staged in files]

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """The files, as far as they are shown."""
        if self.list_errors:
            raise self.list_errors.pop(0)
        hidden = bool(self.puts and self.late)
        self.late -= hidden
        for file in super().iter_files(project):
            if not hidden or file.filename in self._at_first:
                yield file if self.shown is None else replace(file, digests=self.shown)

    def open(self, file: DistFile) -> AbstractContextManager[ByteStream]:
        """Open a file, unless told otherwise."""
        self._take_time()
        _raise_next(self.fetch_errors, file.filename)
        return super().open(file)

    def put(self, staged: StagedFile) -> None:
        """Take a file, unless told otherwise."""
        with self._diary:
            self.puts.append(staged.filename)
        self.began.set()
        self._take_time()
        _raise_next(self.refusals, staged.filename)
        super().put(staged)
        _raise_next(self.lost_answers, staged.filename)

    def names(self) -> list[str]:
        """What it has, in truth."""
        return sorted(self._kept)

    def _take_time(self) -> None:
        with self._diary:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        sleep(self.pause)
        with self._diary:
            self._at_once -= 1


class Blind:
    """A sink that takes files, and cannot be asked what it has."""

    def __init__(self, store: MoodyStore) -> None:
        self.put = store.put


class Mute:
    """A sink that says what it has, and gives nothing out."""

    def __init__(self, store: MoodyStore) -> None:
        self.put = store.put
        self.inventory = store.inventory


def staged_files(folder: Path, *names: str, seed: int = 0) -> list[StagedFile]:
    """Sample files of these names, as staging leaves them."""
    return [stage_path(write_distribution(folder, name, seed=seed)) for name in names]


def _raise_next(errors: dict[str, list[BaseException]], filename: str) -> None:
    if errors.get(filename):
        raise errors[filename].pop(0)
