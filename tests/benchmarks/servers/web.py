"""A web server that costs little: heads are taken apart by hand, bodies are moved by the kernel.

A thread serves each connection. Files go out by ``sendfile``, and what nobody wants to keep is thrown away
where it lies. Over TLS both pass through this process, in blocks of a MiB.
"""

import os
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

HOST = "127.0.0.1"
BLOCK = 1 << 20
HEAD_LIMIT = 1 << 16

UNREAD = socket.MSG_WAITALL | socket.MSG_TRUNC if sys.platform == "linux" else 0
"""With these flags Linux takes what arrives on a TCP connection out of its queue without copying it."""


class Hangup(Exception):
    """The client closed the connection."""


class Exchange:
    """One request, and the means to answer it.

    Attributes:
        method: as ``GET``.
        path: with the query, as it was sent.
        headers: by their names in lower case.
        left: bytes of the body that were not taken yet.
    """

    def __init__(self, connection: "_Connection", head: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = first.split(" ", 2)
        fields = (line.partition(":") for line in lines)
        self.headers: Mapping[str, str] = {name.lower(): value.strip() for name, _, value in fields}
        self.left = int(self.headers.get("content-length", 0))
        self._connection = connection
        if self.headers.get("expect", "").lower() == "100-continue":
            connection.wire.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def read(self) -> bytes:
        """Some bytes of the body, none at its end.

        Raises:
            Hangup: the client went away.
        """
        block = self._connection.read(min(self.left, BLOCK))
        self.left -= len(block)
        return block

    def discard(self) -> None:
        """Take the rest of the body, and throw it away.

        Raises:
            Hangup: the client went away.
        """
        self._connection.discard(self.left)
        self.left = 0

    def answer(
        self,
        body: bytes = b"",
        status: int = 200,
        content_type: str = "text/plain",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Send a whole answer, with further headers."""
        head = _head(status, len(body), {"Content-Type": content_type, **headers})
        self._connection.wire.sendall(head if self.method == "HEAD" else head + body)

    def answer_file(self, path: Path) -> None:
        """Send a file, or the part of it that ``Range`` asks for."""
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            start, stop = _range(self.headers.get("range", ""), found.st_size)
            headers = {
                "Content-Type": "text/html" if path.suffix == ".html" else "application/octet-stream",
                "Accept-Ranges": "bytes",
                "ETag": f'"{found.st_mtime_ns:x}-{found.st_size:x}"',
            }
            if "range" in self.headers:
                headers["Content-Range"] = f"bytes {start}-{stop - 1}/{found.st_size}"
            status = 206 if "range" in self.headers else 200
            self._connection.wire.sendall(_head(status, stop - start, headers))
            if self.method != "HEAD":
                self._connection.send_file(file.fileno(), start, stop)


class _Connection:
    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        self._ahead = b""
        self._scratch = memoryview(bytearray(BLOCK))

    def serve(self, handle: Callable[[Exchange], None]) -> None:
        while head := self._read_head():
            exchange = Exchange(self, head)
            handle(exchange)
            exchange.discard()
            if exchange.headers.get("connection", "").lower() == "close":
                break

    def read(self, count: int) -> bytes:
        if self._ahead:
            block, self._ahead = self._ahead[:count], self._ahead[count:]
            return block
        block = self.wire.recv(count) if count else b""
        if count and not block:
            raise Hangup
        return block

    def discard(self, count: int) -> None:
        ahead = min(count, len(self._ahead))
        self._ahead = self._ahead[ahead:]
        count -= ahead
        flags = 0 if isinstance(self.wire, ssl.SSLSocket) else UNREAD
        while count:
            taken = self.wire.recv_into(self._scratch, min(count, BLOCK), flags)
            if not taken:
                raise Hangup
            count -= taken

    def send_file(self, file: int, start: int, stop: int) -> None:
        encrypted = isinstance(self.wire, ssl.SSLSocket)
        while start < stop:
            if encrypted:
                count = os.preadv(file, [self._scratch[: min(BLOCK, stop - start)]], start)
                self.wire.sendall(self._scratch[:count])
            else:
                count = os.sendfile(self.wire.fileno(), file, start, stop - start)
            start += count

    def _read_head(self) -> bytes:
        """The next request's head; empty if the client went away between two requests."""
        while b"\r\n\r\n" not in self._ahead:
            block = self.wire.recv(HEAD_LIMIT)
            if not block or len(self._ahead) > HEAD_LIMIT:
                return b""
            self._ahead += block
        head, _, self._ahead = self._ahead.partition(b"\r\n\r\n")
        return head


def serve(port: int, handle: Callable[[Exchange], None], certificate: Path | None = None) -> None:
    """Serve until the process is ended.

    Args:
        port: of the loopback interface.
        handle: answers one request; is called in many threads.
        certificate: key and certificates for TLS, in one file; plain HTTP without.
    """
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    with socket.create_server((HOST, port), backlog=512) as listener:
        while True:
            wire, _ = listener.accept()
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve_one, args=(wire, handle, context), daemon=True).start()


def _serve_one(
    wire: socket.socket, handle: Callable[[Exchange], None], context: ssl.SSLContext | None
) -> None:
    with suppress(OSError, Hangup):  # whoever goes away in the middle tells it by its own exit code
        if context:
            wire = context.wrap_socket(wire, server_side=True)
        with wire:
            _Connection(wire).serve(handle)


def _head(status: int, length: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


def _range(asked: str, size: int) -> tuple[int, int]:
    """Where a ``Range`` of one part begins and ends; the whole without one."""
    first, _, last = asked.removeprefix("bytes=").partition("-")
    if not asked:
        return 0, size
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(int(last) + 1, size) if last else size
