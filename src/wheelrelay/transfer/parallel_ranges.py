"""Download ranges of a large file over several connections, where one connection is slow.

The rate of one connection is often limited: by round trips, packet loss, or a server's fairness. So while few
transfers run, and a download spends almost all its time waiting for bytes, the rest of the file is divided
into ranges. It is still read in order and hashed once, with a few ranges in memory.
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
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile
from wheelrelay.protocols import ByteStream, SupportsRange
from wheelrelay.staged import BLOCK_SIZE


@dataclass(frozen=True, slots=True)
class RangePolicy:
    """When and how a download is divided into ranges.

    Attributes:
        size: Bytes of a range: large enough for a cheap request, small enough to keep several in memory.
        limit: How many ranges of one file are downloaded at the same time.
        min_remaining: Bytes that must remain for a file to be divided.
        measure_after: Seconds until the speed of the connection is assessed.
        waiting_share: The share of time spent waiting for bytes above which the network is the bottleneck.
    """

    size: int = 4 << 20
    limit: int = 4
    min_remaining: int = 32 << 20
    measure_after: float = 1.0
    waiting_share: float = 0.8


DEFAULT_POLICY = RangePolicy()


class RangeExecutor(Protocol):
    """Downloads ranges in other threads."""

    def spare_connections(self) -> int:
        """Return how many additional connections each running transfer may open."""
        ...

    def submit(self, work: Callable[[], list[bytes]]) -> "Future[list[bytes]]":
        """Run work in another thread."""
        ...


class ParallelRangeReader:
    """The bytes of a file from some offset on, in order; a `ByteStream` that must be closed.

    Args:
        stream: The rest of the file, over one connection.
        connection: Closes this connection.
        source: The source, which serves ranges.
        file: The file, with the size that its source declares.
        start: The offset at which ``stream`` begins.
        executor: Downloads the ranges.
        policy: When and how the rest is divided.
        clock: Returns the time in seconds.

    Attributes:
        is_divided: Whether the bytes come over more than one connection.
    """

    def __init__(
        self,
        stream: ByteStream,
        connection: ExitStack,
        *,
        source: SupportsRange,
        file: DistFile,
        start: int,
        executor: RangeExecutor,
        policy: RangePolicy = DEFAULT_POLICY,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.is_divided = False
        self._stream = stream
        self._connection = connection
        self._source = source
        self._file = file
        self._size = file.size or 0
        self._executor = executor
        self._policy = policy
        self._clock = clock
        self._began = clock()
        self._waited = 0.0
        self._offset = start
        self._handover: int | None = None
        """The offset at which the ranges take over from the stream, once that is decided."""
        self._next = start
        """The first offset that is not part of a requested range."""
        self._ranges: deque[tuple[Callable[[], list[bytes]], Future[list[bytes]]]] = deque()
        self._blocks: deque[bytes] = deque()
        self._is_undivided = False
        """Whether dividing was given up."""
        self._closed = Event()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most ``size``; empty at the end.

        Raises:
            BackendError: The source failed.
        """
        if not self.is_divided and self._offset == self._handover:
            self._hand_over()
        block = self._read_ranges(size) if self.is_divided else self._read_stream(size)
        self._offset += len(block)
        return block

    def close(self) -> None:
        """Close all connections; running range downloads end after their next block."""
        self._closed.set()
        for _, future in self._ranges:
            future.cancel()
        self._connection.close()

    def _read_stream(self, size: int) -> bytes:
        began = self._clock()
        limit = size if self._handover is None else min(size, self._handover - self._offset)
        block = self._stream.read(limit)
        now = self._clock()
        self._waited += now - began
        if self._handover is None and not self._is_undivided and self._is_slow(now):
            # One range's worth of bytes still comes over the stream, while the first ranges begin.
            self._handover = self._next = self._offset + len(block) + self._policy.size
            self._request_ranges()
        return block

    def _is_slow(self, now: float) -> bool:
        elapsed = now - self._began
        return (
            elapsed >= self._policy.measure_after
            and self._waited >= self._policy.waiting_share * elapsed
            and self._size - self._offset >= self._policy.min_remaining
            and self._executor.spare_connections() > 0
        )

    def _request_ranges(self) -> None:
        """Start to download more ranges: at least one, and more while connections are spare."""
        limit = max(1, min(self._policy.limit, self._executor.spare_connections()))
        while self._next < self._size and len(self._ranges) < limit:
            stop = min(self._next + self._policy.size, self._size)
            work = partial(self._download, self._next, stop)
            self._ranges.append((work, self._executor.submit(work)))
            self._next = stop

    def _hand_over(self) -> None:
        """Continue with ranges; if the first one fails, continue with the stream, which is still open."""
        try:
            self._blocks.extend(self._next_range())
        except WheelrelayError:
            for _, future in self._ranges:
                future.cancel()
            self._ranges.clear()
            self._handover, self._is_undivided = None, True
        else:
            self.is_divided = True
            self._connection.close()

    def _read_ranges(self, size: int) -> bytes:
        if not self._blocks and self._ranges:
            self._blocks.extend(self._next_range())
        if not self._blocks:
            return b""
        block = self._blocks.popleft()
        if len(block) > size >= 0:
            self._blocks.appendleft(block[size:])
            block = block[:size]
        return block

    def _next_range(self) -> list[bytes]:
        """Return the blocks of the next range in order.

        A range that no thread has begun is downloaded by this thread: waiting for a thread to become free
        could block all threads.
        """
        work, future = self._ranges.popleft()
        self._request_ranges()
        return work() if future.cancel() else future.result()

    def _download(self, start: int, stop: int) -> list[bytes]:
        blocks: list[bytes] = []
        left = stop - start
        with self._source.open_range(self._file, start, stop) as stream:
            while left and not self._closed.is_set() and (block := stream.read(min(left, BLOCK_SIZE))):
                blocks.append(block)
                left -= len(block)
        if left:
            raise Unavailable(f"{self._file.filename}: {left} bytes of a range are missing.")
        return blocks
