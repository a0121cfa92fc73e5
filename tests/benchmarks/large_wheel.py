"""One large wheel, written as fast as the disk takes it: half of it deflated text, half of it stored noise.

Contents are made once up to `DISTINCT` bytes, and then come again under other names; members that were
deflated once are copied as they are, which the standard library's zip writer cannot do.
"""

import hashlib
import random
import struct
import zlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import BinaryIO

from wheelrelay.testing.samples import wheel_members

DISTINCT = 40_000_000
STORED, DEFLATED = 0, 8
LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
FIRST_DAY = 33
"""1 January 1980, as zip archives write it."""


@dataclass(frozen=True, slots=True)
class _Content:
    """What a member holds: its bytes in the archive, and what RECORD and the headers say of it."""

    method: int
    packed: bytes
    size: int
    crc: int
    sha256: str


def make_large_wheel(folder: Path, *, size: int, members: int) -> Path:
    """Write a wheel of about ``size`` bytes with about so many members, and give its path.

    Args:
        folder: where to; is made if it is not there.
        size: of the archive, below 4 GiB.
        members: how many, below 65,000.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "bench-1.0-py3-none-any.whl"
    each = size // members
    distinct = max(1, min(members // 2, DISTINCT // each))
    generator = random.Random(members)
    noise = [_content(generator.randbytes(each), STORED) for _ in range(distinct)]
    text = _texts(generator, each, distinct)
    contents = {
        f"bench/{number}.{'bin' if content.method == STORED else 'txt'}": content
        for half in (noise, text)
        for number, content in enumerate(islice(cycle(half), members // 2))
    }
    plain = wheel_members("bench", "1.0")
    contents |= {name: _content(content, STORED) for name, content in plain.items()}
    record = "".join(f"{name},sha256={one.sha256},{one.size}\n" for name, one in contents.items())
    name = "bench-1.0.dist-info/RECORD"
    contents[name] = _content(f"{record}{name},,\n".encode(), STORED)
    with path.open("wb") as file:
        _write(file, contents)
    return path


def _texts(generator: random.Random, size: int, count: int) -> list[_Content]:
    """Texts that are of about one size when they are deflated."""
    letters = "etaoinshrdlu"
    words = ["".join(generator.choices(letters, k=generator.randint(2, 10))) for _ in range(4000)]
    pool = " ".join(generator.choices(words, k=1_000_000)).encode()
    sample = pool[: 2 * size]
    length = size * len(sample) // len(_deflated(sample))
    pool *= length // len(pool) + 2
    starts = (generator.randrange(len(pool) - length) for _ in range(count))
    return [_content(pool[start : start + length], DEFLATED) for start in starts]


def _content(content: bytes, method: int) -> _Content:
    digest = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    packed = _deflated(content) if method == DEFLATED else content
    return _Content(method, packed, len(content), zlib.crc32(content), digest)


def _deflated(content: bytes) -> bytes:
    return zlib.compress(content, wbits=-zlib.MAX_WBITS)


def _write(file: BinaryIO, contents: dict[str, _Content]) -> None:
    directory = []
    for name, one in contents.items():
        start, raw = file.tell(), name.encode()
        common = (0, one.method, 0, FIRST_DAY, one.crc, len(one.packed), one.size, len(raw), 0)
        file.write(LOCAL.pack(b"PK\3\4", 20, *common) + raw)
        file.write(one.packed)
        unix, mode = 3 << 8 | 20, 0o100644 << 16
        directory.append(CENTRAL.pack(b"PK\1\2", unix, 20, *common, 0, 0, 0, mode, start) + raw)
    start, central = file.tell(), b"".join(directory)
    file.write(central + END.pack(b"PK\5\6", 0, 0, len(contents), len(contents), len(central), start, 0))
