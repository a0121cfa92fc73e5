"""Find out what the pages of an index say of each file in a container, reading as little as possible.

In this order: what pages said before, while size and ETag there equal the listing's; what was kept with
the object when it was written; and else the bytes themselves, read once.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from wheelrelay.containers.file_metadata import (
    FileMetadata,
    indexed_facts,
    inspected_facts,
    kept_facts,
    metadata_within,
)
from wheelrelay.containers.index_pages import IndexedFile
from wheelrelay.containers.io import read_whole, sha256_of
from wheelrelay.containers.listing import METADATA, StoredDistribution
from wheelrelay.containers.objects import ReadableObjects, StoredObject, SupportsObjectPath
from wheelrelay.containers.write_cache import State, WriteCache, state_of
from wheelrelay.core_metadata import MAX_METADATA_SIZE
from wheelrelay.disk.folders import temporary_file, temporary_folder
from wheelrelay.disk.writing import write_all
from wheelrelay.errors import NotFound, PermissionDenied
from wheelrelay.model import Kind
from wheelrelay.staged import BLOCK_SIZE


class MetadataCache:
    """What is known of the files in a container, for as long as one rebuilding of pages lasts.

    Args:
        objects: the place.
        told: what is known of files by name, whatever object has the name now: it holds for an object
            with the same digest.
        written: what was written by whoever asks.

    Attributes:
        unreadable: what kept files from being read that nothing is known of, by filename.
    """

    def __init__(
        self, objects: ReadableObjects, told: Mapping[str, FileMetadata], written: WriteCache | None = None
    ) -> None:
        self._objects = objects
        self._told = dict(told)
        by_us = written or WriteCache()
        self._facts: dict[State, FileMetadata] = {
            state: facts for state, facts in by_us.facts.items() if facts.inspected
        }
        self._metadata_files: dict[tuple[str, str], str] = dict(by_us.digests)
        self._core_metadata: dict[str, bytes] = {}
        self.unreadable: dict[str, PermissionDenied] = {}

    def remember(self, entries: Iterable[IndexedFile]) -> None:
        """Learn what a page said before."""
        for entry in entries:
            facts = indexed_facts(entry)
            self._told.setdefault(entry.filename, facts)
            if entry.etag:
                self._facts.setdefault((entry.filename, entry.size, entry.etag), facts)
            if entry.metadata_sha256 and entry.metadata_etag:
                name = entry.filename + METADATA
                self._metadata_files.setdefault((name, entry.metadata_etag), entry.metadata_sha256)

    def refuse_unreadable(self) -> None:
        """Say which files are on no page because they may not be read.

        Raises:
            PermissionDenied: there are some.
        """
        if self.unreadable:
            first = next(iter(self.unreadable.values()))
            names = ", ".join(sorted(self.unreadable))
            raise PermissionDenied(
                f"No page can list {names}: {first.message}",
                hint="Let them be read, or remove them, and run `wheelrelay index` on the container.",
            ) from first

    def knows(self, held: StoredDistribution) -> bool:
        """Whether the facts of a file are known without asking the place."""
        return state_of(held.stored) in self._facts

    def facts(self, held: StoredDistribution) -> FileMetadata:
        """The facts of a file.

        Raises:
            NotFound: it is not there any more.
            BackendError: it cannot be read.
        """
        state = state_of(held.stored)
        if state not in self._facts:
            self._facts[state] = self._kept(held) or self._recognised(held) or self._inspected(held)
        return self._facts[state]

    def entry(self, held: StoredDistribution) -> IndexedFile:
        """What the pages are to say of a file; its metadata file takes part if it is the right one.

        Raises:
            NotFound: it is not there any more.
            BackendError: it cannot be read.
        """
        facts = self.facts(held)
        has_metadata_file = facts.metadata_sha256 is not None and self.has_right_metadata(held)
        return IndexedFile(
            filename=held.file.filename,
            version=held.file.version,
            size=held.stored.size,
            sha256=facts.sha256,
            etag=held.stored.etag,
            requires_python=facts.requires_python,
            yanked=facts.yanked,
            uploaded=held.stored.modified,
            metadata_sha256=facts.metadata_sha256 if has_metadata_file else None,
            metadata_etag=held.metadata.etag if held.metadata else None,
            signed=".asc" in held.file.companions,
            build=facts.build,
        )

    def has_right_metadata(self, held: StoredDistribution) -> bool:
        """Whether the metadata file beside a wheel is the wheel's own; true where there ought to be none.

        Raises:
            NotFound: the wheel is not there any more.
            BackendError: one of them cannot be read.
        """
        wanted = self.facts(held).metadata_sha256
        return wanted is None or (
            held.metadata is not None and self._sha256_of_metadata(held.metadata) == wanted
        )

    def core_metadata(self, held: StoredDistribution) -> bytes | None:
        """The core metadata within a file, read from its bytes; what was known of it is corrected by that.

        Raises:
            NotFound: the file is not there any more.
            BackendError: it cannot be read.
        """
        if held.file.filename not in self._core_metadata:
            self._facts[state_of(held.stored)] = self._inspected(held)
        return self._core_metadata.get(held.file.filename)

    def _kept(self, held: StoredDistribution) -> FileMetadata | None:
        facts = kept_facts(self._objects.stat_object(held.stored.name).metadata)
        if facts is None or not facts.inspected:
            return None
        has_metadata = facts.metadata_sha256 is not None or held.file.kind is not Kind.WHEEL
        return facts if has_metadata else None

    def _recognised(self, held: StoredDistribution) -> FileMetadata | None:
        """What was told of the name, if the bytes are those that it was told of."""
        told = self._told.get(held.file.filename)
        if told is None or not told.inspected or told.sha256 != sha256_of(self._objects, held.stored.name):
            return None
        return told

    def _inspected(self, held: StoredDistribution) -> FileMetadata:
        sha256, metadata = self._looked_into(held)
        if metadata is not None:
            self._core_metadata[held.file.filename] = metadata
        kept = kept_facts(self._objects.stat_object(held.stored.name).metadata)
        known = (kept, self._told.get(held.file.filename))
        said = next((one for one in known if one and one.sha256 == sha256), None)
        file = replace(held.file, yanked=said.yanked, build=said.build) if said else held.file
        return inspected_facts(file, sha256, metadata)

    def _looked_into(self, held: StoredDistribution) -> tuple[str, bytes | None]:
        """The sha256 of a file, and the metadata within it."""
        name = held.stored.name
        if isinstance(self._objects, SupportsObjectPath):
            sha256 = sha256_of(self._objects, name)
            return sha256, metadata_within(self._objects.path_of(name), held.file.filename)
        digest = hashlib.sha256()
        with temporary_folder() as folder:
            with self._objects.open_object(name) as stream, temporary_file(folder) as copy:
                while block := stream.read(BLOCK_SIZE):
                    digest.update(block)
                    write_all(copy, block)
            return digest.hexdigest(), metadata_within(Path(copy.name), held.file.filename)

    def _sha256_of_metadata(self, stored: StoredObject | None) -> str | None:
        if stored is None or stored.size > MAX_METADATA_SIZE:
            return None
        key = (stored.name, stored.etag)
        if key not in self._metadata_files or not stored.etag:
            try:
                content = read_whole(self._objects, stored.name, limit=MAX_METADATA_SIZE)
            except NotFound:  # it went while we looked
                return None
            self._metadata_files[key] = hashlib.sha256(content).hexdigest()
        return self._metadata_files[key]
