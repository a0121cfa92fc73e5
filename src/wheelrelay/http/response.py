"""An answer, and its body: whole, decoded, or byte for byte as a file comes over the wire.

Every byte of a body is read through `Response.read`. That is where the errors of urllib3 become ours, so a
stream that outlives the call that opened it still raises our errors.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from wheelrelay.errors import BackendError, WheelrelayError
from wheelrelay.http.decoding import Decoder
from wheelrelay.http.faults import body_errors
from wheelrelay.http.limits import MAX_SMALL, TimeLimits, Watch
from wheelrelay.http.urls import shown
from wheelrelay.staged import BLOCK

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

WIRE_BLOCK = 1 << 19
"""Bytes of a file that are taken from a connection at once: few enough for progress on a slow one."""

DRAINED = 1 << 16
"""Bytes of a body that nobody needs which are read so that the connection can be used again."""

REDIRECTS = (301, 302, 303, 307, 308)


class Response:
    """An answer whose body is not read yet; close it, or read it to its end.

    Args:
        raw: the answer, with the connection that its body comes from.
        method: that was asked with.
        url: that was asked for.
        sent: the headers that were sent.
        limits: how long the server may take.

    Attributes:
        status_code: the status.
        reason: the words that came with it.
        headers: those of the answer; upper and lower case are the same.
    """

    def __init__(
        self, raw: "BaseHTTPResponse", method: str, url: str, sent: Mapping[str, str], limits: TimeLimits
    ) -> None:
        self.raw = raw
        self.method = method
        self.url = url
        self.sent = sent
        self.limits = limits
        self.status_code = raw.status
        self.reason = raw.reason or ""
        self.headers: Mapping[str, str] = raw.headers
        self._watch: Watch = raw.watch  # type: ignore[attr-defined]  # set by our connections
        self._begun = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status_code < 300

    @property
    def is_redirect(self) -> bool:
        """Whether the answer leads elsewhere."""
        return self.status_code in REDIRECTS and "Location" in self.headers

    def read(self, size: int, *, decoded: bool = True) -> bytes:
        """The next bytes of the body, at most ``size``; empty at the end.

        Args:
            size: the most bytes to give.
            decoded: undo the compression that the headers declare.

        Raises:
            SizeMismatch: the body ended early.
            Unavailable: the connection broke, the server is too slow, or the body cannot be decoded.
        """
        with body_errors(self.url):
            return self._decoder.read(size) if decoded else self._read_raw(size)

    @cached_property
    def _decoder(self) -> Decoder:
        return Decoder(self._read_raw, self.headers.get("Content-Encoding", ""))

    def _read_raw(self, size: int) -> bytes:
        return self.raw.read(size, decode_content=False)

    def read_whole(self, limit: int, *, seconds: float | None = None) -> bytes:
        """The whole body, decoded.

        Args:
            limit: the most bytes that it may have.
            seconds: in which all of it has to arrive; by default, the remote's timeout.

        Raises:
            BackendError: it is longer, or as `read`.
        """
        body = bytearray(self._begun)
        with self._watch.all_within(seconds):
            while block := self.read(BLOCK):
                body += block
                if len(body) > limit:
                    raise BackendError(
                        f"The answer of {shown(self.url)} is too large: the limit is {limit >> 20} MiB."
                    )
        return bytes(body)

    @cached_property
    def content(self) -> bytes:
        """The whole body, decoded, of an answer that is expected to be short.

        Raises:
            BackendError: as `read_whole`; the limit is `MAX_SMALL` bytes.
        """
        return self.read_whole(MAX_SMALL)

    def beginning(self, size: int) -> bytes:
        """The first ``size`` bytes of the body, or all of a shorter one.

        Whatever goes wrong while they are read ends them: the status has been received.
        """
        if "content" in self.__dict__:
            return self.content[:size]
        with _ends_quietly(), self._watch.all_within():
            while len(self._begun) < size and (block := self.read(size - len(self._begun))):
                self._begun += block
        return self._begun[:size]

    def drain(self) -> None:
        """Read a short body to its end, so that the connection can be used again; close it otherwise."""
        with _ends_quietly(), self._watch.all_within():
            left = DRAINED
            while left > 0 and (block := self.read(left, decoded=False)):
                left -= len(block)
        self.close()

    @property
    def text(self) -> str:
        """The whole body as text, in UTF-8; what is none is replaced."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The whole body as JSON.

        Raises:
            ValueError: it is none.
        """
        try:
            return json.loads(self.content)
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error

    def close(self) -> None:
        """Give the connection back if the body was read to its end; else close it."""
        self.raw.close()
        self.raw.release_conn()


class RawBody:
    """The body of an answer as it comes over the wire: a file's own compression is not undone."""

    def __init__(self, response: Response) -> None:
        self._response = response

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most ``size``; empty at the end.

        Raises:
            BackendError: as `Response.read`.
        """
        return self._response.read(min(size, WIRE_BLOCK), decoded=False)


@contextmanager
def _ends_quietly() -> Iterator[None]:
    try:
        yield
    except WheelrelayError:
        return
