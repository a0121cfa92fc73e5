"""A line of limited bandwidth for each client: ``python -m ... PORT SERVER_PORT BYTES_PER_SECOND``.

Each process that connects represents a machine: what its connections receive together is limited. The owner
of a connection is found by its port. Requests are not limited.
"""

import os
import socket
import sys
import threading
import time
from contextlib import suppress

import psutil

HOST = "127.0.0.1"
BLOCK = 1 << 16


class Line:
    """The line of one client.

    Args:
        rate: bytes per second.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._lock = threading.Lock()
        self._free_at = time.monotonic()

    def carry(self, size: int) -> None:
        """Wait until the line has carried some bytes."""
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + size / self._rate
            due = self._free_at
        time.sleep(max(0.0, due - time.monotonic()))


class Capped:
    """Carries connections to a server, with one line for each client process.

    Args:
        server_port: of the server.
        rate: bytes per second of each line.
    """

    def __init__(self, server_port: int, rate: float) -> None:
        self._server_port = server_port
        self._rate = rate
        self._lines: dict[int | None, Line] = {}
        self._lock = threading.Lock()

    def serve(self, listener: socket.socket) -> None:
        """Carry for ever."""
        while True:
            near, (_, port) = listener.accept()
            threading.Thread(target=self._join, args=(near, port), daemon=True).start()

    def _join(self, near: socket.socket, port: int) -> None:
        owner = _owner(port)
        with self._lock:
            line = self._lines.setdefault(owner, Line(self._rate))
        with suppress(OSError), near, socket.create_connection((HOST, self._server_port)) as far:
            threading.Thread(target=_copy, args=(near, far, None), daemon=True).start()
            _copy(far, near, line)


def _owner(port: int) -> int | None:
    """Return the process that has a local port."""
    for connection in psutil.net_connections("tcp4"):
        if connection.laddr and connection.laddr.port == port and connection.pid != os.getpid():
            return int(connection.pid) if connection.pid else None
    return None


def _copy(giver: socket.socket, taker: socket.socket, line: Line | None) -> None:
    with suppress(OSError):
        while block := giver.recv(BLOCK):
            if line is not None:
                line.carry(len(block))
            taker.sendall(block)
    with suppress(OSError):
        taker.shutdown(socket.SHUT_WR)


def main() -> None:
    """Listen and carry."""
    port, server_port, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    with socket.create_server((HOST, port), backlog=128) as listener:
        Capped(server_port, rate).serve(listener)


if __name__ == "__main__":
    main()
