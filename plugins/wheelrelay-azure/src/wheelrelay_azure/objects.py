"""The blobs of a container, below a prefix: the operations that make it a container of distribution files."""

import base64
import binascii
import hashlib
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote

from wheelrelay import StagedFile
from wheelrelay.containers import FolderPages, StoredObject
from wheelrelay.errors import BackendError, NotFound, Rejected
from wheelrelay.http import RawBody, Response, VerifiedBody, content_range_starts_at, range_header
from wheelrelay.protocols import ByteStream
from wheelrelay_azure.container import Container
from wheelrelay_azure.errors import parsing
from wheelrelay_azure.uploads import upload

_UNLESS_EXISTS = {"If-None-Match": "*"}
"""The condition for a new blob; the server checks it when the blob would become visible."""

_META = "x-ms-meta-"

_UNQUOTED = string.punctuation.replace("%", "")
"""Characters that are not escaped in metadata, in addition to letters and digits."""


class AzureReader:
    """Reads the blobs of a container; see `wheelrelay.containers.ReadableObjects`.

    Attributes:
        container: The container.
    """

    def __init__(self, container: Container) -> None:
        self.container = container

    def clock_offset(self) -> float | None:
        """Return the seconds by which the local clock is ahead of the server's."""
        return self.container.client.clock_offset()

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """Yield the blobs in a folder, page by page, without those that represent folders."""
        marker = ""
        while True:
            page = self.container.list_page(folder, marker)
            for entry in page.entries:
                stored = self._listed(entry)
                if not stored.name.endswith("/"):
                    yield stored
            if not page.marker:
                return
            if page.marker == marker:
                raise BackendError(f"{self.address_of(folder)}: the server sent an incomplete listing.")
            marker = page.marker

    def stat_object(self, name: str) -> StoredObject:
        """Return one blob with its metadata."""
        headers = self.container.call("HEAD", name).headers
        with parsing(self.address_of(name)):
            return StoredObject(
                name=name,
                size=int(headers["Content-Length"]),
                etag=headers["Etag"].strip('"'),
                modified=parsedate_to_datetime(headers["Last-Modified"]),
                metadata=_metadata_in(headers),
            )

    @contextmanager
    def open_object(self, name: str) -> Iterator[ByteStream]:
        """Open a blob; the stream verifies the MD5 that is stored with it at its end."""
        with self.container.download(name, {}) as answer:
            yield VerifiedBody(answer, hashlib.md5(usedforsecurity=False), _md5_in(answer))

    @contextmanager
    def open_part(self, name: str, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Open a part of a blob."""
        with self.container.download(name, {"Range": range_header(start, stop)}) as answer:
            if not content_range_starts_at(start, answer.headers.get("Content-Range", "")):
                raise Rejected(f"{self.address_of(name)}: the server does not support byte ranges.")
            yield RawBody(answer)

    def address_of(self, name: str) -> str:
        """Return the blob's web address."""
        return self.container.address_of(name)

    def _listed(self, entry: Mapping[str, str]) -> StoredObject:
        with parsing(self.address_of("")):
            return StoredObject(
                name=self.container.name_of(entry["Name"]),
                size=int(entry["Content-Length"]),
                etag=entry["Etag"].strip('"'),
                modified=parsedate_to_datetime(entry["Last-Modified"]),
            )


class AzureObjects(AzureReader):
    """Reads and writes the blobs of a container; see `wheelrelay.containers.Objects`."""

    def __init__(self, container: Container) -> None:
        super().__init__(container)
        self._folder_pages = FolderPages(self)

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> str | None:
        """Write a new blob; the server refuses a name that is taken."""
        headers = _headers(content_type, metadata)
        return upload(self.container, name, content, headers, condition=_UNLESS_EXISTS)

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write a blob, replacing an existing one."""
        upload(self.container, name, content, _headers(content_type, metadata), condition={})

    def delete_object(self, name: str) -> None:
        """Delete a blob."""
        with suppress(NotFound):
            self.container.call("DELETE", name, headers={"x-ms-delete-snapshots": "include"})

    def keeps_folder_pages(self) -> bool:
        """Whether the server stores a blob whose name ends in ``/`` with its bytes."""
        return self._folder_pages.are_kept()


def _headers(content_type: str, metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the headers for content type and metadata.

    Azure requires names of metadata to be identifiers, so underscores stand for hyphens. Values are escaped
    to ASCII without spaces.
    """
    values = {_META + key.replace("-", "_"): quote(value, safe=_UNQUOTED) for key, value in metadata.items()}
    return {"x-ms-blob-content-type": content_type, **values}


def _metadata_in(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name.lower().removeprefix(_META).replace("_", "-"): unquote(value)
        for name, value in headers.items()
        if name.lower().startswith(_META)
    }


def _md5_in(answer: Response) -> bytes | None:
    """Return the digest of the whole blob in the headers of an answer; other tools may store none."""
    with suppress(binascii.Error):
        return base64.b64decode(answer.headers.get("Content-MD5", "")) or None
    return None
