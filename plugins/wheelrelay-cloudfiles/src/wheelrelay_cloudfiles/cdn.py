"""Rackspace's CDN before a container: switch it on, say its address, have it forget what has changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from libcloud.storage.base import Container, Object

from wheelrelay.errors import BackendError, ConfigError
from wheelrelay_cloudfiles.account import Access, Account
from wheelrelay_cloudfiles.driver import Driver

TTL = 900
"""Seconds that the CDN shows what it has before it looks again: the least that Rackspace allows."""


@dataclass(frozen=True, slots=True)
class CdnAddresses:
    """Where the world finds the files of a container.

    Attributes:
        http: by plain HTTP.
        https: by TLS; none where the CDN gives no such address.
    """

    http: str
    https: str | None


class Cdn:
    """The CDN before one container; there is none until it is switched on.

    Args:
        account: whose container it is.
        container: its name.
        prefix: the folder in it, without slashes around it; empty for all of it.
    """

    def __init__(self, account: Account, container: str, prefix: str = "") -> None:
        self._account = account
        self._driver = Driver(account, _cdn_url)
        self._container = container
        self._prefix = f"{prefix}/" if prefix else ""

    def enable(self) -> CdnAddresses:
        """Switch the CDN on: from now on everybody can read all of the container.

        Raises:
            ConfigError: the account has no CDN.
            BackendError: the CDN refuses or fails.
        """
        self._driver.call(lambda driver: driver.enable_container_cdn(self._in(driver), ex_ttl=TTL))
        if addresses := self.addresses():
            return addresses
        raise BackendError(f"The CDN before container {self._container!r} cannot be switched on.")

    def is_on(self) -> bool:
        """Whether there is a CDN and it is on."""
        return self._headers() is not None

    def addresses(self) -> CdnAddresses | None:
        """Where the world finds the files, if the CDN is on.

        Raises:
            BackendError: it is on, and gives no address.
        """
        headers = self._headers()
        if headers is None:
            return None
        if not headers.get("x-cdn-uri"):
            raise BackendError(f"The CDN before container {self._container!r} is on, but gives no address.")
        folder = "/" + quote(self._prefix)
        https = headers.get("x-cdn-ssl-uri")
        return CdnAddresses(headers["x-cdn-uri"] + folder, https + folder if https else None)

    def _headers(self) -> Mapping[str, str] | None:
        """What the CDN answers about the container; none if it is off, or if there is none."""
        if self._account.access().cdn_url is None:
            return None
        path = "/" + quote(self._container)
        answer = self._driver.call(lambda driver: driver.connection.request(path, method="HEAD"))
        if answer.headers.get("x-cdn-enabled", "").lower() != "true":
            return None
        headers: Mapping[str, str] = answer.headers
        return headers

    def purge(self, names: Iterable[str]) -> None:
        """Have the CDN forget what it has of these objects.

        Raises:
            BackendError: it refuses or fails; Rackspace allows only a few of these in a day.
        """
        for name in names:
            self._driver.call(partial(self._purge, self._prefix + name))

    def _purge(self, path: str, driver: Any) -> None:
        driver.ex_purge_object_from_cdn(Object(path, 0, "", {}, {}, self._in(driver), driver))

    def _in(self, driver: Any) -> Any:
        return Container(self._container, {}, driver)


def _cdn_url(access: Access) -> str:
    if access.cdn_url is None:
        raise ConfigError("This account has no CDN.")
    return access.cdn_url
