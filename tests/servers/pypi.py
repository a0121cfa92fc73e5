"""A package index that answers uploads as PyPI does, keeps a diary, and fails when a test tells it to.

It takes the form apart, knows duplicates by their content and names that were used before, closes a release
after 14 days, and shows its files by the JSON Simple API 1.4, late if so told. It is a server in a thread of
the test, which may look at its state, and hold requests at a point of their way, at any time.
"""

import base64
import hashlib
import html
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from tests.servers.proxy import reset
from tests.servers.pypi_rules import Form, parse_form, problems_of
from tests.servers.pypi_troubles import Hold, Point, Trouble, Upload
from tests.servers.web import Reply, Request, Web, run_web
from wheelrelay.filenames import dist_file
from wheelrelay.model import DistFile, Kind

TOKEN = "pypi-open-sesame"
JSON_TYPE = "application/vnd.pypi.simple.v1+json"
WINDOW = timedelta(days=14)
HELP = "See https://pypi.org/help/#file-name-reuse for more information."


@dataclass(frozen=True, slots=True)
class Published:
    """A file that the index has.

    Attributes:
        file: name, project and version; size and upload time.
        content: its bytes.
        shown_at: when the Simple API shows it, by the monotonic clock.
    """

    file: DistFile
    content: bytes
    shown_at: float

    @property
    def sha256(self) -> str:
        """Of the content."""
        return hashlib.sha256(self.content).hexdigest()


class PyPI(Web):
    """The index; see `run_pypi`.

    Attributes:
        simple_url: of the Simple API.
        upload_url: of the upload API.
        accounts: passwords by user name; nobody else may upload.
        uploads: the diary, in the order of arrival.
        files: what it has, by filename.
        statuses: of projects (PEP 792).
        lag: seconds until the Simple API shows a new file.
        slowness: seconds that each upload takes longer.
        max_file_size: bytes.
        most_uploads_at_once: how many uploads there were at one time, at most.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.simple_url, self.upload_url = f"{url}simple/", f"{url}legacy/"
        self.accounts = {"__token__": TOKEN}
        self.uploads: list[Upload] = []
        self.files: dict[str, Published] = {}
        self.statuses: dict[str, str] = {}
        self.lag = self.slowness = 0.0
        self.max_file_size = 100 << 20
        self.most_uploads_at_once = 0
        self._uploads_at_once = 0
        self._used: set[str] = set()
        self._upload_troubles: list[tuple[str, Trouble]] = []
        self._page_troubles: list[Trouble] = []
        self._holds: list[Hold] = []

    # What tests do

    def trouble(self, filename: str, *troubles: Trouble) -> None:
        """Let the next uploads of a file, of any if it is empty, go wrong."""
        with self._lock:
            self._upload_troubles += [(filename, trouble) for trouble in troubles]

    def trouble_with_pages(self, *troubles: Trouble) -> None:
        """Let the next requests for pages of the Simple API go wrong, from the first upload on."""
        with self._lock:
            self._page_troubles += troubles

    def hold(self, point: Point, filename: str = "", *, number: int = 1) -> Hold:
        """Hold requests at a point of their way.

        Args:
            point: where.
            filename: hold only requests about this file; not for pages, or where the form is not read yet.
            number: the first that is held, counted from 1 on and from now on.
        """
        made = Hold(point, filename, number)
        with self._lock:
            self._holds.append(made)
        return made

    def let_all_go(self) -> None:
        """End all holds."""
        with self._lock:
            held, self._holds = self._holds, []
        for hold in held:
            hold.let_go()

    def delete(self, filename: str) -> None:
        """Take a file away; its name cannot be used again."""
        with self._lock:
            del self.files[filename]

    def forget(self, filename: str) -> None:
        """Take a file away as if it had never been there."""
        with self._lock:
            del self.files[filename]
            self._used.discard(filename)

    def take(self, path: Path) -> None:
        """Take a file from elsewhere than the upload API, whatever it is."""
        content = path.read_bytes()
        file = dist_file(path.name, size=len(content), upload_time=datetime.now(UTC))
        with self._lock:
            self.files[path.name] = Published(file, content, monotonic())
            self._used.add(path.name)

    def give_out(self, filename: str, content: bytes) -> None:
        """Give out other bytes than were taken, and show the old digest."""
        self.serve(f"/files/{filename}", content)

    def show_all(self) -> None:
        """Show all files at once."""
        with self._lock:
            self.files = {name: replace(there, shown_at=0.0) for name, there in self.files.items()}

    def yank(self, filename: str, reason: str = "") -> None:
        """Mark a file as yanked (PEP 592)."""
        self._change(filename, yanked=reason)

    def age(self, **time: float) -> None:
        """Make all files older."""
        for name, there in list(self.files.items()):
            assert there.file.upload_time
            self._change(name, upload_time=there.file.upload_time - timedelta(**time))

    def digests(self) -> dict[str, str]:
        """The sha256 of all files by name."""
        with self._lock:
            return {name: there.sha256 for name, there in self.files.items()}

    def sent(self) -> list[str]:
        """The filenames of all uploads so far, in the order of arrival."""
        with self._lock:
            return [upload.filename for upload in self.uploads]

    # What clients see

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request, or reset its connection."""
        try:
            if handler.command == "POST" and handler.path == "/legacy/":
                self._answer_upload(handler)
            else:
                super().answer(handler)
        except _Reset:
            reset(handler)

    def reply_to(self, request: Request) -> Reply:
        """A page of the Simple API, a file, or whatever was served beside them."""
        path = unquote(urlsplit(request.path).path)
        kind, _, name = path.strip("/").partition("/")
        if kind == "files" and name in self.files and path not in self._replies:
            self._meet(Point.FILE, name)
            return Reply(self.files[name].content)
        if kind != "simple":
            return super().reply_to(request)
        self._meet(Point.PAGE)
        with self._lock:
            trouble = self._page_troubles.pop(0) if self._page_troubles and self.uploads else None
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
        self._meet(Point.ARRIVING)
        length = int(handler.headers["Content-Length"])
        cut = self._next_trouble("", in_body=True)
        body = handler.rfile.read(length if cut is None else min(length, cut.in_body or 0))
        if cut is not None or len(body) < length:
            raise _Reset
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._lock:
            self.requests.append(Request("POST", handler.path, headers, b""))
        form = parse_form(headers["content-type"], body)
        entry.filename = form.filename
        self._meet(Point.RECEIVED, form.filename)
        sleep(self.slowness)
        trouble = self._next_trouble(form.filename)
        status, words = 0, ""
        if trouble is None or trouble.taken:
            status, words = self._take(form, headers.get("authorization", ""))
        self._meet(Point.TAKEN, form.filename)
        if trouble is None:
            return status, words, {}
        if trouble.status is None:
            raise _Reset
        return trouble.status, trouble.words, trouble.headers()

    def _take(self, form: Form, authorization: str) -> tuple[int, str]:
        """Publish a file, or say why not."""
        if not self._may_upload(authorization):
            return 403, "Invalid or non-existent authentication information."
        refusal = next(problems_of(form), None)
        if refusal:
            return 400, refusal
        if len(form.content) > self.max_file_size:
            return 400, f"File too large. Limit for project is {self.max_file_size >> 20} MB."
        now = datetime.now(UTC)
        file = dist_file(form.filename, size=len(form.content), upload_time=now)
        with self._lock:
            answer = self._refusal(file, form, now)
            if answer is None:
                shown_at = monotonic() + self.lag
                self.files[file.filename] = Published(file, form.content, shown_at)
                self._used.add(file.filename)
        return answer or (200, "OK")

    def _refusal(self, file: DistFile, form: Form, now: datetime) -> tuple[int, str] | None:
        """The answer to a file that is not new, or may not come any more."""
        if self.statuses.get(file.project) in ("archived", "quarantined"):
            return 403, f"Project {file.project} is {self.statuses[file.project]}."
        there = self.files.get(file.filename)
        if there and there.sha256 == form.sha256:
            return 200, "OK"
        copy = next((name for name, one in self.files.items() if one.sha256 == form.sha256), None)
        if there or copy:
            return 400, f"File already exists ({copy or file.filename!r}). {HELP}"
        if file.filename in self._used:
            return 400, f"This filename was previously used by a file that has since been deleted. {HELP}"
        release = [
            one.file
            for one in self.files.values()
            if (one.file.project, one.file.version) == (file.project, file.version)
        ]
        if file.kind is Kind.SDIST and any(one.kind is Kind.SDIST for one in release):
            return 400, "Only one sdist may be uploaded per release."
        if any(one.upload_time and now - one.upload_time > WINDOW for one in release):
            return 400, "This release is closed: its first file is more than 14 days old."
        return None

    def _page(self, name: str) -> Reply:
        if not name:
            names = sorted({there.file.project for there in self.files.values()})
            document = {"meta": {"api-version": "1.4"}, "projects": [{"name": one} for one in names]}
            return Reply(json.dumps(document).encode(), content_type=JSON_TYPE)
        project = canonicalize_name(name)
        with self._lock:
            mine = [there for there in self.files.values() if there.file.project == project]
            state = self.statuses.get(project, "active")
        shown = [there for there in mine if there.shown_at <= monotonic() and state != "quarantined"]
        if not shown and state == "active":
            return Reply(b"<html><h1>404 Not Found</h1></html>", 404, "text/html")
        return Reply(json.dumps(_document(project, shown, state)).encode(), content_type=JSON_TYPE)

    def _may_upload(self, authorization: str) -> bool:
        pairs = {base64.b64encode(f"{user}:{word}".encode()).decode() for user, word in self.accounts.items()}
        return authorization.removeprefix("Basic ") in pairs

    def _next_trouble(self, filename: str, *, in_body: bool = False) -> Trouble | None:
        with self._lock:
            for one in self._upload_troubles:
                if one[0] in ("", filename) and (one[1].in_body is not None) is in_body:
                    self._upload_troubles.remove(one)
                    return one[1]
        return None

    def _meet(self, point: Point, filename: str = "") -> None:
        with self._lock:
            held = [hold for hold in self._holds if hold.point is point and hold.meet(filename)]
        for hold in held:
            hold.wait()

    def _change(self, filename: str, **changes: object) -> None:
        with self._lock:
            there = self.files[filename]
            self.files[filename] = replace(there, file=replace(there.file, **changes))  # type: ignore[arg-type]


class _Reset(Exception):
    """The connection is to be reset without an answer."""


def _document(project: str, files: list[Published], state: str) -> dict[str, object]:
    """A project's page in JSON."""
    return {
        "meta": {"api-version": "1.4"},
        "name": project,
        "project-status": {"status": state},
        "versions": sorted({str(there.file.version) for there in files}),
        "files": [
            {
                "filename": there.file.filename,
                "url": f"/files/{there.file.filename}",
                "hashes": {"sha256": there.sha256},
                "size": there.file.size,
                "upload-time": there.file.upload_time.isoformat() if there.file.upload_time else None,
                "yanked": False if there.file.yanked is None else there.file.yanked or True,
            }
            for there in files
        ],
    }


def _send_words(handler: BaseHTTPRequestHandler, status: int, words: str, headers: Mapping[str, str]) -> None:
    """Answer as PyPI does: the words in the status line, and once more in a page of HTML."""
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
    """Run an empty index for the length of the context."""
    with run_web(web=PyPI) as index:
        assert isinstance(index, PyPI)
        try:
            yield index
        finally:
            index.let_all_go()
