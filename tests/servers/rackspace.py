"""Rackspace's identity service and CDN settings, in front of a real Swift."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.servers.swift import Swift
from tests.servers.web import Reply, Request, Web, run_web

USERNAME = "ci"
API_KEY = "a1b2c3d4"

_CDN = "/cdn/v1/MossoCloudFS_1"


class Rackspace(Web):
    """Supports login with an API key, a catalogue of two regions, and the CDN settings.

    Attributes:
        swift: the server with the containers of region ORD; region DFW is empty.
        enabled: whether the CDN is on, by container; only containers that have had one.
        purged: the objects, as ``container/name``, that were purged from the CDN.
        refuse_purges: whether the daily limit of purges is reached.
        has_cdn: whether the account has a CDN at all.
        hidden: headers that are missing from the CDN settings.
    """

    swift: Swift
    refuse_purges = False
    has_cdn = True
    hidden: tuple[str, ...] = ()

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.enabled: dict[str, bool] = {}
        self.purged: list[str] = []
        self._tokens: set[str] = set()

    @property
    def auth_url(self) -> str:
        """The URL of the identity service, without the version."""
        return self.url.rstrip("/")

    def forget_tokens(self) -> None:
        """Invalidate all tokens, as if they had expired."""
        self.swift.forget_tokens()
        self._tokens.clear()

    def reply_to(self, request: Request) -> Reply:
        """Return the response of the identity service or the CDN settings."""
        path = unquote(urlsplit(request.path).path)
        if path == "/v2.0/tokens" and request.method == "POST":
            return self._log_in(json.loads(request.body))
        if path.startswith(f"{_CDN}/"):
            return self._settings(request, path.removeprefix(f"{_CDN}/"))
        return super().reply_to(request)

    def _log_in(self, body: Any) -> Reply:
        key = {"username": USERNAME, "apiKey": API_KEY}
        if body != {"auth": {"RAX-KSKEY:apiKeyCredentials": key}}:
            message = "Username or api key is invalid."
            return _json({"unauthorized": {"code": 401, "message": message}}, status=401)
        token = self.swift.token()
        self._tokens.add(token)
        access = {
            "token": {"id": token, "expires": "2099-01-01T00:00:00.000Z", "tenant": {"id": "1", "name": "1"}},
            "user": {"id": "1", "name": USERNAME, "roles": []},
            "serviceCatalog": [
                {"name": "cloudServersOpenStack", "type": "compute", "endpoints": []},
                {"name": "cloudFiles", "type": "object-store", "endpoints": list(self._storage())},
                {"name": "cloudFilesCDN", "type": "rax:object-cdn", "endpoints": list(self._cdn())},
            ],
        }
        return _json({"access": access})

    def _storage(self) -> Iterator[dict[str, str]]:
        inside = self.swift.storage_url.replace("127.0.0.1", "localhost")
        for region, url, internal in (
            ("ORD", self.swift.storage_url, inside),
            ("DFW", f"{self.swift.url}/v1/AUTH_elsewhere", f"{inside}_elsewhere"),
        ):
            yield {"region": region, "tenantId": "MossoCloudFS_1", "publicURL": url, "internalURL": internal}

    def _cdn(self) -> Iterator[dict[str, str]]:
        for region in ("ORD", "DFW") if self.has_cdn else ():
            url = f"{self.auth_url}{_CDN}"
            yield {"region": region, "tenantId": "MossoCloudFS_1", "publicURL": url}

    def _settings(self, request: Request, path: str) -> Reply:
        container, _, name = path.partition("/")
        if request.headers.get("x-auth-token") not in self._tokens:
            return Reply(b"Unauthorized", 401, "text/plain")
        if request.method == "PUT":
            known = container in self.enabled
            self.enabled[container] = request.headers.get("x-cdn-enabled", "").lower() == "true"
            return Reply(status=202 if known else 201, content_type="text/plain")
        if container not in self.enabled:
            return Reply(status=404, content_type="text/plain")
        if request.method == "DELETE" and name:
            if self.refuse_purges:
                return Reply(b"Too many purges today.", 498, "text/plain")
            self.purged.append(path)
            return Reply(status=204)
        settings = {
            "X-CDN-Enabled": str(self.enabled[container]),
            "X-CDN-URI": "http://c1.r1.cf1.example",
            "X-CDN-SSL-URI": "https://c1.ssl.cf1.example",
            "X-TTL": "259200",
        }
        return Reply(
            status=204, headers={name: text for name, text in settings.items() if name not in self.hidden}
        )


@contextmanager
def run_rackspace(swift: Swift) -> Iterator[Rackspace]:
    """Run the services in front of ``swift``."""
    with run_web(web=Rackspace) as rackspace:
        assert isinstance(rackspace, Rackspace)
        rackspace.swift = swift
        yield rackspace


def _json(document: Any, *, status: int = 200) -> Reply:
    return Reply(json.dumps(document).encode(), status, "application/json")
