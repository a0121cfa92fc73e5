"""Helpers of the contract suite: sample files with any name, staged files, concurrent calls."""

import bz2
import gzip
import hashlib
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from random import Random
from threading import Barrier, Event
from time import monotonic, sleep
from typing import Generic, TypeVar
from zipfile import ZIP_STORED

from wheelrelay.errors import Unavailable, WheelrelayError
from wheelrelay.filenames import dist_file, parse_filename
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import COMPANION_SUFFIXES, Companion, Digests, DistFile, Kind
from wheelrelay.protocols import Sink, Source, SupportsFinalize, SupportsInventory
from wheelrelay.staged import BLOCK_SIZE, FileIdentity, StagedFile
from wheelrelay.testing.samples import make_sdist, make_wheel, write_zip

T = TypeVar("T")

ReadBack = Callable[[str], dict[str, str]]
"""Returns the sha256 of the stored files of a project, by filename."""

WHEEL = "sample-1.0-py3-none-any.whl"
SDIST = "sample-1.0.tar.gz"

THREADS = 8
"""Number of threads that call a backend concurrently, as a relay does."""

LARGE = 8 * BLOCK_SIZE
"""Size in bytes of a file that a backend must not read into memory at once."""

READ_ATTEMPTS, READ_PAUSE = 10, 0.02
"""How often a read is attempted that fails with temporary errors, and seconds by which the pauses grow."""

AWKWARD_NAMES = (
    "sample-1.0-1-py3-none-any.whl",
    "sample-1.0-123-py3-none-any.whl",
    "sample-1.0-1abc-py3-none-any.whl",
    "sample-1.0-py2.py3-none-any.whl",
    "sample-1.0-cp39.cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "sample-1.0-cp313-cp313t-musllinux_1_2_aarch64.whl",
    "sample-1.0-pp310-pypy310_pp73-win_amd64.whl",
    "sample-1.0-graalpy311-graalpy242_311_native-linux_x86_64.whl",
    "sample-1.0-cp312-cp312-macosx_10_13_universal2.whl",
    "sample-1.2-py3-none-any.whl",
    "sample-1.20-py3-none-any.whl",
    "sample-1.0.0-py3-none-any.whl",
    "sample-1.0rc1-py3-none-any.whl",
    "sample-1.0.dev3-py3-none-any.whl",
    "sample-1.0.post1-py3-none-any.whl",
    "sample-1!2.0-py3-none-any.whl",
    "sample-1.0+ubuntu.22-py3-none-any.whl",
    "Foo.Bar-1.0-py3-none-any.whl",
    "foo_bar-1.1-py3-none-any.whl",
    "foo-1.0-py3-none-any.whl",
    "foo-bar-1.2.tar.gz",
    "zope.interface-7.0.tar.gz",
    "sample-1.0.zip",
    "sample-0.9.tar.bz2",
)
"""Valid filenames that break parsers, addresses and listings, legacy sdists included."""


def write_distribution(folder: Path, filename: str, *, seed: int = 0, size: int = 2_000) -> Path:
    """Write a sample wheel or sdist with exactly this name, and return its path.

    Args:
        folder: Where to write; created if it does not exist.
        filename: Any valid filename.
        seed: Determines the bytes.
        size: Size of the incompressible data in the file, in bytes.
    """
    name = parse_filename(filename)
    payload = Random(f"{filename} {seed}").randbytes(size)  # noqa: S311  (reproducible, not secret)
    if name.kind is Kind.SDIST:
        path = make_sdist(folder, name.project, str(name.version), payload=payload, filename=filename)
        _pack_as_named(path)
        return path
    _, _, *build, python, abi, platform = filename.removesuffix(".whl").split("-")
    return make_wheel(
        folder,
        name.project,
        str(name.version),
        f"{python}-{abi}-{platform}",
        build="".join(build),
        payload=payload,
        filename=filename,
        compression=ZIP_STORED,
    )


def write_unreadable_wheel(folder: Path, filename: str) -> Path:
    """Write a sample wheel whose members are marked as encrypted, so that none can be read."""
    path = write_distribution(folder, filename)
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + flags] |= 1
            at = content.find(signature, at + 4)
    path.write_bytes(content)
    return path


def _pack_as_named(sdist: Path) -> None:
    """Repack a gzipped sdist in the format of its suffix."""
    if sdist.name.endswith(".zip"):
        with tarfile.open(sdist) as tar:
            members = {member.name: tar.extractfile(member) for member in tar}
            write_zip(sdist, {name: stream.read() for name, stream in members.items() if stream})
    elif sdist.name.endswith(".bz2"):
        sdist.write_bytes(bz2.compress(gzip.decompress(sdist.read_bytes())))


def stage_path(path: Path) -> StagedFile:
    """Hash a distribution file in place, so that it can be put; its companions are included.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     staged = stage_path(make_wheel(Path(folder)))
    >>> staged.filename
    'sample-1.0-py3-none-any.whl'

    Raises:
        InvalidFilename: The name is not that of a wheel or an sdist.
    """
    identity = FileIdentity.of(path.stat())
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    paths = ((suffix, path.with_name(path.name + suffix)) for suffix in COMPANION_SUFFIXES)
    return StagedFile(
        file=dist_file(path.name, size=identity.size, digests=Digests(sha256=sha256)),
        path=path,
        size=identity.size,
        sha256=sha256,
        identity=identity,
        companions=tuple(Companion(suffix, other.read_bytes()) for suffix, other in paths if other.exists()),
    )


def publish(sink: Sink, *files: StagedFile) -> None:
    """Put the files and finalize the sink, as a relay does."""
    for staged in files:
        sink.put(staged)
    finalize_sink(sink, files)


def finalize_sink(sink: Sink, files: Sequence[StagedFile]) -> None:
    """Finalize a sink, if it supports that."""
    if isinstance(sink, SupportsFinalize):
        sink.finalize({staged.file.project for staged in files})


def list_files(place: object, project: str) -> list[DistFile]:
    """Return the files of a project, from the listing or else the inventory."""
    if isinstance(place, Source):
        return list(place.iter_files(project))
    assert isinstance(place, SupportsInventory), (
        "The sink cannot list files: override the fixture `read_back`."
    )
    return list(place.inventory(project))


def read_digests(sink: object, project: str) -> dict[str, str]:
    """Return the sha256 of the files of a project: of their bytes if they can be read, else as declared."""
    files = list_files(sink, project)
    if isinstance(sink, Source):
        return {file.filename: sha256_of(read_all(sink, file)) for file in files}
    return {file.filename: file.sha256 or "not declared" for file in files}


def read_all(source: Source, file: DistFile, *, size: int = BLOCK_SIZE) -> bytes:
    """Read a file in blocks of ``size`` bytes."""
    with source.open(file) as stream:
        return b"".join(iter(lambda: stream.read(size), b""))


def assert_correct(file: DistFile, content: bytes) -> None:
    """Assert that declared size and digests are those of the bytes."""
    assert file.size in (None, len(content)), f"{file.filename}: the declared size is wrong."
    declared = file.digests.known()
    actual = {name: hashlib.new(name, content, usedforsecurity=False).hexdigest() for name in declared}
    assert declared == actual, f"{file.filename}: a declared digest is wrong."


def sha256_of(content: bytes) -> str:
    """Return the sha256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def run_concurrently(calls: Sequence[Callable[[], T]]) -> list[T | WheelrelayError]:
    """Run each call in its own thread, and return their results or errors of wheelrelay.

    Any other error is raised: backends must not raise them.
    """
    start = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T | WheelrelayError:
        start.wait()
        try:
            return call()
        except WheelrelayError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def poll(read: Callable[[], T], is_good: Callable[[T], bool], *, within: float) -> T:
    """Read until the value is good or ``within`` seconds are over, and return the last value."""
    deadline = monotonic() + within
    while not is_good(value := read()) and monotonic() < deadline:
        sleep(0.05)
    return value


def read_again(read: Callable[[], T]) -> T:
    """Read, and read again after temporary errors, as all callers of a backend do.

    Raises:
        Unavailable: It still failed after `READ_ATTEMPTS` attempts, which take about a second.
    """
    for attempt in range(1, READ_ATTEMPTS):
        try:
            return read()
        except Unavailable:
            sleep(attempt * READ_PAUSE)
    return read()


@dataclass(slots=True)
class Observation(Generic[T]):
    """What was read in another thread.

    Attributes:
        values: The values of all successful reads.
        is_over: Set when nothing more is read: the context has ended, or a read has failed.
    """

    values: list[T] = field(default_factory=list)
    is_over: Event = field(default_factory=Event)

    def has(self, reads: int) -> bool:
        """Return whether so many reads have succeeded, or no more will."""
        return len(self.values) >= reads or self.is_over.is_set()


@contextmanager
def observe_during(read: Callable[[], T]) -> Iterator[Observation[T]]:
    """Read repeatedly in another thread until the context ends, at least once.

    After a temporary error it is read again; the context fails with an error that remains.
    """
    observation = Observation[T]()

    def observe() -> None:
        try:
            while True:
                observation.values.append(read_again(read))
                if observation.is_over.wait(0.001):
                    return
        finally:
            observation.is_over.set()

    with ThreadPoolExecutor(1) as pool:
        observer = pool.submit(observe)
        try:
            yield observation
        finally:
            observation.is_over.set()
        observer.result()


@contextmanager
def peak_memory() -> Iterator[Callable[[], int]]:
    """Yield a function that returns the most memory that Python objects took in the context, in bytes."""
    tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    peak = 0
    try:
        yield lambda: peak
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
