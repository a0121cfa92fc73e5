"""Fingerprints of projects: short digests that change with the files of a project."""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress

from wheelrelay.containers.distribution import StoredDistribution
from wheelrelay.containers.index_pages import IndexedFile, Root
from wheelrelay.containers.listing import Listing
from wheelrelay.errors import InvalidFilename
from wheelrelay.filenames import parse_filename


class Fingerprints:
    """The fingerprints of all projects in a listing; projects that did not change are not computed again."""

    def __init__(self) -> None:
        self._files: dict[str, list[StoredDistribution]] = {}
        self._values: dict[str, str] = {}

    def update(self, listing: Listing) -> Mapping[str, str]:
        """Return the fingerprint of each project in a listing."""
        values: dict[str, str] = {}
        for project, by_filename in listing.by_project().items():
            files = list(by_filename.values())
            if self._files.get(project) != files:
                self._files[project] = files
                self._values[project] = _fingerprint_of_files(files)
            values[project] = self._values[project]
        return values


def changed_projects(now: Mapping[str, str], root: Root) -> set[str]:
    """Return the projects whose files differ from the root document, in names, sizes or ETags.

    Args:
        now: Fingerprints of the projects in the listing.
        root: The stored root document.
    """
    before = root.fingerprints or _fingerprints_of_entries(root.files)
    return {project for project in before.keys() | now.keys() if before.get(project) != now.get(project)}


def _fingerprints_of_entries(entries: Iterable[IndexedFile]) -> dict[str, str]:
    by_project: dict[str, list[IndexedFile]] = {}
    for entry in entries:
        with suppress(InvalidFilename):  # another program wrote this entry
            by_project.setdefault(parse_filename(entry.filename).project, []).append(entry)
    return {project: fingerprint_of_entries(files) for project, files in by_project.items()}


def fingerprint_of_entries(entries: Iterable[IndexedFile]) -> str:
    """Return the fingerprint of the files that a page lists."""
    return _fingerprint(
        f"{entry.filename} {entry.size} {entry.etag} {entry.metadata_etag or ''}" for entry in entries
    )


def _fingerprint_of_files(files: Iterable[StoredDistribution]) -> str:
    states = ((file.stored, file.metadata.etag if file.metadata else "") for file in files)
    return _fingerprint(f"{stored.name} {stored.size} {stored.etag} {etag}" for stored, etag in states)


def _fingerprint(states: Iterable[str]) -> str:
    """Return a short digest of the states of files: names, sizes, ETags, and ETags of metadata files."""
    return hashlib.sha256("\n".join(sorted(states)).encode("utf-8", "replace")).hexdigest()[:16]
