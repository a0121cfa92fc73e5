"""An object store in the test process, with metadata and configurable faults."""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO

from wheelrelay.containers import StoredObject, iter_blocks
from wheelrelay.errors import AlreadyExists, NotFound
from wheelrelay.staged import StagedFile


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored object."""

    content: bytes
    content_type: str
    metadata: Mapping[str, str]
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))

    def described(self, name: str, *, metadata: Mapping[str, str]) -> StoredObject:
        """Return the object as listings and lookups describe it."""
        etag = hashlib.md5(self.content).hexdigest()
        return StoredObject(name, len(self.content), etag, self.modified, metadata)


class MemoryObjects:
    """The objects of one container.

    Attributes:
        kept: the stored objects by name.
        asked: all operations so far, such as ``("open", "simple/index.json")``.
        before: called before each operation with its name and that of the object; may raise an error.
        late: names that listings do not contain yet.
        sizes_written: the number of bytes written so far, by name.
    """

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}
        self.asked: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda operation, name: None
        self.late: set[str] = set()
        self.sizes_written: Counter[str] = Counter()
        self._lock = threading.RLock()

    def opened(self) -> list[str]:
        """Return the names of the objects that were read so far."""
        return [name for operation, name in self.asked if operation == "open"]

    def list_objects(self, folder: str = "") -> Iterator[StoredObject]:
        self._ask("list", folder)
        with self._lock:
            there = [name for name in self.kept if name.rpartition("/")[0] == folder.rstrip("/")]
            shown = [name for name in there if name not in self.late]
            return iter([self.kept[name].described(name, metadata={}) for name in shown])

    def stat_object(self, name: str) -> StoredObject:
        self._ask("stat", name)
        return self._find(name).described(name, metadata=self._find(name).metadata)

    @contextmanager
    def open_object(self, name: str) -> Iterator[BytesIO]:
        self._ask("open", name)
        yield BytesIO(self._find(name).content)

    def address_of(self, name: str) -> str:
        return f"https://objects.example.org/box/{name}"

    def create_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> str:
        self._ask("create", name)
        whole = b"".join(iter_blocks(content))
        with self._lock:
            if name in self.kept:
                raise AlreadyExists(f"{name} is there.")
            self.sizes_written[name] += len(whole)
            self.kept[name] = Kept(whole, content_type, dict(metadata))
            return self.kept[name].described(name, metadata={}).etag

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        self._ask("replace", name)
        whole = b"".join(iter_blocks(content))
        with self._lock:
            self.sizes_written[name] += len(whole)
            self.kept[name] = Kept(whole, content_type, dict(metadata))

    def delete_object(self, name: str) -> None:
        self._ask("delete", name)
        with self._lock:
            self.kept.pop(name, None)

    def _ask(self, operation: str, name: str) -> None:
        self.asked.append((operation, name))
        self.before(operation, name)

    def _find(self, name: str) -> Kept:
        with self._lock:
            if name not in self.kept:
                raise NotFound(f"{name} is not there.")
            return self.kept[name]
