"""What is known of a distribution file beyond its listing, and the texts that are kept with its object."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wheelrelay.filenames import is_variants
from wheelrelay.model import Digests, DistFile, Kind

if TYPE_CHECKING:
    from wheelrelay.containers.index_pages import IndexedFile

_log = logging.getLogger(__name__)

SHA256 = "sha256"
METADATA_SHA256 = "metadata-sha256"
REQUIRES_PYTHON = "requires-python"
YANKED = "yanked"
BUILD_PREFIX = "build-"
"""The keys, and the beginning of keys, of what is kept with an object."""

_ANY = "any"
"""Kept where the metadata names no Python: not every place keeps an empty text."""


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """What is known of one distribution file.

    Attributes:
        sha256: of its bytes.
        inspected: whether the metadata within it was looked at; the next two are unknown otherwise.
        metadata_sha256: of the metadata within a wheel; ``None`` for sdists and where there is none.
        requires_python: as the metadata says.
        yanked: the reason, if it is yanked.
        build: what CI reported about its build.
    """

    sha256: str
    inspected: bool = True
    metadata_sha256: str | None = None
    requires_python: str | None = None
    yanked: str | None = None
    build: Mapping[str, str] = field(default_factory=dict)

    def kept(self) -> dict[str, str]:
        """The texts to keep with the object; `kept_facts` reads them."""
        texts = {
            SHA256: self.sha256,
            METADATA_SHA256: self.metadata_sha256,
            REQUIRES_PYTHON: (self.requires_python or _ANY) if self.inspected else None,
            YANKED: self.yanked,
            **{BUILD_PREFIX + key: value for key, value in self.build.items()},
        }
        return {key: text for key, text in texts.items() if text is not None}

    def describe(self, file: DistFile) -> DistFile:
        """The file as the listing shows it, with these facts."""
        return replace(
            file,
            digests=Digests(sha256=self.sha256),
            requires_python=self.requires_python,
            yanked=self.yanked,
            build=self.build,
        )


def kept_facts(texts: Mapping[str, str]) -> FileMetadata | None:
    """What the texts that are kept with an object say, if they name a digest.

    Whoever may write there can write anything: what is no digest or no specifier was not said.
    """
    from wheelrelay.containers.index_pages.entry import (
        is_sha256,  # a directory keeps no texts and needs no pages
    )

    sha256, metadata, python = map(texts.get, (SHA256, METADATA_SHA256, REQUIRES_PYTHON))
    if sha256 is None or not is_sha256(sha256):
        return None
    plausible = python is not None and _is_specifier(python) and (metadata is None or is_sha256(metadata))
    return FileMetadata(
        sha256=sha256,
        inspected=plausible,
        metadata_sha256=metadata if plausible else None,
        requires_python=python if plausible and python != _ANY else None,
        yanked=texts.get(YANKED),
        build={
            key.removeprefix(BUILD_PREFIX): text
            for key, text in texts.items()
            if key.startswith(BUILD_PREFIX)
        },
    )


def _is_specifier(text: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # likewise

    try:
        SpecifierSet("" if text == _ANY else text)
    except InvalidSpecifier:
        return False
    return True


def indexed_facts(entry: "IndexedFile") -> FileMetadata:
    """What a page says of a file."""
    return FileMetadata(
        sha256=entry.sha256,
        metadata_sha256=entry.metadata_sha256,
        requires_python=entry.requires_python,
        yanked=entry.yanked,
        build=entry.build,
    )


def metadata_within(path: Path, filename: str, known: bytes | None = None) -> bytes | None:
    """The core metadata within a file; with a warning there are none if they cannot be read.

    Other people's files lie in a container too, and whatever is wrong with one of them must not keep the
    others from the pages. A list of variants (PEP 825) has none by its nature.

    Args:
        path: where the file lies.
        filename: its name.
        known: the metadata, if they were read already.
    """
    from wheelrelay.core_metadata import read_core_metadata, requires_python

    if is_variants(filename):
        return None
    try:
        metadata = read_core_metadata(path, filename) if known is None else known
        requires_python(metadata)
    except Exception as error:  # noqa: BLE001  (archives by anybody, read by the modules of many)
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
    else:
        if metadata:
            return metadata
        reason = "there are none that can be read"
    _log.warning("%s is listed without its core metadata: %s.", filename, reason.rstrip("."))
    return None


def inspected_facts(file: DistFile, sha256: str, metadata: bytes | None) -> FileMetadata:
    """The facts of a file that was looked into.

    Args:
        file: what the place that it comes from says of it.
        sha256: of its bytes.
        metadata: the core metadata within it, if it has some.
    """
    import hashlib

    from wheelrelay.core_metadata import requires_python

    return FileMetadata(
        sha256=sha256,
        metadata_sha256=hashlib.sha256(metadata).hexdigest()
        if metadata and file.kind is Kind.WHEEL
        else None,
        requires_python=requires_python(metadata),
        yanked=file.yanked,
        build=file.build,
    )
