"""The objects of a Swift container below a prefix; see `wheelrelay.containers.Objects`.

Swift checks ``If-None-Match`` when an upload begins, not when it ends. So that two overlapping uploads of one
name do not overwrite each other, the name is checked again before the last bytes are sent, and once more
after the upload: the writer that finds another ETag than its own has lost. Within one process, uploads of one
name wait for each other.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote

from libcloud.storage.types import ContainerAlreadyExistsError, ContainerDoesNotExistError

from wheelrelay import StagedFile
from wheelrelay.containers import StoredObject, looks_like_distribution
from wheelrelay.errors import AlreadyExists, BackendError, NotFound, Rejected
from wheelrelay.http import HttpClient, RawBody, content_range_starts_at, display_url, range_header
from wheelrelay.protocols import ByteStream
from wheelrelay_cloudfiles.account import Account
from wheelrelay_cloudfiles.client import SwiftClient
from wheelrelay_cloudfiles.errors import error_for, parsing, unexpected
from wheelrelay_cloudfiles.large_objects import Attempt, LargeObjects, group_segments
from wheelrelay_cloudfiles.libcloud_driver import Driver
from wheelrelay_cloudfiles.streams import Body, md5_of, tar_archive, verified_body

SEGMENTS = ".segments"
"""Folder, below the prefix, of the segments of large objects."""

SMALL_BODY = 1 << 20
"""Bytes of the largest body that is sent in an instant."""

MAX_METADATA = 256
"""Bytes in a metadata value that Swift stores."""

_META = "x-object-meta-"

_log = logging.getLogger(__name__)


class SwiftObjects:
    """The objects of one container below one prefix.

    Args:
        account: The account that owns the container.
        http: The HTTP client for the objects.
        container: Name of the container.
        prefix: Folder in the container, without slashes around it; empty for the whole container.
    """

    def __init__(self, account: Account, http: HttpClient, container: str, prefix: str = "") -> None:
        self._account = account
        self._driver = Driver(account, lambda access: access.storage_url)
        self._client = SwiftClient(account, http)
        self._large = LargeObjects(self._client)
        self._container = container
        self._prefix = f"{prefix}/" if prefix else ""
        self._lock = threading.Lock()
        self._container_exists = False
        self._has_segments = False
        self._now = datetime.min.replace(tzinfo=UTC)
        self._name_locks: dict[str, threading.Lock] = {}

    def clock_offset(self) -> float | None:
        """Return the seconds by which the local clock is ahead of Swift's."""
        return self._client.clock_offset()

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """Yield all objects directly in a folder, page by page."""
        return self._list(folder, lambda _: True)

    def list_named(self, wanted: Callable[[str], bool]) -> Iterator[StoredObject]:
        """Yield the objects at the top level whose names ``wanted`` accepts; see `list_objects`."""
        return self._list("", wanted)

    def _list(self, folder: str, wanted: Callable[[str], bool]) -> Iterator[StoredObject]:
        place = self._prefix + folder
        for entry in self._entries(place, delimiter="/"):
            # Noticed here at no cost, so that containers without large objects need no further request.
            self._has_segments |= entry.get("subdir") == f"{self._prefix}{SEGMENTS}/"
            path = entry.get("name", place)
            if path != place and wanted(path.removeprefix(self._prefix)):
                yield from self._stored(entry)

    def stat_object(self, name: str) -> StoredObject:
        """Return one object with its metadata."""
        headers = self._client.head(self._path(name))
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
        """Open an object for reading it once; the stream verifies the cluster's md5 at its end."""
        with ExitStack() as stack:
            yield verified_body(self._client.request(stack, "GET", self._path(name)))

    @contextmanager
    def open_part(self, name: str, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Open a part of an object for reading it once."""
        with ExitStack() as stack:
            headers = {"Range": range_header(start, stop)}
            answer = self._client.request(stack, "GET", self._path(name), headers=headers)
            if not content_range_starts_at(start, answer.headers.get("Content-Range", "")):
                raise Rejected(f"{self.address_of(name)}: the server does not support byte ranges.")
            yield RawBody(answer)

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> str | None:
        """Write a new object; a name that is taken is refused."""
        headers = {**_headers(content_type, metadata), "If-None-Match": "*"}
        self._require_container()
        with self._name_locks.setdefault(name, threading.Lock()):
            etag = self._write(name, Body.of(content), headers).strip('"')
            if self.stat_object(name).etag != etag:
                raise self._taken(name)
            return etag

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write an object, replacing an existing one; its segments are deleted afterwards."""
        self._require_container()
        old_segments: list[str] = []
        if isinstance(content, StagedFile):
            old_segments = self._large.segments_or_none(self._path(name))
        self._write(name, Body.of(content), _headers(content_type, metadata))
        self._large.remove(old_segments)

    def has_grouped_writes(self) -> bool:
        """Whether the cluster accepts an archive whose members become objects."""
        return self._client.limits().has_archives

    def replace_group(self, contents: Mapping[str, bytes], *, content_type: str) -> Mapping[str, str]:
        """Write small objects in one request; see `wheelrelay.containers.SupportsGroupedWrites`.

        The cluster reports which members failed. If the report is not about these objects, none counts as
        written.
        """
        self._require_container()
        folder = self._path("").rstrip("/")
        try:
            report = self._client.put_archive(folder, tar_archive(contents), content_type)
            failed = {unquote(path).rpartition("/")[2] for path, _ in report["Errors"]}
            is_plausible = report["Number Files Created"] == len(contents.keys() - failed)
        except (BackendError, KeyError, TypeError, ValueError) as error:
            _log.info("Objects are written one by one: the cluster did not accept an archive: %s", error)
            return {}
        written = contents.keys() - failed if is_plausible else ()
        return {name: md5_of(contents[name]) for name in written}

    def delete_object(self, name: str) -> None:
        """Delete an object, then its segments."""
        with suppress(NotFound):
            segments = self._large.segments_of(self._path(name))
            self._client.delete(self._path(name))
            self._large.remove(segments)

    def sweep_segments(self, projects: Collection[str] | None) -> None:
        """Delete segments that failed uploads left more than a day ago and that no object uses.

        Args:
            projects: Projects of the files to look at; ``None`` for all.

        Raises:
            BackendError: Something cannot be read or deleted.
        """
        if not self._has_segments:
            return
        folder = f"{self._prefix}{SEGMENTS}/"
        entries = (
            (entry["name"].removeprefix(folder), self._modified(entry))
            for entry in self._entries(folder, delimiter="")
        )
        attempts: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in group_segments(entries):
            if attempt.is_of(projects):
                attempts[attempt.name].append(attempt)
        listed = {stored.name for stored in self.list_named(attempts.__contains__)} if attempts else set()
        for name, tries in attempts.items():
            self._large.sweep(
                self._path(name), self._path(SEGMENTS), tries, self._now, is_listed=name in listed
            )

    def address_of(self, name: str) -> str:
        """Return the object's address in the cluster; the container's read ACL decides who can use it."""
        return self._account.access().storage_url + quote(self._path(name))

    def _write(self, name: str, body: Body, headers: Mapping[str, str]) -> str:
        path = self._path(name)
        if len(body) > self._client.limits().max_size:
            return self._large.write(path, body, headers, folder=self._path(f"{SEGMENTS}/{name}"))
        # A small body leaves no time for another writer between the two checks of Swift.
        is_slow = "If-None-Match" in headers and len(body) > SMALL_BODY
        last_check = (lambda: self._require_absence(name)) if is_slow else None
        return self._client.put(path, body, headers, last_check=last_check)

    def _require_absence(self, name: str) -> None:
        with suppress(NotFound):
            self._client.head(self._path(name))
            raise self._taken(name)

    def _taken(self, name: str) -> AlreadyExists:
        return AlreadyExists(f"{self.address_of(name)} was written by another job at the same time.")

    def _entries(self, place: str, *, delimiter: str) -> Iterator[dict[str, Any]]:
        """Yield all entries whose paths start with ``place``; with a delimiter, folders are one entry."""
        marker = ""
        while page := self._page(place, marker, delimiter):
            yield from page
            last, marker = marker, page[-1].get("name") or page[-1]["subdir"]
            if marker == last:  # a server that ignores the marker would repeat the page forever
                raise unexpected(self.address_of(""))

    def _page(self, place: str, marker: str, delimiter: str) -> list[dict[str, Any]]:
        """Return the entries that follow ``marker``: objects, and the names of folders."""
        query = {"prefix": place, "delimiter": delimiter, "marker": marker}
        path = "/" + quote(self._container)
        answer = self._driver.call(lambda driver: driver.connection.request(path, params=query))
        if answer.status == 404:
            raise NotFound(f"There is no container {self._container!r}.")
        if answer.status == 409:  # libcloud treats it as a success
            raise error_for(409, f"{display_url(self.address_of(''))} answered 409.")
        if answer.status == 204:
            return []
        page = answer.object
        if not isinstance(page, list) or not all(map(_is_entry, page)):
            raise unexpected(self.address_of(""))
        with suppress(KeyError, ValueError):  # without the cluster's time, nothing is old enough to sweep
            self._now = parsedate_to_datetime(answer.headers["date"]).replace(tzinfo=UTC)
        return page

    def _stored(self, entry: Mapping[str, Any]) -> Iterator[StoredObject]:
        """Yield the object of an entry, unless it was deleted in the meantime."""
        name = entry["name"].removeprefix(self._prefix)
        if not entry["bytes"] and looks_like_distribution(name):
            # A dynamic large object: listings do not add up the sizes of its segments.
            with suppress(NotFound):
                yield self.stat_object(name)
            return
        yield StoredObject(name, entry["bytes"], entry["hash"], self._modified(entry))

    def _modified(self, entry: Mapping[str, Any]) -> datetime:
        with parsing(self.address_of("")):
            return datetime.fromisoformat(entry["last_modified"]).replace(tzinfo=UTC)

    def _require_container(self) -> None:
        """Create the container before the first object is written, unless it exists."""
        with self._lock:
            if not self._container_exists:
                self._driver.call(self._create_container)
                self._container_exists = True

    def _create_container(self, driver: Any) -> None:
        try:
            driver.get_container(self._container)
        except ContainerDoesNotExistError:
            with suppress(ContainerAlreadyExistsError):
                driver.create_container(self._container)

    def _path(self, name: str) -> str:
        return f"/{self._container}/{self._prefix}{name}"


def _is_entry(entry: object) -> bool:
    """Whether this is an entry of a Swift listing: an object or the name of a folder."""
    match entry:
        case {"subdir": str()}:
            return True
        case {"name": str(), "bytes": int(), "hash": str(), "last_modified": str()}:
            return True
    return False


def _headers(content_type: str, metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of an object.

    Metadata is quoted because headers are ASCII. Values longer than Swift's limit are left out.
    """
    headers = {"Content-Type": content_type}
    for key, value in metadata.items():
        quoted = quote(value, safe=" !#$&'()*+,/:;=?@[]~")
        if len(quoted) <= MAX_METADATA:
            headers[_META + key] = quoted
        else:
            _log.warning(
                "%s is not stored with the file: it has %d bytes, more than Swift's limit of %d.",
                key,
                len(quoted),
                MAX_METADATA,
            )
    return headers
