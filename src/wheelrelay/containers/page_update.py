"""One update of the pages of a container: find out which pages are outdated, and write these."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import cached_property

from packaging.utils import canonicalize_name

from wheelrelay.containers.distribution import StoredDistribution
from wheelrelay.containers.fingerprints import Fingerprints, changed_projects, fingerprint_of_entries
from wheelrelay.containers.index_pages import (
    NOT_DESCRIBED,
    About,
    IndexedFile,
    described_file,
    flat_html,
    flat_projects_html,
    parse_about,
    parse_project_json,
    parse_root,
    project_html,
    project_json,
    root_html,
    root_json,
)
from wheelrelay.containers.listing import METADATA_SUFFIX, Listing, warn_about_truncated
from wheelrelay.containers.metadata_cache import MetadataCache
from wheelrelay.containers.objects import BINARY, Objects, SupportsFolderPages, TooLarge, read_whole
from wheelrelay.containers.page_reading import FLAT_PAGE, HTML_PAGE, JSON_PAGE, MAX_PAGE, SIMPLE_ROOT
from wheelrelay.containers.parallel import map_parallel
from wheelrelay.containers.project_state import ProjectState, as_shown, parse_state, state_name
from wheelrelay.containers.stored_names import StoredNames
from wheelrelay.errors import BackendError, NotFound, PermissionDenied
from wheelrelay.lazy_dataclass import dataclass

HTML_TYPE = "text/html; charset=utf-8"
JSON_TYPE = "application/vnd.pypi.simple.v1+json"

MAX_FLAT_FILES = 5000
"""Up to this many files, the flat page and the root document list each file of the container.

Both are written whenever any file changes. In larger containers that would cost more than the file itself, so
the flat page links to the projects, and the root document has one fingerprint of each project.
"""


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The state of the pages of one project, or of the root pages.

    Attributes:
        outdated: Correct content of the outdated pages by name, in the order to write them; ``None`` for
            pages to delete.
        without_metadata: Wheels without a correct metadata file.
    """

    outdated: Mapping[str, bytes | None]
    without_metadata: Collection[StoredDistribution] = ()


class PageUpdate:
    """One update of the pages, in as many rounds as other writers make necessary.

    Pages of projects are compared and written in parallel, each project by one thread. The root pages follow
    when all of them are current, so a fingerprint in the root document always belongs to finished pages.

    Args:
        objects: The objects of the container.
        cache: Metadata of the files; receives what the existing pages list.
        projects: Projects to update, in addition to those whose files changed since the pages were written;
            ``None`` for all.
        own_files: Names of the files that this store published.
    """

    def __init__(
        self,
        objects: Objects,
        cache: MetadataCache,
        projects: Collection[str] | None,
        own_files: Collection[str],
    ) -> None:
        self._objects = objects
        self._cache = cache
        self._is_for_all = projects is None
        self._affected: set[str] = {canonicalize_name(project) for project in projects or ()}
        self._own_files = own_files
        self._has_rivals = False
        self._found: dict[str, list[IndexedFile]] = {}
        self._entries: dict[str, list[IndexedFile]] = {}
        self._shown: dict[str, IndexedFile] = {}
        self._states: dict[str, ProjectState] = {}
        self._current: set[str] = set()
        self._last_root: bytes | None = None
        self._fingerprints = Fingerprints()
        self._names = StoredNames(objects)

    def run_round(self, listing: Listing) -> bool:
        """Write what is outdated, and return whether there was anything.

        Raises:
            BackendError: Something cannot be read or written.
        """
        root = self._start_round(listing)
        changes = map_parallel(
            lambda project: self._update_project(project, listing.of_project(project)), sorted(self._affected)
        )
        # Until all metadata files exist, the root document must not declare the projects current.
        if not self._affected <= self._current:
            return True
        comparison = self._compare_root(listing, root)
        self._write(comparison.outdated)
        return any(changes) or bool(comparison.outdated)

    def find_outdated(self, listing: Listing) -> list[str]:
        """Return the names of outdated pages and metadata files, in any order."""
        root = self._start_round(listing)
        comparisons = map_parallel(
            lambda project: self._compare_project(project, listing.of_project(project)),
            sorted(self._affected),
        )
        missing = [file for comparison in comparisons for file in comparison.without_metadata]
        comparisons.append(self._compare_root(listing, root))
        pages = [name for comparison in comparisons for name in comparison.outdated]
        return [*pages, *(file.file.filename + METADATA_SUFFIX for file in missing)]

    def _start_round(self, listing: Listing) -> bytes | None:
        """Read the root document, and add the projects that may be outdated."""
        self._names.expire()
        content = self._read(SIMPLE_ROOT + JSON_PAGE)
        if self._has_rivals or content != self._last_root:
            self._current.clear()  # another writer may have overwritten any page
            self._states.clear()
        self._last_root = content
        root = parse_root(content or b"")
        self._cache.add_page(root.files)
        self._shown = {entry.filename: entry for entry in root.files}
        self._affected.update(changed_projects(self._fingerprints.update(listing), root))
        # A small container lists all files on its root pages; if the stored ones do not, all are read.
        if self._is_for_all or (_lists_all_files(listing) and root.fingerprints):
            self._affected.update(listing.projects())
        for project in self._names.refresh(self._affected - self._current, self._affected):
            self._current.discard(project)
            self._states.pop(project, None)
        return content

    def _update_project(self, project: str, files: Listing) -> bool:
        """Write the outdated pages of a project, or first its metadata files, and return whether any were."""
        if project in self._current and self._entries_of(files) == (self._found[project], []):
            return False
        self._current.discard(project)
        comparison = self._compare_project(project, files)
        # A page must not announce a metadata file that does not exist yet. Writing them changes the listing,
        # so the pages follow in the next round.
        if comparison.without_metadata:
            map_parallel(self._write_metadata_file, list(comparison.without_metadata))
            return True
        self._write(comparison.outdated)
        self._current.add(project)
        return bool(comparison.outdated)

    def _compare_project(self, project: str, files: Listing) -> _Comparison:
        pages = _StoredPages(self._read)
        content = pages.read(f"{SIMPLE_ROOT}{project}/{JSON_PAGE}") or b""
        stored = parse_project_json(content)
        self._cache.add_page(stored)
        warn_about_truncated(files, ((entry.filename, entry.size) for entry in stored), self._objects)
        self._detect_rivals(files, stored)
        found, without_metadata = self._entries_of(files)
        if project not in self._states:
            self._states[project] = parse_state(self._read(SIMPLE_ROOT + state_name(project)) or b"")
        entries = [self._states[project].apply(entry) for entry in found]
        self._found[project], self._entries[project] = found, entries
        about = self._about(entries, content)
        html = {
            f"{SIMPLE_ROOT}{project}/{HTML_PAGE}": project_html(project, entries, about) if entries else None
        }
        # Later runs read the JSON page, so it is written last: if it is current, the others are, too.
        expected = self._with_folder_pages(html)
        expected[f"{SIMPLE_ROOT}{project}/{JSON_PAGE}"] = (
            project_json(project, entries, about) if entries else None
        )
        if not entries:  # a later file of the same name is another one
            expected[SIMPLE_ROOT + state_name(project)] = None
        return _Comparison(pages.outdated(expected), without_metadata)

    def _about(self, entries: Iterable[IndexedFile], page: bytes) -> About:
        """Return the summary and the links of a project; the metadata file is read only if it is new.

        Args:
            entries: The files of the project.
            page: The stored page, which has what an earlier update read.
        """
        file = described_file(entries)
        if file is None or file.metadata_sha256 is None:
            return NOT_DESCRIBED
        known = parse_about(page)
        if known.metadata_sha256 == file.metadata_sha256:
            return known
        return self._cache.about(file.filename, file.metadata_sha256)

    def _compare_root(self, listing: Listing, content: bytes | None) -> _Comparison:
        by_project = {
            project: fingerprint_of_entries(entries) for project, entries in self._entries.items() if entries
        }
        listed = self._fingerprints.update(listing)
        by_project |= {project: listed[project] for project in listed.keys() - self._affected}
        if _lists_all_files(listing):
            entries = self._all_entries(listing)
            document, flat = root_json(by_project, entries), flat_html(entries)
        else:
            document, flat = root_json(by_project, fingerprints=by_project), flat_projects_html(by_project)
        pages = _StoredPages(self._read, {SIMPLE_ROOT + JSON_PAGE: content})
        expected: dict[str, bytes | None] = {
            SIMPLE_ROOT + JSON_PAGE: document,
            SIMPLE_ROOT + HTML_PAGE: root_html(by_project),
        }
        self._last_root = document
        return _Comparison(pages.outdated(self._with_folder_pages(expected) | {FLAT_PAGE: flat}))

    def _all_entries(self, listing: Listing) -> list[IndexedFile]:
        entries = [entry for entries in self._entries.values() for entry in entries]
        for project, files in listing.by_project().items():
            if project not in self._affected:
                # The state of other projects is not read: another writer may have put it on the page.
                found = self._entries_of(files)[0]
                entries += [as_shown(entry, self._shown.get(entry.filename)) for entry in found]
        return entries

    def _entries_of(
        self, files: Mapping[str, StoredDistribution]
    ) -> tuple[list[IndexedFile], list[StoredDistribution]]:
        """Return the entries of files, and the wheels without a correct metadata file."""
        entries, without_metadata = [], []
        for distribution in files.values():
            try:
                entries.append(self._cache.page_entry(distribution))
                if not self._cache.has_correct_metadata_file(distribution):
                    without_metadata.append(distribution)
            except NotFound:  # deleted since it was listed
                continue
            except PermissionDenied as error:  # one unreadable file must not keep the others from the pages
                self._cache.unreadable[distribution.stored.name] = error
        return entries, without_metadata

    def _detect_rivals(self, files: Listing, stored: Iterable[IndexedFile]) -> None:
        """Note that others are writing if files changed that this store did not publish.

        A writer that is killed may leave outdated pages behind. So the pages are read again in each round
        while others may be writing; otherwise pages that this update wrote count as current.
        """
        before = {(entry.filename, entry.size, entry.etag) for entry in stored}
        now = {(name, file.stored.size, file.stored.etag) for name, file in files.items()}
        if any(name not in self._own_files for name, *_ in before ^ now):
            self._has_rivals = True

    def _with_folder_pages(self, pages: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
        """Return the pages, also under the name of their folder if the place needs that."""
        if not self._keeps_folder_pages:
            return dict(pages)
        return dict(pages) | {
            name.removesuffix(HTML_PAGE): page for name, page in pages.items() if name.endswith(HTML_PAGE)
        }

    @cached_property
    def _keeps_folder_pages(self) -> bool:
        return isinstance(self._objects, SupportsFolderPages) and self._objects.keeps_folder_pages()

    def _write_metadata_file(self, distribution: StoredDistribution) -> None:
        with suppress(NotFound):
            if (content := self._cache.core_metadata(distribution)) is not None:
                name = distribution.stored.name + METADATA_SUFFIX
                self._objects.replace_object(name, content, content_type=BINARY, metadata={})

    def _write(self, pages: Mapping[str, bytes | None]) -> None:
        for name, content in pages.items():
            if content is None:
                self._objects.delete_object(name)
                continue
            if len(content) > MAX_PAGE:
                raise BackendError(
                    f"{self._objects.address_of(name)} would have {len(content)} bytes; "
                    f"pages have at most {MAX_PAGE}.",
                    hint="Remove old files of the project, or use several containers.",
                )
            content_type = JSON_TYPE if name.endswith(JSON_PAGE) else HTML_TYPE
            self._objects.replace_object(name, content, content_type=content_type, metadata={})

    def _read(self, name: str) -> bytes | None:
        """Return the content of a page; ``None`` only if the place confirms that it does not exist.

        A page that is too large is rewritten, like a damaged one.
        """
        if self._names.lack(name):
            return None
        try:
            return read_whole(self._objects, name, limit=MAX_PAGE)
        except NotFound:
            return None
        except TooLarge:
            return b""


class _StoredPages:
    """The stored pages of one project, each read once."""

    def __init__(
        self, read: Callable[[str], bytes | None], content: Mapping[str, bytes | None] | None = None
    ) -> None:
        self._read = read
        self._content = dict(content or {})

    def read(self, name: str) -> bytes | None:
        """Return the content of a page; ``None`` if it does not exist."""
        if name not in self._content:
            self._content[name] = self._read(name)
        return self._content[name]

    def outdated(self, expected: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
        """Return those of the expected pages that are stored with other content."""
        return {name: content for name, content in expected.items() if self.read(name) != content}


def _lists_all_files(listing: Listing) -> bool:
    return len(listing) <= MAX_FLAT_FILES
