"""An HTTP response: its status and headers, and a body that is read in blocks.

All bytes of a body are read by `Response.read`, which maps the errors of urllib3. So a stream raises our
errors even after the call that opened it has returned.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from wheelrelay.errors import BackendError, WheelrelayError
from wheelrelay.http.connection_errors import Undecodable, map_body_errors
from wheelrelay.http.limits import MAX_SMALL_BODY, ResponseTimer, TimeLimits
from wheelrelay.http.urls import display_url
from wheelrelay.staged import BLOCK_SIZE

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

MAX_READ = 1 << 19
"""Bytes of a file per read: few enough to show progress on a slow connection."""

MAX_DRAINED = 1 << 16
"""Bytes of an unneeded body that are read so that the connection can be reused."""

REDIRECTS = (301, 302, 303, 307, 308)


class Response:
    """A response whose body has not been read yet; close it, or read it to the end.

    Args:
        raw: the response of urllib3, with its connection.
        method: the method of the request.
        url: the URL of the request.
        request_headers: the headers of the request.
        limits: how long the server may take.

    Attributes:
        status_code: the status code.
        reason: the reason phrase.
        headers: the headers of the response; their names are case-insensitive.
    """

    def __init__(
        self,
        raw: "BaseHTTPResponse",
        method: str,
        url: str,
        request_headers: Mapping[str, str],
        limits: TimeLimits,
    ) -> None:
        self.raw = raw
        self.method = method
        self.url = url
        self.request_headers = request_headers
        self.limits = limits
        self.status_code = raw.status
        self.reason = raw.reason or ""
        self.headers: Mapping[str, str] = raw.headers
        self._timer: ResponseTimer = raw.timer  # type: ignore[attr-defined]  # set by our connections
        self._peeked = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_success(self) -> bool:
        """Whether the status code is 2xx."""
        return 200 <= self.status_code < 300

    @property
    def is_redirect(self) -> bool:
        """Whether the response redirects to another URL."""
        return self.status_code in REDIRECTS and "Location" in self.headers

    def read(self, size: int, *, decoded: bool = True) -> bytes:
        """Return the next bytes of the body, at most ``size``; empty at the end.

        Args:
            size: the maximum number of bytes.
            decoded: undo the compression that the headers declare.

        Raises:
            SizeMismatch: the body ended early.
            Unavailable: the connection broke, the server is too slow, or the body cannot be decoded.
        """
        with map_body_errors(self.url):
            return self._decoder.read(size) if decoded else self._read_raw(size)

    @cached_property
    def _decoder(self) -> "Decoder":
        return Decoder(self._read_raw, self.headers.get("Content-Encoding", ""))

    def _read_raw(self, size: int) -> bytes:
        return self.raw.read(size, decode_content=False)

    def read_whole(self, limit: int, *, seconds: float | None = None) -> bytes:
        """Return the whole decoded body.

        Args:
            limit: the maximum number of bytes.
            seconds: how long it may take; by default, the remote's timeout.

        Raises:
            BackendError: it is larger, or as `read`.
        """
        body = bytearray(self._peeked)
        with self._timer.deadline(seconds):
            while block := self.read(BLOCK_SIZE):
                body += block
                if len(body) > limit:
                    raise BackendError(
                        f"The response of {display_url(self.url)} is too large: "
                        f"the limit is {limit >> 20} MiB."
                    )
        return bytes(body)

    @cached_property
    def content(self) -> bytes:
        """The whole decoded body of a response that is expected to be small.

        Raises:
            BackendError: as `read_whole`; the limit is `MAX_SMALL_BODY` bytes.
        """
        return self.read_whole(MAX_SMALL_BODY)

    def peek(self, size: int) -> bytes:
        """Return the first ``size`` bytes of the decoded body, or all of a shorter one.

        Errors while reading end the result: the status, which matters more, has been received.
        """
        if "content" in self.__dict__:
            return self.content[:size]
        with _errors_end_reading(), self._timer.deadline():
            while len(self._peeked) < size and (block := self.read(size - len(self._peeked))):
                self._peeked += block
        return self._peeked[:size]

    def drain(self) -> None:
        """Read a small body to its end, so that the connection can be reused; close it otherwise."""
        with _errors_end_reading(), self._timer.deadline():
            left = MAX_DRAINED
            while left > 0 and (block := self.read(left, decoded=False)):
                left -= len(block)
        self.close()

    @property
    def text(self) -> str:
        """The whole body as UTF-8 text, with invalid bytes replaced."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Parse the whole body as JSON.

        Raises:
            ValueError: it is not valid JSON.
        """
        try:
            return json.loads(self.content)
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error

    def close(self) -> None:
        """Return the connection to its pool if the body was read to the end; close it otherwise."""
        self.raw.close()
        self.raw.release_conn()


class RawBody:
    """The body of a response exactly as it was sent: a file's own compression is kept."""

    def __init__(self, response: Response) -> None:
        self._response = response

    @property
    def length(self) -> int | None:
        """The number of bytes that the server declares; ``None`` if it declares none."""
        declared = self._response.headers.get("Content-Length", "")
        return int(declared) if declared.isdecimal() else None

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most ``size``; empty at the end.

        Raises:
            BackendError: as `Response.read`.
        """
        return self._response.read(min(size, MAX_READ), decoded=False)


class Decoder:
    """Undoes the compression of a body (RFC 9110, section 8.4.1) in constant memory.

    urllib3 accepts a compressed body that ends early as complete, so the end of a page could be lost.

    Args:
        read: returns the next bytes of the body, at most as many as its argument; empty at the end.
        encoding: the ``Content-Encoding`` header.

    Raises:
        Undecodable: the encoding was not requested.
    """

    def __init__(self, read: Callable[[int], bytes], encoding: str) -> None:
        self._read = read
        self._encoding = encoding.strip().lower()
        self._pending = b""
        self._inflate = None if self._encoding in ("", "identity") else self._new_inflate()
        self._has_begun = False

    def read(self, size: int) -> bytes:
        """Return the next decoded bytes, at most ``size``; empty at the end.

        Raises:
            Undecodable: the data is not compressed in this way, or ends early.
        """
        if self._inflate is None:
            return self._read(size)
        while True:
            self._pending = self._pending or self._read(min(size, BLOCK_SIZE))
            is_at_end = not self._pending
            if block := self._inflated(size):
                return block
            if is_at_end:
                break
        if self._has_begun and not self._inflate.eof:
            raise Undecodable(f"its {self._encoding} data ends early")
        return b""

    def _inflated(self, size: int) -> bytes:
        assert self._inflate is not None
        if self._inflate.eof:  # gzip data may consist of several members, padded with zeros
            self._pending = self._pending.lstrip(b"\0")
            if not self._pending:
                return b""
            self._inflate = self._new_inflate()
        try:
            block = self._inflate.decompress(self._pending, size)
        except zlib.error as error:
            if self._has_begun or self._encoding != "deflate":
                raise Undecodable(f"it is not {self._encoding} data") from error
            self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)  # some servers omit the zlib header
            self._has_begun = True
            return self._inflated(size)
        self._has_begun = True
        self._pending = self._inflate.unconsumed_tail or self._inflate.unused_data
        return block

    def _new_inflate(self) -> "zlib._Decompress":
        if self._encoding in ("gzip", "x-gzip"):
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        if self._encoding == "deflate":
            return zlib.decompressobj()
        raise Undecodable(f"its encoding {self._encoding[:40]!r} was not requested")


@contextmanager
def _errors_end_reading() -> Iterator[None]:
    try:
        yield
    except WheelrelayError:
        return
