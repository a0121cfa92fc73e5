"""A server that breaks every file once, at some byte: the files arrive, and none of it comes twice."""

import hashlib
import json
import random
import re
from dataclasses import dataclass, field

import pytest
from tests.servers.breaking import make_wheels, move, require_resumed, run_breaking
from tests.servers.raw import RESET, answer, run_raw

from wheelrelay import Route, relay
from wheelrelay.backends.fsspec import FsspecConfig
from wheelrelay.config import as_remote
from wheelrelay.http.response import MAX_READ
from wheelrelay.testing import make_wheel

JSON = "application/vnd.pypi.simple.v1+json"

TAGS = ("py3-none-any", "cp312-cp312-win_amd64", "cp313-cp313-win_amd64")


@dataclass
class Breaking:
    """Wheels behind a server that breaks off each of them once.

    Attributes:
        sent: the bytes of files that were given out, by path: the first byte, and the one after the last.
    """

    files: dict[str, bytes]
    how: str
    seed: int
    sent: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def __call__(self, asked):
        name = asked.path.rpartition("/")[2]
        if name in self.files:
            return self._file(name, asked)
        if asked.path not in ("/", "/simple/sample/"):
            return [answer(b"no", status="404 Not Found")]
        if "json" in asked.headers.get("accept", "") and self.how != "html":
            return [answer(self._json(), kind=JSON)]
        return [answer(self._html(), kind="text/html")]

    def _file(self, name, asked):
        body = self.files[name]
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("range", ""))
        start = int(found[1]) if found else 0
        stop = int(found[2]) + 1 if found and found[2] else len(body)
        ranges = self.sent.setdefault(name, [])
        cut = random.Random(f"{self.seed}{name}").randrange(1, len(body)) if not ranges else stop
        ranges.append((start, cut))
        status, more = "200 OK", ["Accept-Ranges: bytes"]
        if found:
            status, more = "206 Partial Content", [f"Content-Range: bytes {start}-{stop - 1}/{len(body)}"]
        yield answer(body[start:cut], *more, status=status, length=stop - start, kind="application/zip")
        if cut < stop and self.seed % 2:
            yield RESET

    def _json(self):
        files = [
            {"filename": name, "url": f"/f/{name}", "size": len(body), "hashes": {"sha256": sha256(body)}}
            for name, body in self.files.items()
        ]
        return json.dumps({"meta": {"api-version": "1.1"}, "name": "sample", "files": files}).encode()

    def _html(self):
        links = (f'<a href="/f/{name}#sha256={sha256(body)}">x</a>' for name, body in self.files.items())
        return f'<meta name="pypi:repository-version" content="1.0">Links for sample{"".join(links)}'.encode()


def sha256(body):
    """The digest of some bytes."""
    return hashlib.sha256(body).hexdigest()


SOURCES = {
    "an index in JSON": ("json", lambda url: f"index+{url}simple/"),
    "an index in HTML": ("html", lambda url: f"index+{url}simple/"),
    "a listing": ("html", lambda url: f"listing+{url}"),
    "a web address": ("json", lambda url: f"{url}simple/"),
}


def move_all(tmp_path, source, seed, size):
    """Relay the wheels, and compare what was fetched with what was needed."""
    generator = random.Random(seed)
    wheels = [make_wheel(tmp_path / "d", tag=tag, payload=generator.randbytes(size)) for tag in TAGS]
    how, address = SOURCES[source]
    server = Breaking({path.name: path.read_bytes() for path in wheels}, how, seed)
    with run_raw(server) as raw:
        source, sink = as_remote(address(raw.url)), as_remote(str(tmp_path / "out"))
        route = Route(source=source, sinks=(sink,))
        receipt = relay(route, ["sample==1.0"])
    assert receipt.is_complete
    for name, body in server.files.items():
        assert (tmp_path / "out" / name).read_bytes() == body
        (_, broken), *rest = server.sent[name]
        fetched = sum(stop - start for start, stop in rest)
        if seed % 2 == 0:  # after a reset, what this machine had not read yet is lost as well
            assert fetched <= len(body) - broken + MAX_READ  # what was in a buffer comes twice


@pytest.mark.parametrize("source", SOURCES)
def test_broken_download_resumes(tmp_path, source):
    move_all(tmp_path, source, seed=2, size=3 << 20)


@pytest.mark.long
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("seed", range(2, 12))
def test_broken_download_resumes_at_any_byte(tmp_path, source, seed):
    move_all(tmp_path, source, seed=seed, size=5 << 20)


@pytest.mark.parametrize("seed", [2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 9))])
def test_broken_download_from_pypi_resumes(tmp_path, pypi, seed):
    files = make_wheels(tmp_path / "dist", seed, 1_500_000)
    for name in files:
        pypi.take(tmp_path / "dist" / name)
    with run_breaking(pypi.url, seed, cuts_parts=True) as (gateway, breaking):
        source = as_remote(f"index+{gateway.url}simple/")
        assert move(source, as_remote(str(tmp_path / "out"))).is_complete
    require_resumed(breaking, files, tmp_path / "out")


@pytest.mark.parametrize("seed", [2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 9))])
def test_file_without_digest_is_downloaded_again_over_fsspec(tmp_path, web, seed):
    """Without a digest nothing proves that both parts are of one file, so the bound is one more file."""
    files = make_wheels(tmp_path / "dist", seed, 1_500_000)
    web.serve_folder(tmp_path / "dist", at="/w/")
    for name, body in files.items():
        web.serve(f"/w/{name}", body)
    with run_breaking(web.url, seed, cuts_parts=True) as (gateway, breaking):
        source = as_remote(FsspecConfig(url=f"{gateway.url}w"))
        assert move(source, as_remote(str(tmp_path / "out"))).is_complete
    require_resumed(breaking, files, tmp_path / "out", slack=max(map(len, files.values())))
