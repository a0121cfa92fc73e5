"""Metadata of a distribution file that a listing lacks, and its form as metadata of the object."""

import logging
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wheelrelay.containers.objects import ReadableObjects, StoredObject, hash_object
from wheelrelay.filenames import is_variants
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import Digests, DistFile, Kind

if TYPE_CHECKING:
    from wheelrelay.containers.index_pages import About, IndexedFile

_log = logging.getLogger(__name__)

SHA256 = "sha256"
METADATA_SHA256 = "metadata-sha256"
REQUIRES_PYTHON = "requires-python"
YANKED = "yanked"
BUILD_PREFIX = "build-"
"""Keys of the metadata of an object, and the prefix of the keys about its build."""

_ANY_PYTHON = "any"
"""Stored if the file names no Python version: some places drop metadata with an empty value."""

ObjectState = tuple[str, int, str]
"""Name, size and ETag of an object."""


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """What is known about one distribution file.

    Attributes:
        sha256: Digest of the file, in hexadecimal.
        inspected: Whether the core metadata in the file was read. If not, the next two are unknown.
        metadata_sha256: Digest of the core metadata in a wheel; ``None`` for sdists and wheels without any.
        requires_python: ``Requires-Python`` from the core metadata.
        yanked: The reason, if the file is yanked.
        yanked_here: Whether ``yanked`` was set or cleared in this container.
        uploaded: When the file was uploaded, as a page lists it.
        build: What CI reported about the build.
    """

    sha256: str
    inspected: bool = True
    metadata_sha256: str | None = None
    requires_python: str | None = None
    yanked: str | None = None
    yanked_here: bool = False
    uploaded: datetime | None = None
    build: Mapping[str, str] = field(default_factory=dict)

    def to_object_metadata(self) -> dict[str, str]:
        """Return the metadata to store with the object; `from_object_metadata` reads it."""
        values = {
            SHA256: self.sha256,
            METADATA_SHA256: self.metadata_sha256,
            REQUIRES_PYTHON: (self.requires_python or _ANY_PYTHON) if self.inspected else None,
            YANKED: self.yanked,
            **{BUILD_PREFIX + key: value for key, value in self.build.items()},
        }
        return {key: value for key, value in values.items() if value is not None}

    def describe(self, file: DistFile) -> DistFile:
        """Return ``file``, as the listing shows it, with this metadata."""
        return replace(
            file,
            digests=Digests(sha256=self.sha256),
            requires_python=self.requires_python,
            yanked=self.yanked,
            yanked_here=self.yanked_here,
            upload_time=self.uploaded or file.upload_time,
            build=self.build,
        )


@dataclass(frozen=True, slots=True)
class WriteCache:
    """What a store wrote itself, as far as the place returned ETags.

    An object that a later listing shows with the same name, size and ETag has the bytes that were written, so
    it need not be read or inspected again.

    Attributes:
        files: Metadata of distribution files, by the state of their objects.
        digests: sha256 of other objects, by name and ETag.
        about: What core metadata tells about projects, by its sha256.
    """

    files: dict[ObjectState, FileMetadata] = field(default_factory=dict)
    digests: dict[tuple[str, str], str] = field(default_factory=dict)
    about: "dict[str, About]" = field(default_factory=dict)

    def add_core_metadata(self, content: bytes) -> None:
        """Keep what a metadata file that was written tells about its project."""
        from wheelrelay.containers.index_pages import About  # a directory may need no pages

        about = About.from_core_metadata(content)
        self.about[about.metadata_sha256] = about

    def forget(self, filename: str) -> None:
        """Drop what is known about a distribution file."""
        for state in [state for state in self.files if state[0] == filename]:
            del self.files[state]


def state_of(stored: StoredObject) -> ObjectState:
    """Return the state that a listing shows for an object."""
    return stored.name, stored.size, stored.etag


def state_text(size: int, etag: str) -> str:
    """Return a text that changes whenever the bytes of an object do, if the place has ETags."""
    return f"{size} {etag}"


def from_object_metadata(values: Mapping[str, str]) -> FileMetadata | None:
    """Read the metadata stored with an object; ``None`` if it contains no digest.

    Other programs can write there too, so values that are not a digest or a specifier are ignored.
    """
    # Imported here because a directory stores no metadata and may need no pages.
    from wheelrelay.containers.index_pages.entry import is_sha256

    sha256, metadata, python = map(values.get, (SHA256, METADATA_SHA256, REQUIRES_PYTHON))
    if sha256 is None or not is_sha256(sha256):
        return None
    is_plausible = python is not None and _is_specifier(python) and (metadata is None or is_sha256(metadata))
    return FileMetadata(
        sha256=sha256,
        inspected=is_plausible,
        metadata_sha256=metadata if is_plausible else None,
        requires_python=python if is_plausible and python != _ANY_PYTHON else None,
        yanked=values.get(YANKED),
        build={
            key.removeprefix(BUILD_PREFIX): value
            for key, value in values.items()
            if key.startswith(BUILD_PREFIX)
        },
    )


def stored_sha256(objects: ReadableObjects, name: str) -> str:
    """Return the sha256 of an object: as stored with it, or else by reading it."""
    metadata = from_object_metadata(objects.stat_object(name).metadata)
    return metadata.sha256 if metadata else hash_object(objects, name)


def _is_specifier(text: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # as above

    try:
        SpecifierSet("" if text == _ANY_PYTHON else text)
    except InvalidSpecifier:
        return False
    return True


def from_page(entry: "IndexedFile") -> FileMetadata:
    """Return the metadata of a file as an index page lists it."""
    return FileMetadata(
        sha256=entry.sha256,
        metadata_sha256=entry.metadata_sha256,
        requires_python=entry.requires_python,
        yanked=entry.yanked,
        yanked_here=entry.yanked_here,
        uploaded=entry.uploaded,
        build=entry.build,
    )


def from_core_metadata(file: DistFile, sha256: str, content: bytes | None) -> FileMetadata:
    """Return the metadata of a file whose core metadata was read.

    Args:
        file: The file as its source describes it.
        sha256: Digest of its bytes.
        content: The core metadata in the file, if it has any.
    """
    import hashlib

    from wheelrelay.core_metadata import requires_python

    has_own_file = content and file.kind is Kind.WHEEL
    return FileMetadata(
        sha256=sha256,
        metadata_sha256=hashlib.sha256(content).hexdigest() if content and has_own_file else None,
        requires_python=requires_python(content),
        yanked=file.yanked,
        build=file.build,
    )


def try_core_metadata(path: Path, filename: str, known: bytes | None = None) -> bytes | None:
    """Return the core metadata in a file; ``None``, with a warning, if it cannot be read.

    A container may contain files that other tools wrote. A damaged one must not keep the other files from
    the pages. A list of variants (PEP 825) has no core metadata.

    Args:
        path: The file.
        filename: Its name.
        known: The core metadata, if it was read before.
    """
    from wheelrelay.core_metadata import read_core_metadata, requires_python

    if is_variants(filename):
        return None
    try:
        metadata = read_core_metadata(path, filename) if known is None else known
        requires_python(metadata)
    except Exception as error:  # noqa: BLE001  (any archive, read by several libraries)
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
    else:
        if metadata:
            return metadata
        reason = "no readable metadata found"
    _log.warning("%s is listed without its core metadata: %s.", filename, reason.rstrip("."))
    return None
