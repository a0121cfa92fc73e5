"""Write an object: small ones in one request, large ones in parts; whole or not at all, and verified.

The server is told the sha256 of everything that it is sent and refuses what arrives otherwise. Of a large
object it learns that part by part; that the parts together are the file that was staged is verified here,
before the last request makes the object visible. In memory there is one part at a time.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from wheelrelay.errors import DigestMismatch, WheelrelayError
from wheelrelay.staged import BLOCK, StagedFile
from wheelrelay_s3.bucket import Bucket

PART = 8 * BLOCK
"""Bytes of a part; S3 wants 5 MiB at least, and takes 10,000 parts: 80 GiB."""


def upload(
    bucket: Bucket,
    name: str,
    content: StagedFile | bytes,
    kept: Mapping[str, Any],
    *,
    condition: Mapping[str, str],
) -> str:
    """Write an object, and give the ETag that it has now.

    Args:
        bucket: where to.
        name: below the prefix.
        content: the bytes.
        kept: the parameters that say what is kept with the object.
        condition: the parameters that say when the object may become visible.

    Raises:
        AlreadyExists: the condition does not hold; nothing was changed.
        DigestMismatch: other bytes arrived than were staged; nothing was changed.
        ChangedWhileReading: the staged file was touched; nothing was changed.
        BackendError: the server refused or failed.
    """
    if isinstance(content, bytes):
        sha256 = hashlib.sha256(content).digest()
        return _send(bucket, "put_object", name, content, sha256, **kept, **condition)
    if content.size <= PART:
        with content.open() as stream:
            whole = stream.read(PART)
        return _send(bucket, "put_object", name, whole, bytes.fromhex(content.sha256), **kept, **condition)
    return _in_parts(bucket, name, content, kept, condition)


def _in_parts(
    bucket: Bucket, name: str, staged: StagedFile, kept: Mapping[str, Any], condition: Mapping[str, str]
) -> str:
    begun = bucket.call("create_multipart_upload", name, ChecksumAlgorithm="SHA256", **kept)
    this = {"UploadId": begun["UploadId"]}
    try:
        parts = list(_send_parts(bucket, name, staged, this))
        done = bucket.call(
            "complete_multipart_upload", name, MultipartUpload={"Parts": parts}, **this, **condition
        )
    except BaseException:
        with suppress(WheelrelayError):  # what went wrong first is what counts
            bucket.call("abort_multipart_upload", name, **this)
        raise
    etag: str = done["ETag"]
    return etag


def _send_parts(
    bucket: Bucket, name: str, staged: StagedFile, this: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Send the file part by part; gives what the last request must say of each."""
    whole = hashlib.sha256()
    with staged.open() as stream:
        for number in range(1, -(-staged.size // PART) + 1):
            part = stream.read(PART)
            whole.update(part)
            sha256 = hashlib.sha256(part).digest()
            etag = _send(bucket, "upload_part", name, part, sha256, PartNumber=number, **this)
            del part  # before the next one is read
            yield {"PartNumber": number, "ETag": etag, "ChecksumSHA256": as_base64(sha256)}
    if whole.hexdigest() != staged.sha256:
        raise DigestMismatch(f"{staged.path} has other bytes than were staged; nothing was written.")


def _send(bucket: Bucket, operation: str, name: str, body: bytes, sha256: bytes, **parameters: Any) -> str:
    """Send bytes with their sha256 and compare the one that the server found, if it says; gives the ETag."""
    sent = as_base64(sha256)
    answer = bucket.call(operation, name, Body=body, ChecksumSHA256=sent, **parameters)
    if answer.get("ChecksumSHA256", sent) != sent:
        raise DigestMismatch(f"{bucket.address_of(name)}: the server says that it got other bytes.")
    etag: str = answer["ETag"]
    return etag


def as_base64(digest: bytes) -> str:
    """A digest as S3 writes it."""
    return base64.b64encode(digest).decode("ascii")
