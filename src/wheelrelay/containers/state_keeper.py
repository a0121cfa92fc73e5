"""The part of a store that records what the bytes of its files do not contain; see `project_state`."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from wheelrelay.containers.object_lock import object_lock
from wheelrelay.containers.objects import BINARY, Objects, read_whole
from wheelrelay.errors import ConfigError, NotFound
from wheelrelay.model import PROVENANCE_SUFFIX, DistFile, ProjectStatus

if TYPE_CHECKING:
    from wheelrelay.containers.project_state import ProjectState

LOCK_SUFFIX = ".lock"
"""Suffix of the lock of a document."""

MAX_STATE = 1 << 26
"""Largest document about a project in bytes."""


class StateKeeper:
    """Records upload times, yanked states and project statuses for the pages of a container."""

    _objects: Objects

    @abstractmethod
    def _has_pages(self, *, recheck: bool = False) -> bool:
        """Whether pages are configured or exist."""

    @abstractmethod
    def inventory(self, project: str) -> Iterator[DistFile]:
        """Yield the files of a project, with sha256."""

    @abstractmethod
    def finalize(self, projects: Collection[str]) -> None:
        """Bring the pages up to date."""

    def keeps_state(self) -> bool:
        """Whether there are pages, which list what is recorded about files."""
        return self._has_pages()

    def record_upstream(
        self,
        project: str,
        files: Collection[DistFile],
        status: ProjectStatus | None,
        provenance: Mapping[str, bytes],
    ) -> None:
        """Record what the upstream index lists; see `wheelrelay.protocols.SupportsUpstreamState`."""
        for filename, content in provenance.items():
            name = filename + PROVENANCE_SUFFIX
            self._objects.replace_object(name, content, content_type=BINARY, metadata={})
        self._change_state(project, lambda state: state.with_upstream(files, status))

    def yank(
        self, files: Collection[DistFile], reason: str | None, *, dry_run: bool = False
    ) -> list[DistFile]:
        """Yank or restore files, and update the pages; see `wheelrelay.protocols.SupportsYank`."""
        if not self._has_pages(recheck=True):
            raise ConfigError(
                f"{self._objects.address_of('')} has no index pages, which list yanked files.",
                hint="Write them with `wheelrelay index`.",
            )
        names = {file.filename for file in files}
        listed = [
            file for project in sorted({file.project for file in files}) for file in self.inventory(project)
        ]
        changed = [file for file in listed if file.filename in names and file.yanked != reason]
        projects = sorted({file.project for file in changed})
        if dry_run or not changed:
            return changed
        for project in projects:
            of_project = [file for file in changed if file.project == project]
            self._change_state(project, partial(_yanked, of_project, reason))
        self.finalize(projects)
        return changed

    def _change_state(self, project: str, change: "Callable[[ProjectState], ProjectState]") -> None:
        """Change the document about a project, if the change makes a difference.

        Other writers may change it too, and none of their changes must be lost, so it is locked.
        """
        # Imported here because a container without pages need not load the code of pages.
        from wheelrelay.containers.page_reading import SIMPLE_ROOT
        from wheelrelay.containers.page_update import JSON_TYPE
        from wheelrelay.containers.project_state import parse_state, state_name

        name = SIMPLE_ROOT + state_name(project)
        before = self._read_state(name)
        if change(parse_state(before)).to_json() == before:
            return
        with object_lock(self._objects, name + LOCK_SUFFIX):
            before = self._read_state(name)
            after = change(parse_state(before)).to_json()
            if after != before:
                self._objects.replace_object(name, after, content_type=JSON_TYPE, metadata={})

    def _read_state(self, name: str) -> bytes:
        try:
            return read_whole(self._objects, name, limit=MAX_STATE)
        except NotFound:
            return b""


def _yanked(files: Collection[DistFile], reason: str | None, state: "ProjectState") -> "ProjectState":
    return state.with_yanked(files, reason)
