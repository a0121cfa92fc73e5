"""Keep the pages true that make a container an index, whoever else is writing at the same time.

Pages are rebuilt from the listing and never from other pages: those are asked for digests alone. What is
written depends on nothing but what is there, so that two writers who see the same write the same. After
writing, everything is looked at again, until what is there is what ought to be there: the last writer to
look finds what others have put meanwhile, and what a slower one has spoiled. The listing of files and the
pages are read on each look; one that cannot be read is an error, and never an empty index.
"""

import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress

from packaging.utils import canonicalize_name

from wheelrelay.containers.file_metadata import FileMetadata
from wheelrelay.containers.index_pages import (
    IndexedFile,
    flat_page,
    parse_project_document,
    parse_root_document,
    project_document,
    project_page,
    root_document,
    root_page,
)
from wheelrelay.containers.io import BINARY, read_whole
from wheelrelay.containers.listing import METADATA, Contents, StoredDistribution, warn_of_parts
from wheelrelay.containers.metadata_cache import MetadataCache
from wheelrelay.containers.objects import Objects, SupportsFolderPages
from wheelrelay.containers.write_cache import WriteCache
from wheelrelay.errors import InvalidFilename, NotFound, PermissionDenied, Unavailable
from wheelrelay.filenames import parse_filename

HTML = "text/html; charset=utf-8"
JSON = "application/vnd.pypi.simple.v1+json"

ROOT = "simple/"
FLAT = "index.html"
PAGE = "index.html"
DOCUMENT = "index.json"

LARGEST = 1 << 28
"""The most bytes of a page that are read back."""

LOOKS = 60
"""How often to look again before giving up; each other writer can cause a few."""


class Pages:
    """The pages of one container; where the place needs it, each also under the name of its folder.

    Args:
        objects: the place.
        contents: lists the distribution files that are there.
        written: what was written by whoever keeps the pages; may grow.
    """

    def __init__(
        self, objects: Objects, contents: Callable[[], Contents], written: WriteCache | None = None
    ) -> None:
        self._objects = objects
        self._contents = contents
        self._written = written

    def write(self, projects: Collection[str] | None, told: Mapping[str, FileMetadata]) -> None:
        """Bring the pages up to date, and look again until they are.

        Args:
            projects: whose pages to look at, besides those of projects whose files are not as the pages
                last said; ``None`` for all.
            told: what is known of files by name.

        Raises:
            NotFound: the container is not there.
            Unavailable: the container went on changing.
            PermissionDenied: a file may not be read; the pages of all others are as they should be.
            BackendError: something cannot be read or written; nothing true was replaced by less.
        """
        knowledge = MetadataCache(self._objects, told, self._written)
        for look in range(LOOKS):
            if not self._mend(self._contents(), projects, knowledge):
                knowledge.refuse_unreadable()
                return
            if look > 2:
                time.sleep(random.uniform(0, 0.1))  # noqa: S311  (so that rivals do not keep step)
        raise Unavailable(
            f"The pages at {self._objects.address_of(ROOT)} did not come to rest: others keep writing.",
            hint="Rebuild them later: wheelrelay index REMOTE.",
        )

    def hide(self, filenames: Collection[str], told: Mapping[str, FileMetadata]) -> None:
        """Take files off the pages that are still there, so that nobody is sent to them; see `write`.

        Another writer who looks meanwhile brings them back: this is a courtesy before they are deleted.
        """
        knowledge = MetadataCache(self._objects, told, self._written)
        for _ in range(3):
            there = self._contents()
            projects = {there[name].file.project for name in filenames if name in there}
            if not self._mend(there.without(filenames), projects, knowledge):
                return

    def check(self) -> list[str]:
        """The names of the pages and metadata files that are not as they would be written now, sorted.

        Raises:
            NotFound: the container is not there.
            BackendError: something cannot be read.
        """
        knowledge = MetadataCache(self._objects, {})
        contents, pages = self._contents(), _PagesThere(self._objects)
        touched = _touched(contents, None, knowledge, pages)
        entries, wrong = _described(contents, knowledge)
        differing = pages.differing(self._wanted(entries, touched))
        knowledge.refuse_unreadable()
        return sorted([*differing, *(held.file.filename + METADATA for held in wrong)])

    def _mend(self, contents: Contents, projects: Collection[str] | None, knowledge: MetadataCache) -> bool:
        """Look once, and write what is not as it ought to be; tells whether there was something."""
        pages = _PagesThere(self._objects)
        touched = _touched(contents, projects, knowledge, pages)
        entries, wrong = _described(contents, knowledge)
        if any([self._write_metadata(held, knowledge) for held in wrong]):  # noqa: C419  (all of them)
            return True
        differing = pages.differing(self._wanted(entries, touched))
        for name, content in differing.items():
            if content is None:
                self._objects.delete_object(name)
            else:
                kind = JSON if name.endswith(DOCUMENT) else HTML
                self._objects.replace_object(name, content, content_type=kind, metadata={})
        return bool(differing)

    def _write_metadata(self, held: StoredDistribution, knowledge: MetadataCache) -> bool:
        with suppress(NotFound):
            if (content := knowledge.core_metadata(held)) is not None:
                name = held.file.filename + METADATA
                self._objects.replace_object(name, content, content_type=BINARY, metadata={})
        return True

    def _wanted(
        self, entries: Mapping[str, list[IndexedFile]], touched: Collection[str]
    ) -> dict[str, bytes | None]:
        """The pages as they ought to be, the outer ones last; ``None`` for those that ought not to be."""
        pages: dict[str, bytes | None] = {}
        for project in sorted(touched):
            files = entries.get(project)
            pages[f"{ROOT}{project}/{DOCUMENT}"] = project_document(project, files) if files else None
            pages[f"{ROOT}{project}/{PAGE}"] = project_page(project, files) if files else None
        everything = [entry for files in entries.values() for entry in files]
        pages[ROOT + DOCUMENT] = root_document(entries, everything)
        pages[ROOT + PAGE] = root_page(entries)
        if isinstance(self._objects, SupportsFolderPages) and self._objects.keeps_folder_pages():
            pages |= {name.removesuffix(PAGE): page for name, page in pages.items() if name.endswith(PAGE)}
        return pages | {FLAT: flat_page(everything)}


def _touched(
    contents: Contents, projects: Collection[str] | None, knowledge: MetadataCache, pages: "_PagesThere"
) -> set[str]:
    """The projects to look at; what pages said of their files before is remembered on the way."""
    said = parse_root_document(pages.read(ROOT + DOCUMENT) or b"")
    knowledge.remember(said)
    warn_of_parts(contents, ((entry.filename, entry.size) for entry in said), pages.objects)
    wanted = contents.projects() if projects is None else map(canonicalize_name, projects)
    touched = {*wanted, *_changed_projects(contents, said)}
    for project in touched:
        if not all(knowledge.knows(held) for held in contents.of(project).values()):
            document = pages.read(f"{ROOT}{project}/{DOCUMENT}")
            knowledge.remember(parse_project_document(document or b""))
    return touched


def _described(
    contents: Contents, knowledge: MetadataCache
) -> tuple[dict[str, list[IndexedFile]], list[StoredDistribution]]:
    """What the pages are to say of all files by project, and the wheels without right metadata file."""
    entries: dict[str, list[IndexedFile]] = {}
    wrong = []
    for held in contents.values():
        try:
            entry = knowledge.entry(held)
            entries.setdefault(held.file.project, []).append(entry)
            if not knowledge.has_right_metadata(held):
                wrong.append(held)
        except NotFound:  # it went while we looked
            continue
        except PermissionDenied as error:  # one file of somebody's must not keep all others from the pages
            knowledge.unreadable[held.file.filename] = error
    return entries, wrong


class _PagesThere:
    """The pages as they are at one look, each read once."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self._there: dict[str, bytes | None] = {}

    def read(self, name: str) -> bytes | None:
        """The content of a page; ``None`` only if it is truly not there."""
        if name not in self._there:
            try:
                self._there[name] = read_whole(self.objects, name, limit=LARGEST)
            except NotFound:
                self._there[name] = None
        return self._there[name]

    def differing(self, wanted: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
        """Those of the wanted pages that are not there as wanted."""
        return {name: content for name, content in wanted.items() if self.read(name) != content}


def _changed_projects(contents: Contents, said: Iterable[IndexedFile]) -> Iterator[str]:
    """The projects whose files are not, or not in the state, that the root document speaks of."""
    before = {(entry.filename, entry.size, entry.etag, entry.metadata_etag) for entry in said}
    now = {
        (name, held.stored.size, held.stored.etag, held.metadata.etag if held.metadata else None)
        for name, held in contents.items()
    }
    for name, *_ in before ^ now:
        if name in contents:
            yield contents[name].file.project
        else:
            with suppress(InvalidFilename):  # then it was never ours
                yield parse_filename(name).project
