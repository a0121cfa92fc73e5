"""Test what an S3 server supports before anything relies on it.

Servers that speak the S3 API differ in conditional writes, conditional copies, and objects whose names end in
``/``. Each feature is tested at most once per connection, with small objects in the bucket that people may
delete.
"""

from collections.abc import Mapping
from contextlib import suppress
from threading import Lock
from typing import Any

from wheelrelay.errors import AlreadyExists, AuthenticationFailed, BackendError
from wheelrelay_s3.bucket import Bucket
from wheelrelay_s3.copies import copy_honours_conditions
from wheelrelay_s3.uploads import PART, upload, upload_honours_condition

WITNESS = ".wheelrelay-witness"
"""An object that exists so that the server must refuse to create it again."""

FOLDER = ".wheelrelay-folder/"
"""An object that exists if the server stores objects of such names and does not turn them into folders."""

MAX_FOLDER_ATTEMPTS = 3
"""How often to try to write `FOLDER` after temporary failures: some servers answer 500 to it every time."""

UNLESS_EXISTS = {"IfNoneMatch": "*"}
"""The condition for a new object; the server checks it when the object would become visible."""

_CONTENT = b"wheelrelay keeps this object to find out what this server can do; it may be deleted.\n"
_HEADERS: Mapping[str, Any] = {"ContentType": "text/plain", "Metadata": {}}


class ServerFeatures:
    """Features of the server of one bucket, for any number of threads."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._lock = Lock()
        self._has_safe_writes = False
        self._has_safe_multipart = False
        self._has_safe_copies: bool | None = None
        self._has_folder_pages: bool | None = None
        self._folder_failures = 0

    def require_safe_writes(self) -> None:
        """Require that the server refuses to overwrite: some ignore the condition.

        Raises:
            BackendError: It overwrites.
        """
        with self._lock:
            if self._has_safe_writes:
                return
            try:
                self._create(WITNESS)  # new in this bucket the first time, so create it twice
                self._create(WITNESS)
            except AlreadyExists:
                self._has_safe_writes = True
                return
            raise self._overwrites("objects", "If-None-Match")

    def require_safe_multipart(self) -> None:
        """Require that the server also refuses to overwrite with an upload in parts.

        Raises:
            BackendError: It overwrites.
        """
        with self._lock:
            if self._has_safe_multipart:
                return
            if not upload_honours_condition(self._bucket, WITNESS, _CONTENT, _HEADERS, UNLESS_EXISTS):
                raise self._overwrites(
                    f"objects of more than {PART >> 20} MiB", "If-None-Match of CompleteMultipartUpload"
                )
            self._has_safe_multipart = True

    def has_safe_copies(self) -> bool:
        """Whether the server refuses to overwrite with a copy, as it does with an upload."""
        self.require_safe_writes()
        with self._lock:
            if self._has_safe_copies is None:
                self._has_safe_copies = copy_honours_conditions(
                    self._bucket, WITNESS, _HEADERS, UNLESS_EXISTS
                )
            return self._has_safe_copies

    def has_folder_pages(self) -> bool:
        """Whether the server stores an object whose name ends in ``/`` with its bytes.

        A server that refuses such a name with any error does not.
        """
        with self._lock:
            if self._has_folder_pages is None:
                self._has_folder_pages = self._folder_exists() or self._can_create_folder()
            return self._has_folder_pages

    def _folder_exists(self) -> bool:
        try:
            answer = self._bucket.call("head_object", FOLDER)
        except BackendError as error:
            if error.retryable or isinstance(error, AuthenticationFailed):
                raise
            return False
        return bool(answer["ContentLength"] == len(_CONTENT))

    def _can_create_folder(self) -> bool:
        try:
            with suppress(AlreadyExists):
                self._create(FOLDER)
            return self._folder_exists()
        except AuthenticationFailed:
            raise
        except BackendError as error:
            self._folder_failures += 1
            if error.retryable and self._folder_failures < MAX_FOLDER_ATTEMPTS:
                raise
            return False

    def _create(self, name: str) -> None:
        upload(self._bucket, name, _CONTENT, _HEADERS, condition=UNLESS_EXISTS)

    def _overwrites(self, objects: str, condition: str) -> BackendError:
        return BackendError(
            f"{self._bucket.address_of('')}: this server overwrites {objects}: it ignores {condition}.",
            hint="Two jobs that push at once could replace each other's files. Use a server with conditional "
            "writes.",
        )
