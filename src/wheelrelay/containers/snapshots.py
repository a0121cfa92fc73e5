"""The part of a store that finds out with one listing which of its files and pages have changed."""

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from packaging.utils import canonicalize_name

from wheelrelay.containers.file_metadata import WriteCache, state_text
from wheelrelay.containers.listing import ListingReader
from wheelrelay.containers.objects import Objects, SupportsObjectPath, SupportsTree
from wheelrelay.errors import NotFound
from wheelrelay.protocols import Snapshot

PRESENT = "present"
"""The state of a page whose name alone is known."""


class SnapshotTaker:
    """Shows the states of files and pages; see `wheelrelay.protocols.SupportsSnapshots`."""

    _objects: Objects
    _reader: ListingReader
    _written: WriteCache
    _described_digests: dict[str, tuple[str, str]]

    @abstractmethod
    def _has_pages(self, *, recheck: bool = False) -> bool:
        """Whether pages are configured or exist."""

    def snapshot(self, projects: Collection[str], *, reuse: bool = False) -> Snapshot:
        """Return the current state of all files, and of the pages of some projects."""
        try:
            stored = self._reader.list_plain(reuse=reuse)
        except NotFound:
            stored = {}  # the first file creates the container
        files = {name: state_text(entry.size, entry.etag) for name, entry in stored.items()}
        return Snapshot(files, dict(self._page_states(projects)) if self._has_pages() else {})

    def known_digests(self) -> Mapping[str, tuple[str, str]]:
        """Return the state and the sha256 of each file that was described or written."""
        written = {
            name: (state_text(size, etag), metadata.sha256)
            for (name, size, etag), metadata in self._written.files.items()
        }
        return self._described_digests | written

    def _page_states(self, projects: Collection[str]) -> Iterator[tuple[str, str]]:
        from wheelrelay.containers.page_reading import JSON_PAGE, SIMPLE_ROOT  # they load the pages

        names = {f"{SIMPLE_ROOT}{canonicalize_name(project)}/{JSON_PAGE}": project for project in projects}
        yield from self._states_of({SIMPLE_ROOT + JSON_PAGE: ""})
        if isinstance(self._objects, SupportsObjectPath):
            yield from self._states_of(names)
        elif isinstance(self._objects, SupportsTree):
            for name in self._objects.names_below(SIMPLE_ROOT):
                if name in names:
                    yield names[name], PRESENT

    def _states_of(self, pages: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for name, project in pages.items():
            with suppress(NotFound):
                stored = self._objects.stat_object(name)
                yield project, state_text(stored.size, stored.etag)
