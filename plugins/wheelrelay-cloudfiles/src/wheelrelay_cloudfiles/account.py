"""An account of a cluster: log in with libcloud, keep the token, and renew it when it is refused."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from libcloud.common.openstack_identity import (
    OpenStackIdentity_3_0_Connection,
    OpenStackServiceCatalog,
    get_class_for_auth_version,
)
from libcloud.http import LibcloudConnection

from wheelrelay.config import SecretValue, register_secret
from wheelrelay.errors import AuthenticationFailed, ConfigError
from wheelrelay.http import DEFAULT_TIMEOUT, display_url, is_secure
from wheelrelay_cloudfiles.errors import libcloud_errors

Result = TypeVar("Result")

_STORAGE_TYPES = ("object-store", "cloudFiles")
"""Types of the storage service in catalogues; libcloud sets the second for version 1, which has no types."""

_CDN_TYPES = ("rax:object-cdn", "cloudFilesCDN")

_LOGIN_OPTIONS = {"2.0_password": {"auth_type": "password"}, "2.0_apikey": {"auth_type": "api_key"}}


@dataclass(frozen=True, slots=True)
class Access:
    """A token, and the addresses that it is valid for.

    Attributes:
        token: The token; it expires.
        storage_url: Address of the account's containers, without a slash at the end.
        cdn_url: Address of the account's CDN settings, if there is a CDN.

    Raises:
        ConfigError: The token would be sent over plain HTTP.
    """

    token: str = field(repr=False)
    storage_url: str
    cdn_url: str | None = None

    def __post_init__(self) -> None:
        register_secret(self.token)
        for url in (self.storage_url, self.cdn_url):
            if url and not is_secure(url):
                raise ConfigError(
                    f"The token would be sent to {display_url(url)} over plain HTTP.",
                    hint="The cluster's catalogue must list https addresses.",
                )


class Account:
    """The access to an account, shared by any number of threads.

    Args:
        log_in: Logs in and returns the access.
        secret: The secret that ``log_in`` reads; it is resolved again after the cluster refused the token.
        timeout: Seconds that a call through libcloud may take; all of them are small.
    """

    def __init__(
        self, log_in: Callable[[], Access], secret: SecretValue, timeout: float = DEFAULT_TIMEOUT
    ) -> None:
        self.timeout = timeout
        self._log_in = log_in
        self._secret = secret
        self._lock = threading.Lock()
        self._access: Access | None = None

    def access(self) -> Access:
        """Return the current access; log in if there is none yet."""
        with self._lock:
            if self._access is None:
                self._access = self._log_in()
            return self._access

    def call(self, request: Callable[[Access], Result]) -> Result:
        """Send a request, and once more with a new token if the cluster refuses the current one.

        Tokens expire during transfers. That is not an error of the file, so it is handled here.

        Raises:
            AuthenticationFailed: The cluster refuses the new token too, or there is no other.
        """
        access = self.access()
        try:
            return request(access)
        except AuthenticationFailed:
            renewed = self._renew(access)
            if renewed.token == access.token:
                raise
        return request(renewed)

    def _renew(self, refused: Access) -> Access:
        """Return a new access, or the one that another thread has received in the meantime."""
        with self._lock:
            if self._access is refused:
                self._secret.renew()
                self._access = self._log_in()
            assert self._access is not None
            return self._access


class NoRedirectConnection(LibcloudConnection):
    """A connection that follows no redirect: a redirect would send the credentials to another host."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)  # type: ignore[no-untyped-call]
        assert self.session is not None
        self.session.max_redirects = 0


APPLICATION_CREDENTIAL = "3.x_appcred"
"""The version of the identity API with an application credential, as libcloud names it."""


class _Keystone3(OpenStackIdentity_3_0_Connection):
    """Version 3 of the identity API with a project by its id, or by its name and domain.

    libcloud supports a name in the default domain only.
    """

    project_scope: dict[str, Any]

    def _get_auth_data(self) -> Any:
        data = super()._get_auth_data()  # type: ignore[no-untyped-call]
        data["auth"]["scope"] = {"project": self.project_scope}
        return data


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in at an identity service; call it to do so.

    Attributes:
        auth_url: Address of the identity service, without the version at the end.
        version: Version of its API: ``1.0``, ``2.0_password``, ``2.0_apikey``, ``3.x_password`` or
            `APPLICATION_CREDENTIAL`, as in libcloud.
        username: User name, or id of an application credential.
        secret: Password, API key, or secret of an application credential.
        project: Name of the project, or tenant, that owns the containers.
        project_id: Its id, which takes precedence over its name, in version 3.
        user_domain: Name of the domain of the user, in version 3.
        project_domain: Name of the domain of the project, in version 3.
        region: Region of the containers; optional if there is only one.
        internal: Whether to use the address in the provider's internal network.
        timeout: Seconds to wait for an answer of the service.
    """

    auth_url: str
    version: str
    username: SecretValue
    secret: SecretValue
    project: str | None = None
    project_id: str | None = None
    user_domain: str = "Default"
    project_domain: str = "Default"
    region: str | None = None
    internal: bool = False
    timeout: float = DEFAULT_TIMEOUT

    def __call__(self) -> Access:
        """Log in.

        Raises:
            AuthenticationFailed: The service does not accept the credentials.
            ConfigError: The catalogue does not contain exactly one matching object storage.
            BackendError: The service refuses or fails.
        """
        username, secret = self.username.get(), self.secret.get()
        with libcloud_errors(self.auth_url):
            service = self._service(username, secret)
            service.authenticate(**_LOGIN_OPTIONS.get(self.version, {}))
            catalog = OpenStackServiceCatalog(service.urls, self.version)
        storage = self._urls(catalog, _STORAGE_TYPES, internal=self.internal)
        if len(storage) != 1:
            raise self._ambiguous(catalog, len(storage))
        cdn = self._urls(catalog, _CDN_TYPES, internal=False)
        return Access(service.auth_token, storage[0].rstrip("/"), cdn[0].rstrip("/") if cdn else None)

    def _service(self, username: str, secret: str) -> Any:
        by_password = self.version == "3.x_password"
        connection = _Keystone3 if by_password else get_class_for_auth_version(self.version)
        service = connection(
            auth_url=self.auth_url,
            user_id=username,
            key=secret,
            tenant_name=self.project or self.project_id,
            domain_name=self.user_domain,
            timeout=self.timeout,
        )
        if by_password:
            in_domain = {"name": self.project, "domain": {"name": self.project_domain}}
            service.project_scope = {"id": self.project_id} if self.project_id else in_domain
        service.conn_class = NoRedirectConnection
        return service

    def _urls(self, catalog: Any, types: tuple[str, str], *, internal: bool) -> list[str]:
        interface = "internal" if internal else "external"
        return [
            endpoint.url
            for service_type in types
            for endpoint in catalog.get_endpoints(service_type=service_type)
            if endpoint.endpoint_type == interface and self._is_in_region(endpoint.region)
        ]

    def _is_in_region(self, region: str | None) -> bool:
        return self.region is None or self.region.lower() == (region or "").lower()

    def _ambiguous(self, catalog: Any, count: int) -> ConfigError:
        endpoints = [
            endpoint
            for service_type in _STORAGE_TYPES
            for endpoint in catalog.get_endpoints(service_type=service_type)
        ]
        regions = sorted({endpoint.region for endpoint in endpoints if endpoint.region})
        where = f" in region {self.region!r}" if self.region else ""
        quantity = "more than one object storage" if count else "no object storage"
        hint = f"Set region to one of: {', '.join(regions)}." if regions else None
        return ConfigError(
            f"The catalogue of {display_url(self.auth_url)} lists {quantity}{where}.", hint=hint
        )
