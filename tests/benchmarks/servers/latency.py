"""Distance to a server: ``python -m tests.benchmarks.servers.latency PORT SERVER_PORT MILLISECONDS``.

What arrives on a connection is held for half of the round trip and then sent on, in each direction. The round
trip that a handshake takes passes before a connection's first bytes start on their way. Nothing else is
limited: not the number of connections, not their speed, and not what is under way, up to `MOST_HELD` bytes a
connection and direction, which is more than anybody hands over within half a round trip. With one more
word, ``slow-start``, each direction of a connection opens its window as TCP does on a real line: `window`.

All of it happens in one thread, which sleeps until something arrives or is due.
"""

import heapq
import select
import selectors
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from itertools import count, islice, takewhile

from tests.benchmarks.servers.window import Window

HOST = "127.0.0.1"
BLOCK = 1 << 18
MOST_HELD = 1 << 26
AT_ONCE = 16
"""Blocks that one call sends."""


class _Way:
    """One direction of a connection, and what is on its way.

    Attributes:
        giver: where bytes come from.
        taker: where they go.
        opened: when the first of them may start.
        window: how many may be on their way, if that is limited.
        held: blocks by the time when they are due; an empty one stands for the end.
        size: bytes of all of them.
        reading: whether more are taken.
        blocked: whether the taker takes none at the moment.
    """

    def __init__(
        self, giver: socket.socket, taker: socket.socket, opened: float, window: Window | None
    ) -> None:
        self.giver = giver
        self.taker = taker
        self.opened = opened
        self.window = window
        self.held: deque[tuple[float, memoryview]] = deque()
        self.size = 0
        self.reading = True
        self.blocked = False
        self.ended = False


class Latency:
    """Carries connections to a server that seems to be some way off.

    Args:
        listener: takes the connections.
        server: the address that they are for.
        trip: seconds of a round trip.
        slow_start: let each connection open its windows as TCP does.
    """

    def __init__(
        self, listener: socket.socket, server: tuple[str, int], trip: float, *, slow_start: bool = False
    ) -> None:
        self._listener = listener
        self._server = server
        self._trip = trip
        self._slow_start = slow_start
        self._ways: dict[socket.socket, tuple[_Way, _Way]] = {}
        """By socket: the direction that reads there, and the one that writes there."""
        self._due: list[tuple[float, int, _Way]] = []
        """A heap of the directions that have something to send, by when it is due."""
        self._shut: list[tuple[float, int, _Way]] = []
        """A heap of the directions whose windows are full, by when they open."""
        self._numbers = count()
        self._free: list[memoryview] = []
        self._events = selectors.DefaultSelector()
        listener.setblocking(False)
        self._events.register(listener, selectors.EVENT_READ)

    def run(self) -> None:
        """Carry for ever."""
        while True:
            times = [heap[0][0] for heap in (self._due, self._shut) if heap]
            wait = max(0.0, min(times) - time.monotonic()) if times else None
            select.select([self._events], [], [], wait)  # epoll itself would wait for whole milliseconds
            for key, mask in self._events.select(0):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj in self._ways:  # may have been closed by what came before in this round
                    self._serve(key.fileobj, mask)
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                self._send(heapq.heappop(self._due)[2])
            while self._shut and self._shut[0][0] <= now:
                self._go_on(heapq.heappop(self._shut)[2])

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(self._server)
                except OSError:
                    near.close()
                    continue
                self._join(near, far)

    def _join(self, near: socket.socket, far: socket.socket) -> None:
        opened = time.monotonic() + self._trip
        there, back = (
            _Way(giver, taker, opened, Window(self._trip) if self._slow_start else None)
            for giver, taker in ((near, far), (far, near))
        )
        for one, ways in ((near, (there, back)), (far, (back, there))):
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ways[one] = ways
            self._events.register(one, selectors.EVENT_READ)

    def _serve(self, one: socket.socket, mask: int) -> None:
        reads, writes = self._ways[one]
        if mask & selectors.EVENT_READ:
            self._receive(reads)
        if mask & selectors.EVENT_WRITE and writes.blocked:
            writes.blocked = False
            self._send(writes)
            self._watch(one)

    def _watch(self, one: socket.socket) -> None:
        """Wait for what a socket is to do next; one that has nothing to do would only tell of its end."""
        if one not in self._ways:
            return
        reads, writes = self._ways[one]
        mask = selectors.EVENT_READ * reads.reading | selectors.EVENT_WRITE * writes.blocked
        known = one in self._events.get_map()
        if known and mask:
            self._events.modify(one, mask)
        elif known:
            self._events.unregister(one)
        elif mask:
            self._events.register(one, mask)

    def _receive(self, way: _Way) -> None:
        room = way.window.room(time.monotonic()) if way.window else BLOCK
        if room <= 0:
            self._wait_for_room(way)
            return
        buffer = self._free.pop() if self._free else memoryview(bytearray(BLOCK))
        try:
            size = way.giver.recv_into(buffer, min(room, BLOCK))
        except BlockingIOError:
            self._free.append(buffer)
            return
        except OSError:
            self._close(way)
            return
        leaves = max(time.monotonic(), way.opened)
        if way.window:
            way.window.sent(size, leaves)
        due = leaves + self._trip / 2
        way.held.append((due, buffer[:size]))
        way.size += size
        if len(way.held) == 1:
            heapq.heappush(self._due, (due, next(self._numbers), way))
        if not size or way.size >= MOST_HELD:
            way.reading = False
            self._watch(way.giver)

    def _wait_for_room(self, way: _Way) -> None:
        assert way.window is not None
        way.reading = False
        self._watch(way.giver)
        heapq.heappush(self._shut, (way.window.opens(), next(self._numbers), way))

    def _go_on(self, way: _Way) -> None:
        """Take more of what is given, now that the window has opened."""
        if way.giver in self._ways and way.size < MOST_HELD:
            way.reading = True
            self._watch(way.giver)

    def _send(self, way: _Way) -> None:
        """Send on what is due, as much of it as is taken."""
        try:
            while way.held and way.held[0][0] <= (now := time.monotonic()):
                due = takewhile(lambda one: one[0] <= now and one[1].nbytes, islice(way.held, AT_ONCE))
                if blocks := [block for _, block in due]:
                    self._sent(way, way.taker.sendmsg(blocks))
                else:
                    self._end(way)
        except BlockingIOError:
            way.blocked = True
            self._watch(way.taker)
        except OSError:
            self._close(way)
        else:
            if way.held:
                heapq.heappush(self._due, (way.held[0][0], next(self._numbers), way))

    def _sent(self, way: _Way, size: int) -> None:
        was_full = way.size >= MOST_HELD
        way.size -= size
        while size:
            due, block = way.held.popleft()
            if size < block.nbytes:
                way.held.appendleft((due, block[size:]))
                break
            size -= block.nbytes
            self._free.append(memoryview(block.obj))
        if was_full and way.size < MOST_HELD:
            way.reading = True
            self._watch(way.giver)

    def _end(self, way: _Way) -> None:
        """Tell the taker that nothing more will come; after both directions have ended, all is over."""
        way.held.clear()
        way.ended = True
        way.taker.shutdown(socket.SHUT_WR)
        if self._ways[way.taker][0].ended:
            self._close(way)

    def _close(self, way: _Way) -> None:
        for one in (way.giver, way.taker):
            for direction in self._ways.pop(one, ()):
                direction.held.clear()
            if one in self._events.get_map():
                self._events.unregister(one)
            one.close()


if __name__ == "__main__":
    port, server_port, milliseconds, *how = sys.argv[1:]
    with socket.create_server((HOST, int(port)), backlog=512) as entrance:
        trip = float(milliseconds) / 1000
        Latency(entrance, (HOST, int(server_port)), trip, slow_start=how == ["slow-start"]).run()
