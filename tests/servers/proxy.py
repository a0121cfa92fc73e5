"""A proxy for a real package index; it records requests, and drops responses on demand."""

import http.client
import re
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from tests.servers.indexes import IndexServer
from tests.servers.web import Reply, Request, Web, run_web

UPLOADED = re.compile(rb'name="content"; filename="([^"]+)"')

DROPPED = ("connection", "content-length", "date", "server", "transfer-encoding", "keep-alive")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one request.

    Attributes:
        reply: the response; if ``None``, the connection is reset.
        taken: whether the index gets the request, so that only its response is lost.
        after: bytes of the request's body after which the connection is reset.
    """

    reply: Reply | None = None
    taken: bool = False
    after: int | None = None


class Proxy(Web):
    """Forwards requests to an index; see `run_proxy`.

    Attributes:
        index: the URL of the index through this proxy, with the credentials of the real one.
        rewrite: changes the pages of the Simple API.
        pause: additional seconds of each upload.
        connections: the client addresses of all connections so far.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.index = IndexServer(url, url, url)
        self.rewrite: Callable[[bytes], bytes] = lambda page: page
        self.connections: set[tuple[str, int]] = set()
        self._upload_faults: list[tuple[str, Fault]] = []
        self._page_faults: list[Fault] = []

    def stand_before(self, index: IndexServer) -> None:
        """Become the proxy of ``index``."""
        self._upstream = urlsplit(index.url).netloc
        simple, upload = (urlsplit(address).path for address in (index.simple_url, index.upload_url))
        root = self.url.rstrip("/")
        self.index = replace(index, url=self.url, simple_url=root + simple, upload_url=root + upload)

    def fail_upload(self, filename: str, *faults: Fault) -> None:
        """Let the next uploads of a file fail; of any file if the name is empty."""
        self._upload_faults += [(filename, fault) for fault in faults]

    def fail_page(self, *faults: Fault) -> None:
        """Let the next requests for pages of the Simple API fail."""
        self._page_faults += faults

    def uploads(self) -> list[str]:
        """Return the filenames of all uploads so far, in the order of arrival."""
        return [name for name in map(uploaded_name, self.requests) if name]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer as the index does, or as a fault says."""
        with self._lock:
            self.connections.add(handler.client_address)
            cut = next((fault for _, fault in self._upload_faults if fault.after is not None), None)
        if cut and cut.after is not None and handler.command == "POST":
            handler.rfile.read(cut.after)
            self._upload_faults = [(name, fault) for name, fault in self._upload_faults if fault is not cut]
            reset(handler)
            return
        try:
            super().answer(handler)
        except _Reset:
            reset(handler)

    def reply_to(self, request: Request) -> Reply:
        """What the index answers, unless a fault says otherwise."""
        fault = self._fault_of(request)
        if fault is None:
            return self._pass_on(request)
        if fault.taken:
            self._pass_on(request)
        if fault.reply is None:
            raise _Reset
        return fault.reply

    def _fault_of(self, request: Request) -> Fault | None:
        name = uploaded_name(request)
        with self._lock:
            if name:
                found = next((one for one in self._upload_faults if one[0] in ("", name)), None)
                if found:
                    self._upload_faults.remove(found)
                    return found[1]
            elif self._page_faults and "/simple/" in request.path.replace("+", "/"):
                return self._page_faults.pop(0)
        return None

    def _pass_on(self, request: Request) -> Reply:
        connection = http.client.HTTPConnection(self._upstream, timeout=30)
        headers = {name: value for name, value in request.headers.items() if name not in ("host", *DROPPED)}
        connection.request(request.method, request.path, request.body or None, headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in DROPPED}
        content_type = kept.pop("Content-Type", "application/octet-stream")
        if "/simple/" in unquote(request.path).replace("+", "/"):
            body = self.rewrite(body)
        return Reply(body, answer.status, content_type, kept)


class _Reset(Exception):
    """The connection is to be reset without an answer."""


def uploaded_name(request: Request) -> str | None:
    """Return the filename in an upload request; empty for other requests."""
    found = UPLOADED.search(request.body) if request.method == "POST" else None
    return found[1].decode() if found else None


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Reset the connection, like a server that crashes."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.rfile.close()
    handler.connection.close()
    handler.close_connection = True


@contextmanager
def run_proxy(index: IndexServer) -> Iterator[Proxy]:
    """Run a proxy for ``index``."""
    with run_web(web=Proxy) as proxy:
        assert isinstance(proxy, Proxy)
        proxy.stand_before(index)
        yield proxy
