"""A container as a store: files are published whole, with their companions, and never overwritten."""

import hashlib
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from wheelrelay.containers.bulk_look import look_at_many
from wheelrelay.containers.distribution import StoredDistribution
from wheelrelay.containers.file_metadata import (
    FileMetadata,
    WriteCache,
    from_core_metadata,
    state_of,
    stored_sha256,
    try_core_metadata,
)
from wheelrelay.containers.grouped_writes import GroupedWrites
from wheelrelay.containers.listing import METADATA_SUFFIX, Listing
from wheelrelay.containers.objects import BINARY, Objects, StoredObject, SupportsCopy, read_whole
from wheelrelay.containers.snapshots import SnapshotTaker
from wheelrelay.containers.source import ContainerSource
from wheelrelay.containers.state_keeper import StateKeeper
from wheelrelay.errors import AlreadyExists, BackendError, NotFound
from wheelrelay.model import DistFile, Kind
from wheelrelay.protocols import Source
from wheelrelay.signing import with_provenance
from wheelrelay.staged import StagedFile

if TYPE_CHECKING:
    from wheelrelay.containers.pages import Pages


class ContainerStore(ContainerSource, StateKeeper, SnapshotTaker):
    """Reads and writes the distribution files of a container, and maintains its index pages.

    Args:
        objects: The objects of the container.
        pages: Whether to maintain index pages, see `wheelrelay.containers.pages`. Existing pages are updated
            in any case.
        made_by_put, public_url, cdn_lag: As for `ContainerSource`.
    """

    keeps_companions: Literal[True] = True

    def __init__(
        self,
        objects: Objects,
        *,
        pages: bool = False,
        made_by_put: bool = False,
        public_url: str | None = None,
        cdn_lag: timedelta = timedelta(0),
    ) -> None:
        super().__init__(
            objects, pages=pages, made_by_put=made_by_put, public_url=public_url, cdn_lag=cdn_lag
        )
        self._objects = objects
        self._has_checked_pages = False
        self._pages_lock = threading.Lock()
        self._published: dict[str, FileMetadata] = {}
        self._written = WriteCache()
        self._grouped = GroupedWrites(objects, self._written)
        self._listed_names: dict[str, frozenset[str]] = {}
        self._orphans: dict[str, Sequence[str]] = {}

    def put(self, staged: StagedFile) -> None:
        """Publish the file with its companions: the companions first, the distribution last.

        If the same bytes exist already, only missing companions are added. Companions without a distribution
        belong to other bytes, perhaps of an earlier build: they are replaced or removed. On failure the
        written companions are removed again, unless the distribution exists or may exist.

        Raises:
            AlreadyExists: The name is taken by other bytes; nothing changed.
            ChangedWhileReading: The local file was modified; nothing was published.
            BackendError: The place refused or failed.
        """
        self._put(staged, None)

    def put_from(self, source: Source, staged: StagedFile) -> None:
        """Publish the file, copied within the server if possible; otherwise as `put`."""
        self._put(staged, source)

    def _put(self, staged: StagedFile, source: Source | None) -> None:
        staged = with_provenance(staged) if self._has_pages() else staged
        exists = not self._was_absent(staged) and self._has_same_bytes(staged)
        with self._removed_on_failure(staged) as written:
            for companion in staged.companions:
                self._add(staged, companion.suffix, companion.content, written, is_new=not exists)
            if not exists:
                self._remove_orphans(staged)
                self._publish(staged, source, written)

    def replace(self, staged: StagedFile) -> None:
        """Publish the file in place of an existing one; see `wheelrelay.protocols.SupportsReplace`.

        The old companions are removed and the new ones written before the bytes change. If the process is
        killed in between, the same command completes the work.
        """
        staged = with_provenance(staged) if self._has_pages() else staged
        existing = self._list([staged.file.project]).get(staged.filename)
        if existing is None or stored_sha256(self._objects, staged.filename) == staged.sha256:
            self._replace_companions(staged, existing)
            self.put(staged)
            return
        metadata, core_metadata = self._inspect(staged)
        for suffix in existing.file.companions:
            self._objects.delete_object(staged.filename + suffix)
        companions = {companion.suffix: companion.content for companion in staged.companions}
        if core_metadata is not None:
            companions[METADATA_SUFFIX] = core_metadata
            self._written.add_core_metadata(core_metadata)
        elif existing.metadata:
            self._objects.delete_object(existing.metadata.name)
        for suffix, content in companions.items():
            self._objects.replace_object(staged.filename + suffix, content, content_type=BINARY, metadata={})
        values = metadata.to_object_metadata()
        self._objects.replace_object(staged.filename, staged, content_type=BINARY, metadata=values)
        self._published[staged.filename] = metadata

    def _replace_companions(self, staged: StagedFile, existing: StoredDistribution | None) -> None:
        """Replace companions with other content, if the distribution has the same bytes."""
        suffixes = existing.file.companions if existing else ()
        for companion in staged.companions:
            name = staged.filename + companion.suffix
            if companion.suffix in suffixes and not self._has_content(name, companion.content):
                self._objects.replace_object(name, companion.content, content_type=BINARY, metadata={})

    def delete(self, files: Collection[DistFile]) -> None:
        """Delete files that exist with their companions, from the pages first, also if that fails halfway."""
        projects = {file.project for file in files}
        try:
            self._delete({file.filename for file in files})
        except BaseException:
            with suppress(Exception):  # the first error is the one to report
                self.finalize(projects)
            raise
        self.finalize(projects)

    def _delete(self, names: Collection[str]) -> None:
        for name in names:
            self._published.pop(name, None)
            self._written.forget(name)
        if self._has_pages(recheck=True):
            self._pages.hide(names, self._published)
        listing = self._list()
        for name in names:
            distribution = listing.get(name)
            for suffix in distribution.companions if distribution else ():
                self._objects.delete_object(name + suffix)
            if distribution and distribution.metadata:
                self._objects.delete_object(distribution.metadata.name)
            self._objects.delete_object(name)

    def finalize(self, projects: Collection[str]) -> None:
        """Bring the index pages up to date, if pages are configured or exist.

        They are the pages of these projects, of those whose files differ from what the pages list, and those
        of all projects.

        Raises:
            Unavailable: Other jobs keep writing, or the listing does not show the new files yet.
            BackendError: Something cannot be read or written; no page was replaced by one that lists less
                than exists.
        """
        if self._has_pages(recheck=True):
            self._pages.write({*projects, *self._outdated}, self._published)

    def rebuild_pages(self) -> None:
        """Rewrite all index pages, even if pages are not configured."""
        self._pages.write(None, self._published)

    def look_at_many(self, files: Collection[DistFile]) -> Mapping[str, DistFile]:
        """Return files whose state a listing shows; see `wheelrelay.protocols.SupportsBulkLook`."""
        return look_at_many(self._objects, self._reader, self._written, files)

    def check_pages(self) -> list[str]:
        """Return the names of pages and metadata files that are outdated."""
        return self._pages.check()

    def _has_pages(self, *, recheck: bool = False) -> bool:
        """Whether pages are configured or exist: existing pages must not become outdated.

        Args:
            recheck: Whether to look again if there were none before.
        """
        with self._pages_lock:
            if not self._keeps_pages and (recheck or not self._has_checked_pages):
                from wheelrelay.containers.page_reading import has_own_pages

                self._keeps_pages = has_own_pages(self._objects)
                self._has_checked_pages = True
            return self._keeps_pages

    @cached_property
    def _pages(self) -> "Pages":
        from wheelrelay.containers.pages import Pages

        return Pages(self._objects, lambda: self._reader.read_complete(self._published), self._written)

    def _list(self, projects: Collection[str] | None = None) -> Listing:
        listing = super()._list(projects)
        if projects is not None:
            names: dict[str, set[str]] = {canonicalize_name(project): set() for project in projects}
            for name, distribution in listing.items():
                names[distribution.project].add(name)
            with self._pages_lock:
                self._listed_names.update({project: frozenset(found) for project, found in names.items()})
                self._orphans |= listing.orphans
        return listing

    def _find_metadata(
        self, distribution: StoredDistribution, stat: StoredObject | None = None
    ) -> FileMetadata:
        state = state_of(distribution.stored)
        return self._written.files.get(state) or super()._find_metadata(distribution, stat)

    def _was_absent(self, staged: StagedFile) -> bool:
        """Whether the name was free when the project was listed.

        This saves a request: if another writer has taken the name since, creating the object fails.
        """
        names = self._listed_names.get(staged.file.project)
        return names is not None and staged.filename not in names and staged.filename not in self._published

    def _has_same_bytes(self, staged: StagedFile) -> bool:
        """Whether the container has the file with the same bytes.

        Raises:
            AlreadyExists: It has the file with other bytes.
        """
        try:
            stored = self._objects.stat_object(staged.filename)
            sha256 = stored_sha256(self._objects, staged.filename) if stored.size == staged.size else None
        except NotFound:
            return False
        if sha256 == staged.sha256:
            return True
        raise AlreadyExists(
            f"{self._objects.address_of(staged.filename)} already exists with other bytes.",
            hint="Nothing was overwritten; use `push(replace=True)` to replace it.",
        )

    def _publish(self, staged: StagedFile, source: Source | None, written: list[str]) -> None:
        metadata, core_metadata = self._inspect(staged)
        is_grouped = core_metadata is not None and self._grouped.are_supported
        if core_metadata is not None and not is_grouped:
            self._add(staged, METADATA_SUFFIX, core_metadata, written, is_new=True)
            self._written.add_core_metadata(core_metadata)
        values = metadata.to_object_metadata()
        try:
            if not self._is_copied(source, staged, values):
                self._create(staged, values, metadata)
        except AlreadyExists:
            if not self._has_same_bytes(staged):
                raise
        self._published[staged.filename] = metadata
        if core_metadata is not None and is_grouped:
            # No page announces it yet. After a kill here, the next update of the pages writes it.
            self._grouped.replace(staged.filename + METADATA_SUFFIX, core_metadata)

    def _create(self, staged: StagedFile, values: Mapping[str, str], metadata: FileMetadata) -> None:
        etag = self._objects.create_object(staged.filename, staged, content_type=BINARY, metadata=values)
        if etag:
            self._written.files[staged.filename, staged.size, etag] = metadata

    def _is_copied(self, source: Source | None, staged: StagedFile, values: Mapping[str, str]) -> bool:
        """Copy the file within the server if possible, and return whether it was copied."""
        if not isinstance(source, ContainerSource) or not isinstance(self._objects, SupportsCopy):
            return False
        with staged.open():  # raises if the local file, which the metadata comes from, was modified
            return self._objects.copy_object(source.readable, staged, content_type=BINARY, metadata=values)

    def _inspect(self, staged: StagedFile) -> tuple[FileMetadata, bytes | None]:
        """Return the metadata of a file, and the content of the metadata file to write for it."""
        file = staged.file
        if not self._has_pages():
            return FileMetadata(staged.sha256, inspected=False, yanked=file.yanked, build=file.build), None
        core_metadata = try_core_metadata(staged.path, staged.filename, known=staged.metadata)
        metadata = from_core_metadata(file, staged.sha256, core_metadata)
        return metadata, core_metadata if file.kind is Kind.WHEEL else None

    def _add(
        self, staged: StagedFile, suffix: str, content: bytes, written: list[str], *, is_new: bool
    ) -> None:
        """Write a companion of a distribution, and record its name.

        Args:
            staged: The distribution.
            suffix: Suffix of the companion.
            content: Content of the companion.
            written: Receives the name if the companion was written.
            is_new: Whether the distribution does not exist yet. An existing companion with other content is
                then replaced; otherwise it stays.
        """
        name, etag = staged.filename + suffix, None
        try:
            etag = self._objects.create_object(name, content, content_type=BINARY, metadata={})
        except AlreadyExists:
            # Another writer may have published the distribution since: its companions stay then.
            if not is_new or self._has_content(name, content) or self._has_same_bytes(staged):
                return
            self._objects.replace_object(name, content, content_type=BINARY, metadata={})
        written.append(name)
        if etag:
            self._written.digests[name, etag] = hashlib.sha256(content).hexdigest()

    def _has_content(self, name: str, content: bytes) -> bool:
        try:
            is_as_long = self._objects.stat_object(name).size == len(content)
            return is_as_long and read_whole(self._objects, name) == content
        except NotFound:
            return False

    def _remove_orphans(self, staged: StagedFile) -> None:
        """Remove companions that exist without the distribution and that it does not bring."""
        orphans = set(self._orphans.get(staged.filename, ()))
        orphans -= {companion.suffix for companion in staged.companions}
        if orphans and not self._has_same_bytes(staged):
            for suffix in sorted(orphans):
                self._objects.delete_object(staged.filename + suffix)

    @contextmanager
    def _removed_on_failure(self, staged: StagedFile) -> Iterator[list[str]]:
        """Yield a list for the names of written companions, and remove them if the block fails.

        They stay if the distribution exists, or may exist: a lost answer looks like a failure.
        """
        written: list[str] = []
        try:
            yield written
        except BaseException:
            if written and not self._may_have_same_bytes(staged):
                for name in written:
                    with suppress(BackendError):  # the first error is the one to report
                        self._objects.delete_object(name)
            raise

    def _may_have_same_bytes(self, staged: StagedFile) -> bool:
        """Whether the container has the same bytes, or that is unknown."""
        try:
            return self._has_same_bytes(staged)
        except BackendError as error:
            return not isinstance(error, AlreadyExists)
