"""Log in at an identity service, and find the object storage in its catalogue; all through libcloud."""

from dataclasses import dataclass
from typing import Any

from libcloud.common.openstack_identity import (
    OpenStackIdentity_3_0_Connection,
    OpenStackServiceCatalog,
    get_class_for_auth_version,
)
from libcloud.http import LibcloudConnection

from wheelrelay.config import SecretValue
from wheelrelay.errors import ConfigError
from wheelrelay.http import DEFAULT_TIMEOUT, display_url
from wheelrelay_cloudfiles.account import Access
from wheelrelay_cloudfiles.errors import libcloud_errors

_STORAGE = ("object-store", "cloudFiles")
"""The types of the service in catalogues; the second is what libcloud makes of version 1, which has none."""

_CDN = ("rax:object-cdn", "cloudFilesCDN")


class StayingConnection(LibcloudConnection):
    """A connection that takes no credentials along to where a redirect leads."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)  # type: ignore[no-untyped-call]
        assert self.session is not None
        self.session.max_redirects = 0


class _Keystone3(OpenStackIdentity_3_0_Connection):
    """Version 3, with the project in the user's own domain; libcloud puts it into the default one."""

    def _get_auth_data(self) -> Any:
        data = super()._get_auth_data()  # type: ignore[no-untyped-call]
        data["auth"]["scope"]["project"]["domain"] = {"name": self.domain_name}
        return data


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in, and which of the account's addresses to take; called, it does so.

    Attributes:
        auth_url: the identity service, without the version at the end.
        version: of its API: ``1.0``, ``2.0_password``, ``2.0_apikey`` or ``3.x_password``, as libcloud says.
        username: who.
        secret: their password or API key.
        project: the project, or tenant, that the containers belong to.
        domain: the name of the user's and the project's domain, in version 3.
        region: which region's containers; may be left out where there is one.
        internal: take the address within the provider's network.
        timeout: seconds that the service may take to answer.
    """

    auth_url: str
    version: str
    username: SecretValue
    secret: SecretValue
    project: str | None = None
    domain: str = "Default"
    region: str | None = None
    internal: bool = False
    timeout: float = DEFAULT_TIMEOUT

    def __call__(self) -> Access:
        """Log in.

        Raises:
            AuthenticationFailed: the credentials are not accepted.
            ConfigError: the catalogue has no such storage.
            BackendError: the service refuses or fails.
        """
        username, secret = self.username.get(), self.secret.get()
        with libcloud_errors(self.auth_url):
            service = self._service(username, secret)
            service.authenticate(**_OPTIONS.get(self.version, {}))
            catalog = OpenStackServiceCatalog(service.urls, self.version)
        storage = self._urls(catalog, _STORAGE, internal=self.internal)
        if len(storage) != 1:
            raise self._not_one(catalog, len(storage))
        cdn = self._urls(catalog, _CDN, internal=False)
        return Access(service.auth_token, storage[0].rstrip("/"), cdn[0].rstrip("/") if cdn else None)

    def _service(self, username: str, secret: str) -> Any:
        kind = _Keystone3 if self.version.startswith("3") else get_class_for_auth_version(self.version)
        service = kind(
            auth_url=self.auth_url,
            user_id=username,
            key=secret,
            tenant_name=self.project,
            domain_name=self.domain,
            timeout=self.timeout,
        )
        service.conn_class = StayingConnection
        return service

    def _urls(self, catalog: Any, kinds: tuple[str, str], *, internal: bool) -> list[str]:
        side = "internal" if internal else "external"
        return [
            endpoint.url
            for kind in kinds
            for endpoint in catalog.get_endpoints(service_type=kind)
            if endpoint.endpoint_type == side and self._is_here(endpoint.region)
        ]

    def _is_here(self, region: str | None) -> bool:
        return self.region is None or self.region.lower() == (region or "").lower()

    def _not_one(self, catalog: Any, found: int) -> ConfigError:
        regions = sorted(
            {e.region for kind in _STORAGE for e in catalog.get_endpoints(service_type=kind) if e.region}
        )
        where = f" in region {self.region!r}" if self.region else ""
        count = "more than one object storage" if found else "no object storage"
        hint = f"Set region to one of: {', '.join(regions)}." if regions else None
        return ConfigError(f"The catalogue of {display_url(self.auth_url)} has {count}{where}.", hint=hint)


_OPTIONS = {"2.0_password": {"auth_type": "password"}, "2.0_apikey": {"auth_type": "api_key"}}
