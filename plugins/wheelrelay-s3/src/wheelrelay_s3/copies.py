"""Copy an object within the server, once the server has proved that it is the file that was staged.

The proof is the sha256 that the server itself holds of the whole object. What an object was uploaded with
in parts has sums of its parts only, and is not copied.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wheelrelay.errors import AlreadyExists, WheelrelayError
from wheelrelay.staged import StagedFile
from wheelrelay_s3.bucket import Bucket
from wheelrelay_s3.uploads import as_base64

LARGEST = 5 * 1024**3
"""Bytes that S3 copies in one request."""

_NO_ETAG = '"0"'
"""What no object has as its ETag."""


def copy(
    source: Bucket,
    bucket: Bucket,
    staged: StagedFile,
    kept: Mapping[str, Any],
    *,
    condition: Mapping[str, str],
) -> bool:
    """Write an object from the one of the same name in another bucket, or below another prefix.

    Both requests go out with the sink's credentials.

    Args:
        source: where the staged file came from, on the same server.
        bucket: where to.
        staged: the file.
        kept: the parameters that say what is kept with the object.
        condition: the parameters that say when the object may become visible.

    Returns:
        Whether it was written. If not, nothing was changed, and an upload will show what is wrong, if
        anything is.

    Raises:
        Unavailable: the server failed, and it is not clear whether the object was written.
    """
    if staged.size > LARGEST:
        return False
    twin = replace(source, account=bucket.account)
    etag = _etag_if_same(twin, staged)
    return etag is not None and _copied(twin, bucket, staged.filename, etag, {**kept, **condition})


def heeds_conditions(
    bucket: Bucket, name: str, kept: Mapping[str, Any], condition: Mapping[str, str]
) -> bool:
    """Whether the server heeds both conditions of a copy; some speak S3's API and pass over them.

    It is told to copy an object onto itself where either of them does not hold.

    Args:
        bucket: where.
        name: of an object that is there.
        kept: what is kept with it.
        condition: says that the object must not be there.
    """
    for impossible in (condition, {"CopySourceIfMatch": _NO_ETAG}):
        try:
            _copy(bucket, bucket, name, {**kept, **impossible})
        except AlreadyExists:
            continue
        except WheelrelayError:
            return False
        return False
    return True


def _etag_if_same(twin: Bucket, staged: StagedFile) -> str | None:
    """The object's ETag, if the server says that its bytes are those that were staged."""
    try:
        told = twin.call("head_object", staged.filename, ChecksumMode="ENABLED")
    except WheelrelayError:
        return None
    same = told["ContentLength"] == staged.size and told.get("ChecksumSHA256") == as_base64(
        bytes.fromhex(staged.sha256)
    )
    etag: str = told["ETag"]
    return etag if same else None


def _copied(twin: Bucket, bucket: Bucket, name: str, etag: str, parameters: Mapping[str, Any]) -> bool:
    try:
        _copy(twin, bucket, name, {**parameters, "CopySourceIfMatch": etag})
    except WheelrelayError as error:
        if error.retryable:
            raise
        return False
    return True


def _copy(twin: Bucket, bucket: Bucket, name: str, parameters: Mapping[str, Any]) -> None:
    bucket.call(
        "copy_object",
        name,
        CopySource={"Bucket": twin.bucket, "Key": twin.key(name)},
        MetadataDirective="REPLACE",
        ChecksumAlgorithm="SHA256",
        **parameters,
    )
