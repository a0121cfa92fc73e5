"""Parse JSON pages of the Simple API (PEP 691, 700, 740, 792).

A malformed page is an error, because unknown files must not be taken for absent ones. An invalid value of one
file is ignored on its own, because installers accept such pages too.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urljoin

from wheelrelay.backends.index.json_object import JsonObject
from wheelrelay.backends.web.html import require_supported_version
from wheelrelay.backends.web.pages import name_in
from wheelrelay.http import display_url
from wheelrelay.lazy_dataclass import dataclass

logger = logging.getLogger(__name__)

MAX_FILES = 50_000
"""Files on one page; the largest projects have a fifth of it."""

MAX_NAMES = 2_000_000
"""Projects of an index; PyPI has a third of it."""

Kind = TypeVar("Kind")

_SURROGATE = re.compile("[\ud800-\udfff]")
"""Unpaired surrogates, which cannot be encoded."""


class Malformed(ValueError):
    """A document violates the specification; the message names the place."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """The entry of one file on a project's page.

    Attributes:
        filename: the filename.
        url: the absolute URL; empty if the page has no valid one.
        hashes: hexadecimal digests by algorithm.
        requires_python: the version specifier, if any.
        yanked: the reason, possibly empty, if the file was yanked.
        size: bytes, if known.
        upload_time: the time of the upload, with a time zone.
        has_signature: whether the index has a signature of the file.
        provenance: the absolute URL of its attestations, if any.
    """

    filename: str
    url: str
    hashes: Mapping[str, str]
    requires_python: str | None
    yanked: str | None
    size: int | None
    upload_time: datetime | None
    has_signature: bool
    provenance: str | None


class ProjectDocument:
    """The page of one project, parsed item by item.

    Args:
        body: the page.
        url: its URL.

    Attributes:
        status: the project's status, by default ``active``; a later specification may add values. It is set
            after all files have been read.
        reason: the reason for the status, if any.
        serial: the number of the last change of the project, if the index counts them; set like the status.
    """

    def __init__(self, body: bytes, url: str) -> None:
        self._body = body
        self._url = url
        self.status = "active"
        self.reason: str | None = None
        self.serial: int | None = None

    def files(self) -> Iterator[FileEntry]:
        """Yield the files in the order of the page.

        Raises:
            LaterVersion: the version of the Simple API is not supported; raised at the end at the latest.
            ValueError: the page is not JSON, or has more than `MAX_FILES` files.
            Malformed: it is not a project's page.
        """
        others: dict[str, Any] = {}
        skipped = 0
        for count, entry in enumerate(_items(self._body, "files", others)):
            if count >= MAX_FILES:
                raise Malformed(f"it has more than {MAX_FILES} files")
            file = _entry(_Fields(entry, self._url), self._url) if isinstance(entry, dict) else None
            if file:
                yield file
            else:
                skipped += 1
        if skipped:
            logger.warning("%s: skipped %d entries without a filename.", display_url(self._url), skipped)
        status = _Fields(others, self._url).get("project-status", dict) or {}
        fields = _Fields(status, self._url)
        self.status = fields.get("status", str) or "active"
        self.reason = fields.get("reason", str)
        self.serial = _serial(others["meta"])


def read_names(body: bytes) -> Iterator[tuple[str, int | None]]:
    """Yield the names of all projects from the root page of an index, with their serials if it has them.

    Raises:
        LaterVersion: see `ProjectDocument.files`.
        ValueError: likewise.
    """
    for count, project in enumerate(_items(body, "projects", {})):
        if count >= MAX_NAMES:
            raise Malformed(f"it has more than {MAX_NAMES} projects")
        if not isinstance(project, dict):
            raise Malformed("projects holds an item that is not an object")
        name = _value(project, "name", str)
        if not _has_surrogate(name):
            yield name, _serial(project)


def _serial(values: Mapping[str, Any]) -> int | None:
    """Return the number of the last change of a project, which PyPI and its mirrors add to the Simple API."""
    serial = values.get("_last-serial")
    return serial if isinstance(serial, int) and not isinstance(serial, bool) else None


def _items(body: bytes, key: str, others: dict[str, Any]) -> Iterator[Any]:
    """Yield the items of the list at ``key``; store the other values that matter in ``others``.

    Raises:
        LaterVersion: the version of the Simple API is not supported.
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
    require_supported_version(str(version))


def _entry(fields: "_Fields", page: str) -> FileEntry | None:
    """Return one file; ``None`` if the entry has neither a filename nor a URL with one."""
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
        has_signature=fields.get("gpg-sig", bool) or False,
        provenance=_joined(page, fields.get("provenance", str)) or None,
    )


class _Fields:
    """The values of one JSON object. A value of the wrong type is logged and ignored.

    Args:
        values: the object.
        page: the URL of the page, for the log.
    """

    def __init__(self, values: Mapping[str, Any], page: str) -> None:
        self._values = values
        self._page = page

    def get(self, key: str, kind: type[Kind]) -> Kind | None:
        value = self._values.get(key)
        if value is None or (isinstance(value, kind) and not _has_surrogate(value)):
            return value
        self._log_invalid(key)
        return None

    def yanked(self) -> str | None:
        """Return the reason why the file was yanked, possibly empty; ``None`` if it was not yanked.

        The truth value decides (PEP 691): an empty string means that the file was not yanked.
        """
        value = self._values.get("yanked")
        if value is not None and not isinstance(value, bool | str):
            self._log_invalid("yanked")
        reason = value if isinstance(value, str) else ""
        return _without_surrogates(reason) if value else None

    def size(self) -> int | None:
        """Return the size in bytes, which may be a string of digits."""
        value = self._values.get("size")
        digits = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
        if digits.isascii() and digits.isdigit() and len(digits) <= 18:
            return int(digits)
        if value is not None:
            self._log_invalid("size")
        return None

    def upload_time(self) -> datetime | None:
        """Return the time of the upload, in UTC if it has no time zone."""
        text = self.get("upload-time", str)
        try:
            time = datetime.fromisoformat(text) if text else None
        except ValueError:
            self._log_invalid("upload-time")
            return None
        return time.replace(tzinfo=time.tzinfo or UTC) if time else None

    def _log_invalid(self, key: str) -> None:
        name = self._values.get("filename")
        of_file = f" of {_without_surrogates(str(name))}" if name else ""
        logger.info("%s: ignored an invalid %r%s.", display_url(self._page), key, of_file)


def _has_surrogate(value: object) -> bool:
    r"""Return whether a string has an unpaired surrogate, which JSON can express (``\ud800``; RFC 8259)."""
    return isinstance(value, str) and _SURROGATE.search(value) is not None


def _without_surrogates(text: str) -> str:
    """Return the text with unpaired surrogates replaced."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def _joined(page: str, url: str | None) -> str:
    try:
        return urljoin(page, url) if url else ""
    except ValueError:
        return ""


def _value(document: Mapping[str, Any], key: str, kind: type[Kind]) -> Kind:
    value = document.get(key)
    if value is None:
        raise Malformed(f"{key} is missing")
    if not isinstance(value, kind):
        raise Malformed(f"{key} is {type(value).__name__}, not {kind.__name__}")
    return value
