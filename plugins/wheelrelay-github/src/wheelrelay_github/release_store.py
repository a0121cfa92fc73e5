"""The assets of GitHub releases as a store: what is uploaded, replaced and deleted.

GitHub computes the sha256 of each asset, so planning and confirming read no file. An upload that GitHub did
not complete leaves an asset in the state ``starter`` or ``open``: no file, and the next upload deletes it.
"""

import json
import re
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest, sha256
from typing import Any, Literal
from urllib.parse import quote

from wheelrelay import DistFile, StagedFile
from wheelrelay.errors import (
    AlreadyExists,
    BackendError,
    NotFound,
    Rejected,
)
from wheelrelay.http import RawBody, Response, display_url
from wheelrelay.model import COMPANION_SUFFIXES
from wheelrelay_github.addresses import TagTemplate
from wheelrelay_github.api import BINARY_TYPE, GitHubApi
from wheelrelay_github.documents import (
    Asset,
    Release,
    parse_asset,
    parse_release,
)
from wheelrelay_github.release_source import ReleaseSource

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
"""Names that GitHub keeps as they are; it renames others."""

INCOMING = ".wheelrelay-incoming"
"""What follows the name of an asset that is going to replace another one."""


@dataclass(frozen=True, slots=True)
class NewReleases:
    """How releases that do not exist are created.

    Attributes:
        create: whether to create them at all.
        draft: as drafts, which only people with write access see.
        prerelease: marked as pre-releases.
    """

    create: bool = False
    draft: bool = False
    prerelease: bool = False


class ReleaseStore(ReleaseSource):
    """The releases of a repository whose tags a template matches.

    Args:
        api: the repository.
        tag: which releases.
        new: how releases are created.
    """

    keeps_companions: Literal[True] = True

    def __init__(self, api: GitHubApi, tag: TagTemplate, new: NewReleases = NewReleases()) -> None:
        super().__init__(api, tag)
        self._new = new
        self._creating = threading.Lock()  # GitHub allows several drafts with one tag

    def make_ready(self) -> None:
        """Fetch the token; see `wheelrelay.protocols.SupportsReadiness`."""
        self._api.require_token()

    def put(self, staged: StagedFile) -> None:
        """Upload a file after its companions; see `wheelrelay.protocols.Sink`.

        Raises:
            AlreadyExists: the release has other bytes under the name.
            Rejected: the release is immutable, or GitHub does not keep such a name.
            NotFound: there is no release with the tag, and none is to be created.
            Unavailable: GitHub failed; the upload can be repeated.
        """
        _refuse_renaming(staged)
        release = self._release_for(staged.file)
        assets = self._assets(release)
        added: list[Asset] = []
        try:
            for companion in staged.companions:
                name = staged.filename + companion.suffix
                added += self._add(release, assets, name, companion.content)
            self._add(release, assets, staged.filename, staged)
        except BaseException:
            if added and not self._may_have(release, staged):
                for asset in added:
                    with suppress(BackendError):  # the first error matters more
                        self._api.send("DELETE", asset.url)
            raise

    def replace(self, staged: StagedFile) -> None:
        """Upload a file in place of another one; see `wheelrelay.protocols.SupportsReplace`.

        The new bytes are uploaded under another name, which is changed once the old asset is deleted.
        """
        _refuse_renaming(staged)
        release = self._release_for(staged.file)
        contents: dict[str, StagedFile | bytes] = {
            staged.filename + companion.suffix: companion.content for companion in staged.companions
        }
        for name, asset in self._assets(release).items():
            is_old = name.startswith(staged.filename) and name not in contents and name != staged.filename
            if is_old and name.removeprefix(staged.filename) in (*COMPANION_SUFFIXES, INCOMING):
                self._api.send("DELETE", asset.url)
        for name, content in {**contents, staged.filename: staged}.items():
            self._replace(release, name, content)

    def delete(self, files: Collection[DistFile]) -> None:
        """Delete files and their companions; see `wheelrelay.protocols.SupportsDelete`."""
        for release in self._releases():
            assets = self._assets(release)
            for file in files:
                for suffix in ("", *COMPANION_SUFFIXES):
                    asset = assets.get(file.filename + suffix)
                    if asset is not None:
                        with suppress(NotFound):
                            self._api.send("DELETE", asset.url)

    def _release_for(self, file: DistFile) -> Release:
        tag = self._tag.tag_of(file)
        with self._creating:
            release = self._find(tag)
            if release is None and self._new.create:
                release = parse_release(
                    self._api.send("POST", self._api.url("releases"), self._description(tag))
                )
        if release is None:
            raise NotFound(
                f"{self._api.repository} has no release {tag!r}.",
                hint="Create it on GitHub, or set `create = true` in the remote's configuration.",
            )
        if release.is_immutable:
            raise Rejected(
                f"The release {tag!r} of {self._api.repository} is immutable.",
                hint="Upload to a draft, and publish it afterwards.",
            )
        return release

    def _description(self, tag: str) -> dict[str, Any]:
        return {
            "tag_name": tag,
            "name": tag,
            "draft": self._new.draft,
            "prerelease": self._new.prerelease,
        }

    def _add(
        self, release: Release, assets: Mapping[str, Asset], name: str, content: StagedFile | bytes
    ) -> list[Asset]:
        """Upload an asset unless the release has it; return what was uploaded.

        Raises:
            AlreadyExists: the release has other bytes under the name.
        """
        asset = assets.get(name)
        if asset is not None and not asset.is_complete:
            self._api.send("DELETE", asset.url)
        elif asset is not None:
            self._require_same(asset, content)
            return []
        return [self._upload(release, name, content)]

    def _upload(self, release: Release, name: str, content: StagedFile | bytes) -> Asset:
        url = f"{release.upload_url}?name={quote(name, safe='')}"
        headers = {"Content-Type": BINARY_TYPE}
        try:
            if isinstance(content, bytes):
                asset = self._created(url, content, headers)
            else:
                with content.open() as stream:
                    asset = self._created(url, stream, headers)
        except Rejected as error:
            if error.status != 422:
                raise
            existing = self._assets(release).get(name)  # someone else uploaded it meanwhile
            if existing is None or not existing.is_complete:
                raise
            self._require_same(existing, content)
            return existing
        if asset.name != name or asset.sha256 not in (None, _sha256(content)) or asset.size != _size(content):
            self._api.send("DELETE", asset.url)
            raise BackendError(
                f"GitHub stored {name} as {asset.name} with other bytes; it was deleted again."
            )
        return asset

    def _created(self, url: str, body: Any, headers: Mapping[str, str]) -> Asset:
        with self._api.request("POST", url, body=body, headers=headers) as response:
            if not response.is_success:
                raise Rejected(
                    f"{display_url(url)} redirects an upload.",
                    status=response.status_code,
                    hint="Check api_url and the repository's name; it may have been renamed.",
                )
            return parse_asset(json.loads(response.content))

    def _replace(self, release: Release, name: str, content: StagedFile | bytes) -> None:
        assets = self._assets(release)
        old = assets.get(name)
        if old is not None and old.sha256 == _sha256(content):
            return
        if old is None or not old.is_complete:
            self._add(release, assets, name, content)
            return
        if left := assets.get(name + INCOMING):
            self._api.send("DELETE", left.url)
        new = self._upload(release, name + INCOMING, content)
        self._api.send("DELETE", old.url)
        self._api.send("PATCH", new.url, {"name": name})

    def _require_same(self, asset: Asset, content: StagedFile | bytes) -> None:
        digest = asset.sha256
        if digest is None and asset.size == _size(content):  # assets from before June 2025 have no digest
            with self._api.download(asset.url) as response:
                digest = file_digest(_Readable(response), "sha256").hexdigest()
        if digest != _sha256(content):
            raise AlreadyExists(
                f"{self._api.repository} has {asset.name} with other bytes.",
                hint="Nothing is overwritten; `wheelrelay push --replace` replaces it on purpose.",
            )

    def _may_have(self, release: Release, staged: StagedFile) -> bool:
        """Return whether the release has the file, or that cannot be known."""
        try:
            asset = self._assets(release).get(staged.filename)
        except BackendError:
            return True
        return asset is not None and asset.is_complete and asset.sha256 in (None, staged.sha256)


class _Readable:
    """A response for `hashlib.file_digest`."""

    def __init__(self, response: Response) -> None:
        self._body = RawBody(response)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        block = self._body.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def _refuse_renaming(staged: StagedFile) -> None:
    if not SAFE_NAME.fullmatch(staged.filename):
        raise Rejected(
            f"GitHub would change the name {staged.filename!r}.",
            hint="Publish this file to another remote.",
        )


def _size(content: StagedFile | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.size


def _sha256(content: StagedFile | bytes) -> str:
    return sha256(content).hexdigest() if isinstance(content, bytes) else content.sha256
