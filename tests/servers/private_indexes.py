"""Imitations of private package indexes, as data: how each responds to uploads, in the words of its vendor.

The responses are from vendors' documentation and from reports of their users; see `KINDS`.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name, parse_wheel_filename

from tests.servers.pypi_rules import parse_form
from tests.servers.web import Reply, Request, Web, run_web

LIMIT = 200_000
"""Bytes of the largest file that the servers accept."""


def _plain(text: str, status: int) -> Reply:
    return Reply(text.encode(), status, "text/plain; charset=utf-8")


def _json(document: object, status: int) -> Reply:
    return Reply(json.dumps(document).encode(), status, "application/json")


def _html(text: str, status: int) -> Reply:
    page = f"<!doctype html><html><head><title>{status}</title></head><body><h1>{text}</h1></body></html>"
    return Reply(page.encode(), status, "text/html; charset=utf-8")


@dataclass(frozen=True)
class Kind:
    """How a kind of index responds to uploads.

    Attributes:
        accepted: to a new file.
        taken: to a name that exists, with other bytes.
        refused: to a file that breaks its rules.
        too_large: to a file that is too large.
        same: to a name that exists, with the same bytes; as ``taken`` if ``None``.
        unauthorized: to wrong credentials.
    """

    accepted: Reply
    taken: Reply
    refused: Reply
    too_large: Reply
    same: Reply | None = None
    unauthorized: Reply = field(default_factory=lambda: Reply(status=401))


NGINX_LIMIT = _html("413 Request Entity Too Large", 413)

KINDS: Mapping[str, Kind] = {
    "aws-codeartifact": Kind(
        Reply(),
        _json({"message": "The package version asset already exists with other content."}, 409),
        _json({"message": "The package's metadata is not valid."}, 400),
        _json({"message": "The asset exceeds the maximum asset size."}, 413),
        same=Reply(),
        unauthorized=_json({"message": "Unauthenticated: request did not include valid credentials"}, 401),
    ),
    "google-artifact-registry": Kind(
        Reply(),
        _plain("Requested entity already exists.", 400),
        _plain("The package's metadata is not valid.", 400),
        _plain("The file exceeds the limit.", 413),
    ),
    "azure-artifacts": Kind(
        Reply(status=202),
        _json({"typeKey": "PackageExists", "message": "The feed already contains the file."}, 409),
        _json({"typeKey": "InvalidPackage", "message": "The field Author-Email is not valid."}, 400),
        NGINX_LIMIT,
    ),
    "artifactory": Kind(
        Reply(),
        _json({"errors": [{"status": 403, "message": "Not enough permissions to delete/overwrite"}]}, 403),
        _json({"errors": [{"status": 409, "message": "The path is excluded by a pattern."}]}, 409),
        NGINX_LIMIT,
    ),
    "nexus": Kind(
        Reply(),
        _html("wheels/packages/sample cannot be updated", 400),
        _html("Repository policy refuses this version", 400),
        NGINX_LIMIT,
    ),
    "forgejo-gitea": Kind(
        Reply(status=201),
        _plain("package file already exists", 409),
        _plain("invalid name or version", 400),
        NGINX_LIMIT,
    ),
    "pulp": Kind(
        _json({"session": None, "task": "/pulp/api/v3/tasks/1/", "task_start_time": None}, 202),
        _plain("Package sample already exists in index", 400),
        _json({"sha256_digest": ["This field is required."]}, 400),
        NGINX_LIMIT,
    ),
    "gitlab": Kind(
        _json({"message": "201 Created"}, 201),
        _json({"message": "400 Bad request - Validation failed: File name has already been taken"}, 400),
        _json({"error": "requires_python is invalid"}, 400),
        _json({"message": "413 Request Entity Too Large"}, 413),
        unauthorized=_json({"message": "401 Unauthorized"}, 401),
    ),
}


class PrivateIndex(Web):
    """An index of one kind at the paths of a configuration.

    Attributes:
        kind: how it responds.
        simple_path: the path of its Simple API.
        upload_path: the path of its upload API.
        login: the user name and the password that it accepts.
        packages: the content of each file by its name.
    """

    kind: Kind
    simple_path: str
    upload_path: str
    login: tuple[str, str]

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.packages: dict[str, bytes] = {}

    def reply_to(self, request: Request) -> Reply:
        """Respond to an upload, to the request of a page or to a download."""
        if request.headers.get("authorization") != self._expected():
            return self.kind.unauthorized
        path = unquote(urlsplit(request.path).path)
        if request.method == "POST":
            return self._upload(request) if path == self.upload_path else Reply(status=405)
        if path.startswith(self.simple_path):
            return self._page(path.removeprefix(self.simple_path).strip("/"))
        content = self.packages.get(path.rpartition("/")[2])
        return Reply(content) if content is not None else Reply(status=404)

    def _expected(self) -> str:
        return f"Basic {base64.b64encode(':'.join(self.login).encode()).decode()}"

    def _upload(self, request: Request) -> Reply:
        form = parse_form(request.headers["content-type"], request.body)
        if len(form.content) > LIMIT:
            return self.kind.too_large
        if form["version"].endswith("+refused"):
            return self.kind.refused
        existing = self.packages.get(form.filename)
        if existing is None:
            self.packages[form.filename] = form.content
            return self.kind.accepted
        return self.kind.same if existing == form.content and self.kind.same else self.kind.taken

    def _page(self, project: str) -> Reply:
        files = {
            name: hashlib.sha256(content).hexdigest()
            for name, content in self.packages.items()
            if canonicalize_name(parse_wheel_filename(name)[0]) == project
        }
        if not files:
            return Reply(status=404)
        links = "".join(
            f'<a href="/files/{name}#sha256={digest}">{name}</a>\n' for name, digest in files.items()
        )
        page = (
            f"<!DOCTYPE html><html><head><title>Links for {project}</title></head><body>{links}</body></html>"
        )
        return Reply(page.encode(), content_type="text/html; charset=utf-8")


@contextmanager
def run_private_index(
    kind: str, *, simple_path: str, upload_path: str, login: tuple[str, str]
) -> Iterator[PrivateIndex]:
    """Run an index of a kind for the duration of the context; see `PrivateIndex`."""
    with run_web(web=PrivateIndex) as index:
        assert isinstance(index, PrivateIndex)
        index.kind, index.login = KINDS[kind], login
        index.simple_path, index.upload_path = simple_path, upload_path
        yield index
