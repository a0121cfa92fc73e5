"""A GitHub server in the test process: releases, assets, artifacts and tokens of one repository.

It responds like the REST API (version 2022-11-28). `test_openapi` validates its responses, and the requests
that it gets, against the description that GitHub publishes.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers.github_documents import (
    REPOSITORY,
    Artifact,
    Asset,
    Release,
    Run,
    artifact_document,
    asset_document,
    release_document,
    run_document,
)
from tests.servers.web import Reply, Request, Web, run_web

TOKEN = "ghs_sampletoken"


@dataclass
class State:
    """The content of the repository."""

    releases: list[Release] = field(default_factory=list)
    assets: dict[int, Asset] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)


class GitHub(Web):
    """The API, the uploads and the storage of GitHub, all on one port.

    Attributes:
        state: the content of the repository.
        tokens: the tokens that are accepted.
        public: whether the repository can be read without a token.
        page_size: the most entries of a page.
        ranges: whether the storage honours ``Range``.
        loses: names of assets whose upload fails after GitHub has taken a part.
        storage: the URL of the storage, if it is not that of the API.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.state = State()
        self.tokens = {TOKEN}
        self.public = True
        self.page_size = 100
        self.ranges = True
        self.loses: list[str] = []
        self.storage = url
        self.blobs: dict[str, bytes] = {}
        self._ids = count(1)

    @property
    def api_url(self) -> str:
        """The URL of the API, as on an Enterprise server."""
        return f"{self.url}api/v3"

    def add_release(self, tag: str, **properties: bool) -> Release:
        """Create a release."""
        release = Release(next(self._ids), tag, **properties)
        self.state.releases.append(release)
        return release

    def add_asset(self, release: Release, name: str, content: bytes, **properties: Any) -> Asset:
        """Add an asset to a release."""
        asset = Asset(next(self._ids), release.id, name, content, **properties)
        self.state.assets[asset.id] = asset
        return asset

    def add_run(self, **properties: str) -> Run:
        """Add a workflow run, newer than all others."""
        run = Run(next(self._ids), **properties)
        self.state.runs.insert(0, run)
        return run

    def add_artifact(self, run: Run, name: str, files: Mapping[str, bytes], *, expired: bool = False) -> None:
        """Add an artifact with files, newer than all others."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in files.items():
                archive.writestr(path, content)
        artifact = Artifact(next(self._ids), run.id, name, buffer.getvalue(), expired)
        self.state.artifacts.insert(0, artifact)

    def names(self) -> list[str]:
        """Return the names of all complete assets."""
        return sorted(asset.name for asset in self.state.assets.values() if asset.state == "uploaded")

    def reply_to(self, request: Request) -> Reply:
        """Return the response to a request."""
        parts = urlsplit(request.path)
        path, query = unquote(parts.path), {name: found[0] for name, found in parse_qs(parts.query).items()}
        with self._lock:
            faults = self._faults.get(path)
            if faults:
                return faults.pop(0)
        if path.startswith("/blobs/"):
            return self._blob(path, request)
        authorized = request.headers.get("authorization", "").removeprefix("Bearer ") in self.tokens
        if "authorization" in request.headers and not authorized:
            return _json({"message": "Bad credentials", "documentation_url": "https://example.org"}, 401)
        if not authorized and not (self.public and request.method == "GET"):
            return _missing()
        for prefix in ("/api/v3/", "/api/uploads/"):
            if path.startswith(prefix):
                words = path.removeprefix(prefix).split("/")
                return self._answer(request, words, query, parts.path)
        return _missing()

    def _answer(self, request: Request, words: list[str], query: dict[str, str], path: str) -> Reply:
        match (request.method, *words):
            case ("GET", "repos", *_, "installation"):
                return _json({"id": 42})
            case ("POST", "app", "installations", "42", "access_tokens"):
                self.tokens.add("ghs_of_the_app")
                return _json(
                    {"token": "ghs_of_the_app", "expires_at": "2099-01-01T00:00:00Z", "permissions": {}}, 201
                )
            case (_, "repos", owner, name, *rest) if f"{owner}/{name}" == REPOSITORY:
                return self._in_repository(request, rest, query, path)
            case _:
                return _missing()

    def _in_repository(self, request: Request, words: list[str], query: dict[str, str], path: str) -> Reply:
        state = self.state
        match (request.method, *words):
            case ("GET", "releases"):
                return self._page([self._release(one) for one in reversed(state.releases)], query, path)
            case ("POST", "releases"):
                document = json.loads(request.body)
                made = self.add_release(
                    document["tag_name"], draft=document["draft"], prerelease=document["prerelease"]
                )
                return _json(self._release(made), 201)
            case ("GET", "releases", "tags", tag):
                found = [one for one in state.releases if one.tag == tag and not one.draft]
                return _json(self._release(found[0])) if found else _missing()
            case ("GET", "releases", "latest"):
                found = [one for one in state.releases if not (one.draft or one.prerelease)]
                return _json(self._release(found[-1])) if found else _missing()
            case (_, "releases", "assets", number):
                return self._one_asset(request, int(number))
            case ("GET", "releases", number, "assets"):
                assets = [asset_document(self.url, one) for one in self._assets(int(number))]
                return self._page(assets, query, path)
            case ("POST", "releases", number, "assets"):
                return self._upload(int(number), query["name"], request.body)
            case ("GET", "actions", *rest):
                return self._actions(rest, query, path)
            case _:
                return _missing()

    def _one_asset(self, request: Request, number: int) -> Reply:
        assets = self.state.assets
        if number not in assets:
            return _missing()
        if request.method == "DELETE":
            del assets[number]
            return Reply(status=204)
        if request.method == "PATCH":
            assets[number] = replace(assets[number], name=json.loads(request.body)["name"])
            return _json(asset_document(self.url, assets[number]))
        return self._redirect_to(assets[number])

    def _upload(self, release: int, name: str, content: bytes) -> Reply:
        if any(asset.name == name for asset in self._assets(release)):
            errors = [{"resource": "ReleaseAsset", "code": "already_exists", "field": "name"}]
            return _json({"message": "Validation Failed", "errors": errors}, 422)
        home = next(one for one in self.state.releases if one.id == release)
        if name in self.loses:
            self.loses.remove(name)
            self.add_asset(home, name, b"", state="starter", digest=None)
            return Reply(b"", 502)
        return _json(asset_document(self.url, self.add_asset(home, name, content)), 201)

    def _actions(self, words: list[str], query: dict[str, str], path: str) -> Reply:
        runs = self.state.runs
        match words:
            case ["runs"] | ["workflows", _, "runs"]:
                workflow = words[1] if words[0] == "workflows" else None
                chosen = [
                    run
                    for run in runs
                    if query.get("branch") in (None, run.branch)
                    and query.get("head_sha") in (None, run.commit)
                    and query.get("status") in (None, run.conclusion)
                    and workflow in (None, run.workflow)
                ]
                shown = [run_document(self.url, run) for run in chosen[: int(query["per_page"])]]
                return _json({"total_count": len(chosen), "workflow_runs": shown})
            case ["runs", number]:
                found = [run for run in runs if run.id == int(number)]
                return _json(run_document(self.url, found[0])) if found else _missing()
            case ["runs", number, "artifacts"]:
                documents = [
                    artifact_document(self.url, artifact)
                    for artifact in self.state.artifacts
                    if artifact.run == int(number)
                ]
                return self._page(documents, query, path, wrapped="artifacts")
            case ["artifacts", number, "zip"]:
                artifact = next((item for item in self.state.artifacts if item.id == int(number)), None)
                if artifact and artifact.expired:
                    return _json({"message": "Artifact has expired"}, 410)
                return self._redirect_to(artifact)
            case _:
                return _missing()

    def _redirect_to(self, stored: Asset | Artifact | None) -> Reply:
        if stored is None:
            return _missing()
        name = f"{stored.id}-{stored.name}"
        self.blobs[name] = stored.content
        return Reply(status=302, headers={"Location": f"{self.storage}blobs/{name}?signature=secret"})

    def _blob(self, path: str, request: Request) -> Reply:
        content = self.blobs.get(path.removeprefix("/blobs/"))
        if content is None:
            return Reply(status=404)
        if "authorization" in request.headers:
            return Reply(b"Only one authentication mechanism is allowed.", 400, "text/plain")
        wanted = request.headers.get("range", "").removeprefix("bytes=")
        if not wanted or not self.ranges:
            return Reply(content)
        first, _, last = wanted.partition("-")
        start = int(first) if first else max(0, len(content) - int(last))
        stop = min(int(last) + 1, len(content)) if first and last else len(content)
        headers = {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}
        return Reply(content[start:stop], 206, headers=headers)

    def _assets(self, release: int) -> list[Asset]:
        return [asset for asset in self.state.assets.values() if asset.release == release]

    def _page(
        self, entries: list[dict[str, object]], query: dict[str, str], path: str, *, wrapped: str = ""
    ) -> Reply:
        size = min(int(query.get("per_page", 30)), self.page_size)
        number = int(query.get("page", 1))
        shown = entries[(number - 1) * size : number * size]
        headers = {}
        if number * size < len(entries):
            url = f"{self.url.rstrip('/')}{path}?per_page={size}&page="
            headers["Link"] = f'<{url}{number + 1}>; rel="next", <{url}9>; rel="last"'
        document = {"total_count": len(entries), wrapped: shown} if wrapped else shown
        return _json(document, headers=headers)

    def _release(self, release: Release) -> dict[str, object]:
        return release_document(self.url, release, self._assets(release.id))


@contextmanager
def run_github() -> Iterator[GitHub]:
    """Run the server on a free port."""
    with run_web(web=GitHub) as server:
        assert isinstance(server, GitHub)
        yield server


def _json(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    content_type = "application/json; charset=utf-8"
    return Reply(json.dumps(document).encode(), status, content_type, headers=headers or {})


def _missing() -> Reply:
    return _json({"message": "Not Found", "documentation_url": "https://example.org"}, 404)
