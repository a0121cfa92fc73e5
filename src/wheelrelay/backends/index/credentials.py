"""Which user name and password, or token, an index gets.

The configuration's references come first; then the section of ``~/.pypirc`` whose repository is the
upload address. Without any, requests go out as they are: many indexes can be read by anybody.
"""

import base64
import threading

import requests

from wheelrelay.config import SecretReference, SecretValue, TextOrReference
from wheelrelay.http import RenewableAuth

TOKEN_USER = "__token__"  # noqa: S105  (the user name that goes with any token)


class IndexAuth(RenewableAuth):
    """Basic authentication whose values are resolved when the first request needs them.

    Args:
        username: the user name.
        password: the password or token.
    """

    def __init__(self, username: SecretValue, password: SecretValue) -> None:
        self._username = username
        self._password = password
        self._lock = threading.Lock()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the credentials on a request."""
        request.headers["Authorization"] = self._header()
        return request

    def make_ready(self) -> None:
        """Resolve the values."""
        self._header()

    def renew(self, refused: str | None) -> bool:
        """Resolve the values again, unless another thread has done so since."""
        with self._lock:
            if self._header() == refused:
                self._username.renew()
                self._password.renew()
            return self._header() != refused

    def _header(self) -> str:
        """The value of the header (RFC 7617)."""
        pair = f"{self._username.get()}:{self._password.get()}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


def credentials_for(
    username: TextOrReference | None,
    password: SecretReference | None,
    token: SecretReference | None,
    upload_url: str | None,
) -> IndexAuth | None:
    """The credentials for an index; what is referred to is not read yet.

    Args:
        username: as configured.
        password: as configured.
        token: as configured; it takes the place of both.
        upload_url: whose section of ``~/.pypirc`` serves where nothing is configured.
    """
    if token:
        return IndexAuth(SecretValue(TOKEN_USER), SecretValue(token))
    if password:
        return IndexAuth(SecretValue(username or ""), SecretValue(password))
    return _from_pypirc(upload_url) if upload_url else None


def _from_pypirc(upload_url: str) -> IndexAuth | None:
    from wheelrelay.backends.index.upload import pypirc_credentials

    found = pypirc_credentials(upload_url)
    return IndexAuth(SecretValue(found[0]), SecretValue(found[1])) if found else None
