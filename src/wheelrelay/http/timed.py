"""Connections whose responses are read within time limits.

A socket timeout applies to one call, so a server that sends a byte now and then, or an endless series of
``100 Continue``, never exceeds it. Each response is therefore read through a stream with a `ResponseTimer`.
"""

import io
import socket
from http.client import HTTPResponse
from time import monotonic
from typing import TYPE_CHECKING, Any

from wheelrelay.http.limits import ResponseTimer, TimeLimits

if TYPE_CHECKING:
    from urllib3 import PoolManager
    from urllib3.response import HTTPResponse as Urllib3Response

SEND_SIZE = 1 << 16
"""Bytes per call of ``send``: the timeout applies to each call, and slow connections need it."""


class _TimedStream(io.RawIOBase):
    """The data that a socket receives, within the limits of a `ResponseTimer`."""

    def __init__(self, sock: Any, timer: ResponseTimer) -> None:
        self._raw = sock.makefile("rb", buffering=0)
        self._sock = sock
        self._timer = timer

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Receive data.

        Raises:
            TooSlow: it does not arrive in time.
            HeadersTooLong: the headers are too long.
        """
        self._sock.settimeout(self._timer.remaining())
        start = monotonic()
        try:
            size: int | None = self._raw.readinto(buffer)
        except TimeoutError as error:
            raise self._timer.timed_out() from error
        self._timer.record(size or 0, monotonic() - start)
        return size

    def close(self) -> None:
        """Release the socket."""
        self._raw.close()
        super().close()


class _TimedSocket:
    """The part of a socket that `http.client.HTTPResponse` uses."""

    def __init__(self, sock: Any, timer: ResponseTimer) -> None:
        self._sock = sock
        self._timer = timer

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """Return the stream to read from."""
        return io.BufferedReader(_TimedStream(self._sock, self._timer))


class TimedResponse(HTTPResponse):
    """A response whose headers, body and trailers are read within limits."""

    def __init__(self, timer: ResponseTimer, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(_TimedSocket(sock, timer), *args, **options)  # type: ignore[arg-type]
        self._timer = timer

    def begin(self) -> None:
        """Read the headers."""
        super().begin()
        self._timer.headers_complete()

    def _read_and_discard_trailer(self) -> None:
        # A private method of http.client in CPython 3.11 to 3.14, which reads trailers without a limit.
        with self._timer.reading_trailers():
            super()._read_and_discard_trailer()  # type: ignore[misc]


def _timed_connection(base: type[Any], limits: TimeLimits) -> type[Any]:
    """Return a subclass of a connection class that enforces limits."""

    class TimedConnection(base):  # type: ignore[misc]
        """Attaches a `ResponseTimer` to each response, and sends data in blocks of `SEND_SIZE`."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.response_class = self._new_response

        def _new_response(self, sock: socket.socket, *args: Any, **options: Any) -> HTTPResponse:
            self._timer = ResponseTimer(sock.gettimeout() or limits.timeout)
            return TimedResponse(self._timer, sock, *args, **options)

        def getresponse(self) -> "Urllib3Response":
            """Return the response, with its timer."""
            response: Any = super().getresponse()
            response.timer = self._timer
            return response  # type: ignore[no-any-return]

        def send(self, data: Any) -> None:
            """Send data."""
            if self.sock is not None:
                self.sock.settimeout(limits.timeout)
            if not isinstance(data, bytes | bytearray | memoryview) or len(data) <= SEND_SIZE:
                super().send(data)
                return
            view = memoryview(data)
            for start in range(0, len(view), SEND_SIZE):
                super().send(view[start : start + SEND_SIZE])

    return TimedConnection


def enforce_limits(manager: "PoolManager", limits: TimeLimits) -> None:
    """Make all connections that a pool manager opens from now on enforce limits."""
    manager.pool_classes_by_scheme = {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": _timed_connection(pool.ConnectionCls, limits)})
        for scheme, pool in dict[str, Any](manager.pool_classes_by_scheme).items()
    }
