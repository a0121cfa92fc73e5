"""A container as a source: distribution files at ``<prefix>/<filename>``, with their companions."""

import logging
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from wheelrelay.containers.distribution import StoredDistribution
from wheelrelay.containers.file_metadata import (
    FileMetadata,
    from_object_metadata,
    from_page,
    state_of,
    state_text,
)
from wheelrelay.containers.listing import Listing, ListingReader, warn_about_truncated
from wheelrelay.containers.objects import (
    ReadableObjects,
    StoredObject,
    SupportsParts,
    hash_object,
    read_whole,
)
from wheelrelay.errors import BackendError, IntegrityError, NotFound, Rejected
from wheelrelay.filenames import parse_filename
from wheelrelay.model import PROVENANCE_SUFFIX, DistFile, ProjectStatus
from wheelrelay.protocols import ByteStream, InstallerIndex, SupportsServerTime

if TYPE_CHECKING:
    from wheelrelay.containers.cdn import PublicCopy
    from wheelrelay.containers.index_pages import IndexedFile

_log = logging.getLogger(__name__)


class ContainerSource:
    """Reads the distribution files of a container.

    Args:
        objects: The objects of the container.
        pages: Whether the container has index pages. They contain digests, which a listing does not.
        made_by_put: Whether the first file creates the container, as it creates a folder. If the container
            does not exist, it is then an empty sink, but still `NotFound` as a source.
        public_url: Public web address of the folder of files. Files are read from there first, and from the
            container if that fails.
        cdn_lag: How long the public address may show an older state.

    Attributes:
        readable: The objects of the container.
    """

    def __init__(
        self,
        objects: ReadableObjects,
        *,
        pages: bool = False,
        made_by_put: bool = False,
        public_url: str | None = None,
        cdn_lag: timedelta = timedelta(0),
    ) -> None:
        self.readable = objects
        self._keeps_pages = pages
        self._made_by_put = made_by_put
        self._pages_url = f"{public_url.rstrip('/')}/simple/" if public_url and pages else None
        self._public = _public_copy(public_url, cdn_lag) if public_url else None
        self._reader = ListingReader(objects)
        self._warned: set[str] = set()
        self._hashes: dict[tuple[str, int, str], str] = {}
        self._statuses: dict[str, ProjectStatus] = {}
        self._outdated: set[str] = set()
        self._written_at: dict[str, datetime | None] = {}
        self._described_digests: dict[str, tuple[str, str]] = {}

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """Yield the distribution files of ``project``, or all; see `wheelrelay.protocols.Source`.

        Files have the digests that the pages list for them. No file is read to find others.
        """
        return self._described(self._reader.read(project), None if project is None else [project])

    def clock_offset(self) -> float | None:
        """Return the seconds by which the local clock is ahead of the server's, if its time is known."""
        return self.readable.clock_offset() if isinstance(self.readable, SupportsServerTime) else None

    def installer_index(self) -> InstallerIndex | None:
        """Return the public address of the pages, if the container has some."""
        return InstallerIndex(self._pages_url) if self._pages_url else None

    def iter_files_of(self, projects: Collection[str]) -> Iterator[DistFile]:
        """Yield the distribution files of some projects from one listing."""
        return self._described(self._reader.read_projects(projects), projects)

    def _described(self, listing: Listing, projects: Collection[str] | None) -> Iterator[DistFile]:
        indexed = self._page_entries(projects)
        for distribution in listing.values():
            metadata = _metadata_if_current(indexed.get(distribution.stored.name), distribution)
            yield self._describe(distribution, metadata)

    def inventory(self, project: str) -> Iterator[DistFile]:
        """Yield the files of ``project`` that the container has now, with sha256.

        The digest comes from the pages, or was stored with the object when it was written. An object that
        another tool wrote is read and hashed, once for each of its states.

        Raises:
            BackendError: The container cannot be read.
        """
        return self._current(self._list([project]), [project])

    def inventory_of(self, projects: Collection[str]) -> Iterator[DistFile]:
        """Yield the files of some projects from one listing; see `inventory`."""
        return self._current(self._list(projects), projects)

    def _current(self, listing: Listing, projects: Collection[str]) -> Iterator[DistFile]:
        indexed = self._page_entries(projects) if listing else {}
        sizes = {name: entry.size for name, entry in indexed.items() if name not in self._warned}
        self._warned |= sizes.keys()
        warn_about_truncated(listing, sizes.items(), self.readable)
        for distribution in listing.values():
            entry = indexed.get(distribution.stored.name)
            try:
                metadata = _metadata_if_current(entry, distribution)
                if metadata is None or _lists_other_companions(entry, distribution):
                    self._outdated.add(distribution.project)
                metadata = metadata or self._find_metadata(distribution)
            except NotFound:  # deleted since it was listed
                continue
            if distribution.stored.etag:
                name, size, etag = state_of(distribution.stored)
                self._described_digests[name] = (state_text(size, etag), metadata.sha256)
            yield self._describe(distribution, metadata)

    def look(self, file: DistFile) -> DistFile | None:
        """Return the current file of the same name; see `wheelrelay.protocols.SupportsLook`.

        It takes one request, and one for each companion of ``file``. The digest is the one that was stored
        with the object, or is that of its bytes.
        """
        try:
            stored = self.readable.stat_object(file.filename)
            distribution = StoredDistribution(
                stored,
                parse_filename(stored.name, project=file.project),
                self.readable.address_of,
                tuple(suffix for suffix in file.companions if self._has(stored.name + suffix)),
            )
            metadata = self._find_metadata(distribution, stored)
        except NotFound:
            return None
        return self._describe(distribution, metadata)

    @contextmanager
    def open(self, file: DistFile) -> Iterator[ByteStream]:
        """Open a file for reading it once, in order."""
        with ExitStack() as stack:
            yield self._open_public(file, stack) or stack.enter_context(
                self.readable.open_object(file.filename)
            )

    @contextmanager
    def open_range(self, file: DistFile, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Open a part of a file in the container itself; see `wheelrelay.protocols.SupportsRange`."""
        if not isinstance(self.readable, SupportsParts):
            address = self.readable.address_of(file.filename)
            raise Rejected(f"{address}: this place does not support byte ranges.")
        with self.readable.open_part(file.filename, start, stop) as stream:
            yield stream

    def allows_parallel_ranges(self) -> bool:
        """Return whether ranges can be read in parallel; see `wheelrelay.protocols.LimitsParallelRanges`."""
        return not getattr(self.readable, "reads_ahead", False)

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """Read a companion file; one of more than 1 MiB is refused."""
        return read_whole(self.readable, file.filename + suffix)

    def project_status(self, project: str) -> ProjectStatus | None:
        """Return the status that the pages list for a project; ``None`` if they do not list it."""
        name = canonicalize_name(project)
        if name not in self._statuses:
            self._page_entries([name])
        return self._statuses.get(name)

    def close(self) -> None:
        """Close the connections to the public address; the objects belong to the caller."""
        if self._public:
            self._public.close()

    def _open_public(self, file: DistFile, stack: ExitStack) -> ByteStream | None:
        if self._public is None or not self._public.is_current(self._written_at.get(file.filename)):
            return None
        try:
            return stack.enter_context(self._public.open(file))
        except (BackendError, IntegrityError) as error:
            _log.info("Reading from the container instead of its public address: %s", error)
            return None

    def _list(self, projects: Collection[str] | None = None) -> Listing:
        """List the container, or some projects; empty if the first file creates it and it does not exist."""
        try:
            return self._reader.read() if projects is None else self._reader.read_projects(projects)
        except NotFound:
            if self._made_by_put:
                return Listing(())
            raise

    def _describe(self, distribution: StoredDistribution, metadata: FileMetadata | None) -> DistFile:
        file = metadata.describe(distribution.file) if metadata else distribution.file
        if self._public is None:
            return file
        self._written_at[file.filename] = distribution.stored.modified
        return replace(file, url=self._public.address_of(file.filename))

    def _page_entries(self, projects: Collection[str] | None) -> "dict[str, IndexedFile]":
        """Return the entries of the pages by filename."""
        if not self._may_have_pages():
            return {}
        from wheelrelay.containers.page_reading import (
            read_pages,
        )  # a container without pages need not load it

        entries = list(read_pages(self.readable, projects))
        self._statuses |= {parse_filename(entry.filename).project: entry.status for entry in entries}
        return {entry.filename: entry for entry in entries}

    def _may_have_pages(self) -> bool:
        """Whether to look for digests on pages. Other containers store them with the objects."""
        return self._keeps_pages

    def _has(self, name: str) -> bool:
        try:
            self.readable.stat_object(name)
        except NotFound:
            return False
        return True

    def _find_metadata(
        self, distribution: StoredDistribution, stat: StoredObject | None = None
    ) -> FileMetadata:
        """Return the metadata stored with an object, or else hash the object.

        Args:
            distribution: The file as a listing or ``stat`` describes it.
            stat: The object as `ReadableObjects.stat_object` returned it, if it was read already.
        """
        stat = stat or self.readable.stat_object(distribution.stored.name)
        stored_with = from_object_metadata(stat.metadata)
        if stored_with is not None:
            return stored_with
        state = state_of(distribution.stored)
        if state not in self._hashes or not distribution.stored.etag:
            self._hashes[state] = hash_object(self.readable, distribution.stored.name)
        return FileMetadata(sha256=self._hashes[state])


def _metadata_if_current(
    entry: "IndexedFile | None", distribution: StoredDistribution
) -> FileMetadata | None:
    """Return what a page lists for a file, if the file has not changed since.

    Without an ETag a change of the bytes would go unnoticed, so such an entry is never current.
    """
    state = (distribution.stored.size, distribution.stored.etag or None)
    return from_page(entry) if entry is not None and (entry.size, entry.etag) == state else None


def _lists_other_companions(entry: "IndexedFile | None", distribution: StoredDistribution) -> bool:
    has_provenance = PROVENANCE_SUFFIX in distribution.companions
    return entry is not None and entry.has_provenance != has_provenance


def _public_copy(url: str, lag: timedelta) -> "PublicCopy":
    from wheelrelay.containers.cdn import PublicCopy  # it imports the HTTP client

    return PublicCopy(url, lag)
