"""An index that swallows uploads, in a process of its own: ``python -m tests.benchmarks.sink PORT``.

It keeps no bytes and hashes none: it believes the digest that the form declares, and shows it on the
project's page, so that what is measured is the client. The first part of the path is a space of its
own, as ``/run1/legacy/`` and ``/run1/simple/bench/``: each run finds an empty index.
"""

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.servers.process import HOST

BLOCK = 1 << 20
HEAD_LIMIT = 1 << 20
JSON = "application/vnd.pypi.simple.v1+json"

DIGEST = re.compile(rb'name="sha256_digest"\r\n(?:[^\r\n]+\r\n)*\r\n([0-9a-f]{64})\r\n')
CONTENT = re.compile(rb'name="content"; filename="([^"]+)"')


class Sink(ThreadingHTTPServer):
    """Indexes by the space that they are in: filename and sha256 of all that was uploaded."""

    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self.spaces: dict[str, dict[str, str]] = {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Sink
    scratch = threading.local()

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        head = b""
        while left and not ((content := CONTENT.search(head)) and (digest := DIGEST.search(head))):
            if len(head) > HEAD_LIMIT:
                break
            block = self.rfile.read1(min(left, 1 << 16))
            left -= len(block)
            head += block
        self._swallow(left)
        content, digest = CONTENT.search(head), DIGEST.search(head)
        if not content or not digest:
            self._answer(400, b"The form must declare sha256_digest before its content.", "text/plain")
            return
        space = self.path.split("/")[1]
        self.server.spaces.setdefault(space, {})[content[1].decode()] = digest[1].decode()
        self._answer(200, b"", "text/plain")

    def do_GET(self) -> None:
        _, space, _, project, *_ = [*self.path.split("/"), "", "", ""]
        files = self.server.spaces.get(space, {})
        page = {
            "meta": {"api-version": "1.0"},
            "name": project,
            "files": [
                {"filename": name, "url": f"../../{name}", "hashes": {"sha256": sha256}}
                for name, sha256 in files.items()
            ],
        }
        self._answer(200 if files else 404, json.dumps(page).encode(), JSON)

    def _swallow(self, left: int) -> None:
        scratch = getattr(self.scratch, "block", None)
        if scratch is None:
            scratch = self.scratch.block = memoryview(bytearray(BLOCK))
        while left:
            count = self.rfile.readinto1(scratch[: min(left, BLOCK)])
            if not count:
                raise ConnectionError
            left -= count

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it so)
        """Nothing: printing takes time."""


if __name__ == "__main__":
    Sink(int(sys.argv[1])).serve_forever()
