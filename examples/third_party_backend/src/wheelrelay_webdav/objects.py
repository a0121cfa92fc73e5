"""The files of a WebDAV folder as the objects of a container."""

import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from wheelrelay import StagedFile
from wheelrelay.containers import StoredObject
from wheelrelay.errors import AlreadyExists, BackendError, NotFound, Rejected
from wheelrelay.http import RawBody, content_range_starts_at, raise_for_status, range_header
from wheelrelay.protocols import ByteStream
from wheelrelay_webdav.dav import Dav, Resource, require_done

INCOMING = ".wheelrelay-incoming/"
"""Folder of incomplete uploads. It is separate because some servers cannot list a folder during a move."""


class WebDavObjects:
    """Reads and writes the files of a folder; see `wheelrelay.containers.Objects`."""

    def __init__(self, dav: Dav) -> None:
        self._dav = dav
        self._folders: set[str] = set()
        self._folder_lock = threading.Lock()  # some servers fail if two threads create one folder

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """Yield the files in a folder; a subfolder that does not exist is empty."""
        try:
            resources = self._dav.properties(folder, depth=1)
        except NotFound:
            if not folder:
                raise
            return
        for resource in resources:
            if not resource.is_folder:
                yield _stored(folder + resource.path.rpartition("/")[2], resource)

    def stat_object(self, name: str) -> StoredObject:
        """Return one file; WebDAV stores no metadata with it."""
        resource = next(
            entry for entry in self._dav.properties(name, depth=0) if entry.path == self._dav.path_of(name)
        )
        if resource.is_folder:
            raise NotFound(f"{self.address_of(name)} is a folder.")
        return _stored(name, resource)

    @contextmanager
    def open_object(self, name: str) -> Iterator[ByteStream]:
        """Open a file; it is streamed over the network."""
        with self._dav.request("GET", name, headers={"Accept-Encoding": "identity"}) as answer:
            raise_for_status(answer)
            yield RawBody(answer)

    @contextmanager
    def open_part(self, name: str, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Open a part of a file, so that interrupted downloads can resume."""
        headers = {"Accept-Encoding": "identity", "Range": range_header(start, stop)}
        with self._dav.request("GET", name, headers=headers) as answer:
            raise_for_status(answer)
            if not content_range_starts_at(start, answer.headers.get("Content-Range", "")):
                raise Rejected(f"{self.address_of(name)}: the server does not support byte ranges.")
            yield RawBody(answer)

    def address_of(self, name: str) -> str:
        """Return the web address of the file."""
        return self._dav.url_of(name)

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a new file; metadata is not stored."""
        del metadata
        self._write(name, content, content_type, overwrite=False)

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a file, replacing an existing one."""
        del metadata
        self._write(name, content, content_type, overwrite=True)

    def delete_object(self, name: str) -> None:
        """Delete a file."""
        with suppress(NotFound), self._dav.request("DELETE", name) as answer:
            require_done(answer)

    def _write(self, name: str, content: StagedFile | bytes, content_type: str, *, overwrite: bool) -> None:
        """Upload to a hidden folder, then move the complete file to its name."""
        temporary = f"{INCOMING}{uuid.uuid4().hex}"
        self._create_folders(temporary)
        try:
            self._dav.put(temporary, content, content_type)
            self._create_folders(name)
            self._move(temporary, name, overwrite=overwrite)
        except BaseException:
            with suppress(BackendError):  # the first error is the one to report
                self.delete_object(temporary)
            raise

    def _move(self, source: str, target: str, *, overwrite: bool) -> None:
        """Rename a file (RFC 4918, section 9.9.4)."""
        headers = {"Destination": self._dav.url_of(target), "Overwrite": "T" if overwrite else "F"}
        with self._dav.request("MOVE", source, headers=headers) as answer:
            if answer.status_code == 412:
                raise AlreadyExists(f"{self.address_of(target)} already exists.")
            require_done(answer)

    def _create_folders(self, name: str) -> None:
        """Create the parent folders of a name, each once."""
        parts = name.split("/")[:-1]
        with self._folder_lock:
            for folder in ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1)):
                if folder not in self._folders:
                    self._create_folder(folder)
                    self._folders.add(folder)

    def _create_folder(self, folder: str) -> None:
        with self._dav.request("MKCOL", folder) as answer:
            if answer.status_code == 409:
                raise NotFound(f"{self.address_of('')} does not exist.", hint="Create the folder.")
            if answer.status_code != 405:  # it exists already
                require_done(answer)


def _stored(name: str, resource: Resource) -> StoredObject:
    return StoredObject(name, resource.size, resource.etag, resource.modified)
