"""What the contract suite works with: sample files of any name, staged files, several threads at once."""

import bz2
import gzip
import hashlib
import tarfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Barrier, Event
from time import monotonic, sleep
from typing import TypeVar
from zipfile import ZIP_STORED

from wheelrelay.errors import WheelrelayError
from wheelrelay.filenames import dist_file, parse_filename
from wheelrelay.model import COMPANION_SUFFIXES, Companion, Digests, DistFile, Kind
from wheelrelay.protocols import Sink, Source, SupportsFinalize, SupportsInventory
from wheelrelay.staged import BLOCK_SIZE, FileIdentity, StagedFile
from wheelrelay.testing.samples import make_sdist, make_wheel, write_zip

T = TypeVar("T")

Look = Callable[[str], dict[str, str]]
"""Tells what lies there of a project, now: the sha256 of the bytes by filename."""

WHEEL = "sample-1.0-py3-none-any.whl"
SDIST = "sample-1.0.tar.gz"

THREADS = 8
"""How many threads call a backend at once, as a relay does."""

LARGE = 8 * BLOCK_SIZE
"""The size of a file, in bytes, that nobody should handle in one piece."""

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
"""Filenames, all valid, that break parsers, addresses and listings; legacy sdists are among them."""


def write_distribution(folder: Path, filename: str, *, seed: int = 0, size: int = 2_000) -> Path:
    """Write a sample wheel or sdist under exactly this name, and give its path.

    Args:
        folder: where to write; made if it is not there.
        filename: of any spelling that can be read.
        seed: another one gives other bytes, the same one the same bytes.
        size: of the incompressible data in it, in bytes.
    """
    name = parse_filename(filename)
    payload = Random(f"{filename} {seed}").randbytes(size)  # noqa: S311  (no secret: the same each time)
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
    """Write a sample wheel whose members are said to be encrypted: nothing within it can be read."""
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
    """Pack a gzipped sdist as the end of its name says."""
    if sdist.name.endswith(".zip"):
        with tarfile.open(sdist) as tar:
            members = {member.name: tar.extractfile(member) for member in tar}
            write_zip(sdist, {name: stream.read() for name, stream in members.items() if stream})
    elif sdist.name.endswith(".bz2"):
        sdist.write_bytes(bz2.compress(gzip.decompress(sdist.read_bytes())))


def stage_path(path: Path) -> StagedFile:
    """Hash a distribution file where it lies, so that it can be put; companions beside it come along.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     staged = stage_path(make_wheel(Path(folder)))
    >>> staged.filename
    'sample-1.0-py3-none-any.whl'

    Raises:
        InvalidFilename: it does not have the name of a wheel or an sdist.
    """
    identity = FileIdentity.of(path.stat())
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    beside = ((suffix, path.with_name(path.name + suffix)) for suffix in COMPANION_SUFFIXES)
    return StagedFile(
        file=dist_file(path.name, size=identity.size, digests=Digests(sha256=sha256)),
        path=path,
        size=identity.size,
        sha256=sha256,
        identity=identity,
        companions=tuple(Companion(suffix, other.read_bytes()) for suffix, other in beside if other.exists()),
    )


def publish(sink: Sink, *files: StagedFile) -> None:
    """Put the files and finish, as a relay does."""
    for staged in files:
        sink.put(staged)
    finish(sink, files)


def finish(sink: Sink, files: Sequence[StagedFile]) -> None:
    """Let a sink do what it does after the last file."""
    if isinstance(sink, SupportsFinalize):
        sink.finalize({staged.file.project for staged in files})


def listed(place: object, project: str) -> list[DistFile]:
    """What a place shows of a project, by its listing or else its inventory."""
    if isinstance(place, Source):
        return list(place.iter_files(project))
    assert isinstance(place, SupportsInventory), "This sink cannot be read back: override the fixture `look`."
    return list(place.inventory(project))


def look_at(sink: object, project: str) -> dict[str, str]:
    """The sha256 of what lies there of a project: of the bytes that it gives out, or else as it declares."""
    files = listed(sink, project)
    if isinstance(sink, Source):
        return {file.filename: sha256_of(read_all(sink, file)) for file in files}
    return {file.filename: file.sha256 or "not declared" for file in files}


def read_all(source: Source, file: DistFile, *, size: int = BLOCK_SIZE) -> bytes:
    """The bytes of a file, read in blocks of ``size``."""
    with source.open(file) as stream:
        return b"".join(iter(lambda: stream.read(size), b""))


def assert_true(file: DistFile, content: bytes) -> None:
    """Assert that size and digests, as far as they are declared, are those of the bytes."""
    assert file.size in (None, len(content)), f"{file.filename} is declared with a wrong size."
    declared = file.digests.known()
    found = {name: hashlib.new(name, content, usedforsecurity=False).hexdigest() for name in declared}
    assert declared == found, f"{file.filename} is declared with a wrong digest."


def sha256_of(content: bytes) -> str:
    """The sha256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def at_once(calls: Sequence[Callable[[], T]]) -> list[T | WheelrelayError]:
    """What the calls gave, or which of our errors they raised, each made in a thread of its own.

    Any other error is raised: a backend has none.
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


def poll(see: Callable[[], T], good: Callable[[T], bool], *, within: float) -> T:
    """Look until what is seen is good, or the seconds are over; gives what was seen last."""
    deadline = monotonic() + within
    while not good(seen := see()) and monotonic() < deadline:
        sleep(0.05)
    return seen


@contextmanager
def observing(look: Callable[[], T]) -> Iterator[list[T]]:
    """Look again and again, in another thread, until the context ends; gives all that was seen."""
    sightings: list[T] = []
    over = Event()

    def observe() -> None:
        while not over.wait(0.001):
            sightings.append(look())

    with ThreadPoolExecutor(1) as pool:
        observer = pool.submit(observe)
        try:
            yield sightings
        finally:
            over.set()
        observer.result()
