"""One file as the pages of an index list it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime
from urllib.parse import quote

from packaging.version import Version

from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import ACTIVE, ProjectStatus

REPOSITORY_VERSION = "1.4"
"""Version of the Simple API that the pages implement, the last one of the HTML form (PEP 833).

It covers PEP 503, 592, 629, 658, 691, 700, 714, 740 and 792.
"""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """One distribution file on the pages of an index.

    Attributes:
        filename: Filename as published.
        version: Version of the project.
        size: Size in bytes.
        sha256: Digest of the bytes, in hexadecimal.
        etag: ETag of the object in the container's listing when its digest was found; empty if it has none.
        requires_python: Specifier in the file's metadata (PEP 345).
        yanked: Reason, perhaps empty, if the file is yanked (PEP 592).
        yanked_here: Whether ``yanked`` was set or cleared in this container, whatever its upstream lists.
        uploaded: When the file was uploaded: upstream if that is known, or else here; with a time zone.
        metadata_sha256: Digest of the metadata file next to it (PEP 658), if there is one.
        metadata_etag: ETag of that metadata file in the listing.
        signed: Whether there is a detached signature.
        has_provenance: Whether there is a provenance object next to the file (PEP 740).
        status: Status of the project (PEP 792), the same for all files of a project.
        build: What CI reported about the build.
    """

    filename: str
    version: Version
    size: int
    sha256: str
    etag: str = ""
    requires_python: str | None = None
    yanked: str | None = None
    yanked_here: bool = False
    uploaded: datetime | None = None
    metadata_sha256: str | None = None
    metadata_etag: str | None = None
    signed: bool = False
    has_provenance: bool = False
    status: ProjectStatus = ACTIVE
    build: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_offered(self) -> bool:
        """Whether the pages link to the file; an index offers no files of a quarantined project."""
        return self.status.status != "quarantined"


def is_sha256(text: str) -> bool:
    """Whether a text is a sha256 in lower-case hexadecimal; pages list no digest in another form."""
    return _SHA256.fullmatch(text) is not None


def in_order(files: Iterable[IndexedFile]) -> list[IndexedFile]:
    """Sort by version, then by name, so that pages of the same files have the same bytes."""
    return sorted(files, key=lambda file: (file.version, file.filename))


def href(filename: str, up: str) -> str:
    """Return the address of a file relative to a page; ``up`` is the path to the folder of the files.

    >>> href("foo-1.0+local.tar.gz", "../../")
    '../../foo-1.0%2Blocal.tar.gz'
    """
    return up + quote(filename, safe="")
