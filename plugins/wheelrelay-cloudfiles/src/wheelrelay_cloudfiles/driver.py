"""libcloud's storage driver, for the calls that it does well: containers, listings, the CDN."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from libcloud.storage.drivers.cloudfiles import CloudFilesStorageDriver

from wheelrelay_cloudfiles.account import Access, Account
from wheelrelay_cloudfiles.errors import libcloud_errors
from wheelrelay_cloudfiles.identity import StayingConnection

T = TypeVar("T")


class Driver:
    """One driver for one address of an account.

    A driver of libcloud keeps its last answer in a place that all threads share, so one thread at a
    time uses it. It is made with the account's token, never with credentials: when a token is
    renewed is decided in one place.

    Args:
        account: whose token opens the address.
        address: which of its addresses.
    """

    def __init__(self, account: Account, address: Callable[[Access], str]) -> None:
        self._account = account
        self._address = address
        self._lock = threading.Lock()
        self._made: tuple[Access, Any] | None = None

    def call(self, use: Callable[[Any], T]) -> T:
        """Give the driver to ``use``, and its result back.

        Raises:
            BackendError: the cluster refuses or fails.
        """
        with self._lock:
            return self._account.using(lambda access: self._call(access, use))

    def _call(self, access: Access, use: Callable[[Any], T]) -> T:
        url = self._address(access)
        with libcloud_errors(url):
            if self._made is None or self._made[0] is not access:
                self._made = access, _make(access.token, url, self._account.timeout)
            return use(self._made[1])


def _make(token: str, url: str, timeout: float) -> Any:
    driver = CloudFilesStorageDriver(
        "token", "", ex_force_auth_token=token, ex_force_base_url=url, timeout=timeout
    )
    driver.connection.conn_class = StayingConnection
    return driver
