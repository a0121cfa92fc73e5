"""A small web server in the test process, with configurable faults.

>>> with run_web() as web:
...     page = web.serve("/hello.txt", b"hello")
...     read(page)
b'hello'
"""

import base64
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.servers.process import HOST, PATIENCE

BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class Reply:
    """The response for one path.

    Attributes:
        body: The content, or the path of a file with it.
        status: The HTTP status.
        content_type: The media type.
        headers: Additional headers, such as ``Location`` or ``Retry-After``.
        declared: The value of Content-Length; by default the size of the body.
        cut_after: The number of bytes of the body after which the connection is closed.
        delay: Seconds to wait before the response.
        after: An event to wait for before the response.
        pause: Seconds to wait between blocks of the body.
        credentials: The required user name and password; the response without them is 401.
        reason: The reason phrase; by default the usual one of the status.
    """

    body: bytes | Path = b""
    status: int = 200
    content_type: str = "application/octet-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    declared: int | None = None
    cut_after: int | None = None
    delay: float = 0.0
    after: threading.Event | None = None
    pause: float = 0.0
    credentials: tuple[str, str] | None = None
    reason: str | None = None

    @property
    def size(self) -> int:
        """Return the size of the body in bytes."""
        return len(self.body) if isinstance(self.body, bytes) else self.body.stat().st_size

    def blocks(self) -> Iterator[bytes]:
        """Yield the part of the body that is sent."""
        left = self.size if self.cut_after is None else self.cut_after
        if isinstance(self.body, bytes):
            for start in range(0, left, BLOCK):
                yield self.body[start : min(start + BLOCK, left)]
            return
        with self.body.open("rb") as stream:
            while left > 0 and (block := stream.read(min(BLOCK, left))):
                left -= len(block)
                yield block


@dataclass(frozen=True, slots=True)
class Request:
    """A received request; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Web:
    """A running web server; see `run_web`.

    Attributes:
        url: The root, with a slash at the end.
        requests: All requests so far, in the order of arrival.
        most_at_once: The largest number of requests in progress at one time.
        latency: Seconds to wait before every response.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Request] = []
        self.most_at_once = 0
        self.latency = 0.0
        self._replies: dict[str, Reply] = {}
        self._faults: dict[str, list[Reply]] = {}
        self._at_once = 0
        self._lock = threading.Lock()

    def serve(self, path: str, body: bytes | str | Path = b"", **options: Any) -> str:
        """Serve a response at ``path`` from now on, and return its address.

        Args:
            path: The decoded path, with a leading slash and without a query.
            body: The content; a string is served as HTML.
            options: See `Reply`.
        """
        if isinstance(body, str):
            body, options = body.encode(), {"content_type": "text/html; charset=utf-8", **options}
        self._replies[path] = Reply(body, **options)
        return self.url + path.lstrip("/")

    def serve_folder(self, folder: Path, at: str = "/") -> str:
        """Serve the files of ``folder`` and a page with links to them at ``at``; return its address."""
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
        for name in names:
            self.serve(at + name, folder / name)
        links = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
        return self.serve(at, f"<html><body>\n{links}</body></html>")

    def redirect(self, path: str, to: str, *, status: int = 302) -> str:
        """Serve a redirect at ``path``, and return its address."""
        return self.serve(path, status=status, headers={"Location": to})

    def fail(self, path: str, *faults: Reply) -> None:
        """Answer the next requests for ``path`` with one of these replies each, then as before."""
        with self._lock:
            self._faults.setdefault(path, []).extend(faults)

    def forget(self) -> None:
        """Remove all responses, faults and recorded requests."""
        with self._lock:
            for kept in (self.requests, self._replies, self._faults):
                kept.clear()

    def paths(self) -> list[str]:
        """Return the paths of all requests so far."""
        return [request.path for request in self.requests]

    def reply_to(self, request: Request) -> Reply:
        """Return the reply to a request; subclasses override it."""
        path = unquote(urlsplit(request.path).path)
        with self._lock:
            faults = self._faults.get(path)
            if faults:
                return faults.pop(0)
            return self._replies.get(path, Reply(b"There is nothing here.", 404, "text/plain"))

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Read one request, record it, and send the reply."""
        length = int(handler.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = handler.rfile.read(length)
        if len(body) < length:  # the client closed the connection
            handler.close_connection = True
            return
        request = Request(handler.command, handler.path, headers, body)
        with ExitStack() as under_way:
            self._begin(request)
            under_way.callback(self._end)
            reply = _unless_unauthorised(self.reply_to(request), request)
            _send(handler, reply, self.latency, before_last=under_way.close)

    def _begin(self, request: Request) -> None:
        with self._lock:
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)

    def _end(self) -> None:
        with self._lock:
            self._at_once -= 1


@contextmanager
def run_web(*, tls: ssl.SSLContext | None = None, web: type[Web] = Web) -> Iterator[Web]:
    """Run a web server on a free port for the length of the context.

    Args:
        tls: The context for TLS; plain HTTP without it.
        web: A subclass with its own replies.
    """
    server = _Server((HOST, 0), _Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.web = web(f"http{'s' if tls else ''}://{HOST}:{server.server_port}/")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def read(url: str) -> bytes:
    """Return the body of a GET request."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
        return body


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    web: Web

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect: some tests do it on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # small bodies would wait 40 ms for the client to acknowledge the headers
    server: _Server

    def do_GET(self) -> None:
        self.server.web.answer(self)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_PROPFIND = do_GET  # noqa: N815  (the names that http.server calls)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class names it so)
        """Log nothing: `Web.requests` has the requests."""


def _unless_unauthorised(reply: Reply, request: Request) -> Reply:
    if reply.credentials is None:
        return reply
    expected = base64.b64encode(":".join(reply.credentials).encode()).decode()
    if request.headers.get("authorization") == f"Basic {expected}":
        return reply
    return Reply(b"Who are you?", 401, "text/plain", {"WWW-Authenticate": 'Basic realm="test"'})


def _send(
    handler: BaseHTTPRequestHandler, reply: Reply, latency: float, before_last: Callable[[], None]
) -> None:
    """Send the reply; call ``before_last`` before the bytes that complete it for the client."""
    time.sleep(reply.delay + latency)
    if reply.after:
        reply.after.wait(PATIENCE)
    handler.send_response(reply.status, reply.reason)
    handler.send_header("Content-Type", reply.content_type)
    handler.send_header("Content-Length", str(reply.size if reply.declared is None else reply.declared))
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    blocks = iter(()) if handler.command == "HEAD" else reply.blocks()
    last = next(blocks, b"")
    if not last:
        before_last()
    handler.end_headers()
    for block in blocks:
        handler.wfile.write(last)
        time.sleep(reply.pause)
        last = block
    before_last()
    handler.wfile.write(last)
    if reply.cut_after is not None:
        handler.close_connection = True
