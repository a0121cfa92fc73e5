"""Write small objects of several threads in as few requests as possible."""

import hashlib
import threading
from concurrent.futures import Future

from wheelrelay.containers.file_metadata import WriteCache
from wheelrelay.containers.objects import BINARY, Objects, SupportsGroupedWrites

MAX_GROUP = 200
"""Objects in one request."""


class GroupedWrites:
    """Replaces small objects; threads that write at the same time share a request.

    The first thread sends its object alone. The objects that others add meanwhile are sent together by the
    next one. An object that the place does not write in this way is sent in a separate request.

    Args:
        objects: The objects of the place.
        written: Receives what was written.
    """

    def __init__(self, objects: Objects, written: WriteCache) -> None:
        self._objects = objects
        self._written = written
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._waiting: dict[str, tuple[bytes, Future[str | None]]] = {}

    @property
    def are_supported(self) -> bool:
        """Whether the place can write several objects in one request."""
        return isinstance(self._objects, SupportsGroupedWrites) and self._objects.has_grouped_writes()

    def replace(self, name: str, content: bytes) -> None:
        """Write an object.

        Raises:
            BackendError: The place refused or failed.
        """
        result: Future[str | None] = Future()
        with self._lock:
            self._waiting[name] = (content, result)
        with self._turn:
            if not result.done():
                self._send()
        etag = result.result()
        if etag is None:
            self._objects.replace_object(name, content, content_type=BINARY, metadata={})
        else:
            self._written.digests[name, etag] = hashlib.sha256(content).hexdigest()

    def _send(self) -> None:
        """Send what is waiting; an object that was not written has no ETag afterwards."""
        assert isinstance(self._objects, SupportsGroupedWrites)
        with self._lock:
            names = list(self._waiting)[:MAX_GROUP]
            group = {name: self._waiting.pop(name) for name in names}
        etags: dict[str, str] = {}
        try:
            contents = {name: content for name, (content, _) in group.items()}
            etags = dict(self._objects.replace_group(contents, content_type=BINARY))
        finally:
            for name, (_, result) in group.items():
                result.set_result(etags.get(name))
