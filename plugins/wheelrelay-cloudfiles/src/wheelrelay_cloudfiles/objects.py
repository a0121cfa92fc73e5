"""The objects of a Swift container below a prefix; see `wheelrelay.containers.objects.Objects`.

Swift compares ``If-None-Match`` when an upload begins, not when it ends. So that two uploads of one name
that overlap do not overwrite each other, we look once more before the last bytes leave, and once after:
who finds other bytes than its own has lost. Within one process, uploads of one name wait for each other.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote

from libcloud.storage.types import ContainerAlreadyExistsError, ContainerDoesNotExistError

from wheelrelay.containers.objects import StoredObject
from wheelrelay.errors import AlreadyExists, NotFound, Rejected
from wheelrelay.filenames import looks_like_distribution
from wheelrelay.http import HttpClient, RawBody, content_range_starts_at, display_url, range_header
from wheelrelay.protocols import ByteStream
from wheelrelay.staged import BLOCK_SIZE, StagedFile
from wheelrelay_cloudfiles.account import Account
from wheelrelay_cloudfiles.bodies import Body, VerifiedBody
from wheelrelay_cloudfiles.driver import Driver
from wheelrelay_cloudfiles.errors import error_for, parsing, unexpected
from wheelrelay_cloudfiles.large import LargeObjects
from wheelrelay_cloudfiles.transfers import Transfers

SEGMENTS = ".segments"
"""The folder, below the prefix, of the segments of large objects."""

LONGEST_TEXT = 256
"""Bytes that a text may have that is kept with an object."""

_META = "x-object-meta-"

_log = logging.getLogger(__name__)


class SwiftObjects:
    """The objects of one container below one prefix.

    Args:
        account: whose container it is.
        http: what carries the objects.
        container: its name.
        prefix: the folder in it, without slashes around it; empty for all of it.
    """

    def __init__(self, account: Account, http: HttpClient, container: str, prefix: str = "") -> None:
        self._account = account
        self._driver = Driver(account, lambda access: access.storage_url)
        self._transfers = Transfers(account, http)
        self._large = LargeObjects(self._transfers)
        self._container = container
        self._prefix = f"{prefix}/" if prefix else ""
        self._lock = threading.Lock()
        self._made = False
        self._writing: dict[str, threading.Lock] = {}

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """All objects directly in a folder; asked for page by page until there is no more."""
        return self._list(folder, lambda _: True)

    def list_named(self, wanted: Callable[[str], bool]) -> Iterator[StoredObject]:
        """The objects of the container that ``wanted`` takes; see `list_objects`."""
        return self._list("", wanted)

    def _list(self, folder: str, wanted: Callable[[str], bool]) -> Iterator[StoredObject]:
        marker, place = "", self._prefix + folder
        while page := self._page(place, marker):
            for entry in page:
                path = entry.get("name", place)
                if path != place and wanted(path.removeprefix(self._prefix)):
                    yield from self._stored(entry)
            last, marker = marker, page[-1].get("name") or page[-1]["subdir"]
            if marker == last:  # who ignores the marker would be asked for ever
                raise unexpected(self.address_of(folder))

    def stat_object(self, name: str) -> StoredObject:
        """One object with its metadata, as it is now."""
        headers = self._transfers.head(self._path(name))
        with parsing(self.address_of(name)):
            return StoredObject(
                name=name,
                size=int(headers["Content-Length"]),
                etag=headers.get("Etag", "").strip('"'),
                modified=parsedate_to_datetime(headers["Last-Modified"]),
                metadata={
                    key.lower().removeprefix(_META): unquote(value)
                    for key, value in headers.items()
                    if key.lower().startswith(_META)
                },
            )

    @contextmanager
    def open_object(self, name: str) -> Iterator[ByteStream]:
        """Open an object for reading it once, in order, compared at its end with the cluster's digest."""
        with ExitStack() as stack:
            yield VerifiedBody(self._transfers.ask(stack, "GET", self._path(name)))

    @contextmanager
    def open_part(self, name: str, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Open a part of an object for reading it once, in order."""
        with ExitStack() as stack:
            wanted = {"Range": range_header(start, stop)}
            answer = self._transfers.ask(stack, "GET", self._path(name), headers=wanted)
            if not content_range_starts_at(start, answer.headers.get("Content-Range", "")):
                raise Rejected(f"{self.address_of(name)} is given out only as a whole.")
            yield RawBody(answer)

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> str | None:
        """Write an object that is not there yet."""
        headers = {**_headers(content_type, metadata), "If-None-Match": "*"}
        self._make_container()
        with self._writing.setdefault(name, threading.Lock()):
            etag = self._write(name, Body.of(content), headers).strip('"')
            if self.stat_object(name).etag != etag:
                raise self._taken(name)
            return etag

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write an object in place of the one that may be there."""
        self._make_container()
        old: list[str] = []
        if isinstance(content, StagedFile):
            with suppress(NotFound):
                old = self._large.segments_of(self._path(name))
        self._write(name, Body.of(content), _headers(content_type, metadata))
        self._large.remove(old)

    def delete_object(self, name: str) -> None:
        """Remove an object, and after it the segments that it was made of."""
        with suppress(NotFound):
            segments = self._large.segments_of(self._path(name))
            self._transfers.delete(self._path(name))
            self._large.remove(segments)

    def address_of(self, name: str) -> str:
        """The object's address in the cluster; whether the world may read there is the container's matter."""
        return self._account.access().storage_url + quote(self._path(name))

    def _write(self, name: str, body: Body, headers: Mapping[str, str]) -> str:
        path = self._path(name)
        if len(body) > self._transfers.limits().size:
            return self._large.write(path, body, headers, folder=self._path(f"{SEGMENTS}/{name}"))
        careful = "If-None-Match" in headers and len(body) > BLOCK_SIZE
        last_look = (lambda: self._refuse_if_there(name)) if careful else None
        return self._transfers.put(path, body, headers, last_look=last_look)

    def _refuse_if_there(self, name: str) -> None:
        with suppress(NotFound):
            self._transfers.head(self._path(name))
            raise self._taken(name)

    def _taken(self, name: str) -> AlreadyExists:
        return AlreadyExists(f"Somebody else put {self.address_of(name)} there at the same time.")

    def _page(self, place: str, marker: str) -> list[dict[str, Any]]:
        """The entries that follow ``marker``: objects, and the names of folders."""
        query = {"prefix": place, "delimiter": "/", "marker": marker}
        path = "/" + quote(self._container)
        answer = self._driver.call(lambda driver: driver.connection.request(path, params=query))
        if answer.status == 404:
            raise NotFound(f"There is no container {self._container!r}.")
        if answer.status == 409:  # which libcloud takes for success
            raise error_for(409, f"{display_url(self.address_of(''))} answered 409.")
        if answer.status == 204:
            return []
        page = answer.object
        if not isinstance(page, list) or not all(map(_is_entry, page)):
            raise unexpected(self.address_of(""))
        return page

    def _stored(self, entry: Mapping[str, Any]) -> Iterator[StoredObject]:
        """The object of a listing's entry; none, if it has gone meanwhile."""
        name = entry["name"].removeprefix(self._prefix)
        if not entry["bytes"] and looks_like_distribution(name):
            with suppress(NotFound):  # a dynamic large object: listings do not add up its segments
                yield self.stat_object(name)
            return
        with parsing(self.address_of(name)):
            modified = datetime.fromisoformat(entry["last_modified"]).replace(tzinfo=UTC)
        yield StoredObject(name, entry["bytes"], entry["hash"], modified)

    def _make_container(self) -> None:
        """Make the container before the first object is written, if it is not there."""
        with self._lock:
            if not self._made:
                self._driver.call(self._make_with)
                self._made = True

    def _make_with(self, driver: Any) -> None:
        try:
            driver.get_container(self._container)
        except ContainerDoesNotExistError:
            with suppress(ContainerAlreadyExistsError):
                driver.create_container(self._container)

    def _path(self, name: str) -> str:
        return f"/{self._container}/{self._prefix}{name}"


def _is_entry(entry: object) -> bool:
    """Whether this is what Swift lists: an object, or the name of a folder."""
    match entry:
        case {"subdir": str()}:
            return True
        case {"name": str(), "bytes": int(), "hash": str(), "last_modified": str()}:
            return True
    return False


def _headers(content_type: str, metadata: Mapping[str, str]) -> dict[str, str]:
    """The headers of an object; texts are quoted, for headers are ASCII, and too long ones are left out."""
    headers = {"Content-Type": content_type}
    for key, value in metadata.items():
        quoted = quote(value, safe=" !#$&'()*+,/:;=?@[]~")
        if len(quoted) <= LONGEST_TEXT:
            headers[_META + key] = quoted
        else:
            _log.warning(
                "%s is not kept with the file: it has %d bytes, and Swift keeps %d.",
                key,
                len(quoted),
                LONGEST_TEXT,
            )
    return headers
