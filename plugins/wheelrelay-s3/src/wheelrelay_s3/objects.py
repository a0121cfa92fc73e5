"""The objects of a bucket, below a prefix: the operations that make it a container."""

import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any
from urllib.parse import quote, unquote

from wheelrelay.containers.objects import ReadableObjects, StoredObject
from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    BackendError,
    PermissionDenied,
    Rejected,
)
from wheelrelay.http import content_range_starts_at, range_header
from wheelrelay.protocols import ByteStream
from wheelrelay.staged import StagedFile
from wheelrelay_s3.bucket import Bucket
from wheelrelay_s3.copies import copy, heeds_conditions
from wheelrelay_s3.uploads import PART, heeds_condition, upload

WITNESS = ".wheelrelay-witness"
"""An object that is there so that writing it again must be refused."""

FOLDER = ".wheelrelay-folder/"
"""An object that is there if the server keeps objects of such names, and does not make folders of them."""

FOLDER_ATTEMPTS = 3
"""How often to write it where the server fails in a way that may pass; there are servers that always do."""

_EXPLANATION = b"wheelrelay keeps this object to find out what this server can do; it may be deleted.\n"

_UNLESS_THERE = {"IfNoneMatch": "*"}
"""The condition that the server itself checks in the moment when an object would become visible."""

_PLAIN = string.punctuation.replace("%", "")
"""Characters that stand for themselves in metadata, beside letters and digits."""


class S3Reader:
    """Reads the objects of a bucket; see `wheelrelay.containers.objects.ReadableObjects`.

    Attributes:
        bucket: which.
    """

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        """The objects in a folder, page after page; those that stand for folders are left out."""
        return self._list(folder, lambda _: True)

    def list_named(self, wanted: Callable[[str], bool]) -> Iterator[StoredObject]:
        """The objects of the container that ``wanted`` takes; see `list_objects`."""
        return self._list("", wanted)

    def _list(self, folder: str, wanted: Callable[[str], bool]) -> Iterator[StoredObject]:
        page: Mapping[str, Any] = {}
        while not page or page["IsTruncated"]:
            page = self.bucket.list_page(folder, **self._after(page, folder))
            for entry in page.get("Contents", ()):
                name = self.bucket.name_of(entry["Key"])
                if not entry["Key"].endswith("/") and wanted(name):
                    yield self._stored(name, entry["Size"], entry)

    def stat_object(self, name: str) -> StoredObject:
        """One object with its metadata."""
        try:
            answer = self.bucket.call("head_object", name)
        except (PermissionDenied, Rejected):
            with self.open_object(name):  # a HEAD is refused without a word; a GET says why
                pass
            answer = self.bucket.call("head_object", name)  # the GET may have renewed the credentials
        return self._stored(name, answer["ContentLength"], answer)

    @contextmanager
    def open_object(self, name: str) -> Iterator[ByteStream]:
        """Open an object; it comes over the network as it is read."""
        body = self.bucket.call("get_object", name)["Body"]
        try:
            yield _Reading(self.bucket, name, body)
        finally:
            self.bucket.close_body(body)

    @contextmanager
    def open_part(self, name: str, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Open a part of an object; it comes over the network as it is read."""
        answer = self.bucket.call("get_object", name, Range=range_header(start, stop))
        try:
            if not content_range_starts_at(start, answer.get("ContentRange", "")):
                raise Rejected(f"{self.address_of(name)} is given out only as a whole.")
            yield _Reading(self.bucket, name, answer["Body"])
        finally:
            self.bucket.close_body(answer["Body"])

    def address_of(self, name: str) -> str:
        """The object's web address at the endpoint."""
        return self.bucket.address_of(name)

    def _after(self, page: Mapping[str, Any], folder: str) -> dict[str, str]:
        """The parameters that ask for what follows a page."""
        if not page:
            return {}
        token = page.get("NextContinuationToken")
        if not token or token == page.get("ContinuationToken"):
            raise BackendError(f"{self.address_of(folder)}: the listing breaks off.")
        return {"ContinuationToken": token}

    def _stored(self, name: str, size: int, told: Mapping[str, Any]) -> StoredObject:
        kept = {key.lower(): unquote(value) for key, value in told.get("Metadata", {}).items()}
        return StoredObject(name, size, told["ETag"].strip('"'), told.get("LastModified"), kept)


class S3Objects(S3Reader):
    """Reads and writes the objects of a bucket; see `wheelrelay.containers.objects.Objects`."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket)
        self._lock = Lock()
        self._refuses_taken_names = False
        self._refuses_large_files = False
        self._copies_safely: bool | None = None
        self._keeps_folder_pages: bool | None = None
        self._folder_failures = 0

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> str | None:
        """Write an object that is not there yet: the server itself refuses a name that is taken."""
        self._prove_that_taken_names_are_refused()
        if isinstance(content, StagedFile) and content.size > PART:
            self._prove_that_large_files_are_refused()
        kept = _kept(content_type, metadata)
        return upload(self.bucket, name, content, kept, condition=_UNLESS_THERE).strip('"')

    def copy_object(
        self, source: ReadableObjects, staged: StagedFile, *, content_type: str, metadata: Mapping[str, str]
    ) -> bool:
        """Copy an object within the server; see `wheelrelay.containers.objects.SupportsCopy`."""
        if not isinstance(source, S3Objects) or not self.bucket.shares_server_with(source.bucket):
            return False
        kept = _kept(content_type, metadata)
        return self._can_copy_safely() and copy(
            source.bucket, self.bucket, staged, kept, condition=_UNLESS_THERE
        )

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write an object in place of the one that may be there."""
        upload(self.bucket, name, content, _kept(content_type, metadata), condition={})

    def delete_object(self, name: str) -> None:
        """Remove an object."""
        self.bucket.call("delete_object", name)

    def keeps_folder_pages(self) -> bool:
        """Whether an object whose name ends in ``/`` is kept with its bytes; found out once.

        A server that refuses such a name, whatever it answers, keeps none.
        """
        with self._lock:
            if self._keeps_folder_pages is None:
                self._keeps_folder_pages = self._has_folder_page() or self._takes_folder_page()
            return self._keeps_folder_pages

    def _has_folder_page(self) -> bool:
        try:
            return self.stat_object(FOLDER).size == len(_EXPLANATION)
        except BackendError as error:
            if error.retryable or isinstance(error, AuthenticationFailed):
                raise
            return False

    def _takes_folder_page(self) -> bool:
        try:
            with suppress(AlreadyExists):
                self._leave(FOLDER)
            return self._has_folder_page()
        except AuthenticationFailed:
            raise
        except BackendError as error:
            self._folder_failures += 1
            if error.retryable and self._folder_failures < FOLDER_ATTEMPTS:
                raise
            return False

    def _can_copy_safely(self) -> bool:
        """Whether the server refuses copies as well as uploads; found out once."""
        self._prove_that_taken_names_are_refused()
        with self._lock:
            if self._copies_safely is None:
                kept = _kept("text/plain", {})
                self._copies_safely = heeds_conditions(self.bucket, WITNESS, kept, _UNLESS_THERE)
            return self._copies_safely

    def _prove_that_taken_names_are_refused(self) -> None:
        """Find out once whether the server heeds the condition: some speak S3's API and pass over it."""
        with self._lock:
            if self._refuses_taken_names:
                return
            try:
                self._leave(WITNESS)  # the first time in this bucket it is new, and then it is not
                self._leave(WITNESS)
            except AlreadyExists:
                self._refuses_taken_names = True
                return
            raise BackendError(
                f"{self.address_of('')}: this server overwrites, although it is told not to (If-None-Match).",
                hint="Two jobs that push at once could replace each other's files: use a server that knows "
                "conditional writes.",
            )

    def _prove_that_large_files_are_refused(self) -> None:
        """Find out once whether the server heeds the condition also where a file comes in parts."""
        with self._lock:
            if self._refuses_large_files:
                return
            kept = _kept("text/plain", {})
            if not heeds_condition(self.bucket, WITNESS, _EXPLANATION, kept, _UNLESS_THERE):
                raise BackendError(
                    f"{self.address_of('')}: this server overwrites files of more than {PART >> 20} MiB, "
                    "although it is told not to (If-None-Match of CompleteMultipartUpload).",
                    hint="Two jobs that push at once could replace each other's files: use a server that "
                    "knows conditional writes.",
                )
            self._refuses_large_files = True

    def _leave(self, name: str) -> None:
        """Write one of the small objects that tell what the server can do, unless it is there."""
        kept = _kept("text/plain", {})
        upload(self.bucket, name, _EXPLANATION, kept, condition=_UNLESS_THERE)


class _Reading:
    """The bytes of an object, as they come."""

    def __init__(self, bucket: Bucket, name: str, body: Any) -> None:
        self._bucket = bucket
        self._name = name
        self._body = body

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; empty at the end."""
        return self._bucket.read(self._name, self._body, size)


def _kept(content_type: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """What is kept with an object; values are ASCII, without spaces that somebody could fold."""
    return {
        "ContentType": content_type,
        "Metadata": {key: quote(value, safe=_PLAIN) for key, value in metadata.items()},
    }
