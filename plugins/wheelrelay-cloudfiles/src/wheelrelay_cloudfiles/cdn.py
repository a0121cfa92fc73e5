"""Rackspace's CDN before a container: switch it on, say its address, have it forget what changed."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from libcloud.storage.base import Container, Object

from wheelrelay.containers.store import ContainerStore
from wheelrelay.errors import BackendError, ConfigError
from wheelrelay_cloudfiles.account import Access, Account
from wheelrelay_cloudfiles.driver import Driver
from wheelrelay_cloudfiles.objects import SwiftObjects

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CdnAddresses:
    """Where the world finds a container's prefix.

    Attributes:
        http: by plain HTTP.
        https: by TLS.
    """

    http: str
    https: str


class Cdn:
    """The CDN before one container; a container has none until it is switched on.

    Args:
        account: whose container it is.
        container: its name.
        prefix: the folder in it, without slashes around it.
    """

    def __init__(self, account: Account, container: str, prefix: str = "") -> None:
        self._driver = Driver(account, _cdn_url)
        self._container = container
        self._prefix = f"{prefix}/" if prefix else ""

    def enable(self) -> CdnAddresses:
        """Switch the CDN on: everybody can read all of the container from now on.

        Raises:
            ConfigError: the account has no CDN.
            NotFound: there is no such container.
        """
        self._driver.call(lambda driver: driver.enable_container_cdn(self._container_for(driver)))
        if addresses := self.addresses():
            return addresses
        raise BackendError(f"The CDN of {self._container!r} could not be switched on.")

    def addresses(self) -> CdnAddresses | None:
        """Where the world finds the files, if the CDN is on."""
        path = "/" + quote(self._container)
        answer = self._driver.call(lambda driver: driver.connection.request(path, method="HEAD"))
        if answer.status == 404 or answer.headers.get("x-cdn-enabled", "").lower() == "false":
            return None
        below = "/" + quote(self._prefix)
        return CdnAddresses(answer.headers["x-cdn-uri"] + below, answer.headers["x-cdn-ssl-uri"] + below)

    def purge(self, names: Iterable[str]) -> None:
        """Have the CDN forget objects that changed."""
        for name in names:
            self._driver.call(partial(self._purge, self._prefix + name))

    def _purge(self, name: str, driver: Any) -> None:
        container = self._container_for(driver)
        driver.ex_purge_object_from_cdn(Object(name, 0, "", {}, {}, container, driver))

    def _container_for(self, driver: Any) -> Any:
        return Container(self._container, {}, driver)


class CloudFilesStore(ContainerStore):
    """A container of Cloud Files as a store, with the CDN before it."""

    def __init__(self, objects: SwiftObjects, cdn: Cdn) -> None:
        super().__init__(objects, made_by_put=True)
        self._cdn = cdn


def _cdn_url(access: Access) -> str:
    if access.cdn_url is None:
        raise ConfigError("This account has no CDN.")
    return access.cdn_url
