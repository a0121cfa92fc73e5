"""One bucket: single calls of the S3 API, from any number of threads.

The calls use the client of botocore, and `wheelrelay_s3.direct` for small uploads. s3fs retries, and it drops
parameters that it does not know: a dropped ``IfNoneMatch`` would overwrite a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import quote

from wheelrelay_s3.connection import Session, SessionPool
from wheelrelay_s3.errors import not_s3, s3_errors

READ_SIZE = 1 << 18
"""Bytes read at once. When a connection breaks, the bytes of an incomplete read are lost."""

_REQUIRED_KEYS = {
    "abort_multipart_upload": (),
    "copy_object": ("CopyObjectResult",),
    "create_multipart_upload": ("UploadId",),
    "delete_object": (),
    "get_object": (),
    "head_object": ("ETag", "ContentLength"),
    "list_objects_v2": ("IsTruncated",),
}
"""Keys in the answer of an S3 server, by operation; an ETag for all other operations.

A web server that is no S3 server may answer 200 to everything. That is not an empty bucket.
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket, below one prefix.

    Attributes:
        sessions: The sessions that send the requests.
        bucket: Name of the bucket.
        prefix: Empty, or ending in a slash.
        requester_pays: Whether the credentials' account pays for the requests.
    """

    sessions: SessionPool
    bucket: str
    prefix: str
    requester_pays: bool = False

    def call(self, operation: str, name: str, /, **parameters: Any) -> Mapping[str, Any]:
        """Call one operation of the S3 API on an object, and return the answer.

        Args:
            operation: Method of the client, such as ``put_object``.
            name: The object, below the prefix.
            parameters: Parameters with the API's names; ``Body`` is bytes, or a file with ``ContentLength``.

        Raises:
            WheelrelayError: See `wheelrelay_s3.errors`.
        """
        return self._send(operation, name, Key=self.key(name), **parameters)

    def list_page(self, folder: str, *, is_deep: bool = False, **parameters: Any) -> Mapping[str, Any]:
        """Return one page of the listing of a folder (empty, or ending in a slash).

        Args:
            folder: The folder.
            is_deep: Whether to list its subfolders too.
            parameters: Parameters with the API's names.
        """
        depth = {} if is_deep else {"Delimiter": "/"}
        return self._send("list_objects_v2", folder, Prefix=self.key(folder), **depth, **parameters)

    def read(self, name: str, body: Any, size: int) -> bytes:
        """Read at most ``size`` bytes of an answer's body; empty at the end."""
        with s3_errors(self.address_of(name)):
            block: bytes = body.read(min(size, READ_SIZE))
        return block

    def close_body(self, body: Any) -> None:
        """Release an answer's body, whether it was read to the end or not."""
        body.close()

    def shares_server_with(self, other: "Bucket") -> bool:
        """Whether both buckets are on one server."""
        return self.endpoint == other.endpoint

    @property
    def endpoint(self) -> str:
        """The server's address, without a slash at the end."""
        endpoint: str = self.sessions.current.client.meta.endpoint_url
        return endpoint.rstrip("/")

    def key(self, name: str) -> str:
        """Return the key of an object."""
        return self.prefix + name

    def name_of(self, key: str) -> str:
        """Return the name of an object, below the prefix."""
        return key.removeprefix(self.prefix)

    def address_of(self, name: str) -> str:
        """Return the web address of an object at the endpoint, with the bucket in its path."""
        return f"{self.endpoint}/{self.bucket}/{quote(self.key(name))}"

    def _send(self, operation: str, name: str, **parameters: Any) -> Mapping[str, Any]:
        body: bytes | BinaryIO = parameters.get("Body", b"")

        def request(session: Session) -> Mapping[str, Any]:
            if not isinstance(body, bytes):
                body.seek(0)  # it may be sent again with new credentials
            with s3_errors(self.address_of(name)):
                return session.call(operation, Bucket=self.bucket, **self._payer, **parameters)

        answer = self.sessions.call(request)
        if any(key not in answer for key in _REQUIRED_KEYS.get(operation, ("ETag",))):
            raise not_s3(self.address_of(name))
        return answer

    @property
    def _payer(self) -> Mapping[str, str]:
        return {"RequestPayer": "requester"} if self.requester_pays else {}
