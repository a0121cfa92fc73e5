"""A container as a store: what is put there is there whole, with its companions, and never overwritten."""

import hashlib
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from wheelrelay.containers.file_metadata import FileMetadata, inspected_facts, kept_facts, metadata_within
from wheelrelay.containers.io import BINARY, read_whole, sha256_of
from wheelrelay.containers.listing import METADATA, Contents, StoredDistribution
from wheelrelay.containers.objects import Objects, SupportsCopy
from wheelrelay.containers.source import ContainerSource
from wheelrelay.containers.write_cache import WriteCache, state_of
from wheelrelay.errors import AlreadyExists, BackendError, NotFound, Unavailable
from wheelrelay.model import DistFile, Kind
from wheelrelay.protocols import Source
from wheelrelay.staged import StagedFile

if TYPE_CHECKING:
    from wheelrelay.containers.pages import Pages

_PATIENCE = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds to wait before each look at a listing that lags behind."""


class ContainerStore(ContainerSource):
    """Reads and writes the distribution files of a container, and keeps its index pages.

    Args:
        objects: the place.
        pages: keep index pages, so that the container is an index; see `wheelrelay.containers.pages`. Pages
            that are there are kept true in any case.
        made_by_put: as for `ContainerSource`.
        public_url: as for `ContainerSource`.
        cdn_lag: as for `ContainerSource`.
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
        self._looked_for_pages = False
        self._looking_for_pages = threading.Lock()
        self._told: dict[str, FileMetadata] = {}
        self._written = WriteCache()
        self._seen: dict[str, frozenset[str]] = {}
        self._orphans: dict[str, Sequence[str]] = {}

    def put(self, staged: StagedFile) -> None:
        """Publish the file with its companions: the companions first, the distribution last.

        With the same bytes there already, missing companions are added and nothing else happens. Companions
        that are there without the distribution are those of other bytes, perhaps of an earlier build: they
        are replaced, or removed. If it fails, what was written is removed again, unless the distribution is
        there, or may be.

        Raises:
            AlreadyExists: the name is taken by other bytes; nothing was changed.
            ChangedWhileReading: the local file was touched; nothing was published.
            BackendError: the place refused or failed.
        """
        self._put(staged, None)

    def put_from(self, source: Source, staged: StagedFile) -> None:
        """Publish the file, copied within the server where possible; as `put` in everything else."""
        self._put(staged, source)

    def _put(self, staged: StagedFile, source: Source | None) -> None:
        there = not self._was_absent(staged) and self._holds(staged)
        with self._undone_on_failure(staged) as written:
            for companion in staged.companions:
                self._add(staged, companion.suffix, companion.content, written, alone=not there)
            if not there:
                self._remove_orphans(staged)
                self._publish(staged, source, written)

    def replace(self, staged: StagedFile) -> None:
        """Publish the file in place of what its name held; see `wheelrelay.protocols.SupportsReplace`.

        The companions of the old bytes go, and those of the new ones come, before the bytes change: what
        a killed run left is completed by the next.
        """
        held = self._listed(staged.file.project).get(staged.filename)
        if held is None or _sha256(self._objects, staged.filename) == staged.sha256:
            self._replace_companions(staged, held)
            self.put(staged)
            return
        facts, metadata = self._inspected(staged)
        for suffix in held.file.companions:
            self._objects.delete_object(staged.filename + suffix)
        beside = {companion.suffix: companion.content for companion in staged.companions}
        if metadata is not None:
            beside[METADATA] = metadata
        elif held.metadata:
            self._objects.delete_object(held.metadata.name)
        for suffix, content in beside.items():
            self._objects.replace_object(staged.filename + suffix, content, content_type=BINARY, metadata={})
        self._objects.replace_object(staged.filename, staged, content_type=BINARY, metadata=facts.kept())
        self._told[staged.filename] = facts

    def _replace_companions(self, staged: StagedFile, held: StoredDistribution | None) -> None:
        """Replace the companions that differ, next to a distribution whose bytes are the same."""
        existing = held.file.companions if held else ()
        for companion in staged.companions:
            name = staged.filename + companion.suffix
            if companion.suffix in existing and not self._has(name, companion.content):
                self._objects.replace_object(name, companion.content, content_type=BINARY, metadata={})

    def delete(self, files: Collection[DistFile]) -> None:
        """Take files out with their companions, from the pages first; what is gone is no error.

        If it fails, the pages list again what is still there.
        """
        projects = {file.project for file in files}
        try:
            self._delete({file.filename for file in files})
        except BaseException:
            with suppress(Exception):  # what went wrong first is what matters
                self.finalize(projects)
            raise
        self.finalize(projects)

    def _delete(self, names: Collection[str]) -> None:
        for name in names:
            self._told.pop(name, None)
            self._written.forget(name)
        if self._has_pages(look_again=True):
            self._pages.hide(names, self._told)
        contents = self._listed()
        for name in names:
            held = contents.get(name)
            for suffix in held.file.companions if held else ():
                self._objects.delete_object(name + suffix)
            if held and held.metadata:
                self._objects.delete_object(held.metadata.name)
            self._objects.delete_object(name)

    def finalize(self, projects: Collection[str]) -> None:
        """Bring the index pages up to date, where pages are kept or are there.

        Raises:
            Unavailable: others keep writing, or the listing does not show yet what was put.
            BackendError: something cannot be read or written; nothing true was replaced by less.
        """
        if self._has_pages(look_again=True):
            self._pages.write(projects, self._told)

    def rebuild_pages(self) -> None:
        """Write all index pages anew from what is there, also where they are not kept up to date."""
        self._pages.write(None, self._told)

    def check_pages(self) -> list[str]:
        """The names of the pages and metadata files that are not as they would be written now."""
        return self._pages.check()

    def _has_pages(self, *, look_again: bool = False) -> bool:
        """Whether pages are kept here, or are there: those that are there must not become false.

        Args:
            look_again: look also if there were none before.
        """
        with self._looking_for_pages:
            if not self._keeps_pages and (look_again or not self._looked_for_pages):
                from wheelrelay.containers.page_contents import has_own_pages

                self._keeps_pages = has_own_pages(self._objects)
                self._looked_for_pages = True
            return self._keeps_pages

    @cached_property
    def _pages(self) -> "Pages":
        from wheelrelay.containers.pages import Pages

        return Pages(self._objects, self._settled, self._written)

    def _listed(self, project: str | None = None) -> Contents:
        contents = super()._listed(project)
        if project is not None:
            self._seen[canonicalize_name(project)] = frozenset(contents)
            self._orphans |= contents.orphans
        return contents

    def _found_out(self, held: StoredDistribution) -> FileMetadata:
        return self._written.facts.get(state_of(held.stored)) or super()._found_out(held)

    def _was_absent(self, staged: StagedFile) -> bool:
        """Whether the name was free when the project was listed; whoever took it since keeps it."""
        seen = self._seen.get(staged.file.project)
        return seen is not None and staged.filename not in seen and staged.filename not in self._told

    def _holds(self, staged: StagedFile) -> bool:
        """Whether the very bytes are there; other bytes of the name are an error."""
        try:
            stored = self._objects.stat_object(staged.filename)
            same = stored.size == staged.size and _sha256(self._objects, staged.filename) == staged.sha256
        except NotFound:
            return False
        if same:
            return True
        raise AlreadyExists(
            f"{self._objects.address_of(staged.filename)} is there with other bytes.",
            hint="Nothing was overwritten; use `push(replace=True)` to replace it.",
        )

    def _publish(self, staged: StagedFile, source: Source | None, written: list[str]) -> None:
        facts, metadata = self._inspected(staged)
        if metadata is not None:
            self._add(staged, METADATA, metadata, written, alone=True)
        kept = facts.kept()
        try:
            if not self._copied(source, staged, kept):
                self._create(staged, kept, facts)
        except AlreadyExists:
            if not self._holds(staged):
                raise
        self._told[staged.filename] = facts

    def _create(self, staged: StagedFile, kept: Mapping[str, str], facts: FileMetadata) -> None:
        etag = self._objects.create_object(staged.filename, staged, content_type=BINARY, metadata=kept)
        if etag:
            self._written.facts[staged.filename, staged.size, etag] = facts

    def _copied(self, source: Source | None, staged: StagedFile, kept: Mapping[str, str]) -> bool:
        if not isinstance(source, ContainerSource) or not isinstance(self._objects, SupportsCopy):
            return False
        with staged.open():  # refused if somebody touched what the facts were read from
            return self._objects.copy_object(source.readable, staged, content_type=BINARY, metadata=kept)

    def _inspected(self, staged: StagedFile) -> tuple[FileMetadata, bytes | None]:
        """The facts of a file, and the content of the metadata file that belongs beside it."""
        if not self._has_pages():
            said = staged.file
            return FileMetadata(staged.sha256, inspected=False, yanked=said.yanked, build=said.build), None
        metadata = metadata_within(staged.path, staged.filename, known=staged.metadata)
        facts = inspected_facts(staged.file, staged.sha256, metadata)
        return facts, metadata if staged.file.kind is Kind.WHEEL else None

    def _add(
        self, staged: StagedFile, suffix: str, content: bytes, written: list[str], *, alone: bool
    ) -> None:
        """Write a small file beside a distribution, and note that it was written.

        Args:
            staged: the distribution.
            suffix: what follows its name.
            content: the bytes.
            written: gets the name.
            alone: whether the distribution is not there yet. What is there already under the name is
                replaced then, if it is something else; otherwise it stays.
        """
        name = staged.filename + suffix
        try:
            etag = self._objects.create_object(name, content, content_type=BINARY, metadata={})
        except AlreadyExists:
            if not alone or self._has(name, content) or self._holds(staged):
                return
            self._objects.replace_object(name, content, content_type=BINARY, metadata={})
            etag = None
        written.append(name)
        if etag:
            self._written.digests[name, etag] = hashlib.sha256(content).hexdigest()

    def _has(self, name: str, content: bytes) -> bool:
        """Whether a small file has these bytes."""
        try:
            if self._objects.stat_object(name).size != len(content):
                return False
            return read_whole(self._objects, name) == content
        except NotFound:
            return False

    def _remove_orphans(self, staged: StagedFile) -> None:
        """Remove the companions that are there without the distribution, and that it does not bring."""
        brought = {companion.suffix for companion in staged.companions}
        orphans = [each for each in self._orphans.get(staged.filename, ()) if each not in brought]
        if not orphans or self._holds(staged):
            return
        for suffix in orphans:
            self._objects.delete_object(staged.filename + suffix)

    @contextmanager
    def _undone_on_failure(self, staged: StagedFile) -> Iterator[list[str]]:
        """Gives a list for the names of what was written; it is removed if what follows fails.

        It stays if the distribution is there, for only the answer was lost then, or if that is not known.
        """
        written: list[str] = []
        try:
            yield written
        except BaseException:
            if written and not self._may_hold(staged):
                for name in written:
                    with suppress(BackendError):  # what went wrong first is what matters
                        self._objects.delete_object(name)
            raise

    def _may_hold(self, staged: StagedFile) -> bool:
        """Whether the very bytes are there, or that cannot be found out."""
        try:
            return self._holds(staged)
        except AlreadyExists:
            return False
        except BackendError:
            return True

    def _settled(self) -> Contents:
        """What is there, once the listing shows all that was put: some places take a while for that."""
        for pause in _PATIENCE:
            time.sleep(pause)
            contents = self._reader.read()
            late = [name for name in self._told if name not in contents and self._is_there(name)]
            if not late:
                return contents
        raise Unavailable(f"{self._objects.address_of(late[0])} is there, but the listing does not show it.")

    def _is_there(self, name: str) -> bool:
        try:
            self._objects.stat_object(name)
        except NotFound:
            return False
        return True


def _sha256(objects: Objects, name: str) -> str:
    """What the bytes of an object hash to: as was kept with it, or found by reading them."""
    kept = kept_facts(objects.stat_object(name).metadata)
    return kept.sha256 if kept else sha256_of(objects, name)
