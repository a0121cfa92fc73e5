"""Read what goes into an object and what comes out of one, in blocks."""

from collections.abc import Iterator

from wheelrelay.containers.objects import ReadableObjects
from wheelrelay.errors import BackendError
from wheelrelay.staged import BLOCK_SIZE, StagedFile

BINARY = "application/octet-stream"
"""The media type of everything but pages."""

SMALL = 1 << 20
"""The most bytes that a companion may have."""


def iter_blocks(content: StagedFile | bytes) -> Iterator[bytes]:
    """The bytes to write, in large blocks.

    Raises:
        ChangedWhileReading: the staged file is no longer the one that was hashed; what was written of it
            must be thrown away.
    """
    if isinstance(content, bytes):
        yield content
        return
    with content.open() as stream:
        yield from stream


def read_whole(objects: ReadableObjects, name: str, *, limit: int = SMALL) -> bytes:
    """The bytes of an object that ought to be small.

    Raises:
        NotFound: it is not there.
        BackendError: it cannot be read, or has more than ``limit`` bytes.
    """
    content = bytearray()
    with objects.open_object(name) as stream:
        while block := stream.read(BLOCK_SIZE):
            content += block
            if len(content) > limit:
                raise BackendError(f"{objects.address_of(name)} is implausibly large: over {limit} bytes.")
    return bytes(content)


def sha256_of(objects: ReadableObjects, name: str) -> str:
    """What the bytes of an object hash to, found by reading them.

    Raises:
        NotFound: it is not there.
        BackendError: it cannot be read.
    """
    import hashlib

    digest = hashlib.sha256()
    with objects.open_object(name) as stream:
        while block := stream.read(BLOCK_SIZE):
            digest.update(block)
    return digest.hexdigest()
