"""Sample wheels of some size, the same bytes each time."""

import random
import zipfile
from itertools import product
from pathlib import Path

from wheelrelay.testing.samples import make_wheel

BLOCK = 1 << 20
PYTHONS = ("cp39", "cp310", "cp311", "cp312", "cp313")
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


def make_wheels(folder: Path, *, count: int, size: int) -> list[Path]:
    """Write ``count`` wheels (40 at most) of one release, each of ``size`` random bytes and a little more."""
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


def _random_bytes(seed: str, size: int) -> bytes:
    generator = random.Random(seed)
    return b"".join(generator.randbytes(min(BLOCK, size - start)) for start in range(0, size, BLOCK))
