"""The part of WebDAV (RFC 4918) that a container needs: requests and answers about properties."""

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
"""Largest answer about a folder, in bytes; each file takes a few hundred."""

_PROPERTIES = b"""<?xml version="1.0" encoding="utf-8"?>
<propfind xmlns="DAV:">
  <prop><resourcetype/><getcontentlength/><getetag/><getlastmodified/></prop>
</propfind>"""


@dataclass(frozen=True, slots=True)
class Resource:
    """The properties of a file or a folder.

    Attributes:
        path: Path on the server, unquoted, without a slash at the end.
        is_folder: Whether it is a collection.
        size: Size in bytes; 0 for folders.
        etag: ETag, if the server has one, else empty.
        modified: When it was written, if the server knows.
    """

    path: str
    is_folder: bool
    size: int
    etag: str
    modified: datetime | None


class Dav:
    """A client for one folder of a WebDAV server, for any number of threads.

    Args:
        url: Address of the folder.
        account: User name and password, if the server requires them.
    """

    def __init__(self, url: str, account: tuple[str, str] | None) -> None:
        self._root = url.rstrip("/") + "/"
        self._client = HttpClient()  # with wheelrelay's timeouts and errors
        self._headers: dict[str, str] = {}
        if account:
            token = b64encode(":".join(account).encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"

    def url_of(self, name: str) -> str:
        """Return the address of ``name`` below the folder."""
        return self._root + quote(name)

    def path_of(self, name: str) -> str:
        """Return the path of ``name`` in the form of `Resource.path`."""
        return unquote(urlsplit(self.url_of(name)).path).rstrip("/")

    def request(
        self, method: str, name: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Any]:
        """Send one request, and return the answer with any status and an unread body.

        Raises:
            Unavailable: The server does not answer.
        """
        all_headers = {**self._headers, **(headers or {})}
        return self._client.send(method, self.url_of(name), body=body, headers=all_headers)

    def properties(self, name: str, *, depth: int) -> list[Resource]:
        """Return the properties of ``name`` and, if ``depth`` is 1, of the entries directly in it.

        Raises:
            NotFound: It does not exist.
            BackendError: The server refused, or is not a WebDAV server.
        """
        headers = {"Depth": str(depth), "Content-Type": "application/xml"}
        with self.request("PROPFIND", name, body=_PROPERTIES, headers=headers) as answer:
            raise_for_status(answer)
            if answer.status_code != 207:
                raise BackendError(f"{self.url_of(name)}: this is not a WebDAV server.", hint="Check url.")
            resources = list(_resources(answer.read_whole(MAX_LISTING), self.url_of(name)))
        if self.path_of(name) not in {resource.path for resource in resources}:
            # A WebDAV answer always includes the requested path, so this is not an empty folder.
            raise BackendError(f"{self.url_of(name)}: the answer is about another path.", hint="Check url.")
        return resources

    def put(self, name: str, content: StagedFile | bytes, content_type: str) -> None:
        """Write a file, replacing an existing one."""
        with _body(content) as body:
            headers = {"Content-Type": content_type}
            with self.request("PUT", name, body=body, headers=headers) as answer:
                require_done(answer)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def require_done(answer: Response) -> None:
    """Raise unless the request succeeded completely.

    207 is not a success here: it lists what failed (RFC 4918, section 11.1).
    """
    raise_for_status(answer)
    if answer.status_code not in (200, 201, 204):
        raise BackendError(f"{display_url(answer.url)} answered {answer.status_code} instead of success.")


@contextmanager
def _body(content: StagedFile | bytes) -> Iterator[bytes | ByteStream]:
    if isinstance(content, bytes):
        yield content
    else:
        with content.open() as stream:  # raises before its last block if the file was modified
            yield stream


def _resources(document: bytes, url: str) -> Iterator[Resource]:
    try:
        root = ElementTree.fromstring(document)  # noqa: S314  (expat limits the expansion of entities)
        for response in root.iter("{DAV:}response"):
            elements = {
                element.tag: element
                for status in response.iter("{DAV:}propstat")
                if " 200 " in status.findtext("{DAV:}status", "")
                for element in status.iterfind("{DAV:}prop/*")
            }
            text = {tag.removeprefix("{DAV:}"): element.text or "" for tag, element in elements.items()}
            yield Resource(
                unquote(urlsplit(response.findtext("{DAV:}href", "")).path).rstrip("/"),
                elements["{DAV:}resourcetype"].find("{DAV:}collection") is not None,
                int(text.get("getcontentlength") or 0),
                text.get("getetag", ""),
                _moment(text.get("getlastmodified", "")),
            )
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise BackendError(f"{url}: the server's answer cannot be parsed: {error}.") from error


def _moment(text: str) -> datetime | None:
    return parsedate_to_datetime(text).astimezone(UTC) if text else None
