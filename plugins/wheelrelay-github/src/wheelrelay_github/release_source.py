"""The assets of GitHub releases as a source of distribution files."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from packaging.utils import canonicalize_name

from wheelrelay import DistFile
from wheelrelay.errors import NotFound, Rejected
from wheelrelay.http import RawBody, Response, content_range_starts_at, display_url, range_header
from wheelrelay.protocols import ByteStream
from wheelrelay_github.addresses import TagTemplate
from wheelrelay_github.api import PER_PAGE, GitHubApi
from wheelrelay_github.documents import (
    Asset,
    Release,
    distribution_files,
    parse_asset,
    parse_release,
    require_list,
)

MAX_COMPANION = 1 << 20
"""Bytes of a companion file; signatures and attestations are far smaller."""


class ReleaseSource:
    """Reads the releases of a repository whose tags a template matches.

    Args:
        api: the repository.
        tag: which releases.
    """

    def __init__(self, api: GitHubApi, tag: TagTemplate) -> None:
        self._api = api
        self._tag = tag

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """Yield the distribution files among the assets; see `wheelrelay.protocols.Source`."""
        wanted = canonicalize_name(project) if project is not None else None
        for release in self._releases():
            yield from distribution_files(self._assets(release), wanted)

    def inventory(self, project: str) -> Iterator[DistFile]:
        """Yield the files of a project as they are now; see `wheelrelay.protocols.SupportsInventory`."""
        return self.iter_files(project)

    @contextmanager
    def open(self, file: DistFile) -> Iterator[ByteStream]:
        """Open a file; see `wheelrelay.protocols.Source`."""
        with self._api.download(_url_of(file)) as response:
            yield RawBody(response)

    @contextmanager
    def open_range(self, file: DistFile, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Open a part of a file; see `wheelrelay.protocols.SupportsRange`."""
        with self._api.download(_url_of(file), {"Range": range_header(start, stop)}) as response:
            _require_part(response, start)
            yield RawBody(response)

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """Return a companion of a file; see `wheelrelay.protocols.SupportsCompanions`."""
        for release in self._releases(self._tag.tag_of(file)):
            asset = self._assets(release).get(file.filename + suffix)
            if asset is not None and asset.is_complete:
                with self._api.download(asset.url) as response:
                    return response.read_whole(MAX_COMPANION)
        raise NotFound(f"{self._api.repository} has no {file.filename}{suffix}.")

    def _releases(self, tag: str | None = None) -> Iterator[Release]:
        """Yield the releases with a tag, or all that the template matches; nothing if there are none.

        Raises:
            NotFound: the repository does not exist, or cannot be seen.
        """
        if tag is None and self._tag.is_fixed:
            tag = self._tag.text
        if tag is not None:
            release = self._find(tag)
            return iter([] if release is None else [release])
        return (release for release in self._all() if self._tag.matches(release.tag))

    def _find(self, tag: str) -> Release | None:
        """Return the release with a tag; drafts are found only in the list of all releases."""
        latest = ("latest",) if tag == "latest" else ("tags", tag)
        with suppress(NotFound):
            return parse_release(self._api.get(self._api.url("releases", *latest)))
        return next((release for release in self._all() if release.tag == tag), None)

    def _all(self) -> Iterator[Release]:
        for page in self._api.pages(self._api.url("releases", per_page=PER_PAGE)):
            yield from map(parse_release, require_list(page))

    def _assets(self, release: Release) -> dict[str, Asset]:
        url = self._api.url("releases", release.id, "assets", per_page=PER_PAGE)
        return {
            asset.name: asset
            for page in self._api.pages(url)
            for asset in map(parse_asset, require_list(page))
        }


def _require_part(response: Response, start: int) -> None:
    given = response.headers.get("Content-Range", "")
    if response.status_code != 206 or not content_range_starts_at(start, given):
        raise Rejected(f"{display_url(response.url)} returns only whole files.", status=response.status_code)


def _url_of(file: DistFile) -> str:
    if not file.url:
        raise NotFound(f"{file.filename} is not an asset of a release.")
    return file.url
