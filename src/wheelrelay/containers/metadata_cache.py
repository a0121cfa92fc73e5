"""Find out what the pages of an index must list for each file in a container, reading as little as possible.

The sources, in this order: the existing pages, if size and ETag there match the listing; the metadata stored
with the object; the bytes of the object, read once.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from wheelrelay.containers.distribution import StoredDistribution
from wheelrelay.containers.file_metadata import (
    FileMetadata,
    ObjectState,
    WriteCache,
    from_core_metadata,
    from_object_metadata,
    from_page,
    state_of,
    try_core_metadata,
)
from wheelrelay.containers.index_pages import NOT_DESCRIBED, About, IndexedFile
from wheelrelay.containers.listing import METADATA_SUFFIX
from wheelrelay.containers.objects import (
    ReadableObjects,
    StoredObject,
    SupportsObjectPath,
    hash_object,
    read_whole,
)
from wheelrelay.core_metadata import MAX_METADATA_SIZE
from wheelrelay.disk.folders import temporary_file, temporary_folder
from wheelrelay.disk.writing import write_all
from wheelrelay.errors import NotFound, PermissionDenied
from wheelrelay.model import PROVENANCE_SUFFIX, Kind
from wheelrelay.staged import BLOCK_SIZE


class MetadataCache:
    """Metadata of the files in a container, for the duration of one update of the pages.

    Args:
        objects: The objects of the container.
        by_filename: Metadata of files by name, whichever object has the name now. It is valid for an object
            with the same digest.
        written: What the store wrote itself.

    Attributes:
        unreadable: Errors for files that may not be read and that nothing is known about, by filename.
    """

    def __init__(
        self,
        objects: ReadableObjects,
        by_filename: Mapping[str, FileMetadata],
        written: WriteCache | None = None,
    ) -> None:
        self._objects = objects
        self._by_filename = dict(by_filename)
        written = written or WriteCache()
        self._by_state: dict[ObjectState, FileMetadata] = {
            state: metadata for state, metadata in written.files.items() if metadata.inspected
        }
        self._metadata_files: dict[tuple[str, str], str] = dict(written.digests)
        self._about = dict(written.about)
        self._core_metadata: dict[str, bytes] = {}
        self.unreadable: dict[str, PermissionDenied] = {}

    def add_page(self, entries: Iterable[IndexedFile]) -> None:
        """Add what an existing page lists; what is known already stays."""
        for entry in entries:
            metadata = from_page(entry)
            self._by_filename.setdefault(entry.filename, metadata)
            if entry.etag:
                self._by_state.setdefault((entry.filename, entry.size, entry.etag), metadata)
            if entry.metadata_sha256 and entry.metadata_etag:
                name = entry.filename + METADATA_SUFFIX
                self._metadata_files.setdefault((name, entry.metadata_etag), entry.metadata_sha256)

    def require_readable(self) -> None:
        """Report files that are on no page because they may not be read.

        Raises:
            PermissionDenied: There are such files.
        """
        if self.unreadable:
            first = next(iter(self.unreadable.values()))
            names = ", ".join(sorted(self.unreadable))
            raise PermissionDenied(
                f"The index pages do not list files that cannot be read: {names}. {first.message}",
                hint="Grant read access or remove them, then run `wheelrelay index` on the container.",
            ) from first

    def has(self, distribution: StoredDistribution) -> bool:
        """Whether the metadata of a file is known without a request."""
        return state_of(distribution.stored) in self._by_state

    def get(self, distribution: StoredDistribution) -> FileMetadata:
        """Return the metadata of a file; read the file only if nothing else is known.

        Raises:
            NotFound: The file no longer exists.
            BackendError: It cannot be read.
        """
        state = state_of(distribution.stored)
        if state not in self._by_state:
            self._by_state[state] = (
                self._stored_with(distribution)
                or self._known_by_name(distribution)
                or self._inspect(distribution)
            )
        return self._by_state[state]

    def page_entry(self, distribution: StoredDistribution) -> IndexedFile:
        """Return what the pages must list for a file, including its metadata file if that is correct.

        Raises:
            NotFound: The file no longer exists.
            BackendError: It cannot be read.
        """
        metadata = self.get(distribution)
        has_metadata_file = metadata.metadata_sha256 is not None and self.has_correct_metadata_file(
            distribution
        )
        return IndexedFile(
            filename=distribution.stored.name,
            version=distribution.file.version,
            size=distribution.stored.size,
            sha256=metadata.sha256,
            etag=distribution.stored.etag,
            requires_python=metadata.requires_python,
            yanked=metadata.yanked,
            uploaded=distribution.stored.modified,
            metadata_sha256=metadata.metadata_sha256 if has_metadata_file else None,
            metadata_etag=distribution.metadata.etag if distribution.metadata else None,
            signed=".asc" in distribution.companions,
            has_provenance=PROVENANCE_SUFFIX in distribution.companions,
            build=metadata.build,
        )

    def has_correct_metadata_file(self, distribution: StoredDistribution) -> bool:
        """Whether the metadata file of a wheel has the wheel's own metadata; true if it needs none.

        Raises:
            NotFound: The wheel no longer exists.
            BackendError: One of the two cannot be read.
        """
        expected = self.get(distribution).metadata_sha256
        return expected is None or self._hash_metadata_file(distribution.metadata) == expected

    def core_metadata(self, distribution: StoredDistribution) -> bytes | None:
        """Read the core metadata from the bytes of a file, and correct what is known about it.

        Raises:
            NotFound: The file no longer exists.
            BackendError: It cannot be read.
        """
        if distribution.stored.name not in self._core_metadata:
            self._by_state[state_of(distribution.stored)] = self._inspect(distribution)
        return self._core_metadata.get(distribution.stored.name)

    def about(self, filename: str, sha256: str) -> About:
        """Return what the metadata file of a wheel tells about its project; it is read only if needed.

        Args:
            filename: The wheel.
            sha256: The digest of its metadata file.
        """
        if sha256 in self._about:
            return self._about[sha256]
        content = self._core_metadata.get(filename)
        if content is None:
            try:
                content = read_whole(self._objects, filename + METADATA_SUFFIX, limit=MAX_METADATA_SIZE)
            except (NotFound, PermissionDenied):
                return NOT_DESCRIBED
        is_current = hashlib.sha256(content).hexdigest() == sha256
        return About.from_core_metadata(content) if is_current else NOT_DESCRIBED

    def _stored_with(self, distribution: StoredDistribution) -> FileMetadata | None:
        metadata = from_object_metadata(self._objects.stat_object(distribution.stored.name).metadata)
        if metadata is None or not metadata.inspected:
            return None
        is_complete = metadata.metadata_sha256 is not None or distribution.file.kind is not Kind.WHEEL
        return metadata if is_complete else None

    def _known_by_name(self, distribution: StoredDistribution) -> FileMetadata | None:
        """Return what is known about the name, if the object has the bytes that it is about."""
        known = self._by_filename.get(distribution.stored.name)
        if known is None or not known.inspected:
            return None
        return known if known.sha256 == hash_object(self._objects, distribution.stored.name) else None

    def _inspect(self, distribution: StoredDistribution) -> FileMetadata:
        sha256, core_metadata = self._read_file(distribution)
        if core_metadata is not None:
            self._core_metadata[distribution.stored.name] = core_metadata
        # Yanking and the build are not in the file, so they are taken over from what is known of its bytes.
        stored_with = from_object_metadata(self._objects.stat_object(distribution.stored.name).metadata)
        candidates = (stored_with, self._by_filename.get(distribution.stored.name))
        known = next((metadata for metadata in candidates if metadata and metadata.sha256 == sha256), None)
        file = distribution.file
        if known:
            file = replace(file, yanked=known.yanked, build=known.build)
        return from_core_metadata(file, sha256, core_metadata)

    def _read_file(self, distribution: StoredDistribution) -> tuple[str, bytes | None]:
        """Return the sha256 of a file, and its core metadata."""
        name = distribution.stored.name
        if isinstance(self._objects, SupportsObjectPath):
            sha256 = hash_object(self._objects, name)
            return sha256, try_core_metadata(self._objects.path_of(name), distribution.stored.name)
        digest = hashlib.sha256()
        with temporary_folder() as folder:
            with self._objects.open_object(name) as stream, temporary_file(folder) as copy:
                while block := stream.read(BLOCK_SIZE):
                    digest.update(block)
                    write_all(copy, block)
            return digest.hexdigest(), try_core_metadata(Path(copy.name), distribution.stored.name)

    def _hash_metadata_file(self, stored: StoredObject | None) -> str | None:
        if stored is None or stored.size > MAX_METADATA_SIZE:
            return None
        key = (stored.name, stored.etag)
        if key not in self._metadata_files or not stored.etag:
            try:
                content = read_whole(self._objects, stored.name, limit=MAX_METADATA_SIZE)
            except NotFound:  # deleted since it was listed
                return None
            self._metadata_files[key] = hashlib.sha256(content).hexdigest()
        return self._metadata_files[key]
