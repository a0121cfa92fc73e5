"""A TCP proxy that a test can interrupt, or let corrupt a byte, at any position."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from tests.servers.process import HOST

BLOCK = 1 << 16


class Wire:
    """Forwards bytes between clients and a server; see `run_wire`.

    Attributes:
        url: of this end, without a slash at the end.
        connections: the number of connections so far.
        sent: the number of bytes sent to the server over all connections.
        cut_sent: bytes sent to the server after which a connection is closed.
        cut_received: the same for received bytes.
        spoil: the position of a byte that is changed on its way to the server, in each connection.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.connections = 0
        self.sent = 0
        self.cut_sent: int | None = None
        self.cut_received: int | None = None
        self.spoil: int | None = None

    def carry(self, here: socket.socket, there: socket.socket) -> None:
        """Forward bytes between two connections until one of them ends."""
        back = threading.Thread(target=self._copy, args=(there, here, False), daemon=True)
        back.start()
        self._copy(here, there, True)
        back.join()
        here.close()
        there.close()

    def _copy(self, source: socket.socket, target: socket.socket, sending: bool) -> None:
        count = 0
        with suppress(OSError):
            while block := source.recv(BLOCK):
                limit = self.cut_sent if sending else self.cut_received
                if limit is not None and count + len(block) > limit:
                    break
                if sending and self.spoil is not None and count <= self.spoil < count + len(block):
                    at = self.spoil - count
                    block = block[:at] + bytes([block[at] ^ 1]) + block[at + 1 :]
                count += len(block)
                if sending:
                    self.sent += len(block)
                target.sendall(block)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def run_wire(server: str) -> Iterator[Wire]:
    """Run a proxy for ``server``, a URL such as ``http://127.0.0.1:8080``."""
    parts = urlsplit(server)
    assert parts.hostname
    goal = parts.hostname, parts.port or 80
    with socket.create_server((HOST, 0)) as listener:
        wire = Wire(f"http://{HOST}:{listener.getsockname()[1]}")

        def accept() -> None:
            with suppress(OSError):
                while True:
                    here, _ = listener.accept()
                    wire.connections += 1
                    there = socket.create_connection(goal)
                    threading.Thread(target=wire.carry, args=(here, there), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield wire
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
