"""Read files from the public address of a container, such as a CDN, to relieve the container."""

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
        url: Address of the folder of files.
        lag: How long the address may show an older state; younger files are not requested there.
    """

    def __init__(self, url: str, lag: timedelta) -> None:
        self._url = url.rstrip("/") + "/"
        self._lag = lag
        self._http = HttpClient(own_urls=(url,))

    def address_of(self, name: str) -> str:
        """Return the public address of a file."""
        return self._url + quote(name)

    def is_current(self, written: datetime | None) -> bool:
        """Whether a file is old enough that the public address must show its present state.

        Args:
            written: When it was written to the container, if that is known.
        """
        return written is not None and datetime.now(UTC) - written > self._lag

    @contextmanager
    def open(self, file: DistFile) -> Iterator[ByteStream]:
        """Open a file.

        Raises:
            SizeMismatch: The server announces another size, so this is an older state or an error page.
            BackendError: The file cannot be read there.
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
