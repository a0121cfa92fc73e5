"""The body of a response, verified against the digest that its server declares."""

from typing import Protocol

from wheelrelay.errors import DigestMismatch
from wheelrelay.http.response import RawBody, Response
from wheelrelay.http.urls import display_url


class Hasher(Protocol):
    """A running digest, such as those of `hashlib`."""

    def update(self, data: bytes, /) -> object:
        """Add bytes."""
        ...

    def digest(self) -> bytes:
        """Return the digest of all bytes so far."""
        ...


class VerifiedBody:
    """The body of a response exactly as it was sent; its digest is compared at its end.

    Args:
        response: the response.
        hasher: computes the digest.
        expected: the digest that the server declares; ``None`` if it declares none.
    """

    def __init__(self, response: Response, hasher: Hasher, expected: bytes | None) -> None:
        self._body = RawBody(response)
        self._url = response.url
        self._left = int(response.headers.get("Content-Length", -1))
        self._hasher = hasher
        self._expected = expected

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most ``size``; empty at the end.

        Raises:
            DigestMismatch: other bytes arrived than the server stores.
            BackendError: as `Response.read`.
        """
        block = self._body.read(size)
        self._left -= len(block)
        if self._expected is not None:
            self._hasher.update(block)
            if (self._left == 0 or not block) and self._hasher.digest() != self._expected:
                raise DigestMismatch(
                    f"{display_url(self._url)}: the bytes that arrived do not match the server's digest."
                )
        return block
