"""A listing and its files, served by a process of its own: ``python -m tests.benchmarks.source FOLDER PORT``.

Files go out by ``sendfile``, so that this server is not what is measured.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.servers.process import HOST


class Source(ThreadingHTTPServer):
    """Serves the files of one folder, and at its root a page that links to them."""

    request_queue_size = 128
    folder: Path


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Source

    def do_GET(self) -> None:
        path = self.server.folder / self.path.lstrip("/")
        if path == self.server.folder:
            links = [f'<a href="{one.name}">{one.name}</a>\n' for one in sorted(path.iterdir())]
            page = "".join(links).encode()
            self._head(200, len(page), "text/html; charset=utf-8")
            self.wfile.write(page)
        elif path.parent == self.server.folder and path.is_file():
            self._head(200, path.stat().st_size, "application/octet-stream")
            with path.open("rb") as stream:
                self.connection.sendfile(stream)
        else:
            self._head(404, 0, "text/plain")

    def _head(self, status: int, length: int, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it so)
        """Nothing: printing takes time."""


if __name__ == "__main__":
    server = Source((HOST, int(sys.argv[2])), _Handler)
    server.folder = Path(sys.argv[1])
    server.serve_forever()
