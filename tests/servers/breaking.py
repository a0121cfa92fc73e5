"""A gateway to a storage server that breaks each download once, at a byte that a seed selects."""

import hashlib
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.servers.gateway import Gateway, run_gateway
from tests.servers.web import Reply, Request
from wheelrelay import Receipt, Route, relay
from wheelrelay.config import Remote
from wheelrelay.testing import make_wheel

TAGS = ("py3-none-any", "cp312-cp312-win_amd64", "cp313-cp313-win_amd64")

BUFFER = 1 << 19
"""Bytes that a connection may have buffered when it breaks."""


@dataclass
class Breaking:
    """Changes the responses of a server.

    Attributes:
        seed: selects the bytes.
        cuts_parts: serve ranges of files that the server sends only as a whole, like a CDN in front of it.
        sent: the ranges of each file that were sent: the first byte, and the one after the last.
    """

    seed: int
    cuts_parts: bool = False
    sent: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def __call__(self, request: Request, reply: Reply) -> Reply:
        """Return the response for the client."""
        name = unquote(urlsplit(request.path).path).rpartition("/")[2]
        if request.method != "GET" or reply.status not in (200, 206) or not name.endswith(".whl"):
            return reply
        if self.cuts_parts:
            reply = _part(request, reply)
        found = re.match(r"bytes (\d+)-", reply.headers.get("Content-Range", ""))
        start = int(found[1]) if found else 0
        whole = name in self.sent
        stop = reply.size if whole else random.Random(f"{self.seed}{name}").randrange(1, reply.size)
        self.sent.setdefault(name, []).append((start, start + stop))
        return reply if whole else replace(reply, cut_after=stop, declared=reply.size)


def _part(request: Request, reply: Reply) -> Reply:
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if not found or not isinstance(reply.body, bytes):
        return reply
    start, stop = int(found[1]), min(int(found[2]) + 1, reply.size) if found[2] else reply.size
    headers = {**reply.headers, "Content-Range": f"bytes {start}-{stop - 1}/{reply.size}"}
    return replace(reply, body=reply.body[start:stop], status=206, headers=headers)


@contextmanager
def run_breaking(server: str, seed: int, *, cuts_parts: bool = False) -> Iterator[tuple[Gateway, Breaking]]:
    """Run a gateway in front of ``server`` that breaks each file once."""
    breaking = Breaking(seed, cuts_parts)
    with run_gateway(server) as gateway:
        gateway.alter = breaking
        yield gateway, breaking


def make_wheels(folder: Path, seed: int, size: int) -> dict[str, bytes]:
    """Three wheels of a release, by name."""
    generator = random.Random(seed)
    paths = [make_wheel(folder, tag=tag, payload=generator.randbytes(size)) for tag in TAGS]
    return {path.name: path.read_bytes() for path in paths}


def move(source: Remote, sink: Remote) -> Receipt:
    """Relay the release."""
    return relay(Route(source=source, sinks=(sink,)), ["sample==1.0"])


def require_resumed(breaking: Breaking, files: dict[str, bytes], out: Path, slack: int = BUFFER) -> None:
    """Assert that all files arrived, each broke, and at most ``slack`` bytes of each were sent twice."""
    for name, body in files.items():
        assert _digest((out / name).read_bytes()) == _digest(body)
        (_, broken), *rest = breaking.sent[name]
        assert rest, f"{name} did not break"
        assert sum(stop - start for start, stop in rest) <= len(body) - broken + slack


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
