"""The checksums that a server compares with each part of an upload.

S3 supports sha256. Cloudflare R2 responds with 501 to parts with a sha256, and compares their MD5 instead.
In any case, the sha256 of the whole file is compared before an upload is completed, see
`wheelrelay_s3.uploads`.
"""

import base64
import hashlib
from collections.abc import Callable
from enum import Enum
from threading import Lock
from typing import Any, TypeVar

from wheelrelay.errors import Rejected

Result = TypeVar("Result")

NOT_IMPLEMENTED = 501
"""The status with which servers refuse parameters that they do not support."""


def as_base64(digest: bytes) -> str:
    """Encode a digest the way S3 does."""
    return base64.b64encode(digest).decode("ascii")


class PartChecksum(Enum):
    """A checksum of a part."""

    SHA256 = "sha256"
    MD5 = "md5"

    @property
    def of_upload(self) -> dict[str, str]:
        """Parameters of the request that begins an upload."""
        return {"ChecksumAlgorithm": "SHA256"} if self is PartChecksum.SHA256 else {}

    def of_part(self, part: bytes) -> dict[str, str]:
        """Return the parameters of the request that sends a part."""
        if self is PartChecksum.SHA256:
            return {"ChecksumSHA256": as_base64(hashlib.sha256(part).digest())}
        return {"ContentMD5": as_base64(hashlib.md5(part, usedforsecurity=False).digest())}

    def of_completion(self, sent: dict[str, str]) -> dict[str, str]:
        """Return what the last request repeats of the parameters of a part."""
        return sent if self is PartChecksum.SHA256 else {}


class PartChecksums:
    """The checksums that a server may support; uploads find out which. For any number of threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._left: list[PartChecksum] = [*PartChecksum]

    def try_each(self, upload: Callable[[PartChecksum], Result]) -> Result | None:
        """Return the result of an upload, which is repeated with the next checksum if one is not supported.

        Args:
            upload: Uploads a file in parts with a checksum.

        Returns:
            The result; ``None`` if the server supports no checksum of parts.

        Raises:
            WheelrelayError: As ``upload`` raises.
        """
        while left := self._left:
            checksum: Any = left[0]
            try:
                return upload(checksum)
            except Rejected as error:
                if error.status != NOT_IMPLEMENTED:
                    raise
            with self._lock:
                self._left = [other for other in self._left if other is not checksum]
        return None
