"""What a run of a mirror has found, for the next run of the same mirror on this machine."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from packaging.utils import NormalizedName

from wheelrelay.disk.kept_files import MAX_AGE
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.protocols import Snapshot
from wheelrelay.records import ReceiptFile

FileRow = tuple[str, str, int | None, str, str | None]
"""Filename, version, size, sha256 and source URL of a file of a receipt."""


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project of which every sink had every selected file, with the digests of the source.

    Attributes:
        serial: Its serial at the source.
        read: When its page was read, in seconds since 1970.
        versions: The required versions, which the selection chose by.
        files: The selected files, as a receipt lists them.
    """

    serial: int
    read: float
    versions: str
    files: Sequence[FileRow]

    def is_old(self) -> bool:
        """Whether the page must be read again, whatever the source declares."""
        return self.read < time.time() - MAX_AGE


@dataclass(frozen=True, slots=True)
class SinkRow:
    """A sink at the end of a run.

    Attributes:
        snapshot: The states of its files and pages.
        is_finalized: Whether its pages listed these files.
    """

    snapshot: Snapshot
    is_finalized: bool


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a mirror.

    Attributes:
        sinks: The sinks by name.
        projects: The complete projects by name.
    """

    sinks: Mapping[str, SinkRow] = field(default_factory=dict)
    projects: Mapping[NormalizedName, ProjectRow] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the document, with its digest; `parse_last_run` reads it."""
        document = {
            "sinks": {
                name: [row.snapshot.files, row.snapshot.pages, row.is_finalized]
                for name, row in self.sinks.items()
            },
            "projects": {
                name: [row.serial, row.read, row.versions, row.files] for name, row in self.projects.items()
            },
        }
        content = json.dumps(document, separators=(",", ":")).encode()
        return b"%s\n%s" % (hashlib.sha256(content).hexdigest().encode(), content)


@dataclass(frozen=True, slots=True)
class LastRunStore:
    """Where the last run of one mirror is kept.

    Attributes:
        read: Returns what was kept, if anything.
        write: Keeps a document; it raises nothing.
    """

    read: Callable[[], bytes | None]
    write: Callable[[bytes], None]

    def load(self) -> LastRun | None:
        """Return the last run; ``None`` if it is unknown or damaged."""
        return parse_last_run(self.read() or b"")

    def save(self, run: LastRun) -> None:
        """Keep a run."""
        self.write(run.to_bytes())


def parse_last_run(content: bytes) -> LastRun | None:
    """Return the run that a document describes; ``None`` if it is damaged.

    A document with the right digest was written by this version, see `LastRunStore`, so that its values have
    the right types.
    """
    digest, _, document = content.partition(b"\n")
    if hashlib.sha256(document).hexdigest().encode() != digest:
        return None
    values: dict[str, Any] = json.loads(document)
    sinks = {
        name: SinkRow(Snapshot(files, pages), is_finalized)
        for name, (files, pages, is_finalized) in values["sinks"].items()
    }
    return LastRun(sinks, {name: ProjectRow(*row) for name, row in values["projects"].items()})


def row_of(file: ReceiptFile) -> FileRow:
    """Return a file of a receipt without its deliveries; it has a sha256."""
    assert file.sha256
    return file.filename, file.version, file.size, file.sha256, file.source_url
