"""A server that sends the bytes of a test, valid HTTP or not.

>>> with run_raw(lambda asked: [b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi"]) as server:
...     read(server.url)
b'hi'
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.servers.process import HOST
from tests.servers.web import read

__all__ = ["RESET", "Asked", "RawServer", "answer", "read", "run_raw"]

RESET = object()
"""Resets the connection, in place of bytes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    number: int
    """The number of earlier requests for this path."""


@dataclass
class RawServer:
    """A running server.

    Attributes:
        url: its root, with a slash at the end.
        requests: every request so far.
        ended: set when the server closes, for responses that never end.
    """

    url: str
    requests: list[Asked] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


Answer = Callable[[Asked], Iterable[object]]
"""Returns the blocks of bytes to send, and `RESET`; afterwards the connection is closed."""


def answer(
    body: bytes = b"", *more: str, status: str = "200 OK", kind: str = "text/plain", length: int | None = None
) -> bytes:
    """Return a valid HTTP response.

    Args:
        body: the body.
        more: lines to add to the headers.
        status: the status with its reason.
        kind: the media type.
        length: the declared length; by default the true one.
    """
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
        *more,
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@contextmanager
def run_raw(respond: Answer) -> Iterator[RawServer]:
    """Run a server on a free port for the duration of the context."""
    with socket.create_server((HOST, 0), backlog=128) as listener:
        server = RawServer(f"http://{HOST}:{listener.getsockname()[1]}/")
        thread = threading.Thread(target=_serve, args=(listener, server, respond), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, server: RawServer, respond: Answer) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_converse, args=(connection, server, respond), daemon=True).start()


def _converse(connection: socket.socket, server: RawServer, respond: Answer) -> None:
    connection.settimeout(30)
    with connection, suppress(OSError, ValueError):
        asked = _read_request(connection, server)
        for block in respond(asked):
            if server.ended.is_set():
                return
            if block is RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            assert isinstance(block, bytes)
            connection.sendall(block)


def _read_request(connection: socket.socket, server: RawServer) -> Asked:
    stream = connection.makefile("rb")
    method, path, _ = stream.readline().decode().split()
    headers = {}
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    left = int(headers.get("content-length", 0))
    while left > 0 and (block := stream.read(min(left, 1 << 20))):
        left -= len(block)
    number = sum(1 for before in server.requests if before.path == path)
    asked = Asked(method, path, headers, number)
    server.requests.append(asked)
    return asked
