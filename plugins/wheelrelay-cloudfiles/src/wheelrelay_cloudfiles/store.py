"""Containers of Swift and of Cloud Files as stores; the latter with the CDN before it."""

import logging
from collections.abc import Collection, Mapping
from typing import Any

from wheelrelay.containers.store import ContainerStore
from wheelrelay.errors import BackendError
from wheelrelay.staged import StagedFile
from wheelrelay_cloudfiles.account import Account
from wheelrelay_cloudfiles.cdn import Cdn, CdnAddresses
from wheelrelay_cloudfiles.objects import SwiftObjects

_log = logging.getLogger(__name__)


class SwiftStore(ContainerStore):
    """A container of Swift as a store.

    Args:
        account: whose container it is.
        objects: what lies in it.
        options: as for `ContainerStore`.
    """

    def __init__(self, account: Account, objects: SwiftObjects, **options: Any) -> None:
        super().__init__(objects, made_by_put=True, **options)
        self._account = account

    def make_ready(self) -> None:
        """Log in, so that what is wrong with the credentials is known before anything is published."""
        self._account.access()


class CloudFilesStore(SwiftStore):
    """A container of Cloud Files as a store; whatever changes in it, its CDN is told to forget.

    Args:
        account: whose container it is.
        objects: what lies in it.
        cdn: what stands before it.
        options: as for `ContainerStore`.
    """

    def __init__(self, account: Account, objects: "ChangingObjects", cdn: Cdn, **options: Any) -> None:
        super().__init__(account, objects, **options)
        self._changing = objects
        self._cdn = cdn

    def enable_cdn(self) -> CdnAddresses:
        """Switch the CDN on, and say where the files are from now on; see `Cdn.enable`."""
        return self._cdn.enable()

    def cdn_addresses(self) -> CdnAddresses | None:
        """Where the CDN shows the files, if it is on."""
        return self._cdn.addresses()

    def finalize(self, projects: Collection[str]) -> None:
        """Bring the index pages up to date, and the CDN to show them."""
        super().finalize(projects)
        self._purge()

    def rebuild_pages(self) -> None:
        """Write all index pages anew, and bring the CDN to show them."""
        super().rebuild_pages()
        self._purge()

    def _purge(self) -> None:
        """What fails here passes by itself: the CDN looks again when its time is over."""
        names = self._changing.take_changed()
        try:
            if names and self._cdn.is_on():
                self._cdn.purge(names)
        except BackendError as error:
            _log.warning("The CDN may show for a while what was there before: %s", error)


class ChangingObjects(SwiftObjects):
    """Objects of a container, noting which of them are not any more what a CDN may have of them."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._changed: set[str] = set()

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write an object in place of the one that may be there."""
        super().replace_object(name, content, content_type=content_type, metadata=metadata)
        self._changed.add(name)

    def delete_object(self, name: str) -> None:
        """Remove an object."""
        super().delete_object(name)
        self._changed.add(name)

    def take_changed(self) -> list[str]:
        """The names of what has changed since the last call."""
        names = []
        while self._changed:
            names.append(self._changed.pop())
        return sorted(names)
