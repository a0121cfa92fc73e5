"""libcloud's storage driver, for the calls that it handles well: containers, listings, the CDN."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from libcloud.storage.drivers.cloudfiles import CloudFilesStorageDriver

from wheelrelay_cloudfiles.account import Access, Account, NoRedirectConnection
from wheelrelay_cloudfiles.errors import libcloud_errors

Result = TypeVar("Result")


class Driver:
    """One driver for one address of an account.

    A driver of libcloud keeps its last answer in an attribute that all threads share, so only one thread at
    a time uses it. It is created with the account's token and never with credentials, so that tokens are
    renewed in one place.

    Args:
        account: The account.
        address: Selects one of the account's addresses.
    """

    def __init__(self, account: Account, address: Callable[[Access], str]) -> None:
        self._account = account
        self._address = address
        self._lock = threading.Lock()
        self._driver: tuple[Access, Any] | None = None

    def call(self, use: Callable[[Any], Result]) -> Result:
        """Call ``use`` with the driver, and return its result.

        Raises:
            BackendError: The cluster refuses or fails.
        """
        with self._lock:
            return self._account.call(lambda access: self._call(access, use))

    def _call(self, access: Access, use: Callable[[Any], Result]) -> Result:
        url = self._address(access)
        with libcloud_errors(url):
            if self._driver is None or self._driver[0] is not access:
                self._driver = access, _create_driver(access.token, url, self._account.timeout)
            return use(self._driver[1])


def _create_driver(token: str, url: str, timeout: float) -> Any:
    driver = CloudFilesStorageDriver(
        "token", "", ex_force_auth_token=token, ex_force_base_url=url, timeout=timeout
    )
    driver.connection.conn_class = NoRedirectConnection
    return driver
