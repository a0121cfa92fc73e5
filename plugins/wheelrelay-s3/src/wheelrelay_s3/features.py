"""Test what an S3 server supports before anything relies on it.

Servers that speak the S3 API differ in conditional writes and copies. Each feature is tested at most once per
connection, with a small object in the bucket that people may delete.
"""

from collections.abc import Mapping
from threading import Lock
from typing import Any

from wheelrelay.errors import AlreadyExists, BackendError
from wheelrelay_s3.bucket import Bucket
from wheelrelay_s3.copies import copy_honours_conditions
from wheelrelay_s3.part_checksums import PartChecksum, PartChecksums
from wheelrelay_s3.uploads import upload, upload_honours_condition

WITNESS = ".wheelrelay-witness"
"""An object that exists so that the server must refuse to create it again."""

UNLESS_EXISTS = {"IfNoneMatch": "*"}
"""The condition for a new object; the server checks it when the object would become visible."""

_CONTENT = b"wheelrelay keeps this object to find out what this server can do; it may be deleted.\n"
_HEADERS: Mapping[str, Any] = {"ContentType": "text/plain", "Metadata": {}}


class ServerFeatures:
    """Features of the server of one bucket, for any number of threads.

    Attributes:
        part_checksums: The checksums of parts that the server supports.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._lock = Lock()
        self._has_safe_writes = False
        self._has_safe_multipart: bool | None = None
        self.part_checksums = PartChecksums()
        self._has_safe_copies: bool | None = None

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
            raise BackendError(
                f"{self._bucket.address_of('')}: this server overwrites objects: it ignores If-None-Match.",
                hint="Two jobs that push at once could replace each other's files. Use a server with "
                "conditional writes.",
            )

    def has_safe_multipart(self) -> bool:
        """Whether the server also refuses to overwrite with an upload in parts."""
        self.require_safe_writes()
        with self._lock:
            if self._has_safe_multipart is None:
                self._has_safe_multipart = bool(self.part_checksums.try_each(self._honours_condition))
            return self._has_safe_multipart

    def has_safe_copies(self) -> bool:
        """Whether the server refuses to overwrite with a copy, as it does with an upload."""
        self.require_safe_writes()
        with self._lock:
            if self._has_safe_copies is None:
                self._has_safe_copies = copy_honours_conditions(
                    self._bucket, WITNESS, _HEADERS, UNLESS_EXISTS
                )
            return self._has_safe_copies

    def _create(self, name: str) -> None:
        upload(self._bucket, name, _CONTENT, _HEADERS, condition=UNLESS_EXISTS)

    def _honours_condition(self, checksum: PartChecksum) -> bool:
        return upload_honours_condition(self._bucket, WITNESS, _CONTENT, _HEADERS, UNLESS_EXISTS, checksum)
