"""The objects of a bucket, below a prefix: the operations that make it a container."""

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from google_crc32c import Checksum

from wheelrelay import StagedFile
from wheelrelay.containers import FolderPages, StoredObject
from wheelrelay.errors import BackendError, NotFound, Rejected
from wheelrelay.http import RawBody, Response, VerifiedBody, content_range_starts_at, range_header
from wheelrelay.protocols import ByteStream
from wheelrelay_gcs.bucket import Bucket
from wheelrelay_gcs.errors import parsing
from wheelrelay_gcs.uploads import upload

_UNLESS_EXISTS = {"ifGenerationMatch": "0"}
"""The condition for a new object."""

_CRC32C = re.compile(r"crc32c=([A-Za-z0-9+/=]+)")


class GcsReader:
    """Reads the objects of a bucket; see `wheelrelay.containers.ReadableObjects`.

    Attributes:
        bucket: The bucket.
    """

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def clock_offset(self) -> float | None:
        """Return the seconds by which the local clock is ahead of the server's."""
        return self.bucket.client.clock_offset()

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """Yield the objects in a folder, page by page, without those that represent folders."""
        token: str | None = None
        while True:
            page = self.bucket.list_page(folder, token)
            for entry in page.get("items", ()):
                stored = self._stored(entry)
                if not stored.name.endswith("/"):
                    yield stored
            last, token = token, page.get("nextPageToken")
            if not token:
                return
            if token == last:
                raise BackendError(f"{self.address_of(folder)}: the server sent an incomplete listing.")

    def stat_object(self, name: str) -> StoredObject:
        """Return one object with its metadata."""
        return self._stored(self.bucket.describe(name))

    @contextmanager
    def open_object(self, name: str) -> Iterator[ByteStream]:
        """Open an object; the stream verifies Google's CRC32C at its end."""
        with self.bucket.download(name, {}) as answer:
            yield VerifiedBody(answer, Checksum(), _crc32c(answer))

    @contextmanager
    def open_part(self, name: str, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Open a part of an object."""
        with self.bucket.download(name, {"Range": range_header(start, stop)}) as answer:
            if not content_range_starts_at(start, answer.headers.get("Content-Range", "")):
                raise Rejected(f"{self.address_of(name)}: the server does not support byte ranges.")
            yield RawBody(answer)

    def address_of(self, name: str) -> str:
        """Return the object's web address."""
        return self.bucket.address_of(name)

    def _stored(self, entry: Mapping[str, Any]) -> StoredObject:
        with parsing(self.address_of("")):
            metadata = entry.get("metadata", {})
            return StoredObject(
                name=self.bucket.name_of(entry["name"]),
                size=int(entry["size"]),
                etag=_etag(entry),
                modified=datetime.fromisoformat(entry["updated"]),
                metadata={str(key).lower(): str(value) for key, value in metadata.items()},
            )


class GcsObjects(GcsReader):
    """Reads and writes the objects of a bucket; see `wheelrelay.containers.Objects`."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket)
        self._folder_pages = FolderPages(self)

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> str | None:
        """Write a new object; the server refuses a name that is taken."""
        resource = {"contentType": content_type, "metadata": dict(metadata)}
        return _etag(upload(self.bucket, name, content, resource, condition=_UNLESS_EXISTS))

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write an object, replacing an existing one."""
        resource = {"contentType": content_type, "metadata": dict(metadata)}
        upload(self.bucket, name, content, resource, condition={})

    def delete_object(self, name: str) -> None:
        """Delete an object."""
        with suppress(NotFound):
            self.bucket.delete(name)

    def keeps_folder_pages(self) -> bool:
        """Whether the server stores an object whose name ends in ``/`` with its bytes."""
        return self._folder_pages.are_kept()


def _etag(entry: Mapping[str, Any]) -> str:
    """Return a text that changes with the bytes: the md5, or the generation of an object without one."""
    return str(entry.get("md5Hash") or entry["generation"])


def _crc32c(answer: Response) -> bytes | None:
    """Return the digest of the whole object in the headers of an answer."""
    found = _CRC32C.search(answer.headers.get("X-Goog-Hash", ""))
    return base64.b64decode(found[1]) if found else None
