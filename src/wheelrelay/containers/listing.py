"""The distribution files and companions in a container, read from one listing."""

import logging
import re
import time
from collections.abc import Callable, Collection, ItemsView, Iterable, Iterator, Mapping, Sequence, ValuesView
from typing import TypeVar, overload

from packaging.utils import NormalizedName, canonicalize_name

from wheelrelay.containers.distribution import StoredDistribution
from wheelrelay.containers.objects import ReadableObjects, StoredObject, SupportsSearch
from wheelrelay.errors import InvalidFilename, NotFound, Unavailable
from wheelrelay.filenames import (
    is_plain,
    looks_like_distribution,
    parse_plain_filename,
    possible_projects,
    split_companion,
)

METADATA_SUFFIX = ".metadata"
"""Suffix of the metadata file of a wheel (PEP 658)."""

NO_ORPHANS: Mapping[str, Sequence[str]] = {}
"""Every companion belongs to a distribution file."""

_LAG_PAUSES = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds to wait before each attempt to read a complete listing."""

Default = TypeVar("Default")

_log = logging.getLogger(__name__)


class Listing(Mapping[str, StoredDistribution]):
    """The distribution files in a container by filename.

    Attributes:
        orphans: Suffixes of companions without a distribution file, by the name of the missing file.
    """

    def __init__(
        self,
        distributions: Iterable[StoredDistribution],
        orphans: Mapping[str, Sequence[str]] = NO_ORPHANS,
    ) -> None:
        self._distributions = {distribution.stored.name: distribution for distribution in distributions}
        self._by_project: Mapping[NormalizedName, Mapping[str, StoredDistribution]] | None = None
        self.orphans = orphans

    def __getitem__(self, filename: str) -> StoredDistribution:
        return self._distributions[filename]

    def __iter__(self) -> Iterator[str]:
        return iter(self._distributions)

    def __len__(self) -> int:
        return len(self._distributions)

    # Those of `Mapping` call `__getitem__` for each file, and raise and catch an error for each missing one.

    @overload
    def get(self, filename: str, default: None = None, /) -> StoredDistribution | None: ...

    @overload
    def get(self, filename: str, default: Default, /) -> StoredDistribution | Default: ...

    def get(self, filename: str, default: object = None, /) -> object:
        """Return a file; ``default`` if it is not there."""
        return self._distributions.get(filename, default)

    def items(self) -> ItemsView[str, StoredDistribution]:
        """Return filenames and files."""
        return self._distributions.items()

    def values(self) -> ValuesView[StoredDistribution]:
        """Return the files."""
        return self._distributions.values()

    def by_project(self) -> Mapping[NormalizedName, Mapping[str, StoredDistribution]]:
        """Return the files of each project by filename."""
        if self._by_project is None:
            by_project: dict[NormalizedName, dict[str, StoredDistribution]] = {}
            for name, distribution in self.items():
                by_project.setdefault(distribution.project, {})[name] = distribution
            self._by_project = by_project
        return self._by_project

    def of_project(self, project: str) -> "Listing":
        """Return the files of one project, in any spelling."""
        return Listing(self.by_project().get(canonicalize_name(project), {}).values(), self.orphans)

    def without(self, filenames: Collection[str]) -> "Listing":
        """Return the files with other names."""
        return Listing(distribution for name, distribution in self.items() if name not in filenames)

    def projects(self) -> list[NormalizedName]:
        """Return the normalised names of all projects, sorted."""
        return sorted(self.by_project())


class ListingReader:
    """Lists the distribution files of a container.

    Objects with other names are ignored. A name that looks like a distribution filename but is invalid is
    reported once.

    Attributes:
        size: Number of objects in the last listing, at least of those with plain names.
    """

    def __init__(self, objects: ReadableObjects) -> None:
        self.size = 0
        self._objects = objects
        self._warned: set[str] = set()
        self._last = Listing(())
        self._last_stored: Mapping[str, StoredObject] = {}

    def read(self, project: str | None = None) -> Listing:
        """List the container, with one request per page of the listing.

        Args:
            project: Return only files of this project, in any spelling. sdists whose names are ambiguous
                belong to it if they can.

        Raises:
            NotFound: The container does not exist.
            BackendError: It cannot be listed.
        """
        if project is None:
            return self._read_all()
        return self._read(_may_be_of(project), lambda _: [project]).of_project(project)

    def _read_all(self) -> Listing:
        """Return all files; the last listing if nothing changed, since parsing takes most of the time."""
        stored = self.list_plain()
        if stored != self._last_stored:
            self._last = self._parse_all(stored, lambda _: [None])
            self._last_stored = stored
        return self._last

    def list_plain(self, *, reuse: bool = False) -> Mapping[str, StoredObject]:
        """List all objects with plain names, by name, without parsing them.

        Args:
            reuse: Return the last listing of all files, if there was one.

        Raises:
            NotFound: The container does not exist.
            BackendError: It cannot be listed.
        """
        if reuse and self._last_stored:
            return self._last_stored
        stored = {entry.name: entry for entry in self._list(is_plain)}
        self.size = len(stored)
        return stored

    def read_projects(self, projects: Collection[str]) -> Listing:
        """List the files of some projects, in any spelling, with the requests of one listing.

        Raises:
            NotFound: The container does not exist.
            BackendError: It cannot be listed.
        """
        wanted = {canonicalize_name(project) for project in projects}
        if len(wanted) == 1:
            return self.read(*wanted)

        def possible(name: str) -> list[NormalizedName]:
            return [project for project in possible_projects(name) if project in wanted]

        listing = self._read(lambda name: is_plain(name) and bool(possible(name)), possible)
        files = (distribution for distribution in listing.values() if distribution.project in wanted)
        return Listing(files, listing.orphans)

    def _read(
        self, is_wanted: Callable[[str], bool], projects_of: Callable[[str], Iterable[str | None]]
    ) -> Listing:
        """Return the distribution files with wanted names.

        Args:
            is_wanted: Whether an object can be a wanted file or its companion.
            projects_of: Returns the projects that a file of this name may belong to.
        """
        size = 0

        def is_counted_and_wanted(name: str) -> bool:
            nonlocal size
            size += 1
            return is_wanted(name)

        stored = {entry.name: entry for entry in self._list(is_counted_and_wanted)}
        self.size = size
        return self._parse_all(stored, projects_of)

    def _parse_all(
        self, stored: Mapping[str, StoredObject], projects_of: Callable[[str], Iterable[str | None]]
    ) -> Listing:
        companions: dict[str, list[str]] = {}
        for name in stored:
            if split := split_companion(name):
                companions.setdefault(split[0], []).append(split[1])
        distributions = (
            self._parse(entry, project, stored, companions)
            for entry in stored.values()
            for project in projects_of(entry.name)
        )
        orphans = {name: suffixes for name, suffixes in companions.items() if name not in stored}
        return Listing(filter(None, distributions), orphans)

    def read_complete(self, names: Collection[str]) -> Listing:
        """List the container, again until it shows all of these files that exist.

        Listings of some places lag behind writes.

        Raises:
            Unavailable: The listing still does not show a file that exists.
            BackendError: The container cannot be listed.
        """
        for pause in _LAG_PAUSES:
            time.sleep(pause)
            listing = self.read()
            missing = [name for name in names if name not in listing and self._exists(name)]
            if not missing:
                return listing
        raise Unavailable(f"The listing does not show {self._objects.address_of(missing[0])} yet.")

    def _exists(self, name: str) -> bool:
        try:
            self._objects.stat_object(name)
        except NotFound:
            return False
        return True

    def _list(self, is_wanted: Callable[[str], bool]) -> Iterable[StoredObject]:
        if isinstance(self._objects, SupportsSearch):
            return self._objects.list_named(is_wanted)
        return (entry for entry in self._objects.list_objects() if is_wanted(entry.name))

    def _parse(
        self,
        entry: StoredObject,
        project: str | None,
        stored: Mapping[str, StoredObject],
        companions: Mapping[str, list[str]],
    ) -> StoredDistribution | None:
        """Return the distribution file of an object; ``None`` if it is something else.

        The file in the last listing is reused if it did not change.
        """
        if not looks_like_distribution(entry.name):
            return None
        metadata = stored.get(entry.name + METADATA_SUFFIX)
        suffixes = tuple(sorted(companions[entry.name])) if entry.name in companions else ()
        last = self._last.get(entry.name) if project is None else None
        if last and (last.stored, last.metadata, last.companions) == (entry, metadata, suffixes):
            return last
        try:
            parsed = parse_plain_filename(entry.name, project=project)
        except InvalidFilename as error:
            self._warn(entry.name, error)
            return None
        return StoredDistribution(entry, parsed, self._objects.address_of, suffixes, metadata)

    def _warn(self, name: str, error: InvalidFilename) -> None:
        if name not in self._warned:
            self._warned.add(name)
            _log.warning("%s is ignored: %s", self._objects.address_of(name), error)


def warn_about_truncated(
    listing: Listing, sizes: Iterable[tuple[str, int]], objects: ReadableObjects
) -> None:
    """Warn about files that are shorter than the pages declare: a full disk or a broken copy leaves them.

    Args:
        listing: The files in the container.
        sizes: Filenames with the sizes in bytes that the pages declare.
        objects: The objects of the container.
    """
    for name, size in sizes:
        distribution = listing.get(name)
        if distribution and distribution.stored.size < size:
            _log.warning(
                "%s has %d bytes, but the index pages declare %d. A full disk or an interrupted copy may "
                "have truncated it. If so, remove it: wheelrelay remove REMOTE %s",
                *(objects.address_of(name), distribution.stored.size, size, name),
            )


def _may_be_of(project: str) -> Callable[[str], bool]:
    """Return a quick test whether a plain name can belong to a project's file or its companion."""
    spelling = "[-_.]+".join(map(re.escape, canonicalize_name(project).split("-")))
    starts = re.compile(f"{spelling}-", re.IGNORECASE).match
    return lambda name: starts(name) is not None and is_plain(name)
