"""Credentials as they go with a request: whoever gives them, and those that ``~/.netrc`` has for a host."""

import logging
import os
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wheelrelay.redaction import keep_secret

if TYPE_CHECKING:
    from wheelrelay.http.response import Response

_log = logging.getLogger(__name__)


class Auth:
    """Gives the credentials for requests; the base class has none."""

    def header(self) -> str | None:
        """The value of the ``Authorization`` header; none if nothing is to be sent."""
        return None

    def renew(self, refusal: "Response") -> bool:
        """Read the credentials again after an answer that did not accept them: they may have changed.

        Args:
            refusal: the answer.

        Returns:
            Whether there are others now, so that trying again makes sense.

        Raises:
            AuthenticationFailed: there are none; says more than the answer does.
        """
        del refusal
        return False


class BasicAuth(Auth):
    """A user name and a password that stay as they are (RFC 7617)."""

    def __init__(self, username: str, password: str) -> None:
        self._header = basic(username, password)

    def header(self) -> str:
        """The two, encoded."""
        return self._header


def basic(username: str, password: str) -> str:
    """The value of an ``Authorization`` header with a user name and a password."""
    encoded = b64encode(f"{username}:{password}".encode()).decode("ascii")
    keep_secret(password, encoded)
    return f"Basic {encoded}"


def netrc_file() -> Path | None:
    """The file that ``NETRC`` names, else ``~/.netrc`` or ``~/_netrc``; none if there is none."""
    named = os.environ.get("NETRC")
    candidates = [named] if named else ["~/.netrc", "~/_netrc"]
    paths = (Path(os.path.expanduser(each)) for each in candidates)
    return next((path for path in paths if path.exists()), None)


@cache
def warn_if_others_may_read(path: Path) -> None:
    """Warn, once, of a file with passwords that other users of this machine may read."""
    if os.name == "posix" and path.stat().st_mode & 0o077:
        _log.warning("%s holds a password, and others on this machine may read it: chmod 600 it.", path)


def netrc_login(url: str, *, default: bool = True) -> tuple[str, str] | None:
    """User name and password that the netrc file has for the host of ``url``, if it has any.

    Args:
        url: an address of the host.
        default: whether the entry for all hosts that have none of their own counts.

    Raises:
        ValueError: the file cannot be parsed; says nothing of what is in it.
        OSError: it cannot be read.
    """
    path, host = netrc_file(), urlsplit(url).hostname
    if path is None or not host:
        return None
    from netrc import NetrcParseError, netrc

    try:
        read = netrc(str(path))
        found = read.authenticators(host) if default or host in read.hosts else None
    except NetrcParseError as error:
        raise ValueError(f"line {error.lineno} cannot be parsed") from None
    if not found:
        return None
    login, account, password = found
    return login or account or "", password or ""
