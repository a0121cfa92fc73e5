"""Write a blob: in one request if it is small, in blocks if it is large; whole or not at all, and verified.

Azure compares the MD5 of every request with the bytes that arrived, and refuses others. For a large blob that
covers each block; that the blocks together are the staged file is verified here, before the last request
makes the blob visible. Memory holds one block at a time.

The blocks of a failed upload stay invisible; Azure deletes them after a week, or when the blob is written.
"""

import base64
import hashlib
import uuid
from collections.abc import Iterator, Mapping
from functools import partial

from wheelrelay import StagedFile
from wheelrelay.containers import BLOCK_SIZE, send_part
from wheelrelay.errors import DigestMismatch
from wheelrelay.http import Response
from wheelrelay_azure.container import Container

BLOCK = 8 << 20
"""Bytes in a block, unless that makes too many blocks."""

MAX_BLOCKS = 50_000
"""Number of blocks that Azure accepts."""


def upload(
    container: Container,
    name: str,
    content: StagedFile | bytes,
    headers: Mapping[str, str],
    *,
    condition: Mapping[str, str],
) -> str:
    """Write a blob, and return its ETag.

    Args:
        container: Where to write.
        name: Name of the blob, below the prefix.
        content: The bytes.
        headers: Headers with the content type and metadata of the blob.
        condition: Headers with the condition for the write.

    Raises:
        AlreadyExists: The condition is not met; nothing changed.
        DigestMismatch: Other bytes arrived than were staged; nothing changed.
        ChangedWhileReading: The staged file was modified; nothing changed.
        BackendError: The server refused or failed.
    """
    if isinstance(content, StagedFile) and content.size > BLOCK:
        return _etag(_upload_in_blocks(container, name, content, headers, condition))
    if isinstance(content, StagedFile):
        with content.open() as stream:
            body = stream.read(BLOCK)
    else:
        body = content
    kind = {"x-ms-blob-type": "BlockBlob", "Content-MD5": _md5(body)}
    return _etag(container.call("PUT", name, headers={**headers, **condition, **kind}, body=body))


def _upload_in_blocks(
    container: Container,
    name: str,
    staged: StagedFile,
    headers: Mapping[str, str],
    condition: Mapping[str, str],
) -> Response:
    whole = hashlib.md5(usedforsecurity=False)
    blocks = "".join(f"<Latest>{block}</Latest>" for block in _send_blocks(container, name, staged, whole))
    body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{blocks}</BlockList>'.encode()
    digests = {"x-ms-blob-content-md5": _as_base64(whole.digest()), "Content-MD5": _md5(body)}
    commit = partial(
        container.call,
        "PUT",
        name,
        query={"comp": "blocklist"},
        headers={**headers, **condition, **digests},
        body=body,
    )
    return send_part(staged, commit)


def _send_blocks(
    container: Container, name: str, staged: StagedFile, whole: "hashlib._Hash"
) -> Iterator[str]:
    """Send the file block by block, yield the identifier of each, and compute the digest of the whole.

    Identifiers are unique to this upload: two writers of one name must not mix their blocks.
    """
    upload_id, sha256 = uuid.uuid4().hex, hashlib.sha256()
    size = max(BLOCK, -(-staged.size // MAX_BLOCKS // BLOCK_SIZE) * BLOCK_SIZE)
    with staged.open() as stream:
        for number in range(-(-staged.size // size)):
            block = stream.read(size)
            sha256.update(block)
            whole.update(block)
            identifier = _as_base64(f"{upload_id}-{number:05}".encode())
            send = partial(
                container.call,
                "PUT",
                name,
                query={"comp": "block", "blockid": identifier},
                headers={"Content-MD5": _md5(block)},
                body=block,
            )
            send_part(staged, send)
            del block, send  # free the memory before the next block is read
            yield identifier
    if sha256.hexdigest() != staged.sha256:
        raise DigestMismatch(f"{staged.path} does not have the bytes that were staged; nothing was written.")


def _etag(answer: Response) -> str:
    return answer.headers.get("Etag", "").strip('"')


def _md5(body: bytes) -> str:
    return _as_base64(hashlib.md5(body, usedforsecurity=False).digest())


def _as_base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
