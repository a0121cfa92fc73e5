"""A package index that responds to uploads like PyPI, records them, and fails on demand.

It parses the form, refuses duplicate content and names that were used before, closes a release after 14
days, and lists its files with the JSON Simple API 1.4, optionally with a delay. It runs in a thread of the
test, which can read its state and hold requests at certain points at any time.
"""

import base64
import html
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from time import monotonic, sleep
from urllib.parse import unquote, urlsplit

from tests.servers.proxy import reset
from tests.servers.pypi_rules import Form, parse_form
from tests.servers.pypi_stock import Stock
from tests.servers.pypi_troubles import Point, Troubles, Upload
from tests.servers.web import Reply, Request, Web, run_web

TOKEN = "pypi-open-sesame"
JSON_TYPE = "application/vnd.pypi.simple.v1+json"


class PyPI(Stock, Troubles, Web):
    """The index; see `run_pypi` and the base classes.

    Attributes:
        simple_url: of the Simple API.
        upload_url: of the upload API.
        accounts: passwords by user name, for uploads.
        uploads: all uploads, in the order of arrival.
        slowness: additional seconds of each upload.
        most_uploads_at_once: the highest number of parallel uploads.
    """

    def __init__(self, url: str) -> None:
        Stock.__init__(self)
        Troubles.__init__(self)
        Web.__init__(self, url)
        self.simple_url, self.upload_url = f"{url}simple/", f"{url}legacy/"
        self.accounts = {"__token__": TOKEN}
        self.uploads: list[Upload] = []
        self.slowness = 0.0
        self.most_uploads_at_once = 0
        self._uploads_at_once = 0

    def give_out(self, filename: str, content: bytes) -> None:
        """Serve other bytes than were uploaded, with the old digest."""
        self.serve(f"/files/{filename}", content)

    def sent(self) -> list[str]:
        """Return the filenames of all uploads so far, in the order of arrival."""
        with self._lock:
            return [upload.filename for upload in self.uploads]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Respond to one request, or reset its connection."""
        try:
            if handler.command == "POST" and handler.path == "/legacy/":
                self._answer_upload(handler)
            else:
                super().answer(handler)
        except _Reset:
            reset(handler)

    def reply_to(self, request: Request) -> Reply:
        """Return a page of the Simple API, a file, or another served page."""
        path = unquote(urlsplit(request.path).path)
        kind, _, name = path.strip("/").partition("/")
        if kind == "files" and name in self.files and path not in self._replies:
            self.meet(Point.FILE, name)
            return Reply(self.files[name].content)
        if kind != "simple":
            return super().reply_to(request)
        self.meet(Point.PAGE)
        trouble = self.next_page_trouble() if self.uploads else None
        if trouble is None:
            return self._page(name)
        if trouble.status is None:
            raise _Reset
        return Reply(trouble.words.encode(), trouble.status, "text/plain", trouble.headers())

    def _answer_upload(self, handler: BaseHTTPRequestHandler) -> None:
        entry = Upload()
        with self._lock:
            self.uploads.append(entry)
            self._uploads_at_once += 1
            self.most_uploads_at_once = max(self.most_uploads_at_once, self._uploads_at_once)
        try:
            entry.status, entry.words, headers = self._handle_upload(handler, entry)
        finally:
            entry.ended = monotonic()
            with self._lock:
                self._uploads_at_once -= 1
        _send_words(handler, entry.status, entry.words, headers)

    def _handle_upload(
        self, handler: BaseHTTPRequestHandler, entry: Upload
    ) -> tuple[int, str, Mapping[str, str]]:
        self.meet(Point.ARRIVING)
        length = int(handler.headers["Content-Length"])
        cut = self.next_trouble("", in_body=True)
        body = handler.rfile.read(length if cut is None else min(length, cut.in_body or 0))
        if cut is not None or len(body) < length:
            raise _Reset
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._lock:
            self.requests.append(Request("POST", handler.path, headers, b""))
        form = parse_form(headers["content-type"], body)
        entry.filename = form.filename
        self.meet(Point.RECEIVED, form.filename)
        sleep(self.slowness)
        trouble = self.next_trouble(form.filename)
        status, words = 0, ""
        if trouble is None or trouble.taken:
            status, words = self._take(form, headers.get("authorization", ""))
        self.meet(Point.TAKEN, form.filename)
        if trouble is None:
            return status, words, {}
        if trouble.status is None:
            raise _Reset
        return trouble.status, trouble.words, trouble.headers()

    def _take(self, form: Form, authorization: str) -> tuple[int, str]:
        """Publish a file, or refuse it with the reason."""
        if not self._may_upload(authorization):
            return 403, "Invalid or non-existent authentication information."
        if problem := self._problem_with_attestations(form):
            return 400, f"Invalid attestations supplied during upload: {problem}"
        return self.publish(form)

    def _problem_with_attestations(self, form: Form) -> str | None:
        """Return why the attestations of an upload are refused; here, any attestation is."""
        supported = "attestations are only supported when using Trusted Publishing"
        return supported if form["attestations"] else None

    def _page(self, name: str) -> Reply:
        document = self.page(name) if name else self.root()
        if document is None:
            return Reply(b"<html><h1>404 Not Found</h1></html>", 404, "text/html")
        return Reply(json.dumps(document).encode(), content_type=JSON_TYPE)

    def _may_upload(self, authorization: str) -> bool:
        pairs = {base64.b64encode(f"{user}:{word}".encode()).decode() for user, word in self.accounts.items()}
        return authorization.removeprefix("Basic ") in pairs


class _Reset(Exception):
    """The connection is reset without a response."""


def _send_words(handler: BaseHTTPRequestHandler, status: int, words: str, headers: Mapping[str, str]) -> None:
    """Respond like PyPI: the reason is in the status line and in an HTML page."""
    title = f"{status} {html.escape(words)}"
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>".encode()
    handler.send_response(status, words)
    handler.send_header("Content-Type", "text/html; charset=UTF-8")
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def run_pypi() -> Iterator[PyPI]:
    """Run an empty index for the duration of the context."""
    with run_web(web=PyPI) as index:
        assert isinstance(index, PyPI)
        try:
            yield index
        finally:
            index.let_all_go()
