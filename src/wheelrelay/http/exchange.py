"""Requests whose body and whose response are small, such as uploads of many small files.

urllib3 and http.client build several objects for each request, and parse headers like those of an email. Here
a request is one block of bytes, and a usual response is split at its line breaks, which takes a tenth of the
CPU time. Any other response, such as one in chunks, is read by http.client.
"""

import io
import re
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from socket import IPPROTO_TCP, TCP_NODELAY, create_connection
from ssl import SSLContext
from time import monotonic
from typing import Any

from wheelrelay.http.limits import MAX_SMALL_BODY, ResponseTimer, TimeLimits, TooSlow
from wheelrelay.http.timed import SEND_SIZE, TimedResponse

MAX_IDLE = 64
"""Connections that are kept for one host."""

_READ_SIZE = 1 << 16
"""Bytes per read, and of the largest body that is not left to http.client."""

_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
"""Some servers end lines with a line feed alone; http.client reads their responses."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response.

    Attributes:
        status_code: The status code.
        headers: The headers, with names in lower case.
        body: The body, without its compression.
    """

    status_code: int
    headers: dict[str, str]
    body: bytes


class Exchanges:
    """The connections to one server. Any number of threads can use them.

    Args:
        host: The name or address of the server.
        port: Its port.
        context: The TLS settings; ``None`` for plain HTTP.
        limits: How long the server may take.
    """

    def __init__(self, host: str, port: int, context: SSLContext | None, limits: TimeLimits) -> None:
        self._address = (host, port)
        self._context = context
        self._limits = limits
        self._idle: deque[Any] = deque(maxlen=MAX_IDLE)
        self._is_closed = False

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Send a request, and return the whole response, with any status.

        Args:
            method: The HTTP method.
            target: Path and query of the URL.
            headers: All headers except ``Content-Length``.
            body: The body.

        Raises:
            OSError: The server cannot be reached, is too slow, or closed the connection.
            HTTPException: The response is not valid, or too large.
        """
        head = _head(method, target, headers, len(body))
        sock = self._connection()
        try:
            refusal = self._send_request(sock, head, body)
            answer, is_reusable = _receive(sock, method, ResponseTimer(self._limits.after_upload), refusal)
        except BaseException:
            sock.close()
            raise
        if is_reusable and refusal is None:
            self._keep(sock)
        else:
            sock.close()
        return answer

    def close(self) -> None:
        """Close all connections that are not in use, and the others after their use."""
        self._is_closed = True
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def _keep(self, sock: Any) -> None:
        if self._is_closed or len(self._idle) >= MAX_IDLE:
            sock.close()
        else:
            self._idle.append(sock)

    def _connection(self) -> Any:
        """Return a connection that the server has not closed."""
        from urllib3.util import wait_for_read

        with suppress(IndexError):
            while True:
                sock = self._idle.pop()
                if not wait_for_read(sock, 0):
                    return sock
                sock.close()  # closed by the server, or unexpected data
        return self._connect()

    def _connect(self) -> Any:
        sock = create_connection(self._address, self._limits.connect)
        try:
            sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            if self._context is None:
                return sock
            return self._context.wrap_socket(sock, server_hostname=self._address[0])
        except BaseException:
            sock.close()
            raise

    def _send_request(self, sock: Any, head: bytes, body: bytes) -> OSError | None:
        """Send a request; return the error if the server closed the connection: it may have sent a response.

        The timeout applies to each block, and slow connections need it.
        """
        sock.settimeout(self._limits.timeout)
        try:
            sock.sendall(head + body[:SEND_SIZE])
            view = memoryview(body)
            for start in range(SEND_SIZE, len(body), SEND_SIZE):
                sock.sendall(view[start : start + SEND_SIZE])
        except TimeoutError as error:
            message = f"accepted no data for {self._limits.timeout:g} s"
            raise TooSlow(message, self._limits.timeout) from error
        except (BrokenPipeError, ConnectionResetError) as error:
            return error
        return None


def _head(method: str, target: str, headers: dict[str, str], size: int) -> bytes:
    """Return the head of a request.

    Raises:
        ValueError: A header contains a line break.
    """
    lines = [f"{method} {target} HTTP/1.1", *[f"{name}: {value}" for name, value in headers.items()]]
    head = "\n".join(lines)
    if head.count("\n") >= len(lines) or "\r" in head:
        raise ValueError("A header contains a line break.")
    return f"{head}\nContent-Length: {size}\n\n".replace("\n", "\r\n").encode("latin-1")


def _receive(sock: Any, method: str, timer: ResponseTimer, refusal: OSError | None) -> tuple[Answer, bool]:
    """Return a response, and whether the connection can be used again.

    Args:
        sock: The connection.
        method: The method of the request.
        timer: Limits the time.
        refusal: The error after which the request was not sent to its end.
    """
    data = _read(sock, timer)
    if not data:
        raise refusal or RemoteDisconnected("Remote end closed connection without response")
    while not (end := _END_OF_HEADERS.search(data)):
        if not (more := _read(sock, timer)):
            raise RemoteDisconnected("Remote end closed connection within the headers of its response")
        data += more
    usual = _usual_headers(data[: end.start()]) if method != "HEAD" else None
    if usual is None:
        return _receive_by_http_client(sock, method, timer, data)
    status, headers, size = usual
    body = data[end.end() :]
    while len(body) < size:
        if not (more := _read(sock, timer)):
            raise IncompleteRead(body, size - len(body))
        body += more
    is_reusable = len(body) == size and headers.get("connection", "keep-alive").lower() == "keep-alive"
    return Answer(status, headers, body[:size]), is_reusable


def _usual_headers(head: bytes) -> tuple[int, dict[str, str], int] | None:
    """Return status, headers and the size of the body of a usual response; ``None`` for all others."""
    text = head.decode("latin-1")
    first, *lines = text.split("\r\n")
    if text.count("\n") > len(lines):
        return None
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.lower()
        value = value.strip(" \t")
        if not colon or name != name.strip() or (name == "content-length" and name in headers):
            return None
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    version, _, status = first[:12].partition(" ")
    size = "0" if status == "204" else headers.get("content-length", "")
    is_usual = (
        version == "HTTP/1.1"
        and status.isdecimal()
        and int(status) >= 200
        and status != "304"
        and size.isdecimal()
        and int(size) <= _READ_SIZE
        and "transfer-encoding" not in headers
        and "content-encoding" not in headers
    )
    return (int(status), headers, int(size)) if is_usual else None


def _read(sock: Any, timer: ResponseTimer) -> bytes:
    """Receive the next bytes.

    Raises:
        TooSlow: They do not arrive in time.
        HeadersTooLong: The headers are too long.
    """
    sock.settimeout(timer.remaining())
    start = monotonic()
    try:
        data: bytes = sock.recv(_READ_SIZE)
    except TimeoutError as error:
        raise timer.timed_out() from error
    timer.record(len(data), monotonic() - start)
    return data


def _receive_by_http_client(sock: Any, method: str, timer: ResponseTimer, data: bytes) -> tuple[Answer, bool]:
    """Return a response whose first bytes were received, and whether the connection can be used again."""
    from wheelrelay.http.response import Decoder

    try:
        response = TimedResponse(timer, _Replayed(sock, data), method=method)
        response.begin()
        headers = {name.lower(): ", ".join(response.headers.get_all(name, ())) for name in response.headers}
        decoder = Decoder(response.read, headers.get("content-encoding", ""))
        body = bytearray()
        with timer.deadline():
            while block := decoder.read(_READ_SIZE):
                body += block
                if len(body) > MAX_SMALL_BODY:
                    raise HTTPException(f"its body is larger than {MAX_SMALL_BODY >> 20} MiB")
    except (ValueError, AttributeError) as error:  # http.client raises them for broken responses
        raise HTTPException(str(error)) from error
    if response.length:
        raise IncompleteRead(bytes(body), response.length)
    return Answer(response.status, headers, bytes(body)), response.isclosed() and not response.will_close


class _Replayed:
    """A connection whose next bytes were received already."""

    def __init__(self, sock: Any, data: bytes) -> None:
        self._sock = sock
        self._data = data
        self.settimeout = sock.settimeout

    def makefile(self, *_: Any, **__: Any) -> io.RawIOBase:
        """Return the stream to read from, which is not buffered."""
        return _ReplayedStream(self._sock, self._data)


class _ReplayedStream(io.RawIOBase):
    def __init__(self, sock: Any, data: bytes) -> None:
        self._sock = sock
        self._data = memoryview(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._data:
            received: int = self._sock.recv_into(buffer)
            return received
        size = min(len(buffer), len(self._data))
        buffer[:size] = self._data[:size]
        self._data = self._data[size:]
        return size
