"""Sample wheels of some size, the same bytes each time."""

import random
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from tests.benchmarks.environment import Environment
from wheelrelay.testing.samples import make_wheel

BLOCK = 1 << 20
PYTHONS = ("cp39", "cp310", "cp311", "cp312", "cp313", "cp314", "cp38", "cp37")
PLATFORMS = (
    "macosx_11_0_arm64",
    "macosx_10_12_x86_64",
    "manylinux_2_28_aarch64",
    "manylinux_2_28_x86_64",
    "musllinux_1_2_aarch64",
    "musllinux_1_2_x86_64",
    "win_amd64",
    "win_arm64",
)


@dataclass(frozen=True, slots=True)
class Wheels:
    """Wheels of one release.

    Attributes:
        folder: where they are, and nothing else is.
        paths: of all of them.
        megabytes: the size of each.
    """

    folder: Path
    paths: Sequence[Path]
    megabytes: int

    def __str__(self) -> str:
        return f"{len(self.paths)} wheels of {self.megabytes} MB"


def shared_wheels(environment: Environment) -> Wheels:
    """The wheels that several lines use; they are made once."""
    count, megabytes = (20, 5) if environment.small else (40, 5)
    folder = environment.root / "wheels"
    if not folder.is_dir():
        make_wheels(folder, count=count, size=megabytes * 1_000_000)
    return Wheels(folder, sorted(folder.iterdir()), megabytes)


def make_wheels(folder: Path, *, count: int, size: int) -> list[Path]:
    """Write ``count`` wheels (64 at most) of one release, each of ``size`` random bytes and a little more."""
    tags = [f"{python}-{python}-{platform}" for python, platform in product(PYTHONS, PLATFORMS)][:count]
    assert len(tags) == count
    return [
        make_wheel(folder, "bench", tag=tag, payload=_random_bytes(tag, size), compression=zipfile.ZIP_STORED)
        for tag in tags
    ]


def make_small_wheels(folder: Path, *, count: int, size: int) -> list[Path]:
    """Write ``count`` wheels of one release, told apart by their build tags."""
    return [
        make_wheel(
            folder,
            "bench",
            build=str(build),
            payload=_random_bytes(str(build), size),
            compression=zipfile.ZIP_STORED,
        )
        for build in range(count)
    ]


def make_projects(folder: Path, *, count: int, files: int, size: int) -> list[str]:
    """Write wheels of ``count`` projects, each in a folder of its own, and return the projects."""
    names = [f"project{number:05}" for number in range(count)]
    for name in names:
        for release in range(files):
            version = f"1.{release}"
            payload = _random_bytes(f"{name}-{version}", size)
            make_wheel(folder / name, name, version, payload=payload, compression=zipfile.ZIP_STORED)
    return names


def many_names(count: int) -> Iterator[str]:
    """Names of wheels, a hundred of each project: ten versions, and ten build tags of each."""
    for number in range(count):
        yield f"project{number // 100}-1.{number // 10 % 10}-{number % 10}-py3-none-any.whl"


def _random_bytes(seed: str, size: int) -> bytes:
    generator = random.Random(seed)
    return b"".join(generator.randbytes(min(BLOCK, size - start)) for start in range(0, size, BLOCK))
