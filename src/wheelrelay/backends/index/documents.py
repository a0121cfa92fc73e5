"""The JSON form of the Simple API (PEP 691, 700, 740, 792): what it says, each value of its own type."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urljoin

from wheelrelay.backends.html import refuse_later_version

Kind = TypeVar("Kind")


class Malformed(ValueError):
    """A document departs from the specification; says where."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What a project's page says of one file.

    Attributes:
        filename: its name.
        url: where it is, absolute.
        hashes: digests in hexadecimal, by algorithm.
        requires_python: the specifier, if one is given.
        yanked: the reason, perhaps empty, if it was yanked.
        size: in bytes, where that is told.
        upload_time: when the index took it, with a time zone.
        signed: whether a signature lies beside it.
        provenance: where its attestations are told of, absolute, if they are.
    """

    filename: str
    url: str
    hashes: Mapping[str, str]
    requires_python: str | None
    yanked: str | None
    size: int | None
    upload_time: datetime | None
    signed: bool
    provenance: str | None


@dataclass(frozen=True, slots=True)
class ProjectDocument:
    """The page of one project.

    Attributes:
        files: in the order of the page.
        status: as ``active``; a later word is no error.
        reason: of the status, if one is given.
    """

    files: tuple[FileEntry, ...]
    status: str
    reason: str | None


def read_project(body: bytes, url: str) -> ProjectDocument:
    """Read the page of a project that came from ``url``.

    Raises:
        LaterVersion: it speaks a version of the Simple API that is not known yet.
        ValueError: it is no JSON.
        Malformed: it is no such page.
    """
    document = _opened(body)
    _value(document, "name", str)
    files = tuple(_entry(entry, url) for entry in _objects(document, "files"))
    status = _optional(document, "project-status", dict) or {}
    return ProjectDocument(
        files, _optional(status, "status", str) or "active", _optional(status, "reason", str)
    )


def read_names(body: bytes) -> list[str]:
    """The names of all projects, from the root page of an index.

    Raises:
        LaterVersion: see `read_project`.
        ValueError: likewise.
    """
    return [_value(project, "name", str) for project in _objects(_opened(body), "projects")]


def _opened(body: bytes) -> Mapping[str, Any]:
    document = json.loads(body)
    if not isinstance(document, dict):
        raise Malformed("it is no JSON object")
    refuse_later_version(_value(_value(document, "meta", dict), "api-version", str))
    return document


def _entry(entry: Mapping[str, Any], page: str) -> FileEntry:
    hashes = _value(entry, "hashes", dict)
    yanked = entry.get("yanked", False)
    if not isinstance(yanked, bool | str):
        raise Malformed("yanked is neither true, false nor a text")
    time = _optional(entry, "upload-time", str)
    provenance = _optional(entry, "provenance", str)
    uploaded = datetime.fromisoformat(time) if time else None
    return FileEntry(
        filename=_value(entry, "filename", str),
        url=urljoin(page, _value(entry, "url", str)),
        hashes={name: _value(hashes, name, str) for name in hashes},
        requires_python=_optional(entry, "requires-python", str),
        yanked=yanked if isinstance(yanked, str) else "" if yanked else None,
        size=_optional(entry, "size", int),
        upload_time=uploaded.replace(tzinfo=uploaded.tzinfo or UTC) if uploaded else None,
        signed=_optional(entry, "gpg-sig", bool) or False,
        provenance=urljoin(page, provenance) if provenance else None,
    )


def _objects(document: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    for each in _value(document, key, list):
        if not isinstance(each, dict):
            raise Malformed(f"{key} holds what is no object")
        yield each


def _value(document: Mapping[str, Any], key: str, kind: type[Kind]) -> Kind:
    found = _optional(document, key, kind)
    if found is None:
        raise Malformed(f"{key} is missing")
    return found


def _optional(document: Mapping[str, Any], key: str, kind: type[Kind]) -> Kind | None:
    found = document.get(key)
    if found is None or (isinstance(found, kind) and not (kind is int and isinstance(found, bool))):
        return found
    raise Malformed(f"{key} is {type(found).__name__}, not {kind.__name__}")
