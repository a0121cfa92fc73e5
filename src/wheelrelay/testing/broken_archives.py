"""Archives that are broken as archives: what no build tool writes, and somebody may write all the same."""

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
    """A sound wheel whose members are not compressed."""
    return make_wheel(folder, payload=STORED, compression=zipfile.ZIP_STORED)


def corrupt_wheel(folder: Path) -> Path:
    """A wheel in which one byte of a member has changed."""
    return _edited(stored_wheel(folder), lambda content: content.replace(STORED, b"t" + STORED[1:], 1))


def truncated_wheel(folder: Path) -> Path:
    """The first half of a wheel."""
    return _edited(stored_wheel(folder), lambda content: content[: len(content) // 2])


def wheel_with_trailing_data(folder: Path) -> Path:
    """A wheel with something behind it."""
    return _edited(make_wheel(folder), lambda content: content + b"something")


def wheel_with_leading_data(folder: Path) -> Path:
    """A wheel with something before it."""
    return _edited(make_wheel(folder), lambda content: b"#!/bin/sh\n" + content)


def wheel_with_two_names(folder: Path) -> Path:
    """A wheel with a member that has one name for streaming readers and another for all others."""
    other = INIT.replace("init", "evil").encode()
    return _edited(make_wheel(folder), lambda content: content.replace(INIT.encode(), other, 1))


def wheel_with_comment(folder: Path) -> Path:
    """A wheel with a comment on one of its members."""
    path = make_wheel(folder)
    with zipfile.ZipFile(path, "a") as archive:
        archive.getinfo(INIT).comment = b"a comment"
        archive.comment = b""  # makes it write the central directory anew
    return path


def wheel_with_duplicate(folder: Path) -> Path:
    """A wheel that holds one member twice."""
    path = make_wheel(folder)
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        archive.writestr(INIT, archive.read(INIT))
    return path


def wheel_with_two_contents(folder: Path) -> Path:
    """A wheel that holds a member twice, the second time as RECORD has it, the first time another."""
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
    """A wheel with a member that is compressed by bzip2."""
    path = make_wheel(folder, unrecorded={INIT: None})
    original = make_wheel(folder / "original")
    with zipfile.ZipFile(path, "a") as archive, zipfile.ZipFile(original) as whole:
        archive.writestr(INIT, whole.read(INIT), zipfile.ZIP_BZIP2)
    return path


def streamed_wheel(folder: Path) -> Path:
    """A wheel that was written to a stream, and so has data descriptors."""
    path = make_wheel(folder)
    stream = _Pipe()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(stream, "w") as archive:
        for info in source.infolist():
            archive.writestr(info.filename, source.read(info))
    path.write_bytes(stream.getvalue())
    return path


def wheel_and_tar(folder: Path) -> Path:
    """A wheel that is a tar archive at the same time: its first member makes up the tar header.

    That header has a checksum over bytes among which is the member's CRC, which is over the checksum: of
    the many fillings of the header's name, one makes both true.
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
    raise AssertionError("no filling gives a valid header")


def wheel_with_false_end(folder: Path) -> Path:
    """A wheel whose end record promises a comment that is not there."""
    return _edited(make_wheel(folder), lambda content: content[:-2] + b"\t\0")


def zip_sdist(folder: Path) -> Path:
    """An sdist as a zip archive, as they once were."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sample-1.0.zip"
    write_zip(path, {f"sample-1.0/{name}": text for name, text in sdist_members("sample", "1.0").items()})
    return path


def sdist_with_link(target: str) -> Callable[[Path], Path]:
    """An sdist with a symbolic link that leads to ``target``."""
    link = tarfile.TarInfo("sample-1.0/link")
    link.type, link.linkname = tarfile.SYMTYPE, target
    return lambda folder: _sdist(folder, link)


def sdist_with_pipe(folder: Path) -> Path:
    """An sdist with a named pipe in it."""
    pipe = tarfile.TarInfo("sample-1.0/pipe")
    pipe.type = tarfile.FIFOTYPE
    return _sdist(folder, pipe)


def sdist_with_two_folders(folder: Path) -> Path:
    """An sdist with a second folder beside the one that everything should be in."""
    return _sdist(folder, tarfile.TarInfo("other/empty"))


def sdist_with_linked_metadata(folder: Path) -> Path:
    """An sdist whose PKG-INFO is a symbolic link to another file in it."""
    link = tarfile.TarInfo("sample-1.0/PKG-INFO")
    link.type, link.linkname = tarfile.SYMTYPE, "pyproject.toml"
    return _sdist(folder, link)


def sdist_with_comment(size: int) -> Callable[[Path], Path]:
    """An sdist with a header of some size before one of its members."""
    info = tarfile.TarInfo("sample-1.0/empty")
    info.pax_headers = {"comment": "x" * size}
    return lambda folder: _sdist(folder, info)


def sdist_with_sparse_file(folder: Path) -> Path:
    """An sdist with a file of which only the first part is in the archive."""
    info = tarfile.TarInfo("sample-1.0/sparse")
    info.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": "100000"}
    return _sdist(folder, info)


def sdist_with_twice(name: str) -> Callable[[Path], Path]:
    """An sdist with a member of this name that is there a second time, and empty then."""
    return lambda folder: _sdist(folder, tarfile.TarInfo(f"sample-1.0/{name}"), key="again")


def sdist_with_dots(folder: Path) -> Path:
    """An sdist whose paths begin with a dot, as those that tar packs by hand."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sample-1.0.tar.gz"
    members = sdist_members("sample", "1.0").items()
    write_tar_gz(path, {f"./sample-1.0/{name}": text for name, text in members})
    return path


def sdist_with_trailing_data(folder: Path) -> Path:
    """An sdist with something behind it."""
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
