"""Connect to what an fsspec URL names: one file system for all threads if it allows that, else one each."""

import difflib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem, available_protocols
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from wheelrelay.backends.fsspec.capabilities import promises_of
from wheelrelay.backends.fsspec.errors import mapped, shown_chain
from wheelrelay.backends.fsspec.objects import FsspecObjects, FsspecReader
from wheelrelay.backends.fsspec.writing import way_of_writing
from wheelrelay.backends.local.store import DirectoryObjects, DirectoryStore
from wheelrelay.containers.source import ContainerSource
from wheelrelay.containers.store import ContainerStore
from wheelrelay.errors import BackendError, ConfigError, PluginLoadError, WheelrelayError


def connect(url: str, options: Mapping[str, Any], **keys: Any) -> ContainerSource:
    """What an fsspec URL names, as a store, or as a source if it cannot be written.

    Args:
        url: of a folder.
        options: for the fsspec implementation, secrets resolved.
        keys: those of `ContainerStore` that every container has.

    Raises:
        ConfigError: fsspec does not know the protocol, or the options do not fit it.
        PluginLoadError: the protocol's package is not installed; says which.
        BackendError: the place refused or failed.
    """
    connection = Connection(url, options)
    fs = connection.fs()
    if isinstance(fs, LocalFileSystem):
        return DirectoryStore(DirectoryObjects(Path(connection.root)), **keys)
    write = way_of_writing(fs)
    if write is None:
        reader = FsspecReader(connection.fs, connection.root, url, forget=connection.forget)
        return ContainerSource(reader, **keys)
    objects = FsspecObjects(
        connection.fs, connection.root, url, write, promises_of(fs), forget=connection.forget
    )
    return ContainerStore(objects, made_by_put=True, **keys)


class Connection:
    """An fsspec file system, its listing caches off.

    Those that run in fsspec's own event loop serve all threads; of the others, which may be a single
    network connection, each thread has its own.
    """

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self._url = url
        self._options = options
        self._local = threading.local()
        first, self.root = self._connect()
        self._shared = first if first.async_impl or isinstance(first, MemoryFileSystem) else None
        self._local.fs = first

    def fs(self) -> AbstractFileSystem:
        """The file system for this thread."""
        if self._shared is not None:
            return self._shared
        if not hasattr(self._local, "fs"):
            self._local.fs, _ = self._connect()
        return self._local.fs

    def forget(self) -> None:
        """Give this thread a new file system the next time: the connection of the present one has failed."""
        if self._shared is None and hasattr(self._local, "fs"):
            del self._local.fs

    def _connect(self) -> tuple[AbstractFileSystem, str]:
        try:
            with mapped(shown_chain(self._url)):
                fs, root = url_to_fs(self._url, skip_instance_cache=True, **self._options)
        except BackendError as error:
            raise _explained(error, self._url) from error.__cause__
        fs.dircache.use_listings_cache = False
        return fs, str(root)


def _explained(error: BackendError, url: str) -> WheelrelayError:
    """What went wrong with connecting, if it is not the place that refused."""
    place = shown_chain(url)
    match error.__cause__:
        case ImportError() as cause:
            return PluginLoadError(f"{place} needs a package that is not installed.", hint=f"{cause}.")
        case TypeError() as cause:
            return ConfigError(f"{place}: the options do not fit the protocol: {cause}.")
        case ValueError():
            return _unknown_protocol(url) or error
    return error


def _unknown_protocol(url: str) -> ConfigError | None:
    known = available_protocols()
    for part in url.split("::"):
        protocol = part.partition("://")[0]
        if "://" in part and protocol not in known:
            close = difflib.get_close_matches(protocol, known, n=3) or known
            return ConfigError(
                f"fsspec knows no protocol {protocol!r}.", hint=f"Known are: {', '.join(close)}."
            )
    return None
