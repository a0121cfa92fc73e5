"""Read a compressed tar archive once, from its first byte to its last, without unpacking it to disk."""

import bz2
import gzip
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from wheelrelay.checks.check import Breach, Check, Profile, listed, shown
from wheelrelay.checks.contents import (
    RATIO,
    RATIO_FROM,
    STRAY,
    TEXT_LIMIT,
    Contents,
    Member,
    is_kept,
    leads_outside,
    path_breaches,
    unreadable,
)
from wheelrelay.records import Severity
from wheelrelay.staged import BLOCK

MAX_RATIO = 200
"""No index refuses an sdist for this; it keeps a malicious one from occupying the machine for hours."""

TOP_FOLDER = Check(
    "sdist-top-folder",
    "An sdist holds one top folder, and nothing beside it.",
    hint="Build it again; every member has to lie in {name}-{version}/.",
    below=Severity.WARNING,
)
LINK = Check(
    "sdist-link",
    "Links in an sdist lead to places within it.",
    hint="Replace the link by the file that it leads to.",
    profile=Profile.STORAGE,
)
SPECIAL = Check(
    "sdist-special-file",
    "An sdist holds files, folders and links; no devices and no pipes.",
    hint="Leave them out.",
    profile=Profile.STORAGE,
)
CHECKS = (TOP_FOLDER, LINK, SPECIAL)


class _Implausible(Exception):
    """The content is too large for the archive."""


class _Inflated:
    """The inflated stream: counts the bytes, remembers where the last one was that is not zero."""

    def __init__(self, stream: gzip.GzipFile | bz2.BZ2File, packed: int) -> None:
        self._stream = stream
        self._limit = max(RATIO_FROM, MAX_RATIO * packed)
        self.size = 0
        self.last = 0

    def read(self, size: int) -> bytes:
        block = self._stream.read(size)
        if kept := len(block.rstrip(b"\0")):
            self.last = self.size + kept
        self.size += len(block)
        if self.size > self._limit:
            raise _Implausible
        return block


def read_gzip_tar(path: Path) -> Contents:
    """Read a ``.tar.gz`` archive; nothing in it makes this fail."""
    return _read(path, lambda raw: gzip.GzipFile(fileobj=raw))


def read_bzip2_tar(path: Path) -> Contents:
    """Read a ``.tar.bz2`` archive; nothing in it makes this fail."""
    return _read(path, bz2.BZ2File)


def _read(path: Path, inflate: Callable[[IO[bytes]], gzip.GzipFile | bz2.BZ2File]) -> Contents:
    with path.open("rb") as raw, inflate(raw) as stream:
        inflated = _Inflated(stream, path.stat().st_size)
        try:
            return _contents(inflated)
        except _Implausible:
            ratio = RATIO.broken(f"The content is more than {MAX_RATIO} times as large as the file.")
            return Contents(breaches=(ratio,), readable=False)
        except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error) as error:
            return unreadable(error)


def _contents(inflated: _Inflated) -> Contents:
    members: dict[str, Member] = {}
    texts: dict[str, bytes] = {}
    infos: list[tarfile.TarInfo] = []
    with tarfile.open(fileobj=cast("IO[bytes]", inflated), mode="r|", bufsize=BLOCK) as archive:
        for info in archive:
            infos.append(info)
            path = _plain(info.name)
            if not info.isdir():
                members[path] = Member(info.size)
            if info.isreg() and is_kept(path) and info.size <= TEXT_LIMIT:
                stream = archive.extractfile(info)
                texts[path] = stream.read() if stream else b""
        end = archive.offset
    while inflated.read(BLOCK):
        pass
    breaches = [*path_breaches(info.name for info in infos), *_structure_breaches(infos)]
    if inflated.last > end:
        breaches.append(STRAY.broken("There are bytes behind the end of the tar archive."))
    return Contents(members, texts, tuple(breaches))


def _structure_breaches(infos: list[tarfile.TarInfo]) -> Iterator[Breach]:
    tops = {_plain(info.name).partition("/")[0] for info in infos}
    loose = [info.name for info in infos if not info.isdir() and "/" not in _plain(info.name)]
    if len(tops) != 1 or loose:
        yield TOP_FOLDER.broken(f"At the top of the archive are: {listed(sorted(tops)) or 'no members'}.")
    for info in infos:
        if (info.issym() or info.islnk()) and _leaves(info):
            yield LINK.broken(f"The link {shown(info.name)} leads to {shown(info.linkname)}.")
        elif not (info.isreg() or info.isdir() or info.issym() or info.islnk()):
            yield SPECIAL.broken(f"{shown(info.name)} is neither a file nor a folder nor a link.")


def _leaves(info: tarfile.TarInfo) -> bool:
    """Whether a link leads out of the folder that all members lie in."""
    if info.linkname.startswith("/"):
        return True
    folder = posixpath.dirname(_plain(info.name)) if info.issym() else ""
    target = f"{folder}/{info.linkname}".lstrip("/")
    top = _plain(info.name).partition("/")[0]
    return leads_outside(target) or _plain(posixpath.normpath(target)).partition("/")[0] != top


def _plain(path: str) -> str:
    return path.removeprefix("./").rstrip("/")
