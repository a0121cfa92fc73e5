"""What an index says of one file."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from packaging.version import Version

REPOSITORY_VERSION = "1.1"
"""The version of the Simple API that the pages follow: PEP 503, 592, 629, 658, 691, 700 and 714."""


_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """One distribution file on the pages of an index.

    Attributes:
        filename: as published.
        version: the file's version.
        size: in bytes.
        sha256: of the bytes, in hexadecimal.
        etag: what the container's listing said of the object when the digest was found (see
            `parse_project_document`); empty where nothing is said.
        requires_python: the specifier in the file's metadata (PEP 345).
        yanked: the reason, perhaps empty, if the file is yanked (PEP 592).
        uploaded: when the file was written, with a time zone.
        metadata_sha256: of the metadata file that lies beside it (PEP 658), if there is one.
        metadata_etag: what the listing said of that metadata file.
        signed: whether a detached signature lies beside it.
        build: what CI reported about its build when it was pushed.
    """

    filename: str
    version: Version
    size: int
    sha256: str
    etag: str = ""
    requires_python: str | None = None
    yanked: str | None = None
    uploaded: datetime | None = None
    metadata_sha256: str | None = None
    metadata_etag: str | None = None
    signed: bool = False
    build: Mapping[str, str] = field(default_factory=dict)


def is_sha256(text: str) -> bool:
    """Whether a text is a sha256 in lower-case hexadecimal: nothing else gets on a page as one."""
    return _SHA256.fullmatch(text) is not None


def in_order(files: Iterable[IndexedFile]) -> list[IndexedFile]:
    """By version, then by name: the order on every page, so that the same files give the same bytes."""
    return sorted(files, key=lambda file: (file.version, file.filename))


def href(filename: str, up: str) -> str:
    """The address of a file, relative to a page; ``up`` leads to the folder of the files.

    >>> href("foo-1.0+local.tar.gz", "../../")
    '../../foo-1.0%2Blocal.tar.gz'
    """
    return up + quote(filename, safe="")
