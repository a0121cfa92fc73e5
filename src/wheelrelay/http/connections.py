"""Connections of urllib3 that hold a server to the limits of `wheelrelay.http.limits`.

A timeout of a socket counts for one call. A server that sends a byte now and then, or one ``100 Continue``
after the other, never exceeds it. So each answer is read through a stream that knows how long it may take.
"""

import io
import socket
from http.client import HTTPResponse
from time import monotonic
from typing import TYPE_CHECKING, Any

from wheelrelay.http.limits import TimeLimits, Watch

if TYPE_CHECKING:
    from urllib3 import PoolManager
    from urllib3.response import HTTPResponse as Urllib3Response

SLICE = 1 << 16
"""Bytes that are sent at once: each has the whole timeout, and a slow line needs it."""


class _WatchedStream(io.RawIOBase):
    """What a socket receives, within the limits of a `Watch`."""

    def __init__(self, sock: Any, watch: Watch) -> None:
        self._raw = sock.makefile("rb", buffering=0)
        self._sock = sock
        self._watch = watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Receive some bytes.

        Raises:
            TooSlow: they do not come in time.
            HeadersTooLong: too many came before the body.
        """
        self._sock.settimeout(self._watch.retry_policy())
        began = monotonic()
        try:
            size: int | None = self._raw.readinto(buffer)
        except TimeoutError as error:
            raise self._watch.silent() from error
        self._watch.note(size or 0, monotonic() - began)
        return size

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


class _WatchedSocket:
    """What `http.client.HTTPResponse` needs of a socket."""

    def __init__(self, sock: Any, watch: Watch) -> None:
        self._sock = sock
        self._watch = watch

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """The stream to read from."""
        return io.BufferedReader(_WatchedStream(self._sock, self._watch))


class _WatchedAnswer(HTTPResponse):
    """An answer whose headers and body are held to limits."""

    def __init__(self, watch: Watch, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(_WatchedSocket(sock, watch), *args, **options)  # type: ignore[arg-type]
        self._watch = watch

    def begin(self) -> None:
        """Read the headers."""
        super().begin()
        self._watch.headers_arrived()

    def _read_and_discard_trailer(self) -> None:
        """Read the header lines that may follow a chunked body, which `http.client` does without limits."""
        with self._watch.in_trailer():
            super()._read_and_discard_trailer()  # type: ignore[misc]  # (it is there in CPython 3.11 to 3.14)


def _watching(base: type[Any], limits: TimeLimits) -> type[Any]:
    """A class of connections that are held to limits."""

    class Watching(base):  # type: ignore[misc]
        """Its answers have a `Watch`; what is sent goes in slices, each with the whole timeout."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.response_class = self._new_answer

        def _new_answer(self, sock: socket.socket, *args: Any, **options: Any) -> HTTPResponse:
            self._watch = Watch(sock.gettimeout() or limits.timeout)
            return _WatchedAnswer(self._watch, sock, *args, **options)

        def getresponse(self) -> "Urllib3Response":
            """The answer, with its `Watch`."""
            response: Any = super().getresponse()
            response.watch = self._watch
            return response  # type: ignore[no-any-return]

        def send(self, data: Any) -> None:
            """Send bytes."""
            if self.sock is not None:
                self.sock.settimeout(limits.timeout)
            if not isinstance(data, bytes | bytearray | memoryview) or len(data) <= SLICE:
                super().send(data)
                return
            view = memoryview(data)
            for start in range(0, len(view), SLICE):
                super().send(view[start : start + SLICE])

    return Watching


def hold_to(limits: TimeLimits, manager: "PoolManager") -> None:
    """Let all connections that a pool manager opens from now on be held to limits."""
    manager.pool_classes_by_scheme = {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": _watching(pool.ConnectionCls, limits)})
        for scheme, pool in dict[str, Any](manager.pool_classes_by_scheme).items()
    }
