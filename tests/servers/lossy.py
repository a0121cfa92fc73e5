"""A proxy that forwards uploads to a server, and drops the responses."""

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from tests.servers.process import HOST
from tests.servers.proxy import UPLOADED, reset

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "COPY")

WRITES = ("PUT", "POST")

WRITTEN = re.compile(r"(\.whl|\.tar\.gz|\.asc|\.metadata|simple/sample/index\.(html|json))$")
"""The suffixes of published files."""

HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "date", "server")


class Lossy:
    """Forwards requests unchanged to a server; see `run_lossy`.

    Attributes:
        url: of this end, without a slash at the end.
        how: what replaces a dropped response: a ``reset`` of the connection, or a status.
        lost: the names of uploads whose response was dropped, each once.
    """

    def __init__(self, url: str, server: str, how: str) -> None:
        self.url = url
        self.how = how
        self.lost: list[str] = []
        self._server = urlsplit(server).netloc
        self._lock = threading.Lock()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Forward a request and its response; the first response for each name is dropped."""
        body = _body_of(handler)
        connection = http.client.HTTPConnection(self._server, timeout=60)
        connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
        for name, value in handler.headers.items():
            if name.lower() not in (*HOP_BY_HOP, "content-length", "expect"):
                connection.putheader(name, value)
        if body or handler.command in WRITES:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status < 300 and self._loses(handler, body):
            self._lose(handler)
        else:
            _send(handler, answer, content)

    def _loses(self, handler: BaseHTTPRequestHandler, body: bytes) -> bool:
        if handler.command not in WRITES:
            return False
        uploaded = UPLOADED.search(body)
        path = unquote(urlsplit(handler.path).path)
        name = uploaded[1].decode() if uploaded else path
        with self._lock:
            if not WRITTEN.search(name) or name in self.lost:
                return False
            self.lost.append(name)
            return True

    def _lose(self, handler: BaseHTTPRequestHandler) -> None:
        if self.how == "reset":
            reset(handler)
            return
        handler.send_response_only(int(self.how))
        handler.send_header("Content-Length", "0")
        handler.end_headers()


def _body_of(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    body = bytearray()
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    while handler.rfile.readline().strip():
        pass
    return bytes(body)


def _send(handler: BaseHTTPRequestHandler, answer: http.client.HTTPResponse, content: bytes) -> None:
    handler.send_response_only(answer.status, answer.reason)
    headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
    for name, value in headers:
        handler.send_header(name, value)
    if not any(name.lower() == "content-length" for name, _ in headers):
        handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


@contextmanager
def run_lossy(server: str, how: str = "reset") -> Iterator[Lossy]:
    """Run a proxy in front of ``server``, an address like ``http://127.0.0.1:8080``."""

    lossy: Lossy

    def answer(handler: BaseHTTPRequestHandler) -> None:
        lossy.answer(handler)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    for method in METHODS:
        setattr(Handler, f"do_{method}", answer)
    with ThreadingHTTPServer((HOST, 0), Handler) as httpd:
        httpd.daemon_threads = True
        lossy = Lossy(f"http://{HOST}:{httpd.server_port}", server, how)
        thread = threading.Thread(target=httpd.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield lossy
        finally:
            httpd.shutdown()
            thread.join()
