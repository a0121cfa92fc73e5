"""The JSON form of the Simple API (PEP 691, 700, 740 and 792): write the documents, and parse our own.

PEP 691 reserves keys that start with an underscore for servers. Ours contain what the next run needs to trust
a digest without reading the file: the ETag that the listing showed when the digest was found. The root
document of a small container repeats the entries of all files, so one request returns what is known about it.
That of a large container has a fingerprint of each project instead, which changes with the project's files.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from packaging.version import InvalidVersion, Version

from wheelrelay.containers.index_pages.about import NOT_DESCRIBED, About, about_from_json
from wheelrelay.containers.index_pages.entry import REPOSITORY_VERSION, IndexedFile, href, in_order, is_sha256
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import ACTIVE, PROVENANCE_SUFFIX, ProjectStatus

_PRIVATE = "_wheelrelay"
_META = {"api-version": REPOSITORY_VERSION}


@dataclass(frozen=True, slots=True)
class Root:
    """The private part of a root document.

    Attributes:
        files: Entries of all files, if the container is small.
        fingerprints: Fingerprints of the files of each project, if it is large.
    """

    files: list[IndexedFile] = field(default_factory=list)
    fingerprints: dict[str, str] = field(default_factory=dict)


def root_json(
    projects: Iterable[str],
    files: Iterable[IndexedFile] = (),
    fingerprints: Mapping[str, str] | None = None,
) -> bytes:
    """Return the list of all projects, for ``simple/index.json``, with private keys.

    Args:
        projects: Normalised names.
        files: Files of all projects, if the container is small.
        fingerprints: Fingerprints of the files of each project, instead of the files.
    """
    private: dict[str, Any] = {"files": [_to_json(file, "../") for file in in_order(files)]}
    if fingerprints is not None:
        private = {"fingerprints": dict(sorted(fingerprints.items()))}
    names = sorted(projects)
    return _document({"meta": _META, "projects": [{"name": name} for name in names], _PRIVATE: private})


def project_json(project: str, files: Iterable[IndexedFile], about: About = NOT_DESCRIBED) -> bytes:
    """Return the files of one project, for ``simple/<project>/index.json``, two folders below the files.

    Args:
        project: Normalised name.
        files: Files of the project.
        about: Its summary and links, which the next update need not read again.
    """
    entries = in_order(files)
    offered = [file for file in entries if file.is_offered]
    hidden = [_to_json(file, "../../") for file in entries if not file.is_offered]
    status = entries[0].status if entries else ACTIVE
    private = {
        **({"files": hidden} if hidden else {}),
        **({"about": about.to_json()} if about != NOT_DESCRIBED else {}),
    }
    return _document(
        {
            "meta": _META,
            "name": project,
            "project-status": _present({"status": status.status, "reason": status.reason}),
            "versions": list(dict.fromkeys(str(file.version) for file in offered)),
            "files": [_to_json(file, "../../") for file in offered],
            **({_PRIVATE: private} if private else {}),
        }
    )


def parse_project_json(content: bytes) -> list[IndexedFile]:
    """Parse a document that `project_json` wrote.

    The document only saves work. Entries that are damaged or that other programs wrote are left out, and
    found out again from the files.
    """
    document = _load_object(content)
    private = document.get(_PRIVATE)
    hidden = _parse_files(private.get("files")) if isinstance(private, dict) else ()
    return [*_parse_files(document.get("files")), *hidden]


def parse_about(content: bytes) -> About:
    """Parse the summary and the links in a document that `project_json` wrote."""
    private = _load_object(content).get(_PRIVATE)
    return about_from_json(private.get("about")) if isinstance(private, dict) else NOT_DESCRIBED


def parse_root(content: bytes) -> Root:
    """Parse the private part of a document that `root_json` wrote; see `parse_project_json`."""
    private = _load_object(content).get(_PRIVATE)
    if not isinstance(private, dict):
        return Root()
    fingerprints = private.get("fingerprints")
    pairs = fingerprints.items() if isinstance(fingerprints, dict) else ()
    return Root(
        files=list(_parse_files(private.get("files"))),
        fingerprints={name: value for name, value in pairs if isinstance(value, str)},
    )


def is_own_root_json(content: bytes) -> bool:
    """Whether `root_json` wrote a document; a damaged document counts as ours.

    Other programs write ``simple/index.json`` too, and theirs must not be changed.
    """
    document = _load(content)
    return document is None or (isinstance(document, dict) and _PRIVATE in document)


def _document(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8", "replace")


def _load_object(content: bytes) -> dict[str, Any]:
    document = _load(content)
    return document if isinstance(document, dict) else {}


def _load(content: bytes) -> Any:
    """Parse JSON; ``None`` if it is invalid or nested too deeply for this interpreter."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError, MemoryError):
        return None


def _to_json(file: IndexedFile, up: str) -> dict[str, Any]:
    optional = {
        "requires-python": file.requires_python,
        "core-metadata": {"sha256": file.metadata_sha256} if file.metadata_sha256 else None,
        "yanked": file.yanked if file.yanked != "" else True,
        "gpg-sig": True if file.signed else None,
        "provenance": href(file.filename + PROVENANCE_SUFFIX, up) if file.has_provenance else None,
        "upload-time": _timestamp(file.uploaded) if file.uploaded else None,
    }
    private = {
        "etag": file.etag,
        "metadata-etag": file.metadata_etag,
        "yanked-here": file.yanked_here or None,
        "status": None if file.status == ACTIVE else [file.status.status, file.status.reason],
        "build": dict(file.build) or None,
    }
    return {
        "filename": file.filename,
        "url": href(file.filename, up),
        "hashes": {"sha256": file.sha256},
        "size": file.size,
        **_present(optional),
        _PRIVATE: {"version": str(file.version), **_present(private)},
    }


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _timestamp(moment: datetime) -> str:
    """Format a time in whole seconds: some places are more precise in one answer than in another."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parse_files(files: Any) -> Iterator[IndexedFile]:
    for entry in files if isinstance(files, list) else []:
        try:
            yield _parse_file(entry)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, InvalidVersion):
            continue


def _parse_file(entry: Any) -> IndexedFile:
    private, yanked, metadata = entry[_PRIVATE], entry.get("yanked"), entry.get("core-metadata")
    return IndexedFile(
        filename=_text(entry["filename"]),
        version=Version(private["version"]),
        size=int(entry["size"]),
        sha256=_sha256(entry["hashes"]["sha256"]),
        etag=_text(private.get("etag", "")),
        requires_python=_text_or_none(entry.get("requires-python")),
        yanked="" if yanked is True else _text_or_none(yanked or None),
        yanked_here=private.get("yanked-here") is True,
        uploaded=datetime.fromisoformat(entry["upload-time"]) if "upload-time" in entry else None,
        metadata_sha256=_sha256(metadata["sha256"]) if metadata else None,
        metadata_etag=_text_or_none(private.get("metadata-etag")),
        signed=bool(entry.get("gpg-sig")),
        has_provenance=bool(entry.get("provenance")),
        status=_status(private["status"]) if "status" in private else ACTIVE,
        build={_text(key): _text(value) for key, value in private.get("build", {}).items()},
    )


def _status(value: Any) -> ProjectStatus:
    status, reason = value
    return ProjectStatus(_text(status), _text_or_none(reason))


def _sha256(value: Any) -> str:
    if not is_sha256(_text(value)):
        raise ValueError("not a sha256")
    return _text(value)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value
