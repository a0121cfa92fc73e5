"""Facts about files that their bytes do not contain: upload time, yanked state, status of the project.

A container keeps them in one document per project, next to the project's pages. The pages are built from the
files and from these documents, so that writers which see the same ones write the same pages.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from packaging.utils import canonicalize_name

from wheelrelay.containers.index_pages.entry import IndexedFile, is_sha256
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import ACTIVE, DistFile, ProjectStatus

STATE_DOCUMENT = "state.json"

Yank = str | Literal[False] | None
"""The reason of a yanked file, ``False`` for a file that is not yanked, ``None`` if it is unknown."""


@dataclass(frozen=True, slots=True)
class FileState:
    """What is recorded about one file.

    Attributes:
        sha256: Digest of the bytes that it is about.
        uploaded: When the file was uploaded upstream.
        yanked: Whether it is yanked upstream.
        yanked_here: Whether it is yanked in this container, which takes precedence.
    """

    sha256: str
    uploaded: datetime | None = None
    yanked: Yank = None
    yanked_here: Yank = None

    def apply(self, entry: IndexedFile) -> IndexedFile:
        """Return the entry of a page with this state."""
        known = next((value for value in (self.yanked_here, self.yanked) if value is not None), None)
        return replace(
            entry,
            yanked=entry.yanked if known is None else known or (None if known is False else ""),
            yanked_here=self.yanked_here is not None,
            uploaded=self.uploaded or entry.uploaded,
        )

    def yank(self, reason: str | None) -> "FileState":
        """Return the state after the file was yanked in this container, or, with ``None``, restored."""
        if reason is not None:
            return replace(self, yanked_here=reason)
        if isinstance(self.yanked, str):  # upstream it stays yanked, so later runs must not repeat that here
            return replace(self, yanked_here=False)
        return replace(self, yanked=False, yanked_here=None)


@dataclass(frozen=True, slots=True)
class ProjectState:
    """What is recorded about one project.

    Attributes:
        files: The states of its files, by filename.
        status: The status of the project upstream.
    """

    files: Mapping[str, FileState] = field(default_factory=dict)
    status: ProjectStatus = ACTIVE

    def apply(self, entry: IndexedFile) -> IndexedFile:
        """Return the entry of a page with the recorded state, if that is about the same bytes."""
        state = self.files.get(entry.filename)
        if state is not None and state.sha256 == entry.sha256:
            entry = state.apply(entry)
        return replace(entry, status=self.status)

    def with_upstream(self, files: Iterable[DistFile], status: ProjectStatus | None) -> "ProjectState":
        """Return the state with what the upstream index lists; files need a sha256."""
        states = dict(self.files)
        for file in files:
            if file.sha256:
                states[file.filename] = replace(
                    self._state(file.filename, file.sha256),
                    uploaded=file.upload_time,
                    yanked=False if file.yanked is None else file.yanked,
                )
        return ProjectState(states, status or self.status)

    def with_yanked(self, files: Iterable[DistFile], reason: str | None) -> "ProjectState":
        """Return the state after files were yanked in this container, or, with ``None``, restored."""
        states = dict(self.files)
        for file in files:
            assert file.sha256
            states[file.filename] = self._state(file.filename, file.sha256).yank(reason)
        return replace(self, files=states)

    def _state(self, filename: str, sha256: str) -> FileState:
        state = self.files.get(filename)
        return state if state is not None and state.sha256 == sha256 else FileState(sha256)

    def to_json(self) -> bytes:
        """Return the document; `parse_state` reads it."""
        document = {
            "project-status": {"status": self.status.status, "reason": self.status.reason},
            "files": {
                name: {
                    "sha256": state.sha256,
                    "upload-time": state.uploaded.astimezone(UTC).isoformat() if state.uploaded else None,
                    "yanked": state.yanked,
                    "yanked-here": state.yanked_here,
                }
                for name, state in sorted(self.files.items())
            },
        }
        return (json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n").encode(
            "utf-8", "replace"
        )


def state_name(project: str) -> str:
    """Return the name of the document about a project, below the folder of the pages."""
    return f"{canonicalize_name(project)}/{STATE_DOCUMENT}"


def parse_state(content: bytes) -> ProjectState:
    """Parse a document that `ProjectState.to_json` wrote; what is damaged is left out."""
    try:
        document = json.loads(content)
        files = {name: _file_state(value) for name, value in document["files"].items()}
        status = document["project-status"]
        known = ProjectStatus(str(status["status"]), status["reason"] and str(status["reason"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ProjectState()
    return ProjectState({name: state for name, state in files.items() if is_sha256(state.sha256)}, known)


def as_shown(entry: IndexedFile, shown: IndexedFile | None) -> IndexedFile:
    """Return the entry of a file with the state that an existing page lists for the same bytes."""
    if shown is None or shown.sha256 != entry.sha256:
        return entry
    return replace(
        entry,
        yanked=shown.yanked,
        yanked_here=shown.yanked_here,
        uploaded=shown.uploaded,
        status=shown.status,
    )


def _file_state(value: Any) -> FileState:
    uploaded = value["upload-time"]
    return FileState(
        str(value["sha256"]),
        datetime.fromisoformat(uploaded) if uploaded else None,
        _yank(value["yanked"]),
        _yank(value["yanked-here"]),
    )


def _yank(value: Any) -> Yank:
    return value if isinstance(value, str) or value is False else None
