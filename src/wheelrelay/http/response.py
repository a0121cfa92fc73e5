"""An answer, and its body: whole, decoded, or byte for byte as a file comes over the wire."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from wheelrelay.staged import BLOCK

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

WIRE_BLOCK = 1 << 19
"""Bytes of a file that are taken from a connection at once: few enough for progress on a slow one."""

REDIRECTS = (301, 302, 303, 307, 308)


class Response:
    """An answer whose body is not read yet; close it, or read it to its end.

    Args:
        raw: the answer, with the connection that its body comes from.
        method: that was asked with.
        url: that was asked for.
        sent: the headers that were sent.

    Attributes:
        status_code: the status.
        reason: the words that came with it.
        headers: those of the answer; upper and lower case are the same.
    """

    def __init__(self, raw: "BaseHTTPResponse", method: str, url: str, sent: Mapping[str, str]) -> None:
        self.raw = raw
        self.method = method
        self.url = url
        self.sent = sent
        self.status_code = raw.status
        self.reason = raw.reason or ""
        self.headers: Mapping[str, str] = raw.headers

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

    @cached_property
    def content(self) -> bytes:
        """The whole body, its transfer compression undone; for what is known to be short."""
        return self.raw.read(decode_content=True)

    def beginning(self, size: int) -> bytes:
        """The first ``size`` bytes of the body, or all of a shorter one; the rest is not read."""
        if "content" in self.__dict__:
            return self.content[:size]
        return self.raw.read(size, decode_content=True)

    @property
    def text(self) -> str:
        """The whole body as text, in UTF-8; what is none is replaced."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The whole body as JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.content)

    def blocks(self) -> Iterator[bytes]:
        """The body in large blocks, its transfer compression undone."""
        yield from self.raw.stream(BLOCK, decode_content=True)

    def close(self) -> None:
        """Give the connection back if the body was read to its end; else close it."""
        self.raw.close()
        self.raw.release_conn()


class RawBody:
    """The body of an answer as it comes over the wire: a file's own compression is not undone."""

    def __init__(self, response: Response) -> None:
        self._raw = response.raw

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most ``size``; empty at the end."""
        return self._raw.read(min(size, WIRE_BLOCK), decode_content=False)
