"""What a store has written itself, by the states that the place gave its objects.

An object whose name, size and ETag a later listing shows as they were given for what was written holds the
very bytes that were written, so that nothing has to be asked, or read, to know them.
"""

from dataclasses import dataclass, field

from wheelrelay.containers.file_metadata import FileMetadata
from wheelrelay.containers.objects import StoredObject

State = tuple[str, int, str]
"""Name, size and ETag of an object."""


def state_of(stored: StoredObject) -> State:
    """The state that a listing shows an object in."""
    return stored.name, stored.size, stored.etag


@dataclass(frozen=True, slots=True)
class WriteCache:
    """Objects that were written, as far as the place told their ETags.

    Attributes:
        facts: of distribution files, by their state.
        digests: the sha256 of other objects, by name and ETag.
    """

    facts: dict[State, FileMetadata] = field(default_factory=dict)
    digests: dict[tuple[str, str], str] = field(default_factory=dict)

    def forget(self, filename: str) -> None:
        """Know nothing of a file any more."""
        for state in [state for state in self.facts if state[0] == filename]:
            del self.facts[state]
