"""An anaconda.org that runs in the test's process: the API, the Simple API and the storage of one owner.

It answers as anaconda-client 1.16 expects; the tests of the plugin run that client against it. A package is
deleted with its last file, as on anaconda.org since January 2024.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from itertools import count
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from tests.servers.web import Reply, Request, Web, run_web

OWNER = "nightly-wheels"
TOKEN = "an-4f1d2c3b-sample"
TIME = "2026-11-01 12:00:00.123000+00:00"

FORM = {
    "key": "sample-key",
    "acl": "private",
    "AWSAccessKeyId": "AKIASAMPLE",
    "policy": "sample-policy",
    "signature": "sample-signature",
    "success_action_status": "201",
    "Content-Type": "application/octet-stream",
}
"""Fields of the form that the storage requires, in addition to those of the client."""


@dataclass
class StoredDist:
    """A file of a release; it is listed once it is committed."""

    id: str
    version: str
    basename: str
    content: bytes | None
    sha256: str
    labels: set[str]
    attrs: dict[str, Any] = field(default_factory=dict)
    type: str = "pypi"
    uploaded: str = TIME
    has_sha256: bool = True


@dataclass
class StoredPackage:
    """A package."""

    name: str
    public: bool = True
    attrs: dict[str, Any] = field(default_factory=dict)
    releases: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: list[StoredDist] = field(default_factory=list)

    def find(self, version: str, basename: str) -> StoredDist | None:
        """Return a file of a release."""
        matches = (file for file in self.files if (file.version, file.basename) == (version, basename))
        return next(matches, None)


class Anaconda(Web):
    """The server.

    Attributes:
        packages: the packages of the owner, by name.
        tokens: the tokens that are accepted.
        storage: the address of the storage; other than the API's if the test runs one.
        refuses_uploads: replies of the storage to the next uploads.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.packages: dict[str, StoredPackage] = {}
        self.tokens = {TOKEN}
        self.storage = url
        self.refuses_uploads: list[Reply] = []
        self._staged: dict[str, StoredDist] = {}
        self._ids = count(1)

    @property
    def api_url(self) -> str:
        """The address of the API."""
        return f"{self.url}api"

    @property
    def simple_url(self) -> str:
        """The address that the indexes of owners begin with."""
        return f"{self.url}pypi"

    def names(self) -> list[str]:
        """The names of all committed files."""
        return sorted(file.basename for package in self.packages.values() for file in package.files)

    def add(self, package: str, version: str, basename: str, content: bytes, **keys: Any) -> StoredDist:
        """Add a file to a package, which is created if it does not exist."""
        digest = hashlib.sha256(content).hexdigest()
        labels = set(keys.pop("labels", ("main",)))
        file = StoredDist(str(next(self._ids)), version, basename, content, digest, labels, **keys)
        stored = self.packages.setdefault(package, StoredPackage(package))
        stored.releases.setdefault(version, {})
        stored.files.append(file)
        return file

    def reply_to(self, request: Request) -> Reply:
        """Answer a request."""
        path = urlsplit(request.path).path
        with self._lock:
            faults = self._faults.get(unquote(path))
            if faults:
                return faults.pop(0)
            match [unquote(part) for part in path.strip("/").split("/")]:
                case ["api", *words]:
                    return self._authorized(request, words)
                case ["pypi", owner, *words] if owner == OWNER:
                    return self._simple(words)
                case ["storage"]:
                    return self._store(request)
                case ["blobs", number, *_]:
                    return self._blob(number, request)
                case _:
                    return _error(404, "not found")

    def _authorized(self, request: Request, words: list[str]) -> Reply:
        authorization = request.headers.get("authorization", "")
        is_member = authorization.removeprefix("token ") in self.tokens
        if authorization and not is_member:
            return _error(401, "The token is not valid")
        if not is_member and request.method not in ("GET", "HEAD"):
            return _error(401, "Authentication required")
        return self._api(request, words, is_member=is_member)

    def _api(self, request: Request, words: list[str], *, is_member: bool) -> Reply:
        match (request.method, *words):
            case ("HEAD",):
                return _json({})
            case ("GET", "user") | ("GET", "user", "nightly-wheels"):
                return _json({"login": OWNER, "user_type": "user", "created_at": TIME, "name": OWNER})
            case ("GET", "packages", owner) if owner == OWNER:
                shown = (package for package in self.packages.values() if package.public or is_member)
                return _json([self._package(package, brief=True) for package in shown])
            case ("GET", "channels", owner) if owner == OWNER:
                files = [file for package in self.packages.values() for file in package.files]
                return _json({label: {} for file in files for label in file.labels})
            case (_, "channels", owner, label) if owner == OWNER:
                return self._change_label(request, label)
            case (_, kind, owner, name, *rest) if owner == OWNER:
                package = self.packages.get(name)
                if package and not (package.public or is_member):
                    package = None
                if (request.method, kind) == ("POST", "package"):
                    return self._create_package(name, json.loads(request.body))
                if package is None:
                    return _error(404, f'"{name}" could not be found')
                return self._in_package(request, kind, package, rest)
            case _:
                return _error(404, "not found")

    def _create_package(self, name: str, document: Mapping[str, Any]) -> Reply:
        if name in self.packages:
            return _error(409, f"package {name} already exists")
        self.packages[name] = StoredPackage(name, document["public"], document["public_attrs"])
        return _json(self._package(self.packages[name]))

    def _in_package(self, request: Request, kind: str, package: StoredPackage, words: list[str]) -> Reply:
        match (request.method, kind, *words):
            case ("GET", "package"):
                return _json(self._package(package))
            case ("DELETE", "package"):
                del self.packages[package.name]
                return _json({}, 201)
            case ("POST", "release", version):
                if version in package.releases:
                    return _error(409, f"release {version} already exists")
                package.releases[version] = json.loads(request.body)
                return _json(self._release(package, version))
            case (_, _, version, *_) if version not in package.releases:
                return _error(404, f"release version='{version}' does not exist")
            case ("GET", "release", version):
                return _json(self._release(package, version))
            case ("DELETE", "release", version):
                package.files = [file for file in package.files if file.version != version]
                self._delete_empty(package)
                return _json({}, 201)
            case (_, "stage" | "commit" | "dist" | "download", version, basename):
                return self._on_file(request, kind, package, version, basename)
            case _:
                return _error(404, "not found")

    def _on_file(
        self, request: Request, kind: str, package: StoredPackage, version: str, basename: str
    ) -> Reply:
        file = package.find(version, basename)
        if kind in ("stage", "commit") and file is not None:
            return _error(409, f"file {basename} already exists for package {package.name}")
        if kind == "stage":
            return self._stage(json.loads(request.body), version, basename)
        if kind == "commit":
            return self._commit(json.loads(request.body), package)
        if file is None:
            return _error(404, f'"{basename}" could not be found')
        if kind == "download":
            location = f"{self.storage}blobs/{file.id}/{quote(basename)}?signature=secret"
            return Reply(status=302, headers={"Location": location})
        if request.method == "DELETE":
            package.files.remove(file)
            self._delete_empty(package)
        return _json(self._dist(package, file))

    def _delete_empty(self, package: StoredPackage) -> None:
        versions = {file.version for file in package.files}
        package.releases = {
            version: kept for version, kept in package.releases.items() if version in versions
        }
        if not package.files:
            del self.packages[package.name]

    def _stage(self, document: Mapping[str, Any], version: str, basename: str) -> Reply:
        number = str(next(self._ids))
        self._staged[number] = StoredDist(
            number,
            version,
            basename,
            None,
            document["sha256"],
            set(document["channels"] or ("main",)),
            document["attrs"],
            document["distribution_type"],
        )
        form = {**FORM, "key": number}
        return _json({"post_url": f"{self.storage}storage", "form_data": form, "dist_id": number})

    def _commit(self, document: Mapping[str, Any], package: StoredPackage) -> Reply:
        file = self._staged.pop(document["dist_id"], None)
        if file is None or file.content is None:
            return _error(404, "the file was not uploaded")
        if hashlib.sha256(file.content).hexdigest() != file.sha256:
            return _error(400, "the digest does not match")
        package.files.append(file)
        return _json({**self._dist(package, file), "url": f"{self.url}{OWNER}/{package.name}"})

    def _store(self, request: Request) -> Reply:
        """Take a form as S3 does: it must have the signed fields, and its file at the end."""
        if self.refuses_uploads:
            return self.refuses_uploads.pop(0)
        if "authorization" in request.headers:
            return _s3_error(400, "InvalidRequest", "Only one authentication mechanism is allowed.")
        fields = parse_form(request)
        content = fields.get("file", b"")
        expected = {**FORM, "key": fields["key"].decode(), "Content-Length": str(len(content))}
        expected["Content-MD5"] = b64encode(hashlib.md5(content).digest()).decode()
        if {name: value.decode() for name, value in fields.items() if name != "file"} != expected:
            return _s3_error(400, "InvalidDigest", "The Content-MD5 or checksum value is not valid.")
        if list(fields)[-1] != "file":
            return _s3_error(400, "InvalidArgument", "POST requires exactly one file upload per request.")
        self._staged[expected["key"]].content = content
        return Reply(b"<PostResponse/>", 201, "application/xml")

    def _blob(self, number: str, request: Request) -> Reply:
        if "authorization" in request.headers:
            return _s3_error(400, "InvalidArgument", "Only one authentication mechanism is allowed.")
        files = (file for package in self.packages.values() for file in package.files)
        content = next((file.content for file in files if file.id == number), None)
        if content is None:
            return _s3_error(404, "NoSuchKey", "The specified key does not exist.")
        first, _, last = request.headers.get("range", "").removeprefix("bytes=").partition("-")
        if not first:
            return Reply(content)
        stop = min(int(last) + 1, len(content)) if last else len(content)
        headers = {"Content-Range": f"bytes {first}-{stop - 1}/{len(content)}"}
        return Reply(content[int(first) : stop], 206, headers=headers)

    def _change_label(self, request: Request, label: str) -> Reply:
        document = json.loads(request.body)
        package = self.packages.get(document["package"])
        file = package and package.find(document["version"], document["basename"])
        if not file:
            return _error(404, "not found")
        (file.labels.add if request.method == "POST" else file.labels.discard)(label)
        return _json({}, 201)

    def _simple(self, words: list[str]) -> Reply:
        label = "main"
        if words[:1] == ["label"]:
            label, words = words[1], words[2:]
        match words:
            case ["simple"]:
                links = [(f"{name}/", name) for name in sorted(self.packages)]
                return _page("Simple Index", links)
            case ["simple", name] if name in self.packages:
                links = [
                    (f"{quote(file.version)}/{quote(file.basename)}#sha256={file.sha256}", file.basename)
                    for file in self.packages[name].files
                    if label in file.labels and file.type == "pypi"
                ]
                return _page(f"Links for {name}", links)
            case ["simple", name, version, basename] if name in self.packages:
                file = self.packages[name].find(version, basename)
                if file:
                    return Reply(
                        status=302, headers={"Location": f"{self.storage}blobs/{file.id}/{basename}"}
                    )
        return Reply(b"Not found", 404, "text/plain")

    def _package(self, package: StoredPackage, *, brief: bool = False) -> dict[str, Any]:
        versions = list(package.releases)
        document = {
            "name": package.name,
            "full_name": f"{OWNER}/{package.name}",
            "owner": {"login": OWNER},
            "public": package.public,
            "summary": package.attrs.get("summary"),
            "package_types": ["pypi"],
            "versions": versions,
            "latest_version": versions[-1] if versions else None,
            "conda_platforms": [],
            "builds": [],
            "revision": 1,
        }
        if brief:
            return document
        releases = [self._release(package, version) for version in versions]
        return {
            **document,
            "releases": releases,
            "files": [self._dist(package, file) for file in package.files],
        }

    def _release(self, package: StoredPackage, version: str) -> dict[str, Any]:
        files = [self._dist(package, file) for file in package.files if file.version == version]
        attrs = {"description": package.releases[version].get("description")}
        return {"version": version, "distributions": files, "public_attrs": attrs}

    def _dist(self, package: StoredPackage, file: StoredDist) -> dict[str, Any]:
        path = "/".join(quote(part, safe="") for part in (OWNER, package.name, file.version, file.basename))
        content = file.content or b""
        host = self.url.partition(":")[2]
        return {
            "basename": file.basename,
            "description": None,
            "version": file.version,
            "full_name": f"{OWNER}/{package.name}/{file.version}/{file.basename}",
            "type": file.type,
            "distribution_type": file.type,
            "labels": sorted(file.labels),
            "md5": hashlib.md5(content).hexdigest(),
            "sha256": file.sha256 if file.has_sha256 else None,
            "size": len(content),
            "upload_time": file.uploaded,
            "download_url": f"{host}api/download/{path}",
            "attrs": file.attrs,
            "owner": OWNER,
            "ndownloads": 0,
        }


def parse_form(request: Request) -> dict[str, bytes]:
    """Return the fields of a multipart form, in order."""
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    fields = {}
    for part in (b"\r\n" + request.body).split(b"\r\n--" + boundary)[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        fields[head.decode().partition('name="')[2].partition('"')[0]] = value
    return fields


@contextmanager
def run_anaconda() -> Iterator[Anaconda]:
    """Run it on a free port."""
    with run_web(web=Anaconda) as server:
        assert isinstance(server, Anaconda)
        yield server


def _json(document: object, status: int = 200) -> Reply:
    return Reply(json.dumps(document).encode(), status, "application/json")


def _error(status: int, text: str) -> Reply:
    return _json({"error": text}, status)


def _s3_error(status: int, code: str, message: str) -> Reply:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Reply(body.encode(), status, "application/xml")


def _page(title: str, links: list[tuple[str, str]]) -> Reply:
    rows = "".join(f'<a href="{escape(url)}">{escape(text)}</a><br/>\n' for url, text in links)
    head = f"<!DOCTYPE html><html><head><title>{title}</title></head>"
    page = f"{head}<body><h1>{title}</h1>\n{rows}</body></html>"
    return Reply(page.encode(), content_type="text/html; charset=utf-8")
