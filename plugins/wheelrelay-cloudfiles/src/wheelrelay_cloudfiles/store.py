"""Containers of Swift and of Cloud Files as stores; those of Cloud Files with a CDN."""

import logging
from collections.abc import Collection, Mapping
from typing import Any

from wheelrelay import StagedFile
from wheelrelay.containers import ContainerStore
from wheelrelay.errors import BackendError
from wheelrelay_cloudfiles.account import Account
from wheelrelay_cloudfiles.cdn import Cdn, CdnAddresses
from wheelrelay_cloudfiles.objects import SwiftObjects

_log = logging.getLogger(__name__)


class SwiftStore(ContainerStore):
    """A container of Swift as a store.

    Args:
        account: The account that owns the container.
        objects: The objects of the container.
        options: As for `ContainerStore`.
    """

    def __init__(self, account: Account, objects: SwiftObjects, **options: Any) -> None:
        super().__init__(objects, made_by_put=True, **options)
        self._account = account
        self._swift = objects

    def make_ready(self) -> None:
        """Log in, so that wrong credentials are reported before anything is published."""
        self._account.access()

    def finalize(self, projects: Collection[str]) -> None:
        """Bring the index pages up to date, and delete what failed uploads left of these projects."""
        super().finalize(projects)
        self._sweep(projects)

    def rebuild_pages(self) -> None:
        """Rewrite all index pages, and delete what failed uploads left."""
        super().rebuild_pages()
        self._sweep(None)

    def _sweep(self, projects: Collection[str] | None) -> None:
        """Sweep without failing: unused segments cost space, and the next run deletes them."""
        try:
            self._swift.sweep_segments(projects)
        except BackendError as error:
            _log.info("Segments of failed uploads were not deleted: %s", error)


class CloudFilesStore(SwiftStore):
    """A container of Cloud Files as a store; changed objects are purged from its CDN.

    Args:
        account: The account that owns the container.
        objects: The objects of the container.
        cdn: The CDN of the container.
        options: As for `ContainerStore`.
    """

    def __init__(self, account: Account, objects: "ChangeTracker", cdn: Cdn, **options: Any) -> None:
        super().__init__(account, objects, **options)
        self._tracker = objects
        self._cdn = cdn

    def enable_cdn(self) -> CdnAddresses:
        """Enable the CDN, and return the public addresses; see `Cdn.enable`."""
        return self._cdn.enable()

    def cdn_addresses(self) -> CdnAddresses | None:
        """Return the public addresses, if the CDN is enabled."""
        return self._cdn.addresses()

    def finalize(self, projects: Collection[str]) -> None:
        """Bring the index pages up to date, and purge them from the CDN."""
        super().finalize(projects)
        self._purge()

    def rebuild_pages(self) -> None:
        """Rewrite all index pages, and purge them from the CDN."""
        super().rebuild_pages()
        self._purge()

    def _purge(self) -> None:
        """Purge without failing: the CDN refreshes its copies anyway when their time is over."""
        names = self._tracker.take_changed()
        try:
            if names and self._cdn.is_enabled():
                self._cdn.purge(names)
        except BackendError as error:
            _log.warning("The CDN may show outdated files for a while: %s", error)


class ChangeTracker(SwiftObjects):
    """Objects of a container; records the names whose cached copies in a CDN are outdated."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._changed: set[str] = set()

    def replace_object(
        self, name: str, content: StagedFile | bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        """Write an object, replacing an existing one."""
        super().replace_object(name, content, content_type=content_type, metadata=metadata)
        self._changed.add(name)

    def replace_group(self, contents: Mapping[str, bytes], *, content_type: str) -> Mapping[str, str]:
        """Write several small objects."""
        etags = super().replace_group(contents, content_type=content_type)
        self._changed.update(etags)
        return etags

    def delete_object(self, name: str) -> None:
        """Delete an object."""
        super().delete_object(name)
        self._changed.add(name)

    def take_changed(self) -> list[str]:
        """Return the names that changed since the last call."""
        names = []
        while self._changed:  # other threads may add names meanwhile
            names.append(self._changed.pop())
        return sorted(names)
