"""A gateway to a real storage server; it forwards requests, and drops or replaces some responses."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.servers.proxy import DROPPED, reset
from tests.servers.web import Reply, Request, Web, run_web

When = Callable[[Request], bool]


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a request.

    Attributes:
        when: whether it applies to a request.
        reply: the response; if ``None``, the connection is reset.
        taken: whether the server gets the request, so that only its response is lost.
    """

    when: When
    reply: Reply | None
    taken: bool


class Gateway(Web):
    """Forwards requests to a server; see `run_gateway`.

    Attributes:
        change: called with each request, returns the one to forward.
        alter: called with each request and its response, returns the response to send.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.change: Callable[[Request], Request] = lambda request: request
        self.alter: Callable[[Request, Reply], Reply] = lambda _, reply: reply
        self._pending: list[Fault] = []

    def stand_before(self, server: str) -> None:
        """Forward requests to ``server``."""
        self._upstream = urlsplit(server).netloc

    def fault(self, when: When, reply: Reply | None = None, *, taken: bool = False, times: int = 1) -> None:
        """Let the next ``times`` requests that ``when`` selects fail; see `Fault`."""
        with self._lock:
            self._pending += [Fault(when, reply, taken)] * times

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Return the response of the server or of a fault."""
        try:
            super().answer(handler)
        except _Reset:
            reset(handler)

    def reply_to(self, request: Request) -> Reply:
        """Return the response of the server, unless a fault replaces it."""
        fault = self._take_fault(request)
        if fault is None:
            return self.alter(request, self._pass_on(request))
        if fault.taken:
            self._pass_on(request)
        if fault.reply is None:
            raise _Reset
        return fault.reply

    def _take_fault(self, request: Request) -> Fault | None:
        with self._lock:
            found = next((fault for fault in self._pending if fault.when(request)), None)
            if found:
                self._pending.remove(found)
            return found

    def _pass_on(self, request: Request) -> Reply:
        request = self.change(request)
        connection = http.client.HTTPConnection(self._upstream, timeout=60)
        # S3's signatures cover the client's Host header, so it is forwarded.
        headers = {name: value for name, value in request.headers.items() if name not in ("expect", *DROPPED)}
        connection.request(request.method, request.path, request.body or None, headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in DROPPED}
        own_name = next((name for name in kept if name.lower() == "content-type"), "Content-Type")
        content_type = kept.pop(own_name, "application/octet-stream")
        length = answer.getheader("Content-Length")
        declared = int(length) if request.method == "HEAD" and length else None
        return Reply(body, answer.status, content_type, kept, declared=declared)


class _Reset(Exception):
    """The connection is reset without a response."""


@contextmanager
def run_gateway(server: str) -> Iterator[Gateway]:
    """Run a gateway in front of ``server``, an address such as ``http://127.0.0.1:8080``."""
    with run_web(web=Gateway) as gateway:
        assert isinstance(gateway, Gateway)
        gateway.stand_before(server)
        yield gateway
