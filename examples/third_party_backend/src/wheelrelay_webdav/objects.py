"""The files of a WebDAV folder as the objects of a container: all that wheelrelay has to know of a place."""

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
"""Where files lie while they are sent: apart, for some servers fail to list a folder that a file leaves."""


class WebDavObjects:
    """Reads and writes the files of a folder; see `wheelrelay.containers.objects.Objects`."""

    def __init__(self, dav: Dav) -> None:
        self._dav = dav
        self._folders: set[str] = set()
        self._making = threading.Lock()  # some servers fail when two make the same folder at once

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """The files in a folder; a folder below that is not there has none."""
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
        """One file; nothing is kept with it."""
        resource = next(
            found for found in self._dav.properties(name, depth=0) if found.path == self._dav.path_of(name)
        )
        if resource.is_folder:
            raise NotFound(f"{self.address_of(name)} is a folder.")
        return _stored(name, resource)

    @contextmanager
    def open_object(self, name: str) -> Iterator[ByteStream]:
        """Open a file; it comes over the network as it is read."""
        with self._dav.ask("GET", name, headers={"Accept-Encoding": "identity"}) as answer:
            raise_for_status(answer)
            yield RawBody(answer)

    @contextmanager
    def open_part(self, name: str, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Open a part of a file, so that what breaks off goes on where it broke."""
        headers = {"Accept-Encoding": "identity", "Range": range_header(start, stop)}
        with self._dav.ask("GET", name, headers=headers) as answer:
            raise_for_status(answer)
            if not content_range_starts_at(start, answer.headers.get("Content-Range", "")):
                raise Rejected(f"{self.address_of(name)} is given out only as a whole.")
            yield RawBody(answer)

    def address_of(self, name: str) -> str:
        """The file's web address."""
        return self._dav.url_of(name)

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a file that is not there yet; metadata cannot be kept."""
        del metadata
        self._write(name, content, content_type, overwrite=False)

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a file in place of the one that may be there."""
        del metadata
        self._write(name, content, content_type, overwrite=True)

    def delete_object(self, name: str) -> None:
        """Remove a file."""
        with suppress(NotFound), self._dav.ask("DELETE", name) as answer:
            require_done(answer)

    def _write(self, name: str, content: StagedFile | bytes, content_type: str, *, overwrite: bool) -> None:
        """Send the bytes to where nobody looks, and move them to their name when they are all there."""
        temporary = f"{INCOMING}{uuid.uuid4().hex}"
        self._make_folders(temporary)
        try:
            self._dav.put(temporary, content, content_type)
            self._make_folders(name)
            self._move(temporary, name, overwrite=overwrite)
        except BaseException:
            with suppress(BackendError):  # what went wrong first is what matters
                self.delete_object(temporary)
            raise

    def _move(self, source: str, target: str, *, overwrite: bool) -> None:
        """Give a file another name (RFC 4918, section 9.9.4)."""
        headers = {"Destination": self._dav.url_of(target), "Overwrite": "T" if overwrite else "F"}
        with self._dav.ask("MOVE", source, headers=headers) as answer:
            if answer.status_code == 412:
                raise AlreadyExists(f"{self.address_of(target)} is there already.")
            require_done(answer)

    def _make_folders(self, name: str) -> None:
        """Make the folders that a name lies in; each is asked for once."""
        parts = name.split("/")[:-1]
        with self._making:
            for folder in ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1)):
                if folder not in self._folders:
                    self._make_folder(folder)
                    self._folders.add(folder)

    def _make_folder(self, folder: str) -> None:
        with self._dav.ask("MKCOL", folder) as answer:
            if answer.status_code == 409:
                raise NotFound(f"{self.address_of('')} is not there.", hint="Make the folder.")
            if answer.status_code != 405:  # it is there
                require_done(answer)


def _stored(name: str, resource: Resource) -> StoredObject:
    return StoredObject(name, resource.size, resource.etag, resource.modified)
