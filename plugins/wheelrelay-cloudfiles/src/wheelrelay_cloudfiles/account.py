"""An account of a cluster: a token and the addresses that it opens, renewed when it is refused."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from wheelrelay.config import SecretValue
from wheelrelay.errors import AuthenticationFailed, ConfigError
from wheelrelay.http import DEFAULT_TIMEOUT, display_url, is_secure
from wheelrelay.redaction import register_secret

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Access:
    """What logging in gives.

    Attributes:
        token: opens the addresses, for some time.
        storage_url: of the account's containers, without a slash at the end.
        cdn_url: of the account's CDN settings, where there is a CDN.

    Raises:
        ConfigError: the token would travel in plain text.
    """

    token: str = field(repr=False)
    storage_url: str
    cdn_url: str | None = None

    def __post_init__(self) -> None:
        register_secret(self.token)
        for url in (self.storage_url, self.cdn_url):
            if url and not is_secure(url):
                raise ConfigError(
                    f"{display_url(url)} is plain HTTP, and the token must not be sent that way.",
                    hint="Have the cluster offer https in its catalogue.",
                )


class Account:
    """The access to an account, for any number of threads.

    Args:
        log_in: gives a new access.
        secret: what it logs in with; read again when the access was refused.
        timeout: seconds that a call through libcloud may take; all of them are small.

    Attributes:
        timeout: as given.
    """

    def __init__(
        self, log_in: Callable[[], Access], secret: SecretValue, timeout: float = DEFAULT_TIMEOUT
    ) -> None:
        self.timeout = timeout
        self._log_in = log_in
        self._secret = secret
        self._lock = threading.Lock()
        self._access: Access | None = None

    def access(self) -> Access:
        """The present access; logs in if there is none yet."""
        with self._lock:
            if self._access is None:
                self._access = self._log_in()
            return self._access

    def using(self, call: Callable[[Access], T]) -> T:
        """Call with the present access, and once more with a new one if the token is not accepted.

        Tokens expire while files travel; this is no fault of the file's, so it is settled here.

        Raises:
            AuthenticationFailed: a new token is not accepted either, or there is no other.
        """
        access = self.access()
        try:
            return call(access)
        except AuthenticationFailed:
            renewed = self._renew(access)
            if renewed.token == access.token:
                raise
        return call(renewed)

    def _renew(self, refused: Access) -> Access:
        """A new access; the one that another thread has got meanwhile, if so."""
        with self._lock:
            if self._access is refused:
                self._secret.renew()
                self._access = self._log_in()
            assert self._access is not None
            return self._access
