"""An index that repeats the headers of a request in every part of its response, in every encoding."""

import base64
import html
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote, quote_plus, urlsplit

from tests.servers.web import Reply, Request, Web, run_web

JSON = "application/vnd.pypi.simple.v1+json"
WHEEL = "sample-1.0-py3-none-any.whl"

PLACES = (
    *("body", "html", "reason", "challenge", "retry", "location", "type", "version", "document"),
    *("filename", "address", "digest", "yanked", "requires", "status", "provenance"),
)
"""The parts of a response that can repeat something."""


class EchoingIndex(Web):
    """The index; ``/PLACE/simple/`` and ``/PLACE/legacy/`` repeat requests in that part of the response."""

    def addresses(self, place: str) -> dict[str, str]:
        """Return the URLs of the index that repeats in one part of the response."""
        return {"url": f"{self.url}{place}/simple/", "upload_url": f"{self.url}{place}/legacy/"}

    def reply_to(self, request: Request) -> Reply:
        """Repeat the request."""
        place, _, rest = urlsplit(request.path).path.strip("/").partition("/")
        heard = " ".join(_heard(request))
        line = heard.encode("latin-1", "replace").decode("latin-1")
        if place == "away" or rest.startswith("files/"):
            return Reply(f"You sent {heard}".encode(), 418, "text/plain")
        match place:
            case "html":
                return Reply(f"<p>{html.escape(heard)}</p>".encode(), 400, "text/html")
            case "reason":
                return Reply(b"", 400, "text/html", reason=line[:60000])
            case "challenge":
                return Reply(heard.encode(), 401, "text/plain", {"WWW-Authenticate": f'Basic realm="{line}"'})
            case "retry":
                return Reply(heard.encode(), 400, "text/plain", {"Retry-After": line})
            case "location":
                return Reply(
                    b"", 302, headers={"Location": f"/away/{quote(_password(request), safe='')}?{line}"}
                )
            case "type":
                return Reply(heard.encode(), 200, f"text/{_password(request)}")
        if place == "body" or request.method == "POST":
            return Reply(f"You sent {heard}".encode(), 400, "text/plain")
        if place == "document":
            return Reply(json.dumps({"heard": heard}).encode(), 200, JSON)
        return Reply(json.dumps(self._page(place, request)).encode(), 200, JSON)

    def _page(self, place: str, request: Request) -> dict[str, object]:
        secret, heard = _password(request), " ".join(_heard(request))
        files = f"{self.url}{place}/files/"
        file = {"filename": WHEEL, "url": files + WHEEL, "hashes": {}, "size": 4}
        page: dict[str, object] = {"name": "sample", "meta": {"api-version": "1.0"}, "versions": ["1.0"]}
        odd: dict[str, dict[str, object]] = {
            "filename": {"filename": f"sample-1.0-{secret}.whl"},
            "address": {
                "url": f"{self.url}{place}/files/{quote(secret, safe='')}/{secret}/{WHEEL}?{quote(heard)}"
            },
            "digest": {"hashes": {"sha256": secret, secret: "0" * 64}},
            "yanked": {"yanked": heard},
            "requires": {"requires-python": f">=3, {secret}"},
            "provenance": {"provenance": files + secret},
        }
        if place == "version":
            page["meta"] = {"api-version": heard}
        if place == "status":
            page["project-status"] = {"status": "archived", "reason": heard}
        return {**page, "files": [{**file, **odd.get(place, {})}]}


class EchoingStorage(Web):
    """Object storage that repeats every request in its responses.

    Attributes:
        form: The part of the response that repeats it: ``text``, ``xml``, ``code``, ``reason``, ``location``,
            ``html`` or ``listing``.
    """

    form = "text"

    def reply_to(self, request: Request) -> Reply:
        """Repeat all headers, and the secrets among them in every encoding."""
        secrets = [request.headers[name] for name in SECRET_HEADERS if name in request.headers]
        heard = " ".join(
            [f"{name}: {value}" for name, value in request.headers.items()]
            + [text for secret in secrets for text in _encodings(secret)]
        )
        first = secrets[0] if secrets else ""
        match self.form:
            case "xml":
                error = f"<Code>AccessDenied</Code><Message>{html.escape(heard)}</Message>"
                return Reply(f"<Error>{error}</Error>".encode(), 403, "application/xml")
            case "code":
                error = f"<Code>{html.escape(first)}</Code><Message>{html.escape(first)}</Message>"
                return Reply(f"<Error>{error}</Error>".encode(), 400, "application/xml")
            case "reason":
                return Reply(b"", 403, reason=heard.encode("latin-1", "replace").decode("latin-1")[:60000])
            case "location":
                return Reply(b"", 301, headers={"Location": f"/away/{quote(first, safe='')}"})
            case "html":
                return Reply(f"<p>{html.escape(heard)}</p>".encode(), 400, "text/html")
            case "listing":
                return Reply(self._listing(first), 200, "application/json", {"X-Echo": first})
        return Reply(f"You sent {heard}".encode(), 403, "text/plain")

    def _listing(self, secret: str) -> bytes:
        entry = {"name": f"sample-1.0-{secret}.whl", "bytes": 4, "hash": secret, "last_modified": secret}
        return json.dumps([entry]).encode()


SECRET_HEADERS = ("x-amz-security-token", "x-auth-token", "x-auth-key", "x-storage-pass")
"""Request headers of S3 and Swift with secrets."""


@contextmanager
def run_echoing_storage() -> Iterator[EchoingStorage]:
    """Run the storage server for the duration of the context."""
    with run_web(web=EchoingStorage) as storage:
        assert isinstance(storage, EchoingStorage)
        yield storage


@contextmanager
def run_echoing_index() -> Iterator[EchoingIndex]:
    """Run the index for the duration of the context."""
    with run_web(web=EchoingIndex) as index:
        assert isinstance(index, EchoingIndex)
        yield index


def _password(request: Request) -> str:
    login = request.headers.get("authorization", "").removeprefix("Basic ")
    with suppress(ValueError):
        return base64.b64decode(login).decode().partition(":")[2]
    return login


def _heard(request: Request) -> Iterator[str]:
    """Return all headers, and the password in every encoding."""
    yield from (f"{name}: {value}" for name, value in request.headers.items())
    yield from _encodings(_password(request))


def _encodings(secret: str) -> Iterator[str]:
    """Return a secret in every encoding that servers use."""
    yield from (secret, html.escape(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret))
    yield from (quote(quote(secret, safe=""), safe=""), repr(secret), secret.replace("/", "\\/"))
    yield "".join(one if one.isalnum() else f"&#{ord(one)};" for one in secret)
    yield from (secret.encode().hex(), secret.encode().hex().upper())
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield from (encode(b"x" * ahead + secret.encode() + b"y").decode() for ahead in range(3))
