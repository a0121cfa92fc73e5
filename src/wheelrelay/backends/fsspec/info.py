"""Ask a file system what is there: what is unknown is never taken for absent.

``exists`` of most implementations answers no to every error, a time-out for instance. The implementation
for FTP takes a folder whose listing fails for an empty one.
"""

import errno
from collections.abc import Mapping
from ftplib import error_perm
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.implementations.ftp import FTPFileSystem

from wheelrelay.backends.fsspec.errors import hidden_by

Entry = Mapping[str, Any]

_NO_SUCH_COMMAND = ("500", "502", "504")


def entries_of(fs: AbstractFileSystem, path: str) -> list[Entry]:
    """What a folder holds, asked for anew.

    Raises:
        FileNotFoundError: it is not there.
        Exception: whatever the implementation raises.
    """
    fs.invalidate_cache()
    if isinstance(fs, FTPFileSystem):
        return _entries_by_ftp(fs, "/" + path.strip("/"))
    entries: list[Entry] = fs.ls(path, detail=True)
    return entries


def info_of(fs: AbstractFileSystem, path: str) -> Entry:
    """What is said of a file or folder, asked for anew.

    Raises:
        FileNotFoundError: it is not there.
        Exception: whatever the implementation raises.
    """
    fs.invalidate_cache()
    if isinstance(fs, FTPFileSystem) and path.strip("/"):
        wanted = "/" + path.strip("/")
        for entry in _entries_by_ftp(fs, _parent_of(wanted)):
            if entry["name"] == wanted:
                return entry
        raise FileNotFoundError(path)
    found: Entry = fs.info(path)
    return found


def is_there(fs: AbstractFileSystem, path: str) -> bool:
    """Whether a file or folder is there; only "not found" means that it is not."""
    try:
        info_of(fs, path)
    except FileNotFoundError as error:
        if hidden := hidden_by(error):
            raise hidden from error
        return False
    return True


def _entries_by_ftp(fs: FTPFileSystem, path: str) -> list[Entry]:
    """What a folder holds; only what the folder around it does not show is not there.

    FTP has one code, 550, for a folder that is not there and one that may not be listed.
    """
    try:
        return [
            _entry(path, name, facts)
            for name, facts in fs.ftp.mlsd(path)
            if name not in (".", "..") and facts["type"] not in ("cdir", "pdir")
        ]
    except error_perm as error:
        if str(error).startswith(_NO_SUCH_COMMAND):
            return _entries_without_facts(fs, path)
        if path == "/" or any(entry["name"] == path for entry in _entries_by_ftp(fs, _parent_of(path))):
            raise
    raise FileNotFoundError(path)


def _entry(folder: str, name: str, facts: Mapping[str, str]) -> Entry:
    """An entry as fsspec shows it."""
    is_folder = facts["type"] == "dir"
    size = 0 if is_folder else int(facts["size"]) if "size" in facts else None
    kind = "directory" if is_folder else facts["type"]
    return {**facts, "name": f"{folder.rstrip('/')}/{name}", "type": kind, "size": size}


def _entries_without_facts(fs: FTPFileSystem, path: str) -> list[Entry]:
    """What fsspec reads from a listing for people; an empty one is confirmed by the listing of names."""
    entries: list[Entry] = fs.ls(path, detail=True)
    if not entries and any(name.rpartition("/")[2] not in (".", "..") for name in fs.ftp.nlst(path)):
        raise OSError(errno.EAGAIN, "the listing failed")
    return entries


def _parent_of(path: str) -> str:
    return path.rpartition("/")[0] or "/"
