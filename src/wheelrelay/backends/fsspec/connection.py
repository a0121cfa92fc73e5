"""Connect to the file system of an fsspec URL: one for all threads if it is thread-safe, else one each."""

import difflib
import logging
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem, available_protocols
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from wheelrelay.backends.fsspec.capabilities import capabilities_of, with_timeout
from wheelrelay.backends.fsspec.errors import display_chain, map_errors
from wheelrelay.backends.fsspec.objects import FsspecObjects
from wheelrelay.backends.fsspec.packages import missing_package
from wheelrelay.backends.fsspec.reading import FsspecReader
from wheelrelay.backends.fsspec.writing import writer_for
from wheelrelay.backends.local.store import DirectoryObjects, DirectoryStore
from wheelrelay.config.fsspec_urls import parts_of_chain
from wheelrelay.containers.source import ContainerSource
from wheelrelay.containers.store import ContainerStore
from wheelrelay.errors import BackendError, ConfigError, WheelrelayError
from wheelrelay.http import time_limits

_LIBRARY_LOGGERS = (
    *("adlfs", "aiobotocore", "aiohttp", "asyncio", "azure", "botocore", "fsspec", "gcsfs"),
    *("paramiko", "requests", "s3fs", "smbprotocol", "urllib3"),
)
"""Loggers of the libraries of protocols: they log errors that are raised as well, with tracebacks."""

_NO_OUTPUT = logging.NullHandler()


def connect(
    url: str, options: Mapping[str, Any], timeout: float | None = None, **keys: Any
) -> ContainerSource:
    """Return the folder of an fsspec URL as a store, or as a source if it is read-only.

    Args:
        url: the URL of the folder.
        options: options of the fsspec implementation, with secrets resolved.
        timeout: seconds that a server may take; see `wheelrelay.http.limits`.
        keys: the arguments of `ContainerStore` that all containers have.

    Raises:
        ConfigError: fsspec does not know the protocol, or the options do not fit it.
        PluginLoadError: the package of the protocol is not installed.
        BackendError: the server is unavailable, or refused.
    """
    for name in _LIBRARY_LOGGERS:  # without any handler, logging prints them to stderr
        logging.getLogger(name).addHandler(_NO_OUTPUT)
    connection = Connection(url, options, timeout)
    fs = connection.fs()
    if isinstance(fs, LocalFileSystem):
        return DirectoryStore(DirectoryObjects(Path(connection.root)), **keys)
    writer = writer_for(fs)
    if writer is None:
        reader = FsspecReader(connection.fs, connection.root, url, discard=connection.discard)
        return ContainerSource(reader, **keys)
    objects = FsspecObjects(
        connection.fs, connection.root, url, writer, capabilities_of(fs), discard=connection.discard
    )
    return ContainerStore(objects, made_by_put=True, **keys)


class Connection:
    """An fsspec file system without listing caches.

    File systems that run in fsspec's event loop serve all threads. All others may be a single network
    connection, so each thread has its own.
    """

    def __init__(self, url: str, options: Mapping[str, Any], timeout: float | None = None) -> None:
        self._url = url
        self._seconds = time_limits(timeout).timeout
        self._options = options
        self._local = threading.local()
        first, self.root = self._connect()
        self._shared = first if first.async_impl or isinstance(first, MemoryFileSystem) else None
        self._local.fs = first

    def fs(self) -> AbstractFileSystem:
        """Return the file system for this thread."""
        if self._shared is not None:
            return self._shared
        if not hasattr(self._local, "fs"):
            self._local.fs, _ = self._connect()
        return self._local.fs

    def discard(self) -> None:
        """Make this thread reconnect the next time, because its connection has failed."""
        if self._shared is None and hasattr(self._local, "fs"):
            del self._local.fs

    def _connect(self) -> tuple[AbstractFileSystem, str]:
        try:
            with map_errors(display_chain(self._url)):
                fs, root = url_to_fs(self._url, skip_instance_cache=True, **self._timed_options())
        except BackendError as error:
            raise _explained(error, self._url) from error.__cause__
        fs.dircache.use_listings_cache = False
        _limit_channel(fs, self._seconds)
        _limit_session(fs, self._seconds)
        _limit_transport(fs, self._seconds)
        _limit_retries(fs)
        return fs, str(root)

    def _timed_options(self) -> dict[str, Any]:
        """Return the options with the timeout.

        In a chain such as ``zip::sftp://...`` the options of each protocol are under its name.
        """
        *outer, last = parts_of_chain(self._url)
        protocol = last.partition("://")[0]
        if not outer:
            return with_timeout(protocol, self._options, self._seconds)
        inner = with_timeout(protocol, self._options.get(protocol, {}), self._seconds)
        return {**self._options, **({protocol: inner} if inner else {})}


def _limit_channel(fs: AbstractFileSystem, seconds: float) -> None:
    """Set the timeout of an SFTP session; paramiko waits for ever by default."""
    get_channel = getattr(getattr(fs, "ftp", None), "get_channel", None)
    if get_channel is not None:
        get_channel().settimeout(seconds)


def _limit_session(fs: AbstractFileSystem, seconds: float) -> None:
    """Set the timeout of a session of requests (WebHDFS), which waits for ever by default."""
    session: Any = getattr(fs, "session", None)
    if type(session).__module__ == "requests.sessions":
        session.request = partial(session.request, timeout=seconds)


def _limit_transport(fs: AbstractFileSystem, seconds: float) -> None:
    """Set the timeout of Azure's client; adlfs passes it to uploads and downloads only."""
    pipeline = getattr(getattr(fs, "service_client", None), "_pipeline", None)
    connection: Any = getattr(getattr(pipeline, "_transport", None), "connection_config", None)
    if connection is not None:
        connection.timeout = connection.read_timeout = seconds


def _limit_retries(fs: Any) -> None:
    """Let s3fs and Azure's client send a request twice at most.

    The engine retries, and with their own many retries a dead server would take over ten minutes. One retry
    remains, because it repeats a part of a file, while the engine repeats the whole file.
    """
    if hasattr(fs, "retries"):
        fs.retries = 2
    policy = getattr(getattr(getattr(fs, "service_client", None), "_config", None), "retry_policy", None)
    if policy is not None:
        policy.total_retries = 1
        policy.initial_backoff = policy.random_jitter_range = 1


def _explained(error: BackendError, url: str) -> WheelrelayError:
    """Return a better error if connecting failed on this machine already."""
    address = display_chain(url)
    match error.__cause__:
        case ImportError() as cause:
            return missing_package(url, address, cause)
        case TypeError() as cause:
            return ConfigError(f"{address}: the options do not fit the protocol: {cause}.")
        case ValueError() as cause if "range requests" in str(cause):
            return BackendError(
                f"{address}: the server sends whole files only.",
                hint="Write simplecache:: before its URL: the file is then downloaded first.",
            )
        case ValueError():
            return _unknown_protocol(url) or error
    return error


def _unknown_protocol(url: str) -> ConfigError | None:
    known = available_protocols()
    for part in parts_of_chain(url):
        protocol = part.partition("://")[0]
        if "://" in part and protocol not in known:
            close = difflib.get_close_matches(protocol, known, n=3)
            hint = f"Did you mean: {', '.join(close)}?" if close else f"Known protocols: {', '.join(known)}."
            return ConfigError(f"fsspec has no protocol {protocol!r}.", hint=hint)
    return None
