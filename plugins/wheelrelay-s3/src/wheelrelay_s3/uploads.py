"""Write an object: small ones in one request, large ones in parts; whole or not at all, and verified.

The server is told the sha256 of everything that it is sent and refuses what arrives otherwise. Of a large
object it learns that part by part; that the parts together are the file that was staged is verified here,
before the last request makes the object visible. In memory there is one part at a time.

A part that fails is sent again by itself, and so is the last request: a file of 10 GiB takes more than a
thousand requests, and no line carries them all without a fault.
"""

import base64
import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from wheelrelay.errors import AlreadyExists, DigestMismatch, NotFound, Unavailable, WheelrelayError
from wheelrelay.staged import BLOCK_SIZE, StagedFile
from wheelrelay_s3.bucket import Bucket

PART = 8 * BLOCK_SIZE
"""Bytes of a part, unless the file has too many of them; S3 wants 5 MiB at least."""

MOST_PARTS = 10_000
"""How many parts S3 takes."""

ATTEMPTS = 5
"""How often a part is sent at most; the pauses between double, beginning with half a second."""

LONGEST_PAUSE = 20.0
"""Seconds that no pause exceeds, whatever the server asks for."""

Result = TypeVar("Result")


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
        etag = _complete(bucket, name, MultipartUpload={"Parts": parts}, **this, **condition)
    except BaseException:
        with suppress(WheelrelayError):  # what went wrong first is what counts
            bucket.call("abort_multipart_upload", name, **this)
        raise
    return etag


def _complete(bucket: Bucket, name: str, **parameters: Any) -> str:
    """Make the object visible.

    Raises:
        Unavailable: the upload is gone; an earlier request may have completed it, its answer lost.
    """
    try:
        answer = _insist(partial(bucket.call, "complete_multipart_upload", name, **parameters))
    except NotFound as error:
        raise Unavailable(
            f"{bucket.address_of(name)}: it is not clear whether the file was written: {error}"
        ) from error
    etag: str = answer["ETag"]
    return etag


def heeds_condition(
    bucket: Bucket, name: str, content: bytes, kept: Mapping[str, Any], condition: Mapping[str, str]
) -> bool:
    """Whether the server heeds the condition of an upload in parts; some do so for small objects only.

    Args:
        bucket: where.
        name: of an object that is there.
        content: its content, which is uploaded once more.
        kept: what is kept with it.
        condition: says that the object must not be there.
    """
    begun = bucket.call("create_multipart_upload", name, ChecksumAlgorithm="SHA256", **kept)
    this = {"UploadId": begun["UploadId"]}
    try:
        sha256 = hashlib.sha256(content).digest()
        etag = _send(bucket, "upload_part", name, content, sha256, PartNumber=1, **this)
        part = {"PartNumber": 1, "ETag": etag, "ChecksumSHA256": as_base64(sha256)}
        bucket.call("complete_multipart_upload", name, MultipartUpload={"Parts": [part]}, **this, **condition)
    except AlreadyExists:
        return True
    finally:
        with suppress(WheelrelayError):
            bucket.call("abort_multipart_upload", name, **this)
    return False


def part_size(size: int) -> int:
    """Bytes of each part of a file but the last: whole MiB, so that there are not too many of them.

    >>> part_size(10 * 2**30) // 2**20, part_size(2**40) // 2**20
    (8, 105)
    """
    return max(PART, -(-size // MOST_PARTS // BLOCK_SIZE) * BLOCK_SIZE)


def _send_parts(
    bucket: Bucket, name: str, staged: StagedFile, this: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Send the file part by part; gives what the last request must say of each."""
    whole = hashlib.sha256()
    size = part_size(staged.size)
    with staged.open() as stream:
        for number in range(1, -(-staged.size // size) + 1):
            part = stream.read(size)
            whole.update(part)
            sha256 = hashlib.sha256(part).digest()
            send = partial(_send, bucket, "upload_part", name, part, sha256, PartNumber=number, **this)
            etag = _insist(send)
            del part, send  # before the next one is read
            yield {"PartNumber": number, "ETag": etag, "ChecksumSHA256": as_base64(sha256)}
    if whole.hexdigest() != staged.sha256:
        raise DigestMismatch(f"{staged.path} has other bytes than were staged; nothing was written.")


def _insist(request: Callable[[], Result]) -> Result:
    """Make a request that may be repeated, again while it fails in a way that may pass."""
    for attempt in range(1, ATTEMPTS):
        try:
            return request()
        except Unavailable as error:
            asked = error.retry_after
            doubled = 2 ** (attempt - 2) * random.uniform(0.5, 1.5)  # noqa: S311
            time.sleep(min(LONGEST_PAUSE, doubled if asked is None else asked))
    return request()


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
