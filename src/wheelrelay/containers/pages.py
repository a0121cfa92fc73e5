"""Write the pages that make a container an index, while other writers may be writing too.

There are no locks in object storage, so the pages converge instead:

- Pages are built from the listing of files, never from other pages. Existing pages only save reading files
  again to find their digests.
- The content depends on nothing but the files. Two writers that see the same files write the same bytes, so
  it does not matter which of them writes last.
- After writing, the files are listed again, until the pages match the listing. A writer with an outdated
  listing may overwrite newer pages, but it finds the newer files in its next round and corrects them. So the
  last writer to finish leaves correct pages. If files or root pages changed that it did not write itself,
  it also reads all pages again.
- If something cannot be read, that is an error and never an empty index.
"""

import random
import time
from collections.abc import Callable, Collection, Mapping

from wheelrelay.containers.file_metadata import FileMetadata, WriteCache
from wheelrelay.containers.listing import Listing
from wheelrelay.containers.metadata_cache import MetadataCache
from wheelrelay.containers.objects import Objects
from wheelrelay.containers.page_reading import SIMPLE_ROOT
from wheelrelay.containers.page_update import PageUpdate
from wheelrelay.errors import Unavailable

MAX_ROUNDS = 60
"""How often to read everything again before giving up; each other writer can cause a few rounds."""

QUICK_ROUNDS = 3
"""Rounds without a pause; more of them mean that other writers are active."""


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
        update = PageUpdate(self._objects, cache, projects, by_filename)
        for attempt in range(MAX_ROUNDS):
            if not update.run_round(self._read_listing()):
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
            update = PageUpdate(self._objects, cache, projects, filenames)
            if not update.run_round(listing.without(filenames)):
                return

    def check(self) -> list[str]:
        """Return the names of pages and metadata files that are outdated, sorted.

        Raises:
            NotFound: The container does not exist.
            BackendError: Something cannot be read.
        """
        cache = MetadataCache(self._objects, {})
        outdated = PageUpdate(self._objects, cache, None, ()).find_outdated(self._read_listing())
        cache.require_readable()
        return sorted(outdated)
