"""One container: single calls of the Blob service's REST API, from any number of threads.

The calls are made with wheelrelay's own HTTP client. Azure's library returns no stream of a whole download
but parts that it keeps in memory.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from wheelrelay.http import Response, SignedClient
from wheelrelay_azure.errors import parsing

VERSION = {"x-ms-version": "2023-11-03"}
"""The version of the API, sent with every request."""

PAGE_SIZE = 1000
"""Entries in a page of a listing."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing.

    Attributes:
        entries: The properties of each blob by name; ``Name`` is its name.
        marker: Requests the next page; empty if this is the last one.
    """

    entries: Sequence[Mapping[str, str]]
    marker: str


@dataclass(frozen=True, slots=True)
class Container:
    """One container, below one prefix.

    Attributes:
        client: Sends the requests.
        endpoint: Address of the account, without a slash at the end.
        container: Name of the container.
        prefix: Empty, or ending in a slash.
    """

    client: SignedClient
    endpoint: str
    container: str
    prefix: str

    def call(
        self,
        method: str,
        name: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Response:
        """Send one request about a blob.

        Args:
            method: HTTP method.
            name: The blob, below the prefix.
            query: Parameters of the address.
            headers: Headers of the request.
            body: The bytes to send.

        Raises:
            WheelrelayError: See `wheelrelay_azure.errors`.
        """
        url = self.address_of(name) + (f"?{urlencode(query)}" if query else "")
        return self.client.call(method, url, headers={**VERSION, **(headers or {})}, body=body)

    def download(self, name: str, headers: Mapping[str, str]) -> AbstractContextManager[Response]:
        """Open the bytes of a blob."""
        return self.client.stream("GET", self.address_of(name), headers={**VERSION, **headers})

    def list_page(self, folder: str, marker: str) -> Page:
        """Return one page of the listing of a folder (empty, or ending in a slash), without subfolders."""
        query = {
            "restype": "container",
            "comp": "list",
            "prefix": self.key(folder),
            "delimiter": "/",
            "maxresults": str(PAGE_SIZE),
            **({"marker": marker} if marker else {}),
        }
        url = f"{self.endpoint}/{self.container}?{urlencode(query)}"
        answer = self.client.call("GET", url, headers=VERSION)
        with parsing(url):
            # CPython's expat limits the expansion of entities.
            root = ElementTree.fromstring(answer.content)  # noqa: S314
            if root.tag != "EnumerationResults":
                raise ValueError(root.tag)
            entries = [_properties(blob) for blob in root.iterfind("Blobs/Blob")]
            return Page(entries, root.findtext("NextMarker") or "")

    def key(self, name: str) -> str:
        """Return the name of a blob in the container."""
        return self.prefix + name

    def name_of(self, key: str) -> str:
        """Return the name of a blob, below the prefix."""
        return key.removeprefix(self.prefix)

    def address_of(self, name: str) -> str:
        """Return the web address of a blob; the access level of the container decides who can use it."""
        return f"{self.endpoint}/{self.container}/{quote(self.key(name))}"


def _properties(blob: ElementTree.Element) -> dict[str, str]:
    properties = {entry.tag: entry.text or "" for entry in blob.iterfind("Properties/*")}
    return {**properties, "Name": blob.findtext("Name") or ""}
