"""Rackspace's CDN for a container: enable it, return its addresses, purge changed objects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from libcloud.storage.base import Container, Object

from wheelrelay.errors import BackendError, ConfigError
from wheelrelay_cloudfiles.account import Access, Account
from wheelrelay_cloudfiles.libcloud_driver import Driver

TTL = 900
"""Seconds that the CDN caches an object: the minimum that Rackspace allows."""


@dataclass(frozen=True, slots=True)
class CdnAddresses:
    """The public addresses of the files of a container.

    Attributes:
        http: Address for plain HTTP.
        https: Address for HTTPS, if the CDN provides one.
    """

    http: str
    https: str | None


class Cdn:
    """The CDN of one container; disabled until `enable` is called.

    Args:
        account: The account that owns the container.
        container: Name of the container.
        prefix: Folder in the container, without slashes around it; empty for the whole container.
    """

    def __init__(self, account: Account, container: str, prefix: str = "") -> None:
        self._account = account
        self._driver = Driver(account, _cdn_url)
        self._container = container
        self._prefix = f"{prefix}/" if prefix else ""

    def enable(self) -> CdnAddresses:
        """Enable the CDN. This makes the whole container public.

        Raises:
            ConfigError: The account has no CDN.
            BackendError: The CDN refuses or fails.
        """
        self._driver.call(lambda driver: driver.enable_container_cdn(self._in(driver), ex_ttl=TTL))
        if addresses := self.addresses():
            return addresses
        raise BackendError(f"The CDN of container {self._container!r} cannot be enabled.")

    def is_enabled(self) -> bool:
        """Whether the account has a CDN and it is enabled for the container."""
        return self._headers() is not None

    def addresses(self) -> CdnAddresses | None:
        """Return the public addresses of the files, if the CDN is enabled.

        Raises:
            BackendError: The CDN is enabled, but has no address.
        """
        headers = self._headers()
        if headers is None:
            return None
        if not headers.get("x-cdn-uri"):
            raise BackendError(f"The CDN of container {self._container!r} is enabled, but has no address.")
        folder = "/" + quote(self._prefix)
        https = headers.get("x-cdn-ssl-uri")
        return CdnAddresses(headers["x-cdn-uri"] + folder, https + folder if https else None)

    def _headers(self) -> Mapping[str, str] | None:
        """Return the CDN's settings for the container; ``None`` if it is disabled or does not exist."""
        if self._account.access().cdn_url is None:
            return None
        path = "/" + quote(self._container)
        answer = self._driver.call(lambda driver: driver.connection.request(path, method="HEAD"))
        if answer.headers.get("x-cdn-enabled", "").lower() != "true":
            return None
        headers: Mapping[str, str] = answer.headers
        return headers

    def purge(self, names: Iterable[str]) -> None:
        """Remove the cached copies of these objects from the CDN.

        Raises:
            BackendError: The CDN refuses or fails; Rackspace limits the number of purges per day.
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
