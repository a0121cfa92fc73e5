"""The files of a folder that fsspec reaches, as the objects of a container."""

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from fsspec import AbstractFileSystem

from wheelrelay.backends.fsspec.capabilities import Capabilities, Exclusive
from wheelrelay.backends.fsspec.reading import FsspecReader
from wheelrelay.backends.fsspec.writing import WriteAndRename, Writer, WriteRequest
from wheelrelay.errors import AlreadyExists, BackendError, NotFound
from wheelrelay.staged import StagedFile

WITNESS = ".wheelrelay-witness"
"""A file that exists so that creating it again must be rejected."""

WITNESS_CONTENT = b"wheelrelay uses this file to test the server; it may be deleted.\n"

MIN_PART = 5 << 20
"""Bytes of a part, at least, if large files are sent in parts."""

_log = logging.getLogger(__name__)


class FsspecObjects(FsspecReader):
    """Reads and writes the files of a folder; see `wheelrelay.containers.objects.Objects`.

    Args:
        fs: returns the file system for the calling thread.
        root: the path of the folder.
        url: the URL, for messages.
        writer: writes files.
        capabilities: the capabilities of the protocol.
        discard: as for `FsspecReader`.
    """

    def __init__(
        self,
        fs: Callable[[], AbstractFileSystem],
        root: str,
        url: str,
        writer: Writer,
        capabilities: Capabilities,
        *,
        discard: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(fs, root, url, discard=discard)
        self._write = writer
        self._capabilities = capabilities
        self._lock = threading.Lock()
        self._tested: set[bool] = set()

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a new file; metadata is not stored."""
        del metadata
        self._test_exclusive_creation(content)
        self._create(name, content, content_type)

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a file, replacing the one that may exist; metadata is not stored."""
        del metadata
        with self._request(name):
            self._write(self._fs(), WriteRequest(self._path(name), content, content_type, replace=True))

    def delete_object(self, name: str) -> None:
        """Remove a file, if it exists."""
        try:
            with self._request(name):
                self._fs().rm_file(self._path(name))
        except BackendError as error:
            if error.retryable:
                raise
            with suppress(NotFound):  # FTP, for example, has one status for all refusals
                self.stat_object(name)
                raise

    def _create(self, name: str, content: StagedFile | bytes, content_type: str, **options: Any) -> None:
        with self._request(name):
            request = WriteRequest(self._path(name), content, content_type, replace=False, options=options)
            self._write(self._fs(), request)

    def _test_exclusive_creation(self, content: StagedFile | bytes) -> None:
        """Test once whether the server rejects existing names, before the first file is created.

        Large files are created by another request than small ones on some servers, so both are tested.
        """
        with self._lock:
            for multipart in (False, True) if self._is_multipart(content) else (False,):
                if multipart not in self._tested:
                    self._test(multipart=multipart)
                    self._tested.add(multipart)

    def _is_multipart(self, content: StagedFile | bytes) -> bool:
        if not self._capabilities.multipart or isinstance(content, bytes):
            return False
        return bool(content.size >= getattr(self._fs(), "default_block_size", MIN_PART))

    def _test(self, *, multipart: bool) -> None:
        exclusive = self._capabilities.exclusive
        if exclusive is Exclusive.SERVER and not self._rejects_existing(multipart=multipart):
            if self._capabilities.commits_on_close:
                raise BackendError(
                    f"{self.address_of('')}: this server overwrites existing files, although the request "
                    "forbids it.",
                    hint="Two jobs that push at once could replace each other's files. Use a server that "
                    "supports conditional writes.",
                )
            self._write = WriteAndRename(exclusive=False)
            self._warn()
        if exclusive is Exclusive.NONE:
            self._warn()

    def _rejects_existing(self, *, multipart: bool) -> bool:
        """Return whether the server rejects the creation of a file that exists."""
        if not multipart:
            with suppress(AlreadyExists):  # from an earlier run
                self._create(WITNESS, WITNESS_CONTENT, "text/plain")
        content, options = WITNESS_CONTENT, {}
        if multipart:
            content, options = WITNESS_CONTENT.ljust(MIN_PART + 1), {"block_size": MIN_PART}
        try:
            self._create(WITNESS, content, "text/plain", **options)
        except AlreadyExists:
            return True
        return False

    def _warn(self) -> None:
        _log.warning(
            "%s: this server does not reject existing names. Two jobs that push different files with one "
            "name at the same moment could replace each other's.",
            self.address_of(""),
        )
