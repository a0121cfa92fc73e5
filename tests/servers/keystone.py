"""OpenStack's identity service, versions 2 and 3 with a password, in front of a real Swift."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.servers.swift import Swift
from tests.servers.web import Reply, Request, Web, run_web

USERNAME = "ci"
PASSWORD = "s3cret"
PROJECT = "releases"
PROJECT_ID = "5a2c60af6b5c4d5a8a5a0d2d7e0b1c3f"
DOMAIN = "Builders"
PROJECT_DOMAIN = "Libraries"
CREDENTIAL_ID, CREDENTIAL_SECRET = "21dced0fd20347869b93710d2b98aae0", "rEaqvJka48mpv"

_EXPIRES = "2099-01-01T00:00:00.000000Z"


class Keystone(Web):
    """Supports both versions; refuses every request whose body is not exactly as specified.

    Attributes:
        swift: the server with the containers.
        regions: the regions in the catalogue, all with the same containers.
        project_domain: the domain of the project, if it is not that of the user.
    """

    swift: Swift
    regions: tuple[str, ...] = ("RegionOne",)
    project_domain: str = DOMAIN

    def reply_to(self, request: Request) -> Reply:
        """Return the response of the identity service."""
        if (request.method, request.path) == ("POST", "/identity/v2.0/tokens"):
            return self._version_2(json.loads(request.body))
        if (request.method, request.path) == ("POST", "/identity/v3/auth/tokens"):
            return self._version_3(json.loads(request.body))
        return super().reply_to(request)

    @property
    def auth_url(self) -> str:
        """The URL of the identity service, without the version."""
        return f"{self.url}identity"

    def _version_2(self, body: Any) -> Reply:
        credentials = {"username": USERNAME, "password": PASSWORD}
        if body != {"auth": {"passwordCredentials": credentials, "tenantName": PROJECT}}:
            return _refused()
        endpoints = [{"region": region, "publicURL": self.swift.storage_url} for region in self.regions]
        catalog = [{"type": "object-store", "name": "swift", "endpoints": endpoints}]
        token = {"id": self.swift.token(), "expires": _EXPIRES}
        return _json({"access": {"token": token, "serviceCatalog": catalog, "user": {"name": USERNAME}}})

    def _version_3(self, body: Any) -> Reply:
        user = {"domain": {"name": DOMAIN}, "name": USERNAME, "password": PASSWORD}
        identity = {"methods": ["password"], "password": {"user": user}}
        projects = (
            {"domain": {"name": self.project_domain}, "name": PROJECT},
            {"id": PROJECT_ID},
        )
        credential = {"id": CREDENTIAL_ID, "secret": CREDENTIAL_SECRET}
        by_credential = {"methods": ["application_credential"], "application_credential": credential}
        accepted = [{"identity": identity, "scope": {"project": project}} for project in projects]
        if body["auth"] not in (*accepted, {"identity": by_credential}):
            return _refused()
        endpoints = [
            {"region": region, "interface": interface, "url": self.swift.storage_url}
            for region in self.regions
            for interface in ("public", "internal", "admin")
        ]
        catalog = [{"type": "object-store", "name": "swift", "endpoints": endpoints}]
        token = {"expires_at": _EXPIRES, "catalog": catalog, "user": {"name": USERNAME}, "roles": []}
        return _json({"token": token}, status=201, headers={"X-Subject-Token": self.swift.token()})


@contextmanager
def run_keystone(swift: Swift) -> Iterator[Keystone]:
    """Run the service in front of ``swift``."""
    with run_web(web=Keystone) as keystone:
        assert isinstance(keystone, Keystone)
        keystone.swift = swift
        yield keystone


def _refused() -> Reply:
    message = "The request you have made requires authentication."
    return _json({"error": {"code": 401, "title": "Unauthorized", "message": message}}, status=401)


def _json(document: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply(json.dumps(document).encode(), status, "application/json", headers or {})
