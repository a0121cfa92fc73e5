"""The summary and the links of a project, from the core metadata of its newest release."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from wheelrelay.containers.index_pages.entry import IndexedFile
from wheelrelay.lazy_dataclass import dataclass

MAX_LINKS = 20
"""Links that a page shows; a project has a few."""

MAX_LENGTH = 512
"""Characters of a summary or a URL that a page shows; PyPI has the same limit for summaries."""


@dataclass(frozen=True, slots=True)
class About:
    """What the metadata of a release tells about its project.

    Attributes:
        metadata_sha256: Digest of the metadata; empty if nothing is known.
        summary: One line about the project.
        links: Labels and URLs.
    """

    metadata_sha256: str = ""
    summary: str = ""
    links: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_core_metadata(cls, content: bytes) -> Self:
        """Return what a METADATA file tells."""
        from wheelrelay.core_metadata import parse_core_metadata  # not needed while pages are current

        raw = parse_core_metadata(content).raw
        summary = " ".join(raw.get("summary", "").split())[:MAX_LENGTH]
        links = dict(_links(raw.get("home_page", ""), raw.get("project_urls", {})))
        return cls(hashlib.sha256(content).hexdigest(), summary, tuple(links.items())[:MAX_LINKS])

    def to_json(self) -> dict[str, Any]:
        """Return the private part of a page; `about_from_json` reads it."""
        return {
            "metadata-sha256": self.metadata_sha256,
            "summary": self.summary,
            "links": [list(link) for link in self.links],
        }


NOT_DESCRIBED = About()
"""Nothing is known about the project."""


def about_from_json(value: Any) -> About:
    """Return what `About.to_json` wrote; nothing if it is damaged."""
    try:
        links = tuple((_text(label), _text(url)) for label, url in value["links"])
        return About(_text(value["metadata-sha256"]), _text(value["summary"]), links)
    except (KeyError, TypeError, ValueError):
        return NOT_DESCRIBED


def described_file(entries: Iterable[IndexedFile]) -> IndexedFile | None:
    """Return the wheel whose metadata describes the project: one of the newest release, if possible final."""
    wheels = [entry for entry in entries if entry.metadata_sha256 and entry.is_offered]
    return max(
        wheels,
        key=lambda entry: (not entry.version.is_prerelease, entry.version, entry.filename),
        default=None,
    )


def _links(home_page: str, urls: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for label, url in [("Homepage", home_page), *urls.items()]:
        if url.startswith(("https://", "http://")) and url.isprintable() and len(url) <= MAX_LENGTH:
            yield label or url, url


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value
