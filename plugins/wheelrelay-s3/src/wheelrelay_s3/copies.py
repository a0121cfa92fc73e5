"""Copy an object within the server, after the server proved that its bytes are the staged ones.

The proof is the server's own sha256 of the whole object. Objects uploaded in parts have checksums of their
parts only, and are not copied.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wheelrelay import StagedFile
from wheelrelay.errors import AlreadyExists, WheelrelayError
from wheelrelay_s3.bucket import Bucket
from wheelrelay_s3.part_checksums import as_base64

MAX_COPY = 5 * 1024**3
"""Largest object in bytes that S3 copies in one request."""

_IMPOSSIBLE_ETAG = '"0"'
"""An ETag that no object has."""


def copy(
    source: Bucket,
    target: Bucket,
    staged: StagedFile,
    headers: Mapping[str, Any],
    *,
    condition: Mapping[str, str],
) -> bool:
    """Write an object from the one of the same name in another bucket, or below another prefix.

    Both requests use the target's credentials.

    Args:
        source: Where the staged file came from, on the same server.
        target: Where to write.
        staged: The file.
        headers: Parameters with the content type and metadata of the object.
        condition: Parameters with the condition for the write.

    Returns:
        Whether the object was written. If not, nothing changed; an upload then reports the reason.

    Raises:
        Unavailable: The server failed; the object may or may not have been written.
    """
    if staged.size > MAX_COPY:
        return False
    original = replace(source, sessions=target.sessions)
    etag = _etag_if_same(original, staged)
    return etag is not None and _is_copied(original, target, staged.filename, etag, {**headers, **condition})


def copy_honours_conditions(
    bucket: Bucket, name: str, headers: Mapping[str, Any], condition: Mapping[str, str]
) -> bool:
    """Whether the server refuses a copy if a condition fails; some servers ignore the conditions.

    Copies an object onto itself under conditions that fail.

    Args:
        bucket: Where to test.
        name: An object that exists.
        headers: Parameters with its content type and metadata.
        condition: Requires that the object does not exist.
    """
    for impossible in (condition, {"CopySourceIfMatch": _IMPOSSIBLE_ETAG}):
        try:
            _copy(bucket, bucket, name, {**headers, **impossible})
        except AlreadyExists:
            continue
        except WheelrelayError:
            return False
        return False
    return True


def _etag_if_same(original: Bucket, staged: StagedFile) -> str | None:
    """Return the object's ETag if the server's size and checksum are those of the staged file."""
    try:
        answer = original.call("head_object", staged.filename, ChecksumMode="ENABLED")
    except WheelrelayError:
        return None
    is_same = answer["ContentLength"] == staged.size and answer.get("ChecksumSHA256") == as_base64(
        bytes.fromhex(staged.sha256)
    )
    etag: str = answer["ETag"]
    return etag if is_same else None


def _is_copied(original: Bucket, target: Bucket, name: str, etag: str, parameters: Mapping[str, Any]) -> bool:
    try:
        _copy(original, target, name, {**parameters, "CopySourceIfMatch": etag})
    except WheelrelayError as error:
        if error.retryable:
            raise
        return False
    return True


def _copy(original: Bucket, target: Bucket, name: str, parameters: Mapping[str, Any]) -> None:
    target.call(
        "copy_object",
        name,
        CopySource={"Bucket": original.bucket, "Key": original.key(name)},
        MetadataDirective="REPLACE",
        ChecksumAlgorithm="SHA256",
        **parameters,
    )
