"""One distribution file in a container, as a listing shows it."""

from collections.abc import Callable

from wheelrelay.containers.objects import StoredObject
from wheelrelay.filenames import ParsedName
from wheelrelay.model import DistFile


class StoredDistribution:
    """One distribution file in a container.

    Args:
        stored: Its object.
        parsed: What its name contains.
        url: Returns its address.
        companions: Suffixes of its companions.
        metadata: The object of its metadata file, if there is one.

    Attributes:
        stored: Its object.
        project: The project that it belongs to.
        companions: Suffixes of its companions, sorted.
        metadata: The object of its metadata file, if there is one.
    """

    __slots__ = ("_file", "_parsed", "_url", "companions", "metadata", "project", "stored")

    def __init__(
        self,
        stored: StoredObject,
        parsed: ParsedName,
        url: Callable[[str], str],
        companions: tuple[str, ...] = (),
        metadata: StoredObject | None = None,
    ) -> None:
        self.stored = stored
        self.project = parsed.project
        self.companions = companions
        self.metadata = metadata
        self._parsed = parsed
        self._url = url
        self._file: DistFile | None = None

    @property
    def file(self) -> DistFile:
        """The file as its name and the listing describe it; most files of a listing need no description."""
        if self._file is None:
            self._file = DistFile(
                self.stored.name,
                *self._parsed,
                size=self.stored.size,
                url=self._url(self.stored.name),
                upload_time=self.stored.modified,
                companions=self.companions,
            )
        return self._file

    def __eq__(self, other: object) -> bool:
        """Return whether both are the same file in the same state."""
        if not isinstance(other, StoredDistribution):
            return NotImplemented
        return (self.stored, self.project, self.companions, self.metadata) == (
            *(other.stored, other.project, other.companions, other.metadata),
        )

    __hash__ = None  # type: ignore[assignment]
