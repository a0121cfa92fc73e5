"""Write the pages that make a container an index, while other writers may be writing too.

There are no locks in object storage, so the pages converge instead:

- Pages are built from the listing of files, never from other pages. Existing pages only save reading files
  again to find their digests.
- The content depends on nothing but the files. Two writers that see the same files write the same bytes, so
  it does not matter which of them writes last.
- After writing, everything is read again, until the pages match the listing. A writer with an outdated
  listing may overwrite newer pages, but it finds the newer files in its next round and corrects them. So the
  last writer to finish leaves correct pages.
- Files and pages are read in each round. If something cannot be read, that is an error and never an empty
  index.
"""

import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress

from packaging.utils import canonicalize_name

from wheelrelay.containers.file_metadata import FileMetadata, WriteCache
from wheelrelay.containers.index_pages import (
    IndexedFile,
    flat_html,
    is_own_root_json,
    parse_project_json,
    parse_root_json,
    project_html,
    project_json,
    root_html,
    root_json,
)
from wheelrelay.containers.listing import METADATA_SUFFIX, Listing, StoredDistribution, warn_about_truncated
from wheelrelay.containers.metadata_cache import MetadataCache
from wheelrelay.containers.objects import (
    BINARY,
    Objects,
    ReadableObjects,
    SupportsFolderPages,
    read_whole,
)
from wheelrelay.errors import InvalidFilename, NotFound, PermissionDenied, Unavailable
from wheelrelay.filenames import parse_filename

HTML_TYPE = "text/html; charset=utf-8"
JSON_TYPE = "application/vnd.pypi.simple.v1+json"

SIMPLE_ROOT = "simple/"
FLAT_PAGE = "index.html"
HTML_PAGE = "index.html"
JSON_PAGE = "index.json"

MAX_PAGE = 1 << 28
"""Largest page in bytes that is read back."""

MAX_ROUNDS = 60
"""How often to read everything again before giving up; each other writer can cause a few rounds."""

QUICK_ROUNDS = 3
"""Rounds without a pause; more of them mean that other writers are active."""


def has_own_pages(objects: ReadableObjects) -> bool:
    """Whether a container has pages that wheelrelay wrote, and not another program.

    Raises:
        BackendError: The root page cannot be read.
    """
    try:
        return is_own_root_json(read_whole(objects, SIMPLE_ROOT + JSON_PAGE, limit=MAX_PAGE))
    except NotFound:
        return False


def read_page(objects: ReadableObjects, project: str | None) -> list[IndexedFile]:
    """Return the files of ``project``, or of all projects, as the pages list them; empty without a page.

    Raises:
        BackendError: The page cannot be read.
    """
    folder = "" if project is None else f"{canonicalize_name(project)}/"
    try:
        content = read_whole(objects, f"{SIMPLE_ROOT}{folder}{JSON_PAGE}", limit=MAX_PAGE)
    except NotFound:
        return []
    return parse_root_json(content) if project is None else parse_project_json(content)


class Pages:
    """The pages of one container, also stored under the name of their folder if the place needs it.

    Args:
        objects: The objects of the container.
        read_listing: Lists the distribution files.
        written: What the store wrote itself; it may grow.
    """

    def __init__(
        self, objects: Objects, read_listing: Callable[[], Listing], written: WriteCache | None = None
    ) -> None:
        self._objects = objects
        self._read_listing = read_listing
        self._written = written

    def write(self, projects: Collection[str] | None, by_filename: Mapping[str, FileMetadata]) -> None:
        """Bring the pages up to date, and repeat until nothing changes.

        Args:
            projects: Projects to update, in addition to those whose files changed since the pages were
                written; ``None`` for all.
            by_filename: Metadata of files by name.

        Raises:
            NotFound: The container does not exist.
            Unavailable: Other writers kept changing the container.
            PermissionDenied: A file may not be read; the pages list all other files.
            BackendError: Something cannot be read or written; no page was replaced by one that lists less
                than exists.
        """
        cache = MetadataCache(self._objects, by_filename, self._written)
        for attempt in range(MAX_ROUNDS):
            if not self._update(self._read_listing(), projects, cache):
                cache.require_readable()
                return
            if attempt >= QUICK_ROUNDS:
                # Writers that react to each other in step would never finish.
                time.sleep(random.uniform(0, 0.1))  # noqa: S311
        raise Unavailable(
            f"The pages at {self._objects.address_of(SIMPLE_ROOT)} are still incomplete: "
            "other jobs keep changing the container.",
            hint="Rebuild them when the other jobs have finished: wheelrelay index REMOTE.",
        )

    def hide(self, filenames: Collection[str], by_filename: Mapping[str, FileMetadata]) -> None:
        """Remove files from the pages before they are deleted, so that installers do not get a 404.

        Another writer may list them again, because they still exist. `write` corrects that after they are
        deleted, so a few rounds are enough here.
        """
        cache = MetadataCache(self._objects, by_filename, self._written)
        for _ in range(QUICK_ROUNDS):
            listing = self._read_listing()
            projects = {listing[name].file.project for name in filenames if name in listing}
            if not self._update(listing.without(filenames), projects, cache):
                return

    def check(self) -> list[str]:
        """Return the names of pages and metadata files that are outdated, sorted.

        Raises:
            NotFound: The container does not exist.
            BackendError: Something cannot be read.
        """
        cache = MetadataCache(self._objects, {})
        listing, pages = self._read_listing(), _StoredPages(self._objects)
        projects = _projects_to_update(listing, None, cache, pages)
        entries, without_metadata = _page_entries(listing, cache)
        outdated = pages.outdated(self._render(entries, projects))
        cache.require_readable()
        return sorted([*outdated, *(file.file.filename + METADATA_SUFFIX for file in without_metadata)])

    def _update(self, listing: Listing, projects: Collection[str] | None, cache: MetadataCache) -> bool:
        """Run one round: write what is outdated, and return whether there was anything."""
        pages = _StoredPages(self._objects)
        affected = _projects_to_update(listing, projects, cache, pages)
        entries, without_metadata = _page_entries(listing, cache)
        # Metadata files come first: a page must not announce one that does not exist yet. Writing them
        # changes the listing, so the pages follow in the next round.
        if any([self._write_metadata_file(file, cache) for file in without_metadata]):  # noqa: C419
            return True
        outdated = pages.outdated(self._render(entries, affected))
        for name, content in outdated.items():
            if content is None:
                self._objects.delete_object(name)
            else:
                content_type = JSON_TYPE if name.endswith(JSON_PAGE) else HTML_TYPE
                self._objects.replace_object(name, content, content_type=content_type, metadata={})
        return bool(outdated)

    def _write_metadata_file(self, distribution: StoredDistribution, cache: MetadataCache) -> bool:
        with suppress(NotFound):
            if (content := cache.core_metadata(distribution)) is not None:
                name = distribution.file.filename + METADATA_SUFFIX
                self._objects.replace_object(name, content, content_type=BINARY, metadata={})
        return True

    def _render(
        self, entries: Mapping[str, list[IndexedFile]], projects: Collection[str]
    ) -> dict[str, bytes | None]:
        """Return the correct content of all pages to update; ``None`` for pages to delete.

        The root pages come last, so that their links always lead to the project's page.
        """
        pages: dict[str, bytes | None] = {}
        for project in sorted(projects):
            files = entries.get(project)
            pages[f"{SIMPLE_ROOT}{project}/{JSON_PAGE}"] = project_json(project, files) if files else None
            pages[f"{SIMPLE_ROOT}{project}/{HTML_PAGE}"] = project_html(project, files) if files else None
        all_files = [entry for files in entries.values() for entry in files]
        pages[SIMPLE_ROOT + JSON_PAGE] = root_json(entries, all_files)
        pages[SIMPLE_ROOT + HTML_PAGE] = root_html(entries)
        if isinstance(self._objects, SupportsFolderPages) and self._objects.keeps_folder_pages():
            pages |= {
                name.removesuffix(HTML_PAGE): page for name, page in pages.items() if name.endswith(HTML_PAGE)
            }
        return pages | {FLAT_PAGE: flat_html(all_files)}


def _projects_to_update(
    listing: Listing, projects: Collection[str] | None, cache: MetadataCache, pages: "_StoredPages"
) -> set[str]:
    """Return the projects whose pages may be outdated, and add their existing pages to the cache."""
    root = parse_root_json(pages.read(SIMPLE_ROOT + JSON_PAGE) or b"")
    cache.add_page(root)
    warn_about_truncated(listing, ((entry.filename, entry.size) for entry in root), pages.objects)
    requested = listing.projects() if projects is None else map(canonicalize_name, projects)
    affected = {*requested, *_changed_projects(listing, root)}
    for project in affected:
        if not all(cache.has(distribution) for distribution in listing.of_project(project).values()):
            page = pages.read(f"{SIMPLE_ROOT}{project}/{JSON_PAGE}")
            cache.add_page(parse_project_json(page or b""))
    return affected


def _page_entries(
    listing: Listing, cache: MetadataCache
) -> tuple[dict[str, list[IndexedFile]], list[StoredDistribution]]:
    """Return the entries of all files by project, and the wheels without a correct metadata file."""
    entries: dict[str, list[IndexedFile]] = {}
    without_metadata = []
    for distribution in listing.values():
        try:
            entry = cache.page_entry(distribution)
            entries.setdefault(distribution.file.project, []).append(entry)
            if not cache.has_correct_metadata_file(distribution):
                without_metadata.append(distribution)
        except NotFound:  # deleted since it was listed
            continue
        except PermissionDenied as error:  # one unreadable file must not keep the others from the pages
            cache.unreadable[distribution.file.filename] = error
    return entries, without_metadata


class _StoredPages:
    """The stored pages during one round, each read once."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self._content: dict[str, bytes | None] = {}

    def read(self, name: str) -> bytes | None:
        """Return the content of a page; ``None`` only if the place confirms that it does not exist."""
        if name not in self._content:
            try:
                self._content[name] = read_whole(self.objects, name, limit=MAX_PAGE)
            except NotFound:
                self._content[name] = None
        return self._content[name]

    def outdated(self, expected: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
        """Return those of the expected pages that are stored with other content."""
        return {name: content for name, content in expected.items() if self.read(name) != content}


def _changed_projects(listing: Listing, root: Iterable[IndexedFile]) -> Iterator[str]:
    """Yield the projects whose files differ from the root page, in names, sizes or ETags."""
    before = {(entry.filename, entry.size, entry.etag, entry.metadata_etag) for entry in root}
    now = {
        (name, file.stored.size, file.stored.etag, file.metadata.etag if file.metadata else None)
        for name, file in listing.items()
    }
    for name, *_ in before ^ now:
        if name in listing:
            yield listing[name].file.project
        else:
            with suppress(InvalidFilename):  # not a name that this program has listed
                yield parse_filename(name).project
