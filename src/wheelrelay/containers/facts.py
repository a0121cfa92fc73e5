"""What is known of a distribution file beyond its listing, and the texts that are kept with its object."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from wheelrelay.model import Digests, DistFile, Kind

if TYPE_CHECKING:
    from wheelrelay.simpleindex import IndexedFile

SHA256 = "sha256"
METADATA_SHA256 = "metadata-sha256"
REQUIRES_PYTHON = "requires-python"
YANKED = "yanked"
ORIGIN = "origin-"
"""The keys, and the beginning of keys, of what is kept with an object."""

_ANY = "any"
"""Kept where the metadata names no Python: not every place keeps an empty text."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one distribution file.

    Attributes:
        sha256: of its bytes.
        inspected: whether the metadata within it was looked at; the next two are unknown otherwise.
        metadata_sha256: of the metadata within a wheel; ``None`` for sdists and where there is none.
        requires_python: as the metadata says.
        yanked: the reason, if it is yanked.
        origin: what was said of its build.
    """

    sha256: str
    inspected: bool = True
    metadata_sha256: str | None = None
    requires_python: str | None = None
    yanked: str | None = None
    origin: Mapping[str, str] = field(default_factory=dict)

    def kept(self) -> dict[str, str]:
        """The texts to keep with the object; `kept_facts` reads them."""
        texts = {
            SHA256: self.sha256,
            METADATA_SHA256: self.metadata_sha256,
            REQUIRES_PYTHON: (self.requires_python or _ANY) if self.inspected else None,
            YANKED: self.yanked,
            **{ORIGIN + key: value for key, value in self.origin.items()},
        }
        return {key: text for key, text in texts.items() if text is not None}

    def describe(self, file: DistFile) -> DistFile:
        """The file as the listing shows it, with these facts."""
        return replace(
            file,
            digests=Digests(sha256=self.sha256),
            requires_python=self.requires_python,
            yanked=self.yanked,
            origin=self.origin,
        )


def kept_facts(texts: Mapping[str, str]) -> Facts | None:
    """What the texts that are kept with an object say, if they name a digest."""
    if SHA256 not in texts:
        return None
    python = texts.get(REQUIRES_PYTHON)
    return Facts(
        sha256=texts[SHA256],
        inspected=python is not None,
        metadata_sha256=texts.get(METADATA_SHA256),
        requires_python=None if python == _ANY else python,
        yanked=texts.get(YANKED),
        origin={key.removeprefix(ORIGIN): text for key, text in texts.items() if key.startswith(ORIGIN)},
    )


def indexed_facts(entry: "IndexedFile") -> Facts:
    """What a page says of a file."""
    return Facts(
        sha256=entry.sha256,
        metadata_sha256=entry.metadata_sha256,
        requires_python=entry.requires_python,
        yanked=entry.yanked,
        origin=entry.origin,
    )


def inspected_facts(file: DistFile, sha256: str, metadata: bytes | None) -> Facts:
    """The facts of a file that was looked into.

    Args:
        file: what the place that it comes from says of it.
        sha256: of its bytes.
        metadata: the core metadata within it, if it has some.
    """
    import hashlib

    from wheelrelay.core_metadata import requires_python

    return Facts(
        sha256=sha256,
        metadata_sha256=hashlib.sha256(metadata).hexdigest()
        if metadata and file.kind is Kind.WHEEL
        else None,
        requires_python=requires_python(metadata),
        yanked=file.yanked,
        origin=file.origin,
    )
