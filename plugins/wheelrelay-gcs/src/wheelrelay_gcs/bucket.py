"""One bucket: single calls of the JSON API, from any number of threads.

The calls are made with wheelrelay's own HTTP client. Google's library downloads into files and memory but not
into a stream, and limits the time of single socket operations only.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from wheelrelay.http import Response, SignedClient
from wheelrelay_gcs.errors import parsing

FIELDS = "name,size,md5Hash,crc32c,generation,updated"
"""Fields of objects in listings."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket, below one prefix.

    Attributes:
        client: Sends the requests.
        endpoint: Address of the API, without a slash at the end.
        bucket: Name of the bucket.
        prefix: Empty, or ending in a slash.
        project: The project to bill.
    """

    client: SignedClient
    endpoint: str
    bucket: str
    prefix: str
    project: str | None = None

    def list_page(self, folder: str, page_token: str | None) -> Mapping[str, Any]:
        """Return one page of the listing of a folder (empty, or ending in a slash), without subfolders."""
        query = {
            "prefix": self.key(folder),
            "delimiter": "/",
            "fields": f"kind,items({FIELDS}),nextPageToken",
            **({"pageToken": page_token} if page_token else {}),
        }
        url = f"{self.endpoint}/storage/v1/b/{quote(self.bucket, safe='')}/o?{urlencode(query)}"
        page = self._json(self.client.call("GET", url, headers=self.headers()))
        with parsing(url):
            if page["kind"] != "storage#objects":
                raise ValueError(page["kind"])
        return page

    def describe(self, name: str) -> Mapping[str, Any]:
        """Return the resource of an object: its size, digests, generation and metadata."""
        return self._json(self.client.call("GET", self.object_url(name), headers=self.headers()))

    def download(self, name: str, headers: Mapping[str, str]) -> AbstractContextManager[Response]:
        """Open the bytes of an object as they are stored.

        Without ``gzip`` as an accepted encoding, Google would decompress objects that are stored compressed.
        """
        return self.client.stream(
            "GET",
            f"{self.object_url(name)}?alt=media",
            headers={**self.headers(), "Accept-Encoding": "gzip", **headers},
        )

    def delete(self, name: str, generation: str | None = None) -> None:
        """Delete an object, or only one generation of it."""
        query = f"?ifGenerationMatch={generation}" if generation else ""
        self.client.call("DELETE", self.object_url(name) + query, headers=self.headers())

    def upload_url(self, kind: str, condition: Mapping[str, str]) -> str:
        """Return the address to send a new object to.

        Args:
            kind: ``multipart`` or ``resumable``.
            condition: Parameters with the condition for the write.
        """
        query = urlencode({"uploadType": kind, **condition})
        return f"{self.endpoint}/upload/storage/v1/b/{quote(self.bucket, safe='')}/o?{query}"

    def object_url(self, name: str) -> str:
        """Return the address of an object in the API."""
        key = quote(self.key(name), safe="")
        return f"{self.endpoint}/storage/v1/b/{quote(self.bucket, safe='')}/o/{key}"

    def headers(self) -> dict[str, str]:
        """Return the headers of all requests."""
        return {"X-Goog-User-Project": self.project} if self.project else {}

    def key(self, name: str) -> str:
        """Return the name of an object in the bucket."""
        return self.prefix + name

    def name_of(self, key: str) -> str:
        """Return the name of an object, below the prefix."""
        return key.removeprefix(self.prefix)

    def address_of(self, name: str) -> str:
        """Return the web address of an object; the permissions of the bucket decide who can use it."""
        return f"{self.endpoint}/{self.bucket}/{quote(self.key(name))}"

    def _json(self, answer: Response) -> Mapping[str, Any]:
        with parsing(answer.url):
            document = answer.json()
            if not isinstance(document, dict):
                raise TypeError(document)
        return document
