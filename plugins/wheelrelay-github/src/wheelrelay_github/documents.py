"""What the API returns about releases and their assets."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wheelrelay import Digests, DistFile, dist_file
from wheelrelay.errors import BackendError, InvalidFilename
from wheelrelay.model import COMPANION_SUFFIXES

COMPLETE = "uploaded"
"""The state of an asset whose bytes GitHub has."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset of a release."""

    url: str
    name: str
    size: int
    sha256: str | None
    created: datetime | None
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Release:
    """One release, with the address that takes its uploads."""

    id: int
    tag: str
    upload_url: str
    is_immutable: bool


def distribution_files(assets: Mapping[str, Asset], project: str | None) -> Iterator[DistFile]:
    """Yield the distribution files among assets; those of a project, or all of them."""
    complete = {name for name, asset in assets.items() if asset.is_complete}
    for name in sorted(complete):
        asset = assets[name]
        with suppress(InvalidFilename):  # assets can be anything
            file = dist_file(
                name,
                size=asset.size,
                digests=Digests(sha256=asset.sha256),
                url=asset.url,
                upload_time=asset.created,
                companions=tuple(suffix for suffix in COMPANION_SUFFIXES if name + suffix in complete),
            )
            if project is None or file.project == project:
                yield file


def require_list(page: Any) -> Sequence[Any]:
    """Return a page of a list.

    Raises:
        BackendError: it is something else.
    """
    if not isinstance(page, list):
        raise BackendError("GitHub did not return a list.")
    return page


def parse_release(document: Any) -> Release:
    """Read the description of a release.

    Raises:
        BackendError: it has an unexpected form.
    """
    try:
        upload_url = str(document["upload_url"]).partition("{")[0]
        return Release(
            id=int(document["id"]),
            tag=str(document["tag_name"]),
            upload_url=upload_url,
            is_immutable=bool(document.get("immutable")) and not document.get("draft"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BackendError("GitHub described a release in an unexpected form.") from error


def parse_asset(document: Any) -> Asset:
    """Read the description of an asset.

    Raises:
        BackendError: it has an unexpected form.
    """
    try:
        algorithm, _, digest = str(document.get("digest") or "").partition(":")
        created = document.get("created_at")
        return Asset(
            url=str(document["url"]),
            name=str(document["name"]),
            size=int(document["size"]),
            sha256=digest if algorithm == "sha256" else None,
            created=datetime.fromisoformat(created) if created else None,
            is_complete=document["state"] == COMPLETE,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BackendError("GitHub described an asset in an unexpected form.") from error
