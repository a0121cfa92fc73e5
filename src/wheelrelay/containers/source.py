"""A container as a source: distribution files at ``<prefix>/<filename>``, their companions beside them."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from wheelrelay.containers.file_metadata import FileMetadata, indexed_facts, kept_facts
from wheelrelay.containers.io import read_whole, sha256_of
from wheelrelay.containers.listing import Contents, ContentsReader, StoredDistribution, warn_of_parts
from wheelrelay.containers.objects import ReadableObjects, SupportsParts
from wheelrelay.errors import BackendError, IntegrityError, NotFound, Rejected
from wheelrelay.model import DistFile
from wheelrelay.protocols import ByteStream

if TYPE_CHECKING:
    from wheelrelay.containers.cdn import PublicCopy
    from wheelrelay.containers.index_pages import IndexedFile

_log = logging.getLogger(__name__)


class ContainerSource:
    """Reads the distribution files of a container.

    Args:
        objects: the place.
        pages: whether index pages are kept there: they know digests, which a listing does not.
        made_by_put: the place comes into being with the first file put into it, as a folder does; one
            that is not there is then an empty sink. As a source it is `NotFound` all the same.
        public_url: the web address of the folder of files, if it has one. Files are read from there, and
            from the place itself where that fails.
        cdn_lag: how long that address may show what was there before.

    Attributes:
        readable: the place.
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
        self._public = _public_copy(public_url, cdn_lag) if public_url else None
        self._reader = ContentsReader(objects)
        self._warned: set[str] = set()
        self._hashed: dict[tuple[str, int, str], str] = {}

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """The distribution files of ``project``, or all; see `wheelrelay.protocols.Source`.

        Digests are those that the pages know, as far as the files are still those that the pages speak
        of; nothing is read to find out others.
        """
        contents = self._reader.read(project)
        indexed = self._indexed(project)
        for held in contents.values():
            facts = _still_true(indexed.get(held.file.filename), held)
            yield self._described(held, facts)

    def inventory(self, project: str) -> Iterator[DistFile]:
        """What the container holds of ``project`` now, with sha256.

        The digest is the one that the pages know, or that was kept with the object when it was written;
        an object that somebody else wrote is read and hashed, once for each state that it is in.

        Raises:
            BackendError: the container cannot be read.
        """
        contents = self._listed(project)
        indexed = self._indexed(project) if contents else {}
        parts = {name: entry.size for name, entry in indexed.items() if name not in self._warned}
        self._warned |= parts.keys()
        warn_of_parts(contents, parts.items(), self.readable)
        for held in contents.values():
            try:
                facts = _still_true(indexed.get(held.file.filename), held) or self._found_out(held)
            except NotFound:  # it went while we looked
                continue
            yield self._described(held, facts)

    @contextmanager
    def open(self, file: DistFile) -> Iterator[ByteStream]:
        """Open a file for reading it once, in order."""
        with ExitStack() as stack:
            yield self._open_public(file, stack) or stack.enter_context(
                self.readable.open_object(file.filename)
            )

    @contextmanager
    def open_range(self, file: DistFile, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Open a part of a file, from the place itself; see `wheelrelay.protocols.SupportsRange`."""
        if not isinstance(self.readable, SupportsParts):
            where = self.readable.address_of(file.filename)
            raise Rejected(f"{where} is given out only as a whole.")
        with self.readable.open_part(file.filename, start, stop) as stream:
            yield stream

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """The content of a companion file; one of more than 1 MiB is refused."""
        return read_whole(self.readable, file.filename + suffix)

    def close(self) -> None:
        """Close the connections that were made here; the place's own are for whoever made them."""
        if self._public:
            self._public.close()

    def _open_public(self, file: DistFile, stack: ExitStack) -> ByteStream | None:
        if self._public is None or not self._public.may_have(file):
            return None
        try:
            return stack.enter_context(self._public.open(file))
        except (BackendError, IntegrityError) as error:
            _log.info("The public copy is not used: %s", error)
            return None

    def _listed(self, project: str | None = None) -> Contents:
        """What is there; nothing, if the place comes with the first file and is truly not there yet."""
        try:
            return self._reader.read(project)
        except NotFound:
            if self._made_by_put:
                return Contents(())
            raise

    def _described(self, held: StoredDistribution, facts: FileMetadata | None) -> DistFile:
        file = facts.describe(held.file) if facts else held.file
        return replace(file, url=self._public.address_of(file.filename)) if self._public else file

    def _indexed(self, project: str | None) -> "dict[str, IndexedFile]":
        """What the pages say, by filename."""
        if not self._keeps_pages:
            return {}
        from wheelrelay.containers.page_contents import read_document

        return {entry.filename: entry for entry in read_document(self.readable, project)}

    def _found_out(self, held: StoredDistribution) -> FileMetadata:
        kept = kept_facts(self.readable.stat_object(held.stored.name).metadata)
        if kept is not None:
            return kept
        state = (held.stored.name, held.stored.size, held.stored.etag)
        if state not in self._hashed or not held.stored.etag:
            self._hashed[state] = sha256_of(self.readable, held.stored.name)
        return FileMetadata(sha256=self._hashed[state])


def _still_true(entry: "IndexedFile | None", held: StoredDistribution) -> FileMetadata | None:
    """What a page says of a file, if it is still the file that the page speaks of."""
    same = entry is not None and (entry.size, entry.etag) == (held.stored.size, held.stored.etag or None)
    return indexed_facts(entry) if entry is not None and same else None


def _public_copy(url: str, lag: timedelta) -> "PublicCopy":
    from wheelrelay.containers.cdn import PublicCopy  # which brings all of HTTP along

    return PublicCopy(url, lag)
