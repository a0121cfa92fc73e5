"""Requests to an API that wants each of them signed, such as that of an object storage."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Protocol

from wheelrelay.errors import AuthenticationFailed
from wheelrelay.http.client import HttpClient
from wheelrelay.http.response import Response
from wheelrelay.redaction import register_secret

_IDENTITY = {"Accept-Encoding": "identity"}
"""Sent with every request: answers must be an object's own bytes, without compression."""


class Signer(Protocol):
    """Adds credentials to requests; used by several threads at once."""

    def sign(
        self, method: str, url: str, headers: Mapping[str, str], size: int
    ) -> tuple[str, Mapping[str, str]]:
        """Return URL and headers of a request with the credentials.

        Args:
            method: the HTTP method.
            url: the URL.
            headers: the headers of the request.
            size: the number of bytes in its body.
        """
        ...

    def renew(self, refused: Response) -> bool:
        """Read the credentials again, and return whether they differ from those that were refused."""
        ...


class NoSigner:
    """Sends requests without credentials."""

    def sign(
        self, method: str, url: str, headers: Mapping[str, str], size: int
    ) -> tuple[str, Mapping[str, str]]:
        """Return URL and headers as they are."""
        del method, size
        return url, headers

    def renew(self, refused: Response) -> bool:
        """Return that there are no other credentials."""
        del refused
        return False


class TokenSigner:
    """Signs requests with a bearer token (RFC 6750), which expires.

    Args:
        fetch: returns a token that is valid now.
        forget: drops what ``fetch`` has cached; called after a server refused the token.
    """

    def __init__(self, fetch: Callable[[], str], forget: Callable[[], None]) -> None:
        self._fetch = fetch
        self._forget = forget
        self._lock = threading.Lock()

    def sign(
        self, method: str, url: str, headers: Mapping[str, str], size: int
    ) -> tuple[str, Mapping[str, str]]:
        """Return URL and headers with the token."""
        del method, size
        return url, {**headers, "Authorization": self._header()}

    def renew(self, refused: Response) -> bool:
        """Fetch a new token unless another thread did so since the refused request."""
        old = refused.request_headers.get("Authorization")
        if self._header() != old:
            return True
        self._forget()
        return self._header() != old

    def _header(self) -> str:
        with self._lock:
            token = self._fetch()
        register_secret(token)
        return f"Bearer {token}"


class SignedClient:
    """Sends signed requests, and once more with other credentials if the server refuses these.

    Temporary credentials expire during a transfer, which is no error of the file.

    Args:
        http: the HTTP client.
        signer: adds the credentials.
        raise_for: raises the error for the status of a response, unless it is a success.
    """

    def __init__(self, http: HttpClient, signer: Signer, raise_for: Callable[[Response], None]) -> None:
        self._http = http
        self._signer = signer
        self._raise_for = raise_for

    def clock_offset(self) -> float | None:
        """Return the seconds by which the local clock is ahead of the server's."""
        return self._http.clock.offset()

    def without_credentials(self) -> "SignedClient":
        """Return a client that shares the connections, for addresses that are access rights themselves."""
        return SignedClient(self._http, NoSigner(), self._raise_for)

    def call(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Response:
        """Send a request, and return the response with its small body.

        Args:
            method: the HTTP method.
            url: the URL.
            headers: additional headers.
            body: the bytes to send.

        Raises:
            AuthenticationFailed: the server refuses the credentials, and there are no newer ones.
            BackendError: the server refused or failed.
        """
        with self.stream(method, url, headers=headers, body=body) as response:
            response.content  # noqa: B018  (a connection with unread bytes cannot be reused)
            return response

    @contextmanager
    def stream(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Iterator[Response]:
        """Send a request, and yield the response, whose body is not read yet; see `call`."""
        with ExitStack() as stack:
            response = self._send(stack, method, url, headers or {}, body)
            try:
                self._raise_for(response)
            except AuthenticationFailed:
                stack.close()
                if not self._signer.renew(response):
                    raise
                response = self._send(stack, method, url, headers or {}, body)
                self._raise_for(response)
            yield response

    def _send(
        self, stack: ExitStack, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        signed_url, signed = self._signer.sign(method, url, {**_IDENTITY, **headers}, len(body or b""))
        return stack.enter_context(self._http.send(method, signed_url, body=body, headers=signed))
