"""What a container holds: distribution files and what lies beside them, read from one listing."""

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.utils import NormalizedName, canonicalize_name

from wheelrelay.containers.objects import ReadableObjects, StoredObject, SupportsSearch
from wheelrelay.errors import InvalidFilename
from wheelrelay.filenames import dist_file, is_plain, looks_like_distribution, split_companion
from wheelrelay.model import DistFile

METADATA = ".metadata"
"""What follows a wheel's filename to make the name of its metadata file (PEP 658)."""

NO_ORPHANS: Mapping[str, Sequence[str]] = {}
"""Every companion belongs to a distribution file."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredDistribution:
    """One distribution file that a container holds.

    Attributes:
        file: what its name and the listing tell.
        stored: the object.
        metadata: the metadata file beside it, if there is one.
    """

    file: DistFile
    stored: StoredObject
    metadata: StoredObject | None = None


class Contents(Mapping[str, StoredDistribution]):
    """The distribution files of a container by filename, as one listing showed them.

    Attributes:
        orphans: the suffixes of companions without a distribution file, by the name that it would have.
    """

    def __init__(
        self, held: Iterable[StoredDistribution], orphans: Mapping[str, Sequence[str]] = NO_ORPHANS
    ) -> None:
        self._held = {one.file.filename: one for one in held}
        self.orphans = orphans

    def __getitem__(self, filename: str) -> StoredDistribution:
        return self._held[filename]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def of(self, project: str) -> "Contents":
        """Those of one project, in any spelling."""
        name = canonicalize_name(project)
        return Contents((held for held in self.values() if held.file.project == name), self.orphans)

    def without(self, filenames: Collection[str]) -> "Contents":
        """Those of other names."""
        return Contents(held for name, held in self.items() if name not in filenames)

    def projects(self) -> list[NormalizedName]:
        """The normalised names of all projects, sorted."""
        return sorted({held.file.project for held in self.values()})


class ContentsReader:
    """Reads what a container holds.

    Names that are no distribution filenames are passed over; one that looks like one and is not gets a
    warning, once.
    """

    def __init__(self, objects: ReadableObjects) -> None:
        self._objects = objects
        self._warned: set[str] = set()

    def read(self, project: str | None = None) -> Contents:
        """List the container, once.

        Args:
            project: look for the files of this one only, in any spelling; sdists of ambiguous name belong to
                it, if it fits.

        Raises:
            NotFound: the container is not there.
            BackendError: it cannot be listed.
        """
        wanted = is_plain if project is None else _may_be_of(project)
        stored = {found.name: found for found in self._named(wanted)}
        companions: dict[str, list[str]] = {}
        for name in stored:
            if split := split_companion(name):
                companions.setdefault(split[0], []).append(split[1])
        held = (self._held(found, project, stored, companions) for found in stored.values())
        orphans = {name: suffixes for name, suffixes in companions.items() if name not in stored}
        contents = Contents((one for one in held if one), orphans)
        return contents if project is None else contents.of(project)

    def _named(self, wanted: Callable[[str], bool]) -> Iterator[StoredObject]:
        if isinstance(self._objects, SupportsSearch):
            return self._objects.list_named(wanted)
        return (found for found in self._objects.list_objects() if wanted(found.name))

    def _held(
        self,
        found: StoredObject,
        project: str | None,
        stored: Mapping[str, StoredObject],
        companions: Mapping[str, list[str]],
    ) -> StoredDistribution | None:
        if not looks_like_distribution(found.name):
            return None
        try:
            file = dist_file(
                found.name,
                project=project,
                size=found.size,
                url=self._objects.address_of(found.name),
                upload_time=found.modified,
                companions=tuple(sorted(companions.get(found.name, ()))),
            )
        except InvalidFilename as error:
            self._warn(found.name, error)
            return None
        return StoredDistribution(file, found, stored.get(found.name + METADATA))

    def _warn(self, name: str, error: InvalidFilename) -> None:
        if name not in self._warned:
            self._warned.add(name)
            _log.warning("%s is passed over: %s", self._objects.address_of(name), error)


def warn_of_parts(contents: Contents, sizes: Iterable[tuple[str, int]], objects: ReadableObjects) -> None:
    """Warn of files that are shorter than the pages declare, as a full disk or a broken copy leaves them.

    Args:
        contents: what is there.
        sizes: filenames, and how many bytes they have by the pages.
        objects: the place.
    """
    for name, size in sizes:
        held = contents.get(name)
        if held and held.stored.size < size:
            _log.warning(
                "%s has %d of the %d bytes that the index pages declare. A full disk or an interrupted copy "
                "may have left it. If so, remove it: wheelrelay remove REMOTE %s",
                *(objects.address_of(name), held.stored.size, size, name),
            )


def _may_be_of(project: str) -> Callable[[str], bool]:
    """Tells at a glance whether a plain name can be that of a project's file, or of what lies beside it."""
    spelled = "[-_.]+".join(map(re.escape, canonicalize_name(project).split("-")))
    begins = re.compile(f"{spelled}-", re.IGNORECASE).match
    return lambda name: begins(name) is not None and is_plain(name)
