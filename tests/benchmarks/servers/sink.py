"""Indexes that swallow uploads: ``python -m tests.benchmarks.servers.sink PORT [CERTIFICATE]``.

They keep no bytes and hash none: the digest that the form declares is believed, and shown on the project's
page, so that what is measured is the client. The first part of the path names an index of its own, as
``/run1/legacy/`` and ``/run1/simple/bench/``: each run finds an empty one. ``/run1/`` tells what happened.
"""

import json
import re
import sys
from pathlib import Path

from tests.benchmarks.servers.web import Exchange, serve

FORM_LIMIT = 1 << 20
JSON = "application/vnd.pypi.simple.v1+json"

DIGEST = re.compile(rb'name="sha256_digest"\r\n(?:[^\r\n]+\r\n)*\r\n([0-9a-f]{64})\r\n')
CONTENT = re.compile(rb'name="?content"?; filename="?([^"\r\n]+)"?')


class Index:
    """One index.

    Attributes:
        files: the sha256 of all that was uploaded, by filename.
        requests: how many requests came, by method.
    """

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.requests = {"GET": 0, "POST": 0}

    def take(self, exchange: Exchange) -> None:
        """Take an upload."""
        form = b""
        content = digest = None
        while exchange.left and not (content and digest) and len(form) < FORM_LIMIT:
            form += exchange.read()
            content, digest = CONTENT.search(form), DIGEST.search(form)
        exchange.discard()
        if content and digest:
            self.files[content[1].decode()] = digest[1].decode()
            exchange.answer()
        else:
            exchange.answer(b"The form must declare sha256_digest before its content.", 400)

    def show(self, exchange: Exchange, project: str) -> None:
        """Answer with the project's page of the Simple API."""
        files = [
            {"filename": name, "url": f"../../{name}", "hashes": {"sha256": sha256}}
            for name, sha256 in self.files.items()
        ]
        page = {"meta": {"api-version": "1.0"}, "name": project, "files": files}
        exchange.answer(json.dumps(page).encode(), 200 if files else 404, JSON)


class Sink:
    """Indexes by their names."""

    def __init__(self) -> None:
        self._indexes: dict[str, Index] = {}

    def handle(self, exchange: Exchange) -> None:
        """Answer one request."""
        _, name, *rest = [*exchange.path.partition("?")[0].split("/"), ""]
        index = self._indexes.setdefault(name, Index())
        if not any(rest):
            told = {"files": len(index.files), "requests": index.requests}
            exchange.answer(json.dumps(told).encode(), content_type="application/json")
            return
        index.requests[exchange.method] += 1
        if exchange.method == "POST":
            index.take(exchange)
        else:
            index.show(exchange, rest[1])


if __name__ == "__main__":
    port, *certificate = sys.argv[1:]
    serve(int(port), Sink().handle, *map(Path, certificate))
