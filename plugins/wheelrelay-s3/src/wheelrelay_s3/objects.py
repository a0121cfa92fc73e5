"""The objects of a bucket, below a prefix: the operations that make it a container."""

import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, unquote

from wheelrelay import StagedFile
from wheelrelay.containers import FolderPages, ReadableObjects, StoredObject
from wheelrelay.errors import BackendError, PermissionDenied, Rejected
from wheelrelay.http import content_range_starts_at, range_header
from wheelrelay.protocols import ByteStream
from wheelrelay_s3.bucket import Bucket
from wheelrelay_s3.copies import copy
from wheelrelay_s3.features import UNLESS_EXISTS, ServerFeatures
from wheelrelay_s3.uploads import PART, upload

_UNQUOTED = string.punctuation.replace("%", "")
"""Characters that are not escaped in metadata, in addition to letters and digits."""


class S3Reader:
    """Reads the objects of a bucket; see `wheelrelay.containers.ReadableObjects`.

    Attributes:
        bucket: The bucket.
    """

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def clock_offset(self) -> float | None:
        """Return the seconds by which the local clock is ahead of the server's."""
        return self.bucket.sessions.current.transport.clock_offset()

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """Yield the objects in a folder, page by page, without those that represent folders."""
        return self._list(folder, lambda _: True)

    def list_named(self, wanted: Callable[[str], bool]) -> Iterator[StoredObject]:
        """Yield the objects at the top level whose names ``wanted`` accepts; see `list_objects`."""
        return self._list("", wanted)

    def names_below(self, folder: str) -> Iterator[str]:
        """Yield the names of all objects that begin with ``folder``."""
        page: Mapping[str, Any] = {}
        while not page or page["IsTruncated"]:
            page = self.bucket.list_page(folder, is_deep=True, **self._next_page(page, folder))
            yield from (self.bucket.name_of(entry["Key"]) for entry in page.get("Contents", ()))

    def _list(self, folder: str, wanted: Callable[[str], bool]) -> Iterator[StoredObject]:
        page: Mapping[str, Any] = {}
        while not page or page["IsTruncated"]:
            page = self.bucket.list_page(folder, **self._next_page(page, folder))
            for entry in page.get("Contents", ()):
                name = self.bucket.name_of(entry["Key"])
                if not entry["Key"].endswith("/") and wanted(name):
                    yield _stored(name, entry["Size"], entry)

    def stat_object(self, name: str) -> StoredObject:
        """Return one object with its metadata."""
        try:
            answer = self.bucket.call("head_object", name)
        except (PermissionDenied, Rejected):
            with self.open_object(name):  # the answer to a HEAD has no error message; that to a GET has
                pass
            answer = self.bucket.call("head_object", name)  # the GET may have renewed the credentials
        return _stored(name, answer["ContentLength"], answer)

    @contextmanager
    def open_object(self, name: str) -> Iterator[ByteStream]:
        """Open an object; it is streamed over the network."""
        body = self.bucket.call("get_object", name)["Body"]
        try:
            yield _Body(self.bucket, name, body)
        finally:
            self.bucket.close_body(body)

    @contextmanager
    def open_part(self, name: str, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Open a part of an object; it is streamed over the network."""
        answer = self.bucket.call("get_object", name, Range=range_header(start, stop))
        try:
            if not content_range_starts_at(start, answer.get("ContentRange", "")):
                raise Rejected(f"{self.address_of(name)}: the server does not support byte ranges.")
            yield _Body(self.bucket, name, answer["Body"])
        finally:
            self.bucket.close_body(answer["Body"])

    def address_of(self, name: str) -> str:
        """Return the object's web address at the endpoint."""
        return self.bucket.address_of(name)

    def _next_page(self, page: Mapping[str, Any], folder: str) -> dict[str, Any]:
        """Return the parameters for the page after ``page``."""
        if not page:
            return {}
        token = page.get("NextContinuationToken")
        if not token or token == page.get("ContinuationToken"):
            raise BackendError(f"{self.address_of(folder)}: the server sent an incomplete listing.")
        return {"ContinuationToken": token}


class S3Objects(S3Reader):
    """Reads and writes the objects of a bucket; see `wheelrelay.containers.Objects`."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket)
        self._features = ServerFeatures(bucket)
        self._folder_pages = FolderPages(self)

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> str | None:
        """Write a new object; the server refuses a name that is taken."""
        self._features.require_safe_writes()
        is_large = isinstance(content, StagedFile) and content.size > PART
        in_parts = is_large and self._features.has_safe_multipart()
        checksums = self._features.part_checksums if in_parts else None
        headers = _headers(content_type, metadata)
        etag = upload(self.bucket, name, content, headers, condition=UNLESS_EXISTS, checksums=checksums)
        return etag.strip('"')

    def copy_object(
        self, source: ReadableObjects, staged: StagedFile, *, content_type: str, metadata: Mapping[str, str]
    ) -> bool:
        """Copy an object within the server; see `wheelrelay.containers.SupportsCopy`."""
        if not isinstance(source, S3Objects) or not self.bucket.shares_server_with(source.bucket):
            return False
        headers = _headers(content_type, metadata)
        return self._features.has_safe_copies() and copy(
            source.bucket, self.bucket, staged, headers, condition=UNLESS_EXISTS
        )

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write an object, replacing an existing one."""
        headers = _headers(content_type, metadata)
        upload(self.bucket, name, content, headers, condition={}, checksums=self._features.part_checksums)

    def delete_object(self, name: str) -> None:
        """Delete an object."""
        self.bucket.call("delete_object", name)

    def keeps_folder_pages(self) -> bool:
        """Whether the server stores an object whose name ends in ``/`` with its bytes."""
        return self._folder_pages.are_kept()


class _Body:
    """The bytes of an object, as a stream."""

    def __init__(self, bucket: Bucket, name: str, body: Any) -> None:
        self._bucket = bucket
        self._name = name
        self._body = body

    def read(self, size: int, /) -> bytes:
        """Read up to ``size`` bytes; empty at the end."""
        return self._bucket.read(self._name, self._body, size)


def _stored(name: str, size: int, answer: Mapping[str, Any]) -> StoredObject:
    metadata = {key.lower(): unquote(value) for key, value in answer.get("Metadata", {}).items()}
    return StoredObject(name, size, answer["ETag"].strip('"'), answer.get("LastModified"), metadata)


def _headers(content_type: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters for content type and metadata.

    Values are escaped to ASCII without spaces: servers and proxies may fold whitespace in headers.
    """
    return {
        "ContentType": content_type,
        "Metadata": {key: quote(value, safe=_UNQUOTED) for key, value in metadata.items()},
    }
