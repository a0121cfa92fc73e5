"""Capabilities by which a mirror finds out that a project has not changed, without reading its files."""

from collections.abc import Collection, Mapping
from typing import Protocol

from packaging.utils import NormalizedName

from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.runtime_checks import runtime_checkable


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a store at one time: texts that change whenever the bytes do.

    Attributes:
        files: The state of each file in the listing, by name: distribution files, companions, others.
        pages: The state of the index page of each project, if the store can find it out at little cost. That
            of the page of all projects has the empty name.
    """

    files: Mapping[str, str]
    pages: Mapping[str, str]


@runtime_checkable
class SupportsSerials(Protocol):
    """A source that numbers the changes of its projects, as PyPI and its mirrors do."""

    def current_serials(self) -> Mapping[NormalizedName, int]:
        """Return the number of the last change of each project, at the cost of one page.

        The result is empty if the source has no such numbers.
        """
        ...

    def read_serials(self) -> Mapping[NormalizedName, int]:
        """Return the serials of the projects whose files were listed, as of that time."""
        ...


@runtime_checkable
class SupportsSnapshots(Protocol):
    """A store that can find out with one listing which of its files have changed."""

    def snapshot(self, projects: Collection[str], *, reuse: bool = False) -> Snapshot:
        """Return the current state of all files, and of the pages of some projects.

        Args:
            projects: The projects.
            reuse: Use the listing that the last update of the pages has read, if there was one, so that the
                pages list exactly these files.

        Raises:
            BackendError: The store cannot be listed. A failure is never reported as an empty result.
        """
        ...

    def known_digests(self) -> Mapping[str, tuple[str, str]]:
        """Return the state and the sha256 of files by name, where both were read or written together."""
        ...
