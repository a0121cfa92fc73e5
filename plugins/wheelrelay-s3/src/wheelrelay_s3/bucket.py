"""One bucket, and single calls of S3's API on it, by any number of threads at once.

All calls run on the event loop of fsspec, which has a thread of its own; whoever asks waits for the
answer. They go to the client that s3fs made, and not through s3fs: its own way there tries again by
itself, and leaves out parameters that it does not know, which for a condition such as ``IfNoneMatch``
would be an overwritten file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import quote

from fsspec.asyn import sync

from wheelrelay.http import DEFAULT_TIMEOUT
from wheelrelay.staged import BLOCK_SIZE
from wheelrelay_s3.account import Account, Session
from wheelrelay_s3.errors import mapped, not_s3

LONGEST = 6 * DEFAULT_TIMEOUT
"""Seconds that one call may take in all, unless its body is large, where no timeout is configured."""

SLOWEST = 30 * 1024
"""Bytes a second that a line carries at least: a part of 8 MiB takes less than `LONGEST` on it."""

WIRE_BLOCK = 1 << 18
"""Bytes that are read at once: when a connection breaks, those of an incomplete block are lost."""

_TOLD = {
    "abort_multipart_upload": (),
    "copy_object": ("CopyObjectResult",),
    "create_multipart_upload": ("UploadId",),
    "delete_object": (),
    "get_object": (),
    "head_object": ("ETag", "ContentLength"),
    "list_objects_v2": ("IsTruncated",),
}
"""What an S3 server tells in answer to an operation, an ETag if nothing is said here.

A web server that knows nothing of S3 may answer 200 to everything: that is no empty bucket.
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket, below one prefix.

    Attributes:
        account: whose client asks.
        bucket: its name.
        prefix: empty, or ending in a slash.
        longest: seconds that one call may take in all, unless its body is large.
    """

    account: Account
    bucket: str
    prefix: str
    longest: float = LONGEST

    def call(self, operation: str, name: str, /, **parameters: Any) -> Mapping[str, Any]:
        """Call one operation of S3's API on an object, and give the answer.

        Args:
            operation: as the client's method is called, ``put_object``.
            name: the object, below the prefix.
            parameters: as the API names them; a ``Body`` is bytes.

        Raises:
            WheelrelayError: as `wheelrelay_s3.errors` maps it.
        """
        return self._ask(operation, name, Key=self.key(name), **parameters)

    def list_page(self, folder: str, **parameters: Any) -> Mapping[str, Any]:
        """One page of the listing of a folder (empty, or ending in a slash), subfolders left out."""
        return self._ask("list_objects_v2", folder, Prefix=self.key(folder), Delimiter="/", **parameters)

    def read(self, name: str, body: Any, size: int) -> bytes:
        """The next bytes of an answer's body, at most ``size``; empty at the end."""
        with mapped(self.address_of(name)):
            block: bytes = sync(self.account.session.loop, _fill, body, min(size, WIRE_BLOCK))
        return block

    def close_body(self, body: Any) -> None:
        """Let go of an answer's body, read to the end or not."""
        self.account.session.loop.call_soon_threadsafe(body.close)

    def shares_server_with(self, other: "Bucket") -> bool:
        """Whether both are buckets, or the same bucket, of one server."""
        return self.endpoint == other.endpoint

    @property
    def endpoint(self) -> str:
        """The server's address, without a slash at the end."""
        endpoint: str = self.account.session.client.meta.endpoint_url
        return endpoint.rstrip("/")

    def key(self, name: str) -> str:
        """The key of an object."""
        return self.prefix + name

    def name_of(self, key: str) -> str:
        """The name of an object, below the prefix."""
        return key.removeprefix(self.prefix)

    def address_of(self, name: str) -> str:
        """The web address of an object at the endpoint, the bucket in its path."""
        return f"{self.endpoint}/{self.bucket}/{quote(self.key(name))}"

    def _ask(self, operation: str, name: str, **parameters: Any) -> Mapping[str, Any]:
        body: bytes = parameters.get("Body", b"")

        def once(session: Session) -> Mapping[str, Any]:
            if len(body) > BLOCK_SIZE:  # aiohttp sends a file in pieces, and bytes in one go
                parameters["Body"] = BytesIO(body)
            method = getattr(session.client, operation)
            timeout = max(self.longest, len(body) / SLOWEST)
            with mapped(self.address_of(name)):
                answer: Mapping[str, Any] = sync(
                    session.loop, method, timeout=timeout, Bucket=self.bucket, **parameters
                )
            return answer

        answer = self.account.using(once)
        if any(key not in answer for key in _TOLD.get(operation, ("ETag",))):
            raise not_s3(self.address_of(name))
        return answer


async def _fill(body: Any, size: int) -> bytes:
    """Read until there are ``size`` bytes; what comes from the network comes in small pieces."""
    block = bytearray()
    while len(block) < size and (piece := await body.read(size - len(block))):
        block += piece
    return bytes(block)
