"""Archives that are expensive to read are refused at bounded cost."""

import gzip
import io
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib

import pytest

from wheelrelay.archives import ARCHIVE_ERRORS, LimitExceeded, limits, open_tar, open_zip
from wheelrelay.checks import inspect
from wheelrelay.core_metadata import read_core_metadata
from wheelrelay.testing import make_sdist, make_wheel

SDIST = "sample-1.0.tar.gz"
WHEEL = "sample-1.0-py3-none-any.whl"
MEMORY = 120 << 20
"""Bytes of memory that reading a hostile archive may take."""


def header(kind, size, name="sample-1.0/x"):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def write(path, blocks):
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for block in blocks:
            stream.write(block)
    return path


def filled(size, block=b"x" * (1 << 20)):
    for _ in range(size // len(block)):
        yield block


def pax(size):
    """Yield a pax header with one field of this many bytes."""
    yield header(tarfile.XHDTYPE, size)
    head = b"%d comment=" % size
    yield head + b"x" * ((1 << 20) - len(head))
    yield from filled(size - (2 << 20))
    yield b"x" * ((1 << 20) - 1) + b"\n"
    yield header(tarfile.REGTYPE, 0)


def long_name(size):
    yield header(tarfile.GNUTYPE_LONGNAME, size)
    yield from filled(size)
    yield header(tarfile.REGTYPE, 0)


def many_members(count):
    for number in range(count):
        yield header(tarfile.REGTYPE, 0, f"sample-1.0/{number}")


def nested(kind, count):
    for _ in range(count):
        yield header(kind, 512)
        yield b"x" * 511 + b"\0"
    yield header(tarfile.REGTYPE, 0)


def nested_pax(count):
    for _ in range(count):
        yield header(tarfile.XHDTYPE, 512)
        yield b"6 a=b\n".ljust(512, b"\0")
    yield header(tarfile.REGTYPE, 0)


def global_fields(count):
    for number in range(count):
        yield header(tarfile.XGLTYPE, 512)
        record = b" k%d=v\n" % number
        size = len(record) + 2
        yield (b"%d" % size + record).ljust(512, b"\0")
        yield header(tarfile.REGTYPE, 0, f"sample-1.0/{number}")


def digits():
    size = 64 << 10
    yield header(tarfile.XHDTYPE, size)
    yield b"1" * size
    yield header(tarfile.REGTYPE, 0)


def sparse_map(count):
    """Yield a sparse file (GNU format 1.0), which begins with a map as text."""
    body = b"".join(b"%d GNU.sparse.%s\n" % (len(field) + 15, field) for field in (b"major=1", b"minor=0"))
    text = b"%d\n" % count + b"1\n2\n" * count
    yield header(tarfile.XHDTYPE, len(body))
    yield body.ljust(512, b"\0")
    yield header(tarfile.REGTYPE, len(text))
    yield text


HOSTILE = {
    "a pax header of 700 MiB": lambda: pax(700 << 20),
    "a pax header just over the limit": lambda: pax(2 << 20),
    "a long name of 300 MiB": lambda: long_name(300 << 20),
    "more members than the limit": lambda: many_members(limits.MAX_MEMBERS + 1),
    "nested long names": lambda: nested(tarfile.GNUTYPE_LONGNAME, 3000),
    "nested pax headers": lambda: nested_pax(3000),
    "global headers with many fields": lambda: global_fields(1500),
    "a header that consists of digits": digits,
    "a sparse map of a million parts": lambda: sparse_map(1_000_000),
    "a negative size": lambda: [header(tarfile.REGTYPE, -512), header(tarfile.REGTYPE, 0)],
}


SLOW = {"more members than the limit"}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.long if kind in SLOW else ()) for kind in HOSTILE]
)
def test_hostile_tar_archive_is_a_finding_with_bounded_memory(kind, tmp_path):
    path = write(tmp_path / SDIST, HOSTILE[kind]())
    peak = peak_of(path)
    assert peak < MEMORY, f"{peak >> 20} MiB"
    found = {finding.check for finding in inspect(path).findings}
    assert found & {"archive-limits", "archive-unreadable"}
    assert "check-failed" not in found


def peak_of(path):
    """Return the bytes that a new interpreter needs to read the metadata and to check the file."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from wheelrelay.checks import inspect\n"
        "from wheelrelay.core_metadata import read_core_metadata\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "path = Path(sys.argv[1])\n"
        "inspect(Path(sys.argv[2]))\n"
        "before = peak()\n"
        "assert read_core_metadata(path, path.name) is None\n"
        "inspect(path)\n"
        "print(peak() - before)\n"
    )
    sound = make_sdist(path.parent / "sound")
    ran = subprocess.run(
        [sys.executable, "-c", code, str(path), str(sound)], capture_output=True, text=True, check=True
    )
    unit = 1 if sys.platform == "darwin" else 1024
    return int(ran.stdout) * unit


def test_accepts_large_but_real_headers(tmp_path):
    name = "sample-1.0/" + "ü" * 2000
    path = tmp_path / SDIST
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT, pax_headers={"comment": "a" * 40}) as archive:
        info = tarfile.TarInfo(name)
        info.pax_headers = {f"SCHILY.xattr.{number}": "x" * 1000 for number in range(100)}
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    with open_tar(path) as archive:
        assert [(info.name, b"".join(archive.blocks(info))) for info in archive] == [(name, b"abc")]


@pytest.mark.parametrize("format_", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_reads_the_same_members_as_tarfile(format_, tmp_path):
    path = tmp_path / SDIST
    contents = {
        f"sample-1.0/{'d' * size}/{size}": bytes([size % 250]) * size * 41 for size in range(0, 200, 7)
    }
    with tarfile.open(path, "w:gz", format=format_) as archive:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with open_tar(path) as archive:
        assert {info.name: b"".join(archive.blocks(info)) for info in archive} == contents


def test_reads_concatenated_gzip_streams(tmp_path):
    path = make_sdist(tmp_path)
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content[:700]) + gzip.compress(content[700:]) + bytes(300))
    assert inspect(path).findings == ()


def test_central_directory_of_a_zip_archive_is_limited(tmp_path):
    """Each entry takes ten times as much memory as on disk."""
    path = tmp_path / WHEEL
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    count = limits.MAX_MEMBERS + 1
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 1, 1, len(entry) * count, 0, 0)
    path.write_bytes(entry * count + end)
    with pytest.raises(LimitExceeded, match="members"), open_zip(path):
        pass
    assert {finding.check for finding in inspect(path).findings} == {"archive-limits"}
    assert read_core_metadata(path, path.name) is None


def test_metadata_inflate_no_further_than_declared(tmp_path):
    path = make_wheel(tmp_path, metadata={"Description": "x" * (2 << 20)})
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("sample-1.0.dist-info/METADATA")
    size = struct.pack("<L", info.file_size)
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, struct.pack("<L", 1000)))
    assert read_core_metadata(path, path.name) is None


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_metadata_with_unsupported_compression_are_a_finding(compression, tmp_path):
    path = make_wheel(tmp_path, compression=compression)
    assert read_core_metadata(path, path.name) is None
    assert "metadata-unreadable" in {finding.check for finding in inspect(path).findings}


def test_broken_archive_raises_a_known_error(tmp_path):
    path = tmp_path / SDIST
    path.write_bytes(zlib.compress(b"no gzip"))
    with pytest.raises(ARCHIVE_ERRORS), open_tar(path) as archive:
        list(archive)
