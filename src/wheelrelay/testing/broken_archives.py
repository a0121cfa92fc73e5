"""Malformed archives: no build tool writes them, but an attacker or a broken disk may."""

import io
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from wheelrelay.testing.samples import (
    make_sdist,
    make_wheel,
    sdist_members,
    write_tar_gz,
    write_zip,
)

INIT = "sample/__init__.py"
STORED = b"This is stored as it is.\n" * 1000


def stored_wheel(folder: Path) -> Path:
    """Write a valid wheel without compression."""
    return make_wheel(folder, payload=STORED, compression=zipfile.ZIP_STORED)


def corrupt_wheel(folder: Path) -> Path:
    """Write a wheel in which one byte of a member is wrong."""
    return _edited(stored_wheel(folder), lambda content: content.replace(STORED, b"t" + STORED[1:], 1))


def truncated_wheel(folder: Path) -> Path:
    """Write the first half of a wheel."""
    return _edited(stored_wheel(folder), lambda content: content[: len(content) // 2])


def wheel_with_trailing_data(folder: Path) -> Path:
    """Write a wheel with trailing bytes."""
    return _edited(make_wheel(folder), lambda content: content + b"something")


def wheel_with_leading_data(folder: Path) -> Path:
    """Write a wheel with leading bytes."""
    return _edited(make_wheel(folder), lambda content: b"#!/bin/sh\n" + content)


def wheel_with_two_names(folder: Path) -> Path:
    """Write a wheel with a member whose local header and central directory have different names."""
    other = INIT.replace("init", "evil").encode()
    return _edited(make_wheel(folder), lambda content: content.replace(INIT.encode(), other, 1))


def wheel_with_comment(folder: Path) -> Path:
    """Write a wheel with a comment on a member."""
    path = make_wheel(folder)
    with zipfile.ZipFile(path, "a") as archive:
        archive.getinfo(INIT).comment = b"a comment"
        archive.comment = b""  # forces a rewrite of the central directory
    return path


def wheel_with_duplicate(folder: Path) -> Path:
    """Write a wheel that contains one member twice."""
    path = make_wheel(folder)
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        archive.writestr(INIT, archive.read(INIT))
    return path


def wheel_with_two_contents(folder: Path) -> Path:
    """Write a wheel with two members of one name; RECORD matches the second."""
    path = make_wheel(folder)
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        archive.writestr(INIT, b"another = True\n")
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def bzip2_wheel(folder: Path) -> Path:
    """Write a wheel with a member compressed with bzip2."""
    path = make_wheel(folder, unrecorded={INIT: None})
    original = make_wheel(folder / "original")
    with zipfile.ZipFile(path, "a") as archive, zipfile.ZipFile(original) as whole:
        archive.writestr(INIT, whole.read(INIT), zipfile.ZIP_BZIP2)
    return path


def streamed_wheel(folder: Path) -> Path:
    """Write a wheel with data descriptors, as a streaming writer does."""
    path = make_wheel(folder)
    stream = _Pipe()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(stream, "w") as archive:
        for info in source.infolist():
            archive.writestr(info.filename, source.read(info))
    path.write_bytes(stream.getvalue())
    return path


def wheel_and_tar(folder: Path) -> Path:
    """Write a wheel that is also a tar archive: its first member completes a tar header.

    The checksum of the header covers the CRC of the member, and the CRC covers the checksum. So names are
    tried for the header until both are correct.
    """
    start = 30 + len(INIT)
    template = make_wheel(folder, files={INIT: bytes(512 - start)}, compression=zipfile.ZIP_STORED)
    head = bytearray(template.read_bytes()[:start])
    head[14:18] = bytes(4)
    tail = tarfile.TarInfo("name").tobuf(tarfile.USTAR_FORMAT)[100:]
    crc_sum = 2 * 255
    for filling in range(1 << 16):
        member = bytearray(f"{filling:0{100 - start}}".encode() + tail)
        member[148 - start : 156 - start] = b" " * 8
        member[148 - start : 156 - start] = b"%06o\0 " % (sum(head) + sum(member) + crc_sum)
        if sum(zlib.crc32(member).to_bytes(4, "little")) == crc_sum:
            return make_wheel(folder, files={INIT: bytes(member)}, compression=zipfile.ZIP_STORED)
    raise AssertionError("no name gives a valid header")


def wheel_with_false_end(folder: Path) -> Path:
    """Write a wheel whose end record announces a missing comment."""
    return _edited(make_wheel(folder), lambda content: content[:-2] + b"\t\0")


def zip_sdist(folder: Path) -> Path:
    """Write a legacy sdist as a zip archive."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sample-1.0.zip"
    write_zip(path, {f"sample-1.0/{name}": text for name, text in sdist_members("sample", "1.0").items()})
    return path


def sdist_with_link(target: str) -> Callable[[Path], Path]:
    """Return a function that writes an sdist with a symbolic link to ``target``."""
    link = tarfile.TarInfo("sample-1.0/link")
    link.type, link.linkname = tarfile.SYMTYPE, target
    return lambda folder: _sdist(folder, link)


def sdist_with_pipe(folder: Path) -> Path:
    """Write an sdist with a named pipe."""
    pipe = tarfile.TarInfo("sample-1.0/pipe")
    pipe.type = tarfile.FIFOTYPE
    return _sdist(folder, pipe)


def sdist_with_two_folders(folder: Path) -> Path:
    """Write an sdist with a second top-level folder."""
    return _sdist(folder, tarfile.TarInfo("other/empty"))


def sdist_with_linked_metadata(folder: Path) -> Path:
    """Write an sdist whose PKG-INFO is a symbolic link to another member."""
    link = tarfile.TarInfo("sample-1.0/PKG-INFO")
    link.type, link.linkname = tarfile.SYMTYPE, "pyproject.toml"
    return _sdist(folder, link)


def sdist_with_comment(size: int) -> Callable[[Path], Path]:
    """Return a function that writes an sdist with a pax header of this size in bytes."""
    info = tarfile.TarInfo("sample-1.0/empty")
    info.pax_headers = {"comment": "x" * size}
    return lambda folder: _sdist(folder, info)


def sdist_with_sparse_file(folder: Path) -> Path:
    """Write an sdist with a sparse file."""
    info = tarfile.TarInfo("sample-1.0/sparse")
    info.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": "100000"}
    return _sdist(folder, info)


def sdist_with_twice(name: str) -> Callable[[Path], Path]:
    """Return a function that writes an sdist with a second, empty member of this name."""
    return lambda folder: _sdist(folder, tarfile.TarInfo(f"sample-1.0/{name}"), key="again")


def sdist_with_dots(folder: Path) -> Path:
    """Write an sdist whose paths start with ``./``, as plain ``tar`` does."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sample-1.0.tar.gz"
    members = sdist_members("sample", "1.0").items()
    write_tar_gz(path, {f"./sample-1.0/{name}": text for name, text in members})
    return path


def sdist_with_trailing_data(folder: Path) -> Path:
    """Write an sdist with trailing bytes."""
    return _edited(make_sdist(folder), lambda content: content + b"something")


def _sdist(folder: Path, extra: tarfile.TarInfo, *, key: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sample-1.0.tar.gz"
    members = {f"sample-1.0/{name}": text for name, text in sdist_members("sample", "1.0").items()}
    write_tar_gz(path, {**members, key or extra.name: extra})
    return path


def _edited(path: Path, edit: Callable[[bytes], bytes]) -> Path:
    path.write_bytes(edit(path.read_bytes()))
    return path


class _Pipe(io.BytesIO):
    """Bytes that can be written and not sought, as those of a pipe."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError("a pipe has no position")

    def seek(self, offset: int, whence: int = 0, /) -> int:  # noqa: ARG002
        raise OSError("a pipe cannot be sought in")
