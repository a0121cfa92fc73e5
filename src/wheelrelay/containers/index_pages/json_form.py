"""The JSON form of the Simple API (PEP 691, PEP 700), written, and our own documents read back.

The names of private keys begin with an underscore, as PEP 691 reserves them for servers. They hold what
a later run needs to trust a digest without reading the file again: what the listing said of the object
when its digest was found. The root document repeats the descriptions of all files, so that one read tells
what is known of the whole container.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from packaging.version import InvalidVersion, Version

from wheelrelay.containers.index_pages.entry import REPOSITORY_VERSION, IndexedFile, href, in_order, is_sha256

_PRIVATE = "_wheelrelay"
_META = {"api-version": REPOSITORY_VERSION}


def root_document(projects: Iterable[str], files: Iterable[IndexedFile]) -> bytes:
    """The list of all projects, for ``simple/index.json``, and privately what is known of all files.

    Args:
        projects: normalised names.
        files: the files of all projects.
    """
    return _document(
        {
            "meta": _META,
            "projects": [{"name": name} for name in sorted(projects)],
            _PRIVATE: {"files": [_written(file, "../") for file in in_order(files)]},
        }
    )


def project_document(project: str, files: Iterable[IndexedFile]) -> bytes:
    """The files of one project, for ``simple/<project>/index.json``; they lie two folders up.

    Args:
        project: the normalised name.
        files: the project's files.
    """
    entries = in_order(files)
    return _document(
        {
            "meta": _META,
            "name": project,
            "versions": list(dict.fromkeys(str(file.version) for file in entries)),
            "files": [_written(file, "../../") for file in entries],
        }
    )


def parse_project_document(content: bytes) -> list[IndexedFile]:
    """The files on a document that `project_document` wrote.

    It is a memory and no authority: what is damaged, truncated or written by others is left out, and
    has to be found out again from the files themselves.
    """
    return list(_read(_parsed(content).get("files")))


def parse_root_document(content: bytes) -> list[IndexedFile]:
    """All files that a document that `root_document` wrote knows of; as `parse_project_document`."""
    private = _parsed(content).get(_PRIVATE)
    return list(_read(private.get("files"))) if isinstance(private, dict) else []


def is_own_root(content: bytes) -> bool:
    """Whether `root_document` wrote a document, as far as can be told: one that is damaged counts as well.

    Others keep a ``simple/index.json`` too, which is not ours to change.
    """
    document = _loaded(content)
    return document is None or (isinstance(document, dict) and _PRIVATE in document)


def _document(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8", "replace")


def _parsed(content: bytes) -> dict[str, Any]:
    document = _loaded(content)
    return document if isinstance(document, dict) else {}


def _loaded(content: bytes) -> Any:
    """What a document says; ``None`` if it is no JSON, or more than this interpreter can read."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError, MemoryError):
        return None


def _written(file: IndexedFile, up: str) -> dict[str, Any]:
    optional = {
        "requires-python": file.requires_python,
        "core-metadata": {"sha256": file.metadata_sha256} if file.metadata_sha256 else None,
        "yanked": file.yanked if file.yanked != "" else True,
        "gpg-sig": True if file.signed else None,
        "upload-time": _stamp(file.uploaded) if file.uploaded else None,
    }
    private = {"etag": file.etag, "metadata-etag": file.metadata_etag, "build": dict(file.build) or None}
    return {
        "filename": file.filename,
        "url": href(file.filename, up),
        "hashes": {"sha256": file.sha256},
        "size": file.size,
        **_given(optional),
        _PRIVATE: {"version": str(file.version), **_given(private)},
    }


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _stamp(moment: datetime) -> str:
    """Whole seconds: places do not tell more in one answer than in another."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(files: Any) -> Iterator[IndexedFile]:
    for entry in files if isinstance(files, list) else []:
        try:
            yield _indexed(entry)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, InvalidVersion):
            continue


def _indexed(entry: Any) -> IndexedFile:
    private, yanked, metadata = entry[_PRIVATE], entry.get("yanked"), entry.get("core-metadata")
    return IndexedFile(
        filename=_text(entry["filename"]),
        version=Version(private["version"]),
        size=int(entry["size"]),
        sha256=_sha256(entry["hashes"]["sha256"]),
        etag=_text(private.get("etag", "")),
        requires_python=_text_or_none(entry.get("requires-python")),
        yanked="" if yanked is True else _text_or_none(yanked or None),
        uploaded=datetime.fromisoformat(entry["upload-time"]) if "upload-time" in entry else None,
        metadata_sha256=_sha256(metadata["sha256"]) if metadata else None,
        metadata_etag=_text_or_none(private.get("metadata-etag")),
        signed=bool(entry.get("gpg-sig")),
        build={_text(key): _text(value) for key, value in private.get("build", {}).items()},
    )


def _sha256(value: Any) -> str:
    if not is_sha256(_text(value)):
        raise ValueError("this is not a sha256")
    return _text(value)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("this is not text")
    return value
