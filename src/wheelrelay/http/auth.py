"""Credentials for requests, and logins from ``~/.netrc``."""

import logging
import os
import sys
from base64 import b64decode, b64encode
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wheelrelay.redaction import register_secret

if TYPE_CHECKING:
    from wheelrelay.http.response import Response

_log = logging.getLogger(__name__)


class Auth:
    """Provides the credentials for requests; the base class provides none."""

    def header(self) -> str | None:
        """Return the ``Authorization`` header, or ``None`` to send none."""
        return None

    def renew(self, refusal: "Response") -> bool:
        """Read the credentials again after a response that rejected them: they may have changed.

        Args:
            refusal: the response, with status 401 or 403.

        Returns:
            Whether the credentials are different now, so that the request can be sent again.

        Raises:
            AuthenticationFailed: there are no others; the message has more detail than the response.
        """
        del refusal
        return False


class BasicAuth(Auth):
    """A fixed user name and password (RFC 7617)."""

    def __init__(self, username: str, password: str) -> None:
        self._header = basic_auth_header(username, password)

    def header(self) -> str:
        """Return the encoded user name and password."""
        return self._header


def basic_auth_header(username: str, password: str) -> str:
    """Return the ``Authorization`` header for a user name and a password (RFC 7617)."""
    encoded = b64encode(f"{username}:{password}".encode()).decode("ascii")
    register_secret(password, encoded)
    return f"Basic {encoded}"


def parse_basic_auth(header: str | None) -> tuple[str, str] | None:
    """Return the user name and the password in an ``Authorization`` header; ``None`` for other headers.

    >>> parse_basic_auth(basic_auth_header("user", "pass:word"))
    ('user', 'pass:word')
    """
    scheme, _, encoded = (header or "").partition(" ")
    if scheme != "Basic":
        return None
    username, _, password = b64decode(encoded).decode().partition(":")
    return username, password


def netrc_path() -> Path | None:
    """Return the file that ``NETRC`` names, else ``~/.netrc`` or ``~/_netrc``; ``None`` if none exists."""
    configured = os.environ.get("NETRC")
    candidates = [configured] if configured else ["~/.netrc", "~/_netrc"]
    paths = (Path(os.path.expanduser(candidate)) for candidate in candidates)
    return next((path for path in paths if path.exists()), None)


@cache
def warn_if_readable_by_others(path: Path) -> None:
    """Log a warning, once, if other users of this machine can read a file that holds passwords."""
    if sys.platform != "win32" and path.stat().st_mode & 0o077:
        _log.warning("%s holds a password and is readable by other users; run chmod 600 on it.", path)


def warn_of_netrc(error: OSError | ValueError) -> None:
    """Log a warning, once, that the netrc file is ignored because of an error of `netrc_login`."""
    _warn_of_netrc(str(netrc_path()), error.strerror or "" if isinstance(error, OSError) else str(error))


@cache
def _warn_of_netrc(path: str, reason: str) -> None:
    _log.warning("%s is ignored: %s.", path, reason)


def netrc_login(url: str, *, default: bool = True) -> tuple[str, str] | None:
    """Return the user name and password that the netrc file has for the host of ``url``, if any.

    Args:
        url: a URL on the host.
        default: whether to use the ``default`` entry if the host has no entry.

    Raises:
        ValueError: the file cannot be parsed; the message quotes nothing from it.
        OSError: the file cannot be read.
    """
    path, host = netrc_path(), urlsplit(url).hostname
    if path is None or not host:
        return None
    from netrc import NetrcParseError, netrc

    try:
        entries = netrc(str(path))
        entry = entries.authenticators(host) if default or host in entries.hosts else None
    except NetrcParseError as error:
        raise ValueError(f"line {error.lineno} cannot be parsed") from None
    if not entry:
        return None
    login, account, password = entry
    return login or account or "", password or ""
