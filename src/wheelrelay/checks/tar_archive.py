"""Read a compressed tar archive once, from its first byte to its last, without unpacking it to disk."""

import posixpath
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from wheelrelay.archives import BROKEN, Implausible, TarReader, is_plain_file, plain, read_tar
from wheelrelay.checks.archive_contents import (
    Contents,
    Member,
    Texts,
    implausible,
    is_kept,
    leads_outside,
    path_violations,
    unreadable,
)
from wheelrelay.checks.check import Check, Profile, Violation, listed, shown
from wheelrelay.checks.protected import PROTECTED, is_searched, protection
from wheelrelay.checks.zip_archive import ALSO_TAR
from wheelrelay.records import Severity

TOP_FOLDER = Check(
    "sdist-top-folder",
    "An sdist holds one top folder, and nothing beside it.",
    hint="Build it again; every member has to lie in {name}-{version}/.",
    below=Severity.WARNING,
)
PLACE = Check(
    "sdist-pkg-info-path",
    "PKG-INFO is in the folder that the paths of all members have in common, without './' before it.",
    hint="Build it again with a current build tool, and not with tar.",
    profile=Profile.PYPI,
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
SPARSE = Check(
    "sdist-sparse-file",
    "No file in an sdist is sparse, in any of the forms that GNU tar has for that.",
    hint="Build it again without the option --sparse.",
    profile=Profile.PYPI,
)
TWICE = Check(
    "sdist-duplicate-member",
    "No two members of an sdist have the same path.",
    hint="Build it again; the build adds a file twice.",
    severity=Severity.WARNING,
    below=Severity.WARNING,
)
TWO_TEXTS = Check(
    "sdist-two-metadata",
    "An sdist does not have its PKG-INFO twice.",
    hint="Build it again; readers differ in which of the two they read.",
    profile=Profile.STORAGE,
)
TRAILING = Check(
    "sdist-trailing-data",
    "Nothing follows the end of an sdist's archive.",
    hint="Installers ignore what follows; build it again if it is not known where it comes from.",
    severity=Severity.WARNING,
    below=Severity.WARNING,
)
NAME = Check(
    "sdist-member-name",
    "No member has a control character in its name.",
    hint="Rename the file; many systems cannot unpack it.",
    severity=Severity.WARNING,
    below=Severity.WARNING,
)
CHECKS = (NAME, TOP_FOLDER, PLACE, LINK, SPECIAL, SPARSE, TWICE, TWO_TEXTS, TRAILING)


def read_gzip_tar(path: Path) -> Contents:
    """Read a ``.tar.gz`` archive; nothing in it makes this fail."""
    return _read(path, is_bzip2=False)


def read_bzip2_tar(path: Path) -> Contents:
    """Read a ``.tar.bz2`` archive; nothing in it makes this fail."""
    return _read(path, is_bzip2=True)


def _read(path: Path, *, is_bzip2: bool) -> Contents:
    try:
        with read_tar(path, is_bzip2=is_bzip2) as archive:
            return _Reading(archive, is_zip=zipfile.is_zipfile(path)).contents()
    except Implausible as error:
        return implausible(error)
    except BROKEN as error:
        return unreadable(error)


class _Reading:
    """One pass over an archive, gathering what is wrong."""

    def __init__(self, archive: TarReader, *, is_zip: bool) -> None:
        self._archive = archive
        self._members: dict[str, Member] = {}
        self._texts = Texts()
        self._names: dict[str, bool] = {}
        self._violations: list[Violation] = []
        if is_zip:
            self._found(ALSO_TAR, "The file can be read as a zip archive too.")

    def contents(self) -> Contents:
        for info in self._archive:
            self._look_at(info)
            if not info.isdir():
                self._add(info)
            self._names[info.name] = info.isdir()
        stream = self._archive.stream
        stream.drain()
        self._violations += _layout_violations(self._names)
        if stream.last > self._archive.end:
            self._found(TRAILING, "There are bytes behind the end of the tar archive.")
        if stream.trailing:
            self._found(TRAILING, f"There are {stream.trailing} bytes behind the compressed data.")
        folders = frozenset(plain(name) for name, is_folder in self._names.items() if is_folder)
        return Contents(self._members, self._texts.kept, tuple(self._violations), folders=folders)

    def _look_at(self, info: tarfile.TarInfo) -> None:
        """Find what one member alone shows."""
        self._violations += path_violations([info.name], NAME)
        if info.issym() or info.islnk():
            if _leaves(info):
                self._found(LINK, f"The link {shown(info.name)} leads to {shown(info.linkname)}.")
        elif info.issparse():
            self._found(SPARSE, f"{shown(info.name)} is sparse.")
        elif not (info.isreg() or info.isdir()):
            self._found(SPECIAL, f"{shown(info.name)} is neither a file nor a folder nor a link.")

    def _add(self, info: tarfile.TarInfo) -> None:
        path = plain(info.name)
        content = self._content(info, path)
        if path in self._members:
            is_text = is_kept(path) and content != self._texts.kept.get(path)
            self._found(TWO_TEXTS if is_text else TWICE, f"{shown(path)} is there more than once.")
        self._members[path] = Member(info.size)
        if content is not None and path not in self._texts.kept and self._texts.wants(path, info.size):
            self._texts.keep(path, content)

    def _content(self, info: tarfile.TarInfo, path: str) -> bytes | None:
        """The content of a member, if it is one that is looked into."""
        searched = is_searched(info.name, info.size)
        if not is_plain_file(info) or not (searched or self._texts.wants(path, info.size)):
            return None
        content = b"".join(self._archive.blocks(info))
        if searched and (protected := protection(content)):
            self._found(PROTECTED, f"{protected} encrypted {shown(info.name)}.")
        return content

    def _found(self, check: Check, message: str) -> None:
        self._violations.append(check.violation(message))


def _layout_violations(names: dict[str, bool]) -> Iterator[Violation]:
    """What is wrong with where members lie.

    Args:
        names: of the members as they are in the archive; whether each is a folder.
    """
    paths = {plain(name): is_folder for name, is_folder in names.items()}
    tops = {path.partition("/")[0] for path in paths}
    loose = [path for path, is_folder in paths.items() if not is_folder and "/" not in path]
    if len(tops) != 1 or loose:
        yield TOP_FOLDER.violation(f"At the top of the archive are: {listed(sorted(tops)) or 'no members'}.")
        return
    top = next(iter(tops))
    if f"{top}/PKG-INFO" not in paths or top == "..":
        return
    common = posixpath.commonpath(name.lstrip("/") for name in names)
    if f"{common}/PKG-INFO" not in names:
        yield PLACE.violation(f"PyPI looks for {shown(common)}/PKG-INFO, and there is no such member.")


def _leaves(info: tarfile.TarInfo) -> bool:
    """Whether a link leads out of the folder that all members lie in."""
    if info.linkname.startswith("/"):
        return True
    folder = posixpath.dirname(plain(info.name)) if info.issym() else ""
    target = f"{folder}/{info.linkname}".lstrip("/")
    top = plain(info.name).partition("/")[0]
    return leads_outside(target) or plain(posixpath.normpath(target)).partition("/")[0] != top
