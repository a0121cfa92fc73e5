"""Write an object: in one request if it is small, in parts if it is large; whole or not at all, and verified.

Every request carries a checksum of its body, the sha256 if the server supports it, and the server refuses a
body that does not match. For a large object the server verifies each part. That the parts together are the
staged file is verified here, before the last request makes the object visible. Memory holds one part at a
time.

A server that supports no checksums of parts, or no condition for an upload in parts, gets large objects in
one request too.

A failed part is sent again on its own, and so is the last request; see `wheelrelay.containers.send_part`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from wheelrelay import StagedFile
from wheelrelay.containers import BLOCK_SIZE, send_part
from wheelrelay.errors import (
    AlreadyExists,
    BackendError,
    DigestMismatch,
    NotFound,
    Unavailable,
    WheelrelayError,
)
from wheelrelay_s3.bucket import Bucket
from wheelrelay_s3.part_checksums import PartChecksum, PartChecksums, as_base64

PART = 8 << 20
"""Bytes in a part, unless that makes too many parts; S3 requires at least 5 MiB."""

MAX_PARTS = 10_000
"""Number of parts that S3 accepts."""


MAX_PUT = 5 * 2**30
"""Bytes of the largest object that S3 accepts in one request."""


def upload(
    bucket: Bucket,
    name: str,
    content: StagedFile | bytes,
    headers: Mapping[str, Any],
    *,
    condition: Mapping[str, str],
    checksums: PartChecksums | None = None,
) -> str:
    """Write an object, and return its ETag.

    Args:
        bucket: Where to write.
        name: Name of the object, below the prefix.
        content: The bytes.
        headers: Parameters with the content type and metadata of the object.
        condition: Parameters with the condition for the write.
        checksums: The checksums of parts; ``None`` to send a large object in one request too.

    Raises:
        AlreadyExists: The condition is not met; nothing changed.
        DigestMismatch: Other bytes arrived than were staged; nothing changed.
        ChangedWhileReading: The staged file was modified; nothing changed.
        BackendError: The server refused or failed.
    """
    if isinstance(content, bytes):
        sha256 = hashlib.sha256(content).digest()
        return _send(bucket, "put_object", name, content, sha256, **headers, **condition)
    if content.size <= PART:
        with content.open() as stream:
            body = stream.read(PART)
        return _send(bucket, "put_object", name, body, bytes.fromhex(content.sha256), **headers, **condition)
    in_parts = partial(_upload_in_parts, bucket, name, content, headers, condition)
    etag = checksums.try_each(in_parts) if checksums else None
    return etag or _upload_whole(bucket, name, content, **headers, **condition)


def _upload_whole(bucket: Bucket, name: str, staged: StagedFile, **parameters: Any) -> str:
    """Send a large file in one request.

    Raises:
        BackendError: The file is too large for that.
    """
    if staged.size > MAX_PUT:
        raise BackendError(
            f"{bucket.address_of(name)}: {staged.filename} has more than {MAX_PUT >> 30} GiB, and this "
            "server does not support uploads in parts with checksums and conditions."
        )
    with staged.open(), staged.path.open("rb") as stream:  # staged.open compares the file with the hashed one
        sha256 = bytes.fromhex(staged.sha256)
        etag = _send(bucket, "put_object", name, stream, sha256, ContentLength=staged.size, **parameters)
    if staged.watcher:
        staged.watcher(staged.size)
    return etag


def _upload_in_parts(
    bucket: Bucket,
    name: str,
    staged: StagedFile,
    headers: Mapping[str, Any],
    condition: Mapping[str, str],
    checksum: PartChecksum,
) -> str:
    answer = bucket.call("create_multipart_upload", name, **checksum.of_upload, **headers)
    upload_id = {"UploadId": answer["UploadId"]}
    try:
        parts = list(_send_parts(bucket, name, staged, upload_id, checksum))
        return _complete(bucket, name, staged, MultipartUpload={"Parts": parts}, **upload_id, **condition)
    except BaseException:
        with suppress(WheelrelayError):  # the first error is the one to report
            bucket.call("abort_multipart_upload", name, **upload_id)
        raise


def _complete(bucket: Bucket, name: str, staged: StagedFile, **parameters: Any) -> str:
    """Make the object visible.

    Raises:
        Unavailable: The upload no longer exists: an earlier request may have completed it although its
            answer was lost.
    """
    try:
        answer = send_part(staged, partial(bucket.call, "complete_multipart_upload", name, **parameters))
    except NotFound as error:
        raise Unavailable(
            f"{bucket.address_of(name)}: it is unknown whether the file was written: {error}"
        ) from error
    etag: str = answer["ETag"]
    return etag


def upload_honours_condition(
    bucket: Bucket,
    name: str,
    content: bytes,
    headers: Mapping[str, Any],
    condition: Mapping[str, str],
    checksum: PartChecksum,
) -> bool:
    """Whether the server checks the condition of an upload in parts; some check it for small objects only.

    Args:
        bucket: Where to test.
        name: An object that exists.
        content: Its content, which is uploaded again.
        headers: Parameters with its content type and metadata.
        condition: Requires that the object does not exist.
        checksum: The checksum of its only part.
    """
    answer = bucket.call("create_multipart_upload", name, **checksum.of_upload, **headers)
    upload_id = {"UploadId": answer["UploadId"]}
    try:
        parts = {"Parts": [_send_part(bucket, name, content, checksum, PartNumber=1, **upload_id)]}
        bucket.call("complete_multipart_upload", name, MultipartUpload=parts, **upload_id, **condition)
    except AlreadyExists:
        return True
    finally:
        with suppress(WheelrelayError):
            bucket.call("abort_multipart_upload", name, **upload_id)
    return False


def part_size(size: int) -> int:
    """Return the bytes in each part but the last: whole MiB, and no more than `MAX_PARTS` parts.

    >>> part_size(10 * 2**30) // 2**20, part_size(2**40) // 2**20
    (8, 105)
    """
    return max(PART, -(-size // MAX_PARTS // BLOCK_SIZE) * BLOCK_SIZE)


def _send_parts(
    bucket: Bucket, name: str, staged: StagedFile, upload_id: Mapping[str, str], checksum: PartChecksum
) -> Iterator[dict[str, Any]]:
    """Send the file part by part, and yield the description of each part for the last request."""
    digest = hashlib.sha256()
    size = part_size(staged.size)
    with staged.open() as stream:
        for number in range(1, -(-staged.size // size) + 1):
            part = stream.read(size)
            digest.update(part)
            send = partial(_send_part, bucket, name, part, checksum, PartNumber=number, **upload_id)
            sent = send_part(staged, send)
            del part, send  # free the memory before the next part is read
            yield sent
    if digest.hexdigest() != staged.sha256:
        raise DigestMismatch(f"{staged.path} does not have the bytes that were staged; nothing was written.")


def _send_part(
    bucket: Bucket, name: str, part: bytes, checksum: PartChecksum, **parameters: Any
) -> dict[str, Any]:
    """Send a part with its checksum, and return its description for the last request."""
    sums = checksum.of_part(part)
    answer = bucket.call("upload_part", name, Body=part, **sums, **parameters)
    _compare(bucket, name, answer, sums)
    return {
        "PartNumber": parameters["PartNumber"],
        "ETag": answer["ETag"],
        **checksum.of_completion(sums),
    }


def _send(bucket: Bucket, operation: str, name: str, body: Any, sha256: bytes, **parameters: Any) -> str:
    """Send a body with its sha256, compare the server's if it returns one, and return the ETag."""
    sums = {"ChecksumSHA256": as_base64(sha256)}
    answer = bucket.call(operation, name, Body=body, **sums, **parameters)
    _compare(bucket, name, answer, sums)
    etag: str = answer["ETag"]
    return etag


def _compare(bucket: Bucket, name: str, answer: Mapping[str, Any], sums: Mapping[str, str]) -> None:
    """Raise if the server returns another checksum than was sent."""
    if any(answer.get(kind, checksum) != checksum for kind, checksum in sums.items()):
        raise DigestMismatch(f"{bucket.address_of(name)}: the server received other bytes than were sent.")
