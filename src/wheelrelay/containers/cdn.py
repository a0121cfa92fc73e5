"""Read files from the web address under which a container is public, such as a CDN's, and so relieve it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from wheelrelay.errors import SizeMismatch
from wheelrelay.http import HttpClient, RawBody
from wheelrelay.model import DistFile
from wheelrelay.protocols import ByteStream


class PublicCopy:
    """The files of a container at their public address.

    Args:
        url: the address of the folder of files.
        lag: how long the address may show what was there before; a younger file is not asked for there.
    """

    def __init__(self, url: str, lag: timedelta) -> None:
        self._url = url.rstrip("/") + "/"
        self._lag = lag
        self._http = HttpClient(own_urls=(url,))

    def address_of(self, name: str) -> str:
        """Where people find a file."""
        return self._url + quote(name)

    def may_have(self, file: DistFile) -> bool:
        """Whether the file has been there for long enough to be shown as it is."""
        written = file.upload_time
        return written is not None and datetime.now(UTC) - written > self._lag

    @contextmanager
    def open(self, file: DistFile) -> Iterator[ByteStream]:
        """Open a file.

        Raises:
            SizeMismatch: another length is announced than the file has: it is an older state or no file.
            BackendError: it cannot be read there.
        """
        url = self.address_of(file.filename)
        with self._http.get(url, headers={"Accept-Encoding": "identity"}) as response:
            announced = response.headers.get("Content-Length")
            if file.size is not None and announced != str(file.size):
                raise SizeMismatch(f"{url} announces {announced} bytes instead of {file.size}.")
            yield RawBody(response)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()
