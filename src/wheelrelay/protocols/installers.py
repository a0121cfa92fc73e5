"""What installers need to know about a remote."""

from dataclasses import field
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.runtime_checks import runtime_checkable


@dataclass(frozen=True, slots=True)
class InstallerIndex:
    """Where an installer finds the files of a remote: an index, or a folder of files.

    Attributes:
        url: The URL of the Simple API, without credentials; empty for a folder.
        username: The user name for the index, if it requires one.
        password: The password for the index, if it requires one.
        folder: The folder with the files, if it is one.
    """

    url: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    folder: Path | None = None

    @classmethod
    def at(cls, url: str, login: tuple[str, str] | None = None) -> "InstallerIndex":
        """Return the index at a URL; credentials in the URL are separated from it.

        Args:
            url: The URL of the Simple API.
            login: The user name and the password, if they are not in the URL.
        """
        parts = urlsplit(url)
        if parts.username is not None:
            login = login or (unquote(parts.username), unquote(parts.password or ""))
            url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        return cls(url, *(login or ("", "")))

    def url_with_credentials(self) -> str:
        """Return the URL with the user name and the password, as pip expects it in its environment."""
        if not (self.username or self.password):
            return self.url
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{quote(self.username, safe='')}:{quote(self.password, safe='')}@{rest}"


@runtime_checkable
class SupportsInstallers(Protocol):
    """A remote that pip and uv can install from."""

    def installer_index(self) -> InstallerIndex | None:
        """Return where installers find the files; ``None`` if they cannot reach the remote.

        Raises:
            BackendError: The credentials cannot be resolved.
        """
        ...
