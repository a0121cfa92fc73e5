"""A lock for a document that several writers change: an object that only one of them can create."""

import random
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from wheelrelay.containers.objects import BINARY, Objects, read_whole
from wheelrelay.errors import AlreadyExists, NotFound, Unavailable

ABANDONED_AFTER = 30.0
"""Seconds after which a lock counts as left behind by a writer that was killed."""

MAX_LOCKS = 20
"""How many other writers are waited for."""

LONGEST_PAUSE = 0.2
"""Seconds between two attempts, at most."""


@contextmanager
def object_lock(objects: Objects, name: str, *, abandoned_after: float = ABANDONED_AFTER) -> Iterator[None]:
    """Hold a lock while the context lasts; other writers wait for its end.

    A lock is held for two requests. One that stays the same for ``abandoned_after`` seconds is removed. Its
    age is measured by waiting, because the clocks of machines differ.

    Args:
        objects: The objects of the container.
        name: Name of the lock.
        abandoned_after: Seconds.

    Raises:
        Unavailable: Other writers keep the lock.
        BackendError: It cannot be created or removed.
    """
    token = secrets.token_hex(16).encode()
    _acquire(objects, name, token, abandoned_after)
    try:
        yield
    finally:
        if _holder(objects, name) == token:  # else another writer has removed it
            objects.delete_object(name)


def _acquire(objects: Objects, name: str, token: bytes, abandoned_after: float) -> None:
    seen: set[bytes] = set()
    holder, since = b"", time.monotonic()
    while len(seen) <= MAX_LOCKS:
        with suppress(AlreadyExists):
            objects.create_object(name, token, content_type=BINARY, metadata={})
            return
        current = _holder(objects, name)
        if current != holder:
            holder, since = current, time.monotonic()
            seen.add(current)
        elif time.monotonic() - since > abandoned_after:
            objects.delete_object(name)
        else:
            time.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311
    raise Unavailable(
        f"{objects.address_of(name)} is held by other jobs all the time.",
        hint="Run the same command again when they have finished.",
    )


def _holder(objects: Objects, name: str) -> bytes:
    """Return the token in a lock; empty if there is none."""
    try:
        return read_whole(objects, name)
    except NotFound:
        return b""
