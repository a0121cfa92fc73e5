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
from wheelrelay.http import HttpClient, Response, time_limits

SLOW_FACTOR = 3
"""How many times longer than others the operations may take for which the server reads a whole object."""

_FACTORS = {"AbortMultipartUpload": 1 / 5, "CompleteMultipartUpload": SLOW_FACTOR, "CopyObject": SLOW_FACTOR}
"""Factors of the time limits by operation; an abort often follows a failure, which must be reported soon."""

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

    def _send(self, request: Any, event_name: str, **_: object) -> AWSResponse:
        """Send a request, and return the answer for botocore, whose body is not read yet."""
        operation = event_name.rpartition(".")[2]
        with ExitStack() as stack:
            answer = stack.enter_context(
                self.exchange(
                    operation, request.method, request.url, _headers(request.headers), _body(request)
                )
            )
            return AWSResponse(request.url, answer.status_code, answer.headers, _Raw(answer, stack.pop_all()))

    @contextmanager
    def exchange(
        self, operation: str, method: str, url: str, headers: Mapping[str, str], body: Any
    ) -> Iterator[Response]:
        """Send a request, and yield the answer, whose body is not read yet.

        Args:
            operation: The operation of the API, which determines the time limits.
            method: The HTTP method.
            url: The URL.
            headers: The signed headers.
            body: Bytes, or an object with ``read`` and ``__len__``.

        Raises:
            SSLError: The server's certificate is not trusted.
            WheelrelayError: No answer arrived.
        """
        client = self._clients[_FACTORS.get(operation, 1)]
        with ExitStack() as stack:
            try:
                answer = stack.enter_context(
                    client.send(method, url, body=body, headers={"Accept-Encoding": "identity", **headers})
                )
            except BackendError as error:
                if _is_distrust(error):
                    raise SSLError(endpoint_url=url, error=error) from error
                raise
            yield answer


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
