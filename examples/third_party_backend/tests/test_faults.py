"""Unclear answers are errors: never absence, an empty folder, or success."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from wheelrelay.errors import BackendError, NotFound, Unavailable
from wheelrelay_webdav.dav import Dav
from wheelrelay_webdav.objects import WebDavObjects

Answering = Callable[..., WebDavObjects]

EMPTY = b'<?xml version="1.0"?><multistatus xmlns="DAV:"/>'
FORBIDDEN = (
    b'<?xml version="1.0"?><multistatus xmlns="DAV:"><response><href>/wheels/a</href>'
    b"<status>HTTP/1.1 403 Forbidden</status></response></multistatus>"
)


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Return the objects of a folder on a server with these answers by method."""
    answers: dict[str, tuple[int, bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = answers.get(self.command, (201, b""))
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PROPFIND = do_PUT = do_MOVE = do_MKCOL = do_DELETE = do_GET = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Do not log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(**known: tuple[int, bytes]) -> WebDavObjects:
        answers.update(known)
        return WebDavObjects(Dav(f"http://127.0.0.1:{server.server_port}/wheels/", None))

    yield serve
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("body", [EMPTY, FORBIDDEN, b"<html/>", b"Welcome!", b""])
def test_answer_without_the_requested_path_is_an_error(answering: Answering, body: bytes) -> None:
    objects = answering(PROPFIND=(207, body))
    with pytest.raises(BackendError):
        list(objects.list_objects())
    with pytest.raises(BackendError) as unknown:
        objects.stat_object("a")
    assert not isinstance(unknown.value, NotFound)


@pytest.mark.parametrize("method", ["PUT", "MOVE", "MKCOL"])
@pytest.mark.parametrize("status", [202, 207, 302, 403, 500])
def test_incomplete_write_is_an_error(answering: Answering, method: str, status: int) -> None:
    objects = answering(**{method: (status, FORBIDDEN)})
    with pytest.raises(BackendError):
        objects.create_object("a/b", b"x", content_type="text/plain", metadata={})


@pytest.mark.parametrize("status", [207, 403])
def test_failed_delete_is_an_error(answering: Answering, status: int) -> None:
    with pytest.raises(BackendError):
        answering(DELETE=(status, FORBIDDEN)).delete_object("a")


def test_busy_server_is_unavailable(answering: Answering) -> None:
    with pytest.raises(Unavailable):
        answering(PROPFIND=(503, b"")).stat_object("a")
