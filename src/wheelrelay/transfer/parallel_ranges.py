"""Fetch parts of a large file ahead, by connections of their own, where one connection alone is slow.

What a connection carries in a second is often limited: by its round trips, by losses, by a server that wants
to be fair. So while little else is under way, and almost all time goes by in waiting for the next bytes, a
file is divided. It is read in order all the same: hashed once, as it comes, with a few parts in memory.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from threading import Event
from time import monotonic
from typing import Protocol

from wheelrelay.errors import Unavailable, WheelrelayError
from wheelrelay.model import DistFile
from wheelrelay.protocols import ByteStream, SupportsRange
from wheelrelay.staged import BLOCK_SIZE

PART = 4 * BLOCK_SIZE
"""Bytes of a part: long enough for its request to weigh little, short enough for some of them in memory."""

MOST = 4
"""Parts of one file that are fetched at once."""

FROM = 8 * PART
"""Bytes that have to be left for a file to be divided."""

AFTER = 1.0
"""Seconds after which it is judged how fast a connection is."""

WAITING = 0.8
"""The share of the time that goes by in waiting, from which on the wire is slow and not this machine."""


class RangeExecutor(Protocol):
    """Those who fetch the parts."""

    def spare(self) -> int:
        """How many more transfers there may be for each that is under way."""
        ...

    def begin(self, work: Callable[[], list[bytes]]) -> "Future[list[bytes]]":
        """Have something done by another thread."""
        ...


class ParallelRangeReader:
    """The bytes of a file from some byte on, in order; a `ByteStream` to be closed.

    Args:
        stream: the rest of the file by one connection.
        held: what keeps this connection; closed when it is not needed any more.
        source: gives out the parts.
        file: with the size that its source declares.
        start: the byte that ``stream`` begins with.
        crew: fetches the parts.
        clock: seconds that have passed.

    Attributes:
        divided: whether the bytes came by more than one connection.
    """

    def __init__(
        self,
        stream: ByteStream,
        held: ExitStack,
        *,
        source: SupportsRange,
        file: DistFile,
        start: int,
        crew: RangeExecutor,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.divided = False
        self._stream = stream
        self._held = held
        self._source = source
        self._file = file
        self._size = file.size or 0
        self._crew = crew
        self._clock = clock
        self._began = clock()
        self._waited = 0.0
        self._at = start
        self._ends: int | None = None
        """The byte that the stream gives way at, once that is decided."""
        self._next = start
        """The first byte that nobody was asked for."""
        self._parts: deque[tuple[Callable[[], list[bytes]], Future[list[bytes]]]] = deque()
        self._blocks: deque[bytes] = deque()
        self._whole = False
        self._closed = Event()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most ``size``; none at the end.

        Raises:
            BackendError: they do not come.
        """
        if not self.divided and self._at == self._ends:
            self._give_way()
        block = self._read_divided(size) if self.divided else self._read_alone(size)
        self._at += len(block)
        return block

    def close(self) -> None:
        """Let go of all connections; parts that are under way end soon."""
        self._closed.set()
        for _, future in self._parts:
            future.cancel()
        self._held.close()

    def _read_alone(self, size: int) -> bytes:
        began = self._clock()
        block = self._stream.read(size if self._ends is None else min(size, self._ends - self._at))
        now = self._clock()
        self._waited += now - began
        if self._ends is None and not self._whole and self._is_slow(now):
            self._ends = self._next = self._at + len(block) + PART
            self._call()
        return block

    def _is_slow(self, now: float) -> bool:
        passed = now - self._began
        return (
            passed >= AFTER
            and self._waited >= WAITING * passed
            and self._size - self._at >= FROM
            and self._crew.spare() > 0
        )

    def _call(self) -> None:
        """Have more parts fetched: one in any case, and others while there is nothing better to do."""
        most = max(1, min(MOST, self._crew.spare()))
        while self._next < self._size and len(self._parts) < most:
            stop = min(self._next + PART, self._size)
            work = partial(self._fetch, self._next, stop)
            self._parts.append((work, self._crew.begin(work)))
            self._next = stop

    def _give_way(self) -> None:
        """Go on by parts; if the first one does not come, the stream, which is still there, goes on."""
        try:
            self._blocks.extend(self._first_part())
        except WheelrelayError:
            for _, future in self._parts:
                future.cancel()
            self._parts.clear()
            self._ends, self._whole = None, True
        else:
            self.divided = True
            self._held.close()

    def _read_divided(self, size: int) -> bytes:
        if not self._blocks and self._parts:
            self._blocks.extend(self._first_part())
        if not self._blocks:
            return b""
        block = self._blocks.popleft()
        if len(block) > size >= 0:
            self._blocks.appendleft(block[size:])
            block = block[:size]
        return block

    def _first_part(self) -> list[bytes]:
        """The part that is next in order; nobody waits here for a thread to become free."""
        work, future = self._parts.popleft()
        self._call()
        return work() if future.cancel() else future.result()

    def _fetch(self, start: int, stop: int) -> list[bytes]:
        blocks: list[bytes] = []
        left = stop - start
        with self._source.open_range(self._file, start, stop) as stream:
            while left and not self._closed.is_set() and (block := stream.read(min(left, BLOCK_SIZE))):
                blocks.append(block)
                left -= len(block)
        if left:
            raise Unavailable(f"{self._file.filename}: {left} bytes of a part did not come.")
        return blocks
