"""Send the requests that botocore has signed with wheelrelay's HTTP client: its time limits and its errors.

No redirect is followed: it would send the session token to another host.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import BytesIO
from ssl import SSLCertVerificationError
from typing import Any, BinaryIO

from botocore.awsrequest import AWSResponse
from botocore.exceptions import SSLError

from wheelrelay.errors import BackendError
from wheelrelay.http import Answer, HttpClient, Response, time_limits

SLOW_FACTOR = 3
"""How many times longer than others the operations may take for which the server reads a whole object."""

_FACTORS = {"AbortMultipartUpload": 1 / 5, "CompleteMultipartUpload": SLOW_FACTOR, "CopyObject": SLOW_FACTOR}
"""Factors of the time limits by operation; an abort often follows a failure, which must be reported soon."""

_IDENTITY = {"Accept-Encoding": "identity"}
"""Sent with every request: answers must be an object's own bytes, without compression."""

_SHORTEST = 0.1
"""Seconds of the shortest time limit."""


class Transport:
    """Sends the requests of a client of botocore.

    Args:
        ca_bundle: Path of the certificates to trust; ``None`` for the usual ones.
        timeout: Seconds to wait for an answer; ``None`` for the default.
    """

    def __init__(self, ca_bundle: str | None, timeout: float | None) -> None:
        limit = time_limits(timeout).timeout
        self._clients = {
            factor: HttpClient(ca_cert=ca_bundle, timeout=max(_SHORTEST, limit * factor))
            for factor in {1, *_FACTORS.values()}
        }

    def clock_offset(self) -> float | None:
        """Return the seconds by which the local clock is ahead of the server's."""
        return self._clients[1].clock.offset()

    def attach(self, client: Any) -> None:
        """Send all requests of a client from now on."""
        client.meta.events.register("before-send.s3", self._send)

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def exchange(
        self, operation: str, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Send a request that has a small answer, and return the answer with any status.

        Args:
            operation: The operation of the API, which determines the time limits.
            method: The HTTP method.
            url: The URL.
            headers: The signed headers.
            body: The body.

        Raises:
            SSLError: The server's certificate is not trusted.
            WheelrelayError: No answer arrived.
        """
        with _distrust(url):
            return self._client(operation).exchange(method, url, body=body, headers={**_IDENTITY, **headers})

    def _send(self, request: Any, event_name: str, **_: object) -> AWSResponse:
        """Send a request, and return the answer for botocore, whose body is not read yet."""
        client = self._client(event_name.rpartition(".")[2])
        headers = {**_IDENTITY, **_headers(request.headers)}
        with ExitStack() as stack:
            with _distrust(request.url):
                sending = client.send(request.method, request.url, body=_body(request), headers=headers)
                answer = stack.enter_context(sending)
            return AWSResponse(request.url, answer.status_code, answer.headers, _Raw(answer, stack.pop_all()))

    def _client(self, operation: str) -> HttpClient:
        return self._clients[_FACTORS.get(operation, 1)]


@contextmanager
def _distrust(url: str) -> Iterator[None]:
    """Map the error about a certificate that is not trusted to that of botocore."""
    try:
        yield
    except BackendError as error:
        if _is_distrust(error):
            raise SSLError(endpoint_url=url, error=error) from error
        raise


class _Raw:
    """The body of an answer, as botocore reads it."""

    def __init__(self, answer: Response, stack: ExitStack) -> None:
        self._answer = answer
        self._stack = stack

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes; empty at the end."""
        return self._answer.read(size, decoded=False)

    def stream(self) -> Iterator[bytes]:
        """Yield the whole of a small body, so that the connection can be used again."""
        with self._stack:
            yield self._answer.content

    def close(self) -> None:
        """Release the connection."""
        self._stack.close()


class _File:
    """A file that is sent as a body: HTTP clients need its length."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        """Read the next bytes."""
        return self._stream.read(size)


def _body(request: Any) -> Any:
    if isinstance(request.body, BytesIO):
        return request.body.getvalue()
    if hasattr(request.body, "read"):
        return _File(request.body, int(request.headers["Content-Length"]))
    return request.body


def _headers(headers: Mapping[str, str | bytes]) -> dict[str, str]:
    """Return the headers to send, with the HTTP client's own name.

    Bodies are sent at once, without waiting for ``100 Continue``.
    """
    return {
        name: value.decode("latin-1") if isinstance(value, bytes) else value
        for name, value in headers.items()
        if name.lower() not in ("expect", "user-agent")
    }


def _is_distrust(error: BaseException | None) -> bool:
    """Whether an error was caused by a certificate that is not trusted."""
    while error is not None:
        if isinstance(error, SSLCertVerificationError):
            return True
        error = next(
            (inner for inner in (*error.args, error.__cause__) if isinstance(inner, BaseException)), None
        )
    return False
