"""The JSON form of the Simple API (PEP 691, 700, 740, 792), each value read as its own type.

A page that is not of this form is an error: unknown files are not absent files. An odd value of one file
costs that value and nothing else, because other installers read such pages, and so do their users.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urljoin

from wheelrelay.backends.index.json_object import JsonObject
from wheelrelay.backends.web.html import refuse_later_version
from wheelrelay.backends.web.pages import name_in
from wheelrelay.http import display_url

logger = logging.getLogger(__name__)

MAX_FILES = 50_000
"""Files that one page may have; the projects with the most have a fifth of it."""

MAX_NAMES = 2_000_000
"""Projects that an index may have; PyPI has a third of it."""

Kind = TypeVar("Kind")

_HALF = re.compile("[\ud800-\udfff]")
"""Halves of characters (surrogates), which no encoding can write."""


class Malformed(ValueError):
    """A document departs from the specification; says where."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What a project's page says of one file.

    Attributes:
        filename: its name.
        url: its absolute address; empty if the page gives none that makes sense.
        hashes: digests in hexadecimal, by algorithm.
        requires_python: the specifier, if one is given.
        yanked: the reason, perhaps empty, if it was yanked.
        size: in bytes, where that is given.
        upload_time: when the index took it, with a time zone.
        signed: whether the index holds a signature of it.
        provenance: the absolute address of its attestations, if the index has some.
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


class ProjectDocument:
    """The page of one project, read piece by piece.

    Args:
        body: the page.
        url: where it came from.

    Attributes:
        status: ``active`` if the page gives none; it may be a word of a later specification. Known when all
            files have been read.
        reason: of the status, if one is given.
    """

    def __init__(self, body: bytes, url: str) -> None:
        self._body = body
        self._url = url
        self.status = "active"
        self.reason: str | None = None

    def files(self) -> Iterator[FileEntry]:
        """The files in the order of the page.

        Raises:
            LaterVersion: it has a version of the Simple API that is not known yet; at the end at the latest.
            ValueError: it is not JSON, or it has more than `MAX_FILES` files.
            Malformed: it is not such a page.
        """
        others: dict[str, Any] = {}
        skipped = 0
        for count, entry in enumerate(_items(self._body, "files", others)):
            if count >= MAX_FILES:
                raise Malformed(f"it has over {MAX_FILES} files")
            found = _entry(_Fields(entry, self._url), self._url) if isinstance(entry, dict) else None
            if found:
                yield found
            else:
                skipped += 1
        if skipped:
            logger.warning(
                "%s: entries skipped because they name no file: %d.", display_url(self._url), skipped
            )
        status = _Fields(others, self._url).get("project-status", dict) or {}
        fields = _Fields(status, self._url)
        self.status = fields.get("status", str) or "active"
        self.reason = fields.get("reason", str)


def read_names(body: bytes) -> Iterator[str]:
    """The names of all projects, from the root page of an index.

    Raises:
        LaterVersion: see `ProjectDocument.files`.
        ValueError: likewise.
    """
    for count, project in enumerate(_items(body, "projects", {})):
        if count >= MAX_NAMES:
            raise Malformed(f"it has over {MAX_NAMES} projects")
        if not isinstance(project, dict):
            raise Malformed("projects holds an item that is not an object")
        name = _value(project, "name", str)
        if not _is_broken(name):
            yield name


def _items(body: bytes, key: str, others: dict[str, Any]) -> Iterator[Any]:
    """The items of the list at ``key``; the other values, as far as they matter, are put into ``others``.

    Raises:
        LaterVersion: the version of the Simple API is not known yet.
        Malformed: the list or the version is missing.
    """
    for name, value in JsonObject(body).items(key):
        if name is None:
            yield value
        elif name in (key, "meta", "project-status"):
            others[name] = value
    _value(others, key, list)
    version = _value(others, "meta", dict).get("api-version")
    if isinstance(version, bool) or not isinstance(version, int | float | str):
        raise Malformed("api-version is missing")
    refuse_later_version(str(version))


def _entry(fields: "_Fields", page: str) -> FileEntry | None:
    """One file; ``None`` if the entry has neither a filename nor an address that holds one."""
    url = _joined(page, fields.get("url", str))
    filename = fields.get("filename", str) or name_in(url)
    if not filename:
        return None
    hashes = fields.get("hashes", dict) or {}
    return FileEntry(
        filename=filename,
        url=url,
        hashes={name: value for name, value in hashes.items() if isinstance(value, str)},
        requires_python=fields.get("requires-python", str),
        yanked=fields.yanked(),
        size=fields.size(),
        upload_time=fields.upload_time(),
        signed=fields.get("gpg-sig", bool) or False,
        provenance=_joined(page, fields.get("provenance", str)) or None,
    )


class _Fields:
    """The values of one JSON object; one of a wrong type is logged and counts as not given.

    Args:
        values: the object.
        page: the address of the page, for the log.
    """

    def __init__(self, values: Mapping[str, Any], page: str) -> None:
        self._values = values
        self._page = page

    def get(self, key: str, kind: type[Kind]) -> Kind | None:
        value = self._values.get(key)
        if value is None or (isinstance(value, kind) and not _is_broken(value)):
            return value
        self._log_odd(key)
        return None

    def yanked(self) -> str | None:
        """The reason why the file was yanked; empty if the page gives none.

        The truth of the value decides (PEP 691): an empty text is not yanked.
        """
        value = self._values.get("yanked")
        if value is not None and not isinstance(value, bool | str):
            self._log_odd("yanked")
        reason = value if isinstance(value, str) else ""
        return _whole(reason) if value else None

    def size(self) -> int | None:
        """The size in bytes, also where it is written as text."""
        value = self._values.get("size")
        digits = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
        if digits.isascii() and digits.isdigit() and len(digits) <= 18:
            return int(digits)
        if value is not None:
            self._log_odd("size")
        return None

    def upload_time(self) -> datetime | None:
        """The time of the upload, in UTC where no time zone is given."""
        text = self.get("upload-time", str)
        try:
            time = datetime.fromisoformat(text) if text else None
        except ValueError:
            self._log_odd("upload-time")
            return None
        return time.replace(tzinfo=time.tzinfo or UTC) if time else None

    def _log_odd(self, key: str) -> None:
        name = self._values.get("filename")
        of_file = f" of {_whole(str(name))}" if name else ""
        logger.info("%s: ignored the odd value of %r%s.", display_url(self._page), key, of_file)


def _is_broken(value: object) -> bool:
    r"""Whether this is text with half of a character in it, as JSON writes with ``\ud800``; see RFC 8259."""
    return isinstance(value, str) and _HALF.search(value) is not None


def _whole(text: str) -> str:
    """A text in which halves of characters are replaced."""
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", text)


def _joined(page: str, url: str | None) -> str:
    try:
        return urljoin(page, url) if url else ""
    except ValueError:
        return ""


def _value(document: Mapping[str, Any], key: str, kind: type[Kind]) -> Kind:
    found = document.get(key)
    if found is None:
        raise Malformed(f"{key} is missing")
    if not isinstance(found, kind):
        raise Malformed(f"{key} is {type(found).__name__}, not {kind.__name__}")
    return found
