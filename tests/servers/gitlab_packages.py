"""The generic packages of a GitLab project, as https://docs.gitlab.com/api/packages/ describes them.

The tests of the plugin run python-gitlab against it.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.servers.web import Reply, Request, Web, run_web

PROJECT = "example/sample"
PROJECT_ID = 42
TOKEN = "glpat-sampletoken"
JOB_TOKEN = "glcbt-64_sampletoken"
TIME = "2026-11-01T12:00:00.000Z"


@dataclass(frozen=True)
class StoredPackage:
    """One version of a package."""

    id: int
    name: str
    version: str


@dataclass(frozen=True)
class StoredFile:
    """One file of a package; several can have one name."""

    id: int
    package: int
    name: str
    content: bytes


class GitLabPackages(Web):
    """The server.

    Attributes:
        packages: the packages.
        files: the files of all packages, the oldest first.
        tokens: the tokens that are accepted, by the header that they come in.
        allows_duplicates: whether a package can have several files of one name, as by default.
        page_size: the most entries of a page.
        storage: the URL of the storage that downloads are redirected to; empty to serve them here.
        fails: how many of the next uploads fail with 500.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.packages: list[StoredPackage] = []
        self.files: list[StoredFile] = []
        self.tokens = {"private-token": TOKEN, "job-token": JOB_TOKEN}
        self.allows_duplicates = True
        self.page_size = 100
        self.storage = ""
        self.fails = 0
        self._ids = count(1)

    @property
    def api_url(self) -> str:
        """The URL of the API."""
        return f"{self.url}api/v4"

    def add(self, name: str, version: str, filename: str, content: bytes) -> StoredFile:
        """Add a file, whatever exists."""
        found = (one for one in self.packages if (one.name, one.version) == (name, version))
        package = next(found, None)
        if package is None:
            package = StoredPackage(next(self._ids), name, version)
            self.packages.append(package)
        file = StoredFile(next(self._ids), package.id, filename, content)
        self.files.append(file)
        return file

    def names(self) -> list[str]:
        """Return the names of all files."""
        return sorted(file.name for file in self.files)

    def reply_to(self, request: Request) -> Reply:
        """Return the response to a request."""
        parts = urlsplit(request.path)
        if parts.path.startswith("/storage/"):
            if set(self.tokens) & set(request.headers):
                return Reply(b"The storage got a token.", 400, "text/plain")
            return self._content(int(parts.path.rpartition("/")[2]))
        prefix = "/api/v4/projects/"
        if not parts.path.startswith(prefix):
            return super().reply_to(request)
        if not any(request.headers.get(header) == token for header, token in self.tokens.items()):
            return _json({"message": "401 Unauthorized"}, 401)
        project, _, rest = parts.path.removeprefix(prefix).partition("/")
        if unquote(project) not in (PROJECT, str(PROJECT_ID)):
            return _json({"message": "404 Project Not Found"}, 404)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self._lock:
            return self._answer(request, [unquote(word) for word in rest.split("/")], query, parts.path)

    def _answer(self, request: Request, words: list[str], query: dict[str, str], path: str) -> Reply:
        match (request.method, *words):
            case ("GET", "packages"):
                return self._page([*map(_package, self._selected(query))], query, path)
            case ("GET", "packages", "generic", name, version, filename):
                return self._download(name, version, filename)
            case ("PUT", "packages", "generic", name, version, filename):
                return self._upload(name, version, filename, request.body, query.get("select"))
            case ("GET", "packages", number, "package_files"):
                if int(number) not in {package.id for package in self.packages}:
                    return _json({"message": "404 Not found"}, 404)
                files = [_file(file) for file in self.files if file.package == int(number)]
                return self._page(files, query, path)
            case ("DELETE", "packages", _, "package_files", number):
                return self._delete(int(number))
        return _json({"message": "404 Not found"}, 404)

    def _selected(self, query: dict[str, str]) -> Iterator[StoredPackage]:
        """Yield the packages that a query selects; the name is a fuzzy search, as GitLab's."""
        for package in self.packages:
            has_name = query.get("package_name", "") in package.name
            if has_name and query.get("package_version") in (None, package.version):
                yield package

    def _download(self, name: str, version: str, filename: str) -> Reply:
        ids = {package.id for package in self.packages if (package.name, package.version) == (name, version)}
        found = [file for file in self.files if file.package in ids and file.name == filename]
        if not found:
            return _json({"message": "404 Not found"}, 404)
        newest = found[-1]
        if self.storage:
            return Reply(status=302, headers={"Location": f"{self.storage}storage/{newest.id}"})
        return Reply(newest.content)

    def _content(self, number: int) -> Reply:
        return next((Reply(file.content) for file in self.files if file.id == number), Reply(status=404))

    def _upload(self, name: str, version: str, filename: str, content: bytes, select: str | None) -> Reply:
        if self.fails:
            self.fails -= 1
            return _json({"message": "500 Internal Server Error"}, 500)
        ids = {package.id for package in self.packages if (package.name, package.version) == (name, version)}
        is_taken = any(file.name == filename for file in self.files if file.package in ids)
        if is_taken and not self.allows_duplicates:
            return _json({"message": "400 Bad request - Duplicate package is not allowed"}, 400)
        file = self.add(name, version, filename, content)
        return _json(_file(file) if select == "package_file" else {"message": "201 Created"}, 201)

    def _delete(self, number: int) -> Reply:
        kept = [file for file in self.files if file.id != number]
        if len(kept) == len(self.files):
            return _json({"message": "404 Not found"}, 404)
        self.files = kept
        return Reply(status=204)

    def _page(self, entries: list[dict[str, Any]], query: dict[str, str], path: str) -> Reply:
        size = min(int(query.get("per_page", 20)), self.page_size)
        number = int(query.get("page", 1))
        headers = {"X-Page": str(number), "X-Per-Page": str(size)}
        if number * size < len(entries):
            others = "&".join(f"{key}={quote(value)}" for key, value in query.items() if key != "page")
            headers["Link"] = f'<{self.url.rstrip("/")}{path}?{others}&page={number + 1}>; rel="next"'
        return _json(entries[(number - 1) * size : number * size], headers=headers)


@contextmanager
def run_gitlab_packages() -> Iterator[GitLabPackages]:
    """Run the server for the duration of the context."""
    with run_web(web=GitLabPackages) as server:
        assert isinstance(server, GitLabPackages)
        yield server


def _package(package: StoredPackage) -> dict[str, Any]:
    return {
        "id": package.id,
        "name": package.name,
        "version": package.version,
        "package_type": "generic",
        "status": "default",
        "created_at": TIME,
        "tags": [],
        "_links": {"web_path": f"/{PROJECT}/-/packages/{package.id}", "delete_api_path": ""},
    }


def _file(file: StoredFile) -> dict[str, Any]:
    return {
        "id": file.id,
        "package_id": file.package,
        "created_at": TIME,
        "file_name": file.name,
        "size": len(file.content),
        "file_md5": hashlib.md5(file.content).hexdigest(),
        "file_sha1": hashlib.sha1(file.content).hexdigest(),
        "file_sha256": hashlib.sha256(file.content).hexdigest(),
    }


def _json(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply(json.dumps(document).encode(), status, "application/json", headers or {})
