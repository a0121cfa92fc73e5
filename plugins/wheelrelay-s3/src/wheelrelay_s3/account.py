"""The client that all threads use, made anew with the credentials of that moment when they are refused."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

from fsspec.asyn import sync

from wheelrelay.config import SecretValue
from wheelrelay.errors import AuthenticationFailed, WheelrelayError

T = TypeVar("T")

_LOGGERS = ("aiobotocore", "botocore", "s3fs")
"""Libraries that log warnings with tracebacks, which Python prints where an application has no handler."""


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """A client and what it signs requests with.

    Attributes:
        file_system: of s3fs, which closes its client when it is collected.
        credentials: key, secret and session token, as far as there are any.
    """

    file_system: Any
    credentials: tuple[str, ...] = field(repr=False)

    @property
    def loop(self) -> Any:
        """The event loop that the client lives on."""
        return self.file_system.loop

    @property
    def client(self) -> Any:
        """The client, of aiobotocore."""
        return self.file_system.s3

    def close(self) -> None:
        """Close the client's connections."""
        with suppress(OSError):
            sync(self.loop, self.client.close)


class Account:
    """The session of one configuration, for any number of threads.

    Args:
        log_in: makes a session with the credentials as they are now.
        secrets: what it reads; read again when the credentials were refused.
    """

    def __init__(self, log_in: Callable[[], Session], secrets: Iterable[SecretValue]) -> None:
        for name in _LOGGERS:
            logging.getLogger(name).addHandler(logging.NullHandler())
        self._log_in = log_in
        self._secrets = tuple(secrets)
        self._lock = Lock()
        self._refused: Session | None = None
        self._sessions = [log_in()]

    @property
    def session(self) -> Session:
        """The present one."""
        return self._sessions[-1]

    def using(self, call: Callable[[Session], T]) -> T:
        """Call with the present session, and once more with a new one if its credentials are refused.

        Keys that are valid for an hour expire while files travel.

        Raises:
            AuthenticationFailed: the credentials are refused, and there are no others.
        """
        session = self.session
        try:
            return call(session)
        except AuthenticationFailed:
            renewed = self._renew(session)
            if renewed.credentials == session.credentials:
                raise
        return call(renewed)

    def _renew(self, refused: Session) -> Session:
        """A session with other credentials, if there are any now; looked for once for each session."""
        with self._lock:
            if self.session is refused and self._refused is not refused:
                self._refused = refused
                for secret in self._secrets:
                    secret.renew()
                with suppress(WheelrelayError):  # that they were refused is what counts
                    self._take(self._log_in())
            return self.session

    def _take(self, renewed: Session) -> None:
        """Use a session from now on, if its credentials are others."""
        if renewed.credentials == self.session.credentials:
            renewed.close()
        else:
            self._sessions.append(renewed)

    def close(self) -> None:
        """Close all connections."""
        for session in self._sessions:
            session.close()
