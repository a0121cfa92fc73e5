"""WebDAV (RFC 4918) as far as a container needs it: requests, and the answers about properties."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree

from wheelrelay import StagedFile
from wheelrelay.errors import BackendError
from wheelrelay.http import HttpClient, Response, display_url, raise_for_status
from wheelrelay.protocols import ByteStream

MAX_LISTING = 64 << 20
"""Bytes that an answer about a folder may have: some hundred for each file."""

_WANTED = b"""<?xml version="1.0" encoding="utf-8"?>
<propfind xmlns="DAV:">
  <prop><resourcetype/><getcontentlength/><getetag/><getlastmodified/></prop>
</propfind>"""


@dataclass(frozen=True, slots=True)
class Resource:
    """What a server says of a file or a folder.

    Attributes:
        path: on the server, unquoted, without a slash at the end.
        is_folder: whether it is a collection.
        size: in bytes; 0 for folders.
        etag: changes with the bytes, or is empty.
        modified: when, where the server says.
    """

    path: str
    is_folder: bool
    size: int
    etag: str
    modified: datetime | None


class Dav:
    """A WebDAV server, below the address of one folder; serves any number of threads.

    Args:
        url: of the folder.
        account: user name and password, if it wants any.
    """

    def __init__(self, url: str, account: tuple[str, str] | None) -> None:
        self._root = url.rstrip("/") + "/"
        self._client = HttpClient()  # its pools, timeouts and errors; a session for each thread
        self._headers: dict[str, str] = {}
        if account:
            token = b64encode(":".join(account).encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"

    def url_of(self, name: str) -> str:
        """The address of what lies at ``name`` below the folder."""
        return self._root + quote(name)

    def path_of(self, name: str) -> str:
        """The same as `Resource.path` says it."""
        return unquote(urlsplit(self.url_of(name)).path).rstrip("/")

    def ask(
        self, method: str, name: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Any]:
        """Send one request; gives the answer, whatever its status, with its body unread.

        Raises:
            Unavailable: no answer came.
        """
        known = {**self._headers, **(headers or {})}
        return self._client.send(method, self.url_of(name), body=body, headers=known)

    def properties(self, name: str, *, depth: int) -> list[Resource]:
        """What is at ``name``, and if ``depth`` is 1, what is directly in it.

        Raises:
            NotFound: nothing is there.
            BackendError: the server refused, or answered what is no WebDAV.
        """
        headers = {"Depth": str(depth), "Content-Type": "application/xml"}
        with self.ask("PROPFIND", name, body=_WANTED, headers=headers) as answer:
            raise_for_status(answer)
            if answer.status_code != 207:
                raise BackendError(f"{self.url_of(name)}: no WebDAV server answers there.", hint="Check url.")
            found = list(_resources(answer.read_whole(MAX_LISTING), self.url_of(name)))
        if self.path_of(name) not in {resource.path for resource in found}:
            # What was asked for is always part of the answer: this one is no empty folder.
            raise BackendError(f"{self.url_of(name)}: the answer is not about it.", hint="Check url.")
        return found

    def put(self, name: str, content: StagedFile | bytes, content_type: str) -> None:
        """Write a file, in place of any that is there."""
        with _body(content) as body:
            headers = {"Content-Type": content_type}
            with self.ask("PUT", name, body=body, headers=headers) as answer:
                require_done(answer)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def require_done(answer: Response) -> None:
    """Raise unless all of what was asked for was done.

    207 is no success here: it lists what failed (RFC 4918, section 11.1).
    """
    raise_for_status(answer)
    if answer.status_code not in (200, 201, 204):
        raise BackendError(
            f"{display_url(answer.url)} answered {answer.status_code}, and not that it is done."
        )


@contextmanager
def _body(content: StagedFile | bytes) -> Iterator[bytes | ByteStream]:
    if isinstance(content, bytes):
        yield content
    else:
        with content.open() as stream:  # compared, before its last block, with what was hashed
            yield stream


def _resources(document: bytes, url: str) -> Iterator[Resource]:
    try:
        root = ElementTree.fromstring(document)  # noqa: S314  (expat bounds what entities expand to)
        for response in root.iter("{DAV:}response"):
            found = {
                element.tag: element
                for status in response.iter("{DAV:}propstat")
                if " 200 " in status.findtext("{DAV:}status", "")
                for element in status.iterfind("{DAV:}prop/*")
            }
            text = {tag.removeprefix("{DAV:}"): element.text or "" for tag, element in found.items()}
            yield Resource(
                unquote(urlsplit(response.findtext("{DAV:}href", "")).path).rstrip("/"),
                found["{DAV:}resourcetype"].find("{DAV:}collection") is not None,
                int(text.get("getcontentlength") or 0),
                text.get("getetag", ""),
                _moment(text.get("getlastmodified", "")),
            )
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise BackendError(f"{url}: what the server says of it cannot be read: {error}.") from error


def _moment(text: str) -> datetime | None:
    return parsedate_to_datetime(text).astimezone(UTC) if text else None
