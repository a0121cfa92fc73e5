"""Find out with one listing which pages of many projects exist, instead of with a request for each."""

from collections.abc import Collection
from itertools import islice

from wheelrelay.containers.objects import ReadableObjects, SupportsTree
from wheelrelay.containers.page_reading import SIMPLE_ROOT
from wheelrelay.containers.project_state import state_name

FEWEST_PROJECTS = 8
"""For fewer projects, the pages are read one by one."""

NAMES_PER_PROJECT = 250
"""A listing with more names for each project takes about as long as reading the pages one by one."""


class StoredNames:
    """The names of the pages that exist, as of the beginning of a round.

    A page that another writer creates later is replaced, as if it had been written a moment after it was
    read; the next round finds the files that it lists. What people record about a project is in no file, so
    `refresh` returns the projects that got such a document meanwhile.

    Args:
        objects: The objects of the container.
    """

    def __init__(self, objects: ReadableObjects) -> None:
        self._objects = objects
        self._names: frozenset[str] | None = None
        self._last: frozenset[str] | None = None

    def expire(self) -> None:
        """End a round: from now on, nothing is known until the next `refresh`."""
        self._last, self._names = self._names, None

    def refresh(self, outdated: Collection[str], projects: Collection[str]) -> set[str]:
        """List the pages at the beginning of a round, if the place permits it and enough of them are needed.

        Args:
            outdated: The projects whose pages are going to be read.
            projects: All projects of the update.

        Returns:
            The projects whose state was recorded since the last listing.

        Raises:
            BackendError: The container cannot be listed.
        """
        before = self._last
        is_worthwhile = before is not None or len(outdated) >= FEWEST_PROJECTS
        if not is_worthwhile or not isinstance(self._objects, SupportsTree):
            return set()
        most = NAMES_PER_PROJECT * max(len(projects), FEWEST_PROJECTS)
        names = frozenset(islice(self._objects.names_below(SIMPLE_ROOT), most + 1))
        if len(names) <= most:
            self._names = names
        if before is None:
            return set()
        if self._names is None:  # it has grown too large to know
            return set(projects)
        states = {project: SIMPLE_ROOT + state_name(project) for project in projects}
        return {project for project, name in states.items() if name in names and name not in before}

    def lack(self, name: str) -> bool:
        """Return whether an object is known not to exist."""
        return self._names is not None and name.startswith(SIMPLE_ROOT) and name not in self._names
