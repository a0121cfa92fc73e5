"""The PyPI registry of a GitLab project, as https://docs.gitlab.com/api/packages/pypi/ describes it.

Unknown projects are redirected to pypi.org, as GitLab does unless an owner disables it. The page of a project
with files has no files of PyPI's.
"""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from urllib.parse import unquote, urlsplit

from tests.servers.pypi_rules import parse_form
from tests.servers.web import Reply, Request, Web, run_web

JOB_TOKEN = "glcbt-64_sampletoken"
DEPLOY_USER, DEPLOY_TOKEN = "gitlab+deploy-token-1", "gldt-sampletoken"


class GitLabRegistry(Web):
    """The registry of one project.

    Attributes:
        packages: the content of each file by its name.
        forwards: whether unknown projects are redirected to PyPI.
        logins: the passwords by user name.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.packages: dict[str, bytes] = {}
        self.forwards = True
        self.logins = {"gitlab-ci-token": JOB_TOKEN, DEPLOY_USER: DEPLOY_TOKEN}

    @property
    def api_url(self) -> str:
        """The URL of the API, which GitLab gives to jobs as ``CI_API_V4_URL``."""
        return f"{self.url}api/v4"

    @property
    def upload_url(self) -> str:
        """The URL of the upload API."""
        return f"{self.api_url}/projects/42/packages/pypi"

    @property
    def simple_url(self) -> str:
        """The URL of the Simple API."""
        return f"{self.upload_url}/simple/"

    def reply_to(self, request: Request) -> Reply:
        """Respond to a request with one of the logins."""
        path = unquote(urlsplit(request.path).path)
        root = urlsplit(self.upload_url).path
        if not path.startswith(root):
            return super().reply_to(request)
        if not self._is_authorized(request):
            return Reply(b'{"message":"401 Unauthorized"}', 401, "application/json")
        match path.removeprefix(root).strip("/").split("/"):
            case [""] if request.method == "POST":
                return self._upload(request)
            case ["simple"]:
                names = sorted({name.split("-")[0].lower().replace("_", "-") for name in self.packages})
                return _links("projects", [(f"{self.simple_url}{name}", name) for name in names])
            case ["simple", name]:
                return self._page(name)
            case ["files", _, filename] if filename in self.packages:
                return Reply(self.packages[filename])
        return Reply(b'{"message":"404 Not found"}', 404, "application/json")

    def _is_authorized(self, request: Request) -> bool:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        user, _, password = base64.b64decode(encoded).decode().partition(":")
        return scheme == "Basic" and self.logins.get(user) == password

    def _upload(self, request: Request) -> Reply:
        form = parse_form(request.headers["content-type"], request.body)
        if "requires_python" not in form.fields:
            return Reply(b'{"error":"requires_python is missing"}', 400, "application/json")
        if form.filename in self.packages:
            text = b'{"message":"400 Bad request - Validation failed: File name has already been taken"}'
            return Reply(text, 400, "application/json")
        self.packages[form.filename] = form.content
        return Reply(b'{"message":"201 Created"}', 201, "application/json")

    def _page(self, name: str) -> Reply:
        files = {
            filename: hashlib.sha256(content).hexdigest()
            for filename, content in self.packages.items()
            if filename.lower().replace("_", "-").startswith(f"{name}-")
        }
        if not files and self.forwards:
            return Reply(status=302, headers={"Location": f"https://pypi.org/simple/{name}/"})
        if not files:
            return Reply(b'{"message":"404 Package Not Found"}', 404, "application/json")
        urls = {name: f"{self.upload_url}/files/{sha256}/{name}" for name, sha256 in files.items()}
        return _links(name, [(f"{url}#sha256={files[name]}", name) for name, url in urls.items()])


@contextmanager
def run_gitlab() -> Iterator[GitLabRegistry]:
    """Run the registry for the duration of the context."""
    with run_web(web=GitLabRegistry) as server:
        assert isinstance(server, GitLabRegistry)
        yield server


def _links(title: str, links: list[tuple[str, str]]) -> Reply:
    """Return a page as GitLab's, with the URLs and texts of its links."""
    body = "".join(
        f'<a href="{escape(url)}" data-requires-python="">{escape(text)}</a><br>\n' for url, text in links
    )
    page = f"<!DOCTYPE html><html><head><title>Links for {title}</title></head><body>{body}</body></html>"
    return Reply(page.encode(), content_type="text/html; charset=utf-8")
