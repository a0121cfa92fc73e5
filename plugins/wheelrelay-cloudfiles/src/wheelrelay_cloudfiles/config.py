"""The configuration of remotes of the types ``cloudfiles`` and ``swift``."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import unquote

from pydantic import AfterValidator, Field, model_validator

from wheelrelay.config import (
    ContainerConfig,
    FolderPrefix,
    NetworkConfig,
    SecretReference,
    SecretValue,
    TextOrReference,
    WebAddress,
)
from wheelrelay.errors import ConfigError, MissingSecret
from wheelrelay.http import HttpClient, is_secure, time_limits

if TYPE_CHECKING:
    from wheelrelay_cloudfiles.account import Account
    from wheelrelay_cloudfiles.store import CloudFilesStore, SwiftStore

_VERSION = re.compile(r"/v([123])(\.\d)?/*$")
"""The version at the end of many addresses of identity services; libcloud appends it again."""

_LIBCLOUD_VERSIONS = {"1": "1.0", "2": "2.0_password", "3": "3.x_password"}


def _container_name(name: str) -> str:
    if "/" in name or not name.strip() or len(name.encode()) > 256:
        raise ValueError(
            "a container name has 1 to 256 bytes and contains no slash; put a folder into prefix"
        )
    return name


def _secure(url: str) -> str:
    if not is_secure(url):
        raise ValueError("credentials would be sent over plain HTTP; use an https address")
    return url


SecureAddress = Annotated[WebAddress, AfterValidator(_secure)]


class _Container(ContainerConfig, NetworkConfig):
    """A container of a Swift cluster."""

    container: Annotated[str, AfterValidator(_container_name)] = Field(
        description="Name of the container; created with the first file."
    )
    prefix: FolderPrefix = Field(default="", description="Folder in the container; the top level by default.")

    def address(self) -> str:
        """Return the public address of the files, or ``TYPE://container/prefix`` without one."""
        return self.public_url or f"{self.type}://{self.container}/{self.prefix}".rstrip("/")


class SwiftConfig(_Container):
    """A container of an OpenStack Swift cluster."""

    type: Literal["swift"] = "swift"
    auth_url: SecureAddress | None = Field(default=None, description="Address of the identity service.")
    auth_version: Literal["1", "2", "3"] | None = Field(
        default=None,
        description="Version of the identity API; by default as at the end of auth_url, or 3.",
    )
    username: TextOrReference | None = Field(default=None, description="User name, or a reference to it.")
    password: SecretReference | None = Field(
        default=None, description="Reference to the password; version 1 calls it the key."
    )
    application_credential_id: TextOrReference | None = Field(
        default=None,
        description="Id of an application credential, instead of username, password and project.",
    )
    application_credential_secret: SecretReference | None = Field(
        default=None, description="Reference to the secret of the application credential."
    )
    project: str | None = Field(default=None, description="Name of the project, or tenant; not in version 1.")
    project_id: str | None = Field(
        default=None, description="Id of the project, instead of its name; in version 3."
    )
    user_domain: str = Field(default="Default", description="Domain of the user, in version 3.")
    project_domain: str | None = Field(
        default=None, description="Domain of the project, in version 3; by default that of the user."
    )
    region: str | None = Field(default=None, description="Region; required if the cluster has several.")
    storage_url: SecureAddress | None = Field(
        default=None, description="Address of the account, to use a token instead of a login."
    )
    token: SecretReference | None = Field(default=None, description="Reference to the token for storage_url.")

    @model_validator(mode="after")
    def _require_one_login(self) -> Self:
        """Require a token, an application credential or a login, completely."""
        by_token = {"storage_url": self.storage_url, "token": self.token}
        by_credential = {
            "application_credential_id": self.application_credential_id,
            "application_credential_secret": self.application_credential_secret,
        }
        by_login = {"username": self.username, "password": self.password}
        kinds = [kind for kind in (by_token, by_credential, by_login) if any(kind.values())]
        if not kinds and self.auth_url:
            kinds = [by_login]
        if len(kinds) != 1 or (kinds == [by_token] and self.auth_url):
            raise ValueError(
                "set one of: auth_url, username and password; auth_url, application_credential_id and "
                "application_credential_secret; storage_url and token"
            )
        needed: dict[str, Any] = {**kinds[0]}
        if kinds != [by_token]:
            needed = {"auth_url": self.auth_url, **needed}
        if kinds == [by_login] and self._version() != "1":
            needed["project"] = self.project or self.project_id
        if (kinds == [by_credential] or self.project_id) and self._version() != "3":
            raise ValueError("application credentials and project_id need version 3 of the identity API")
        if self.project and self.project_id:
            raise ValueError("set either project or project_id")
        if missing := [key for key, value in needed.items() if not value]:
            present = ", ".join(key for key, value in needed.items() if value)
            raise ValueError(f"{present}: this also requires {' and '.join(missing)}")
        return self

    @classmethod
    def from_address(cls, address: str) -> Self:
        """Parse ``swift://container/prefix``; the account comes from variables ``OS_...`` or ``ST_...``."""
        return cls.model_validate({**_parts(address), **_swift_environment(os.environ)})

    @contextmanager
    def open(self) -> Iterator["SwiftStore"]:
        """Open the container as a store; it logs in when it is first used."""
        from wheelrelay_cloudfiles.objects import SwiftObjects
        from wheelrelay_cloudfiles.store import SwiftStore

        account = self._account()
        with closing(HttpClient(timeout=self.timeout)) as http:
            objects = SwiftObjects(account, http, self.container, self.prefix)
            with closing(SwiftStore(account, objects, **self.container_options())) as store:
                yield store

    def _account(self) -> "Account":
        from wheelrelay_cloudfiles.account import APPLICATION_CREDENTIAL, Access, Account, Login

        timeout = time_limits(self.timeout).timeout
        if self.storage_url and self.token:
            url, token = self.storage_url.rstrip("/"), SecretValue(self.token)
            return Account(lambda: Access(token.get(), url), token, timeout)
        username = self.application_credential_id or self.username
        secret_reference = self.application_credential_secret or self.password
        assert self.auth_url
        assert username
        assert secret_reference
        is_credential = self.application_credential_id is not None
        secret = SecretValue(secret_reference)
        login = Login(
            auth_url=_VERSION.sub("", self.auth_url),
            version=APPLICATION_CREDENTIAL if is_credential else _LIBCLOUD_VERSIONS[self._version()],
            username=SecretValue(username),
            secret=secret,
            project=self.project,
            project_id=self.project_id,
            user_domain=self.user_domain,
            project_domain=self.project_domain or self.user_domain,
            region=self.region,
            timeout=timeout,
        )
        return Account(login, secret, timeout)

    def _version(self) -> str:
        named = _VERSION.search(self.auth_url or "")
        return self.auth_version or (named[1] if named else "3")


class CloudFilesConfig(_Container):
    """A container of Rackspace Cloud Files."""

    type: Literal["cloudfiles"] = "cloudfiles"
    region: str = Field(description="Region: ORD, DFW, IAD, LON, HKG or SYD.")
    username: TextOrReference = Field(description="User name, or a reference to it.")
    api_key: SecretReference = Field(description="Reference to the API key.")
    internal: bool = Field(
        default=False,
        description="Use Rackspace's internal network, from a server in the same region.",
    )
    auth_url: SecureAddress | None = Field(
        default=None, description="Address of the identity service; Rackspace's by default."
    )

    @classmethod
    def from_address(cls, address: str) -> Self:
        """Parse ``cloudfiles://container/prefix``; the account comes from variables ``RACKSPACE_...``."""
        region = os.environ.get("RACKSPACE_REGION")
        if not region:
            raise MissingSecret(
                f"{address}: the environment variable RACKSPACE_REGION is not set.",
                hint="Set RACKSPACE_USERNAME, RACKSPACE_API_KEY and RACKSPACE_REGION.",
            )
        keys = {"username": {"env": "RACKSPACE_USERNAME"}, "api_key": {"env": "RACKSPACE_API_KEY"}}
        return cls.model_validate({**_parts(address), "region": region, **keys})

    @contextmanager
    def open(self) -> Iterator["CloudFilesStore"]:
        """Open the container as a store; it logs in when it is first used."""
        from wheelrelay_cloudfiles.cdn import Cdn
        from wheelrelay_cloudfiles.store import ChangeTracker, CloudFilesStore

        account = self._account()
        with closing(HttpClient(timeout=self.timeout)) as http:
            objects = ChangeTracker(account, http, self.container, self.prefix)
            cdn = Cdn(account, self.container, self.prefix)
            with closing(CloudFilesStore(account, objects, cdn, **self.container_options())) as store:
                yield store

    def _account(self) -> "Account":
        from libcloud.common.rackspace import AUTH_URL

        from wheelrelay_cloudfiles.account import Account, Login

        api_key, timeout = SecretValue(self.api_key), time_limits(self.timeout).timeout
        login = Login(
            auth_url=_VERSION.sub("", self.auth_url or AUTH_URL),
            version="2.0_apikey",
            username=SecretValue(self.username),
            secret=api_key,
            region=self.region,
            internal=self.internal,
            timeout=timeout,
        )
        return Account(login, api_key, timeout)


def _parts(address: str) -> dict[str, str]:
    container, _, prefix = address.partition("://")[2].partition("/")
    if not container:
        raise ConfigError(f"{address!r} contains no container.", hint="Write TYPE://container/prefix.")
    return {"container": unquote(container), "prefix": unquote(prefix)}


def _swift_environment(env: Mapping[str, str]) -> dict[str, Any]:
    """Return the keys that environment variables provide; secrets become references to them."""
    if env.get("OS_STORAGE_URL") and env.get("OS_AUTH_TOKEN"):
        return {"storage_url": env["OS_STORAGE_URL"], "token": {"env": "OS_AUTH_TOKEN"}}
    if env.get("ST_AUTH"):
        user: dict[str, Any] = {"username": {"env": "ST_USER"}, "password": {"env": "ST_KEY"}}
        return {"auth_url": env["ST_AUTH"], "auth_version": "1", **user}
    if env.get("OS_AUTH_URL"):
        optional = {
            "auth_version": env.get("OS_IDENTITY_API_VERSION", "")[:1],
            "region": env.get("OS_REGION_NAME"),
        }
        if env.get("OS_APPLICATION_CREDENTIAL_ID"):
            user = {
                "application_credential_id": {"env": "OS_APPLICATION_CREDENTIAL_ID"},
                "application_credential_secret": {"env": "OS_APPLICATION_CREDENTIAL_SECRET"},
            }
        else:
            user = {"username": {"env": "OS_USERNAME"}, "password": {"env": "OS_PASSWORD"}}
            optional |= _project_in(env)
        return {"auth_url": env["OS_AUTH_URL"], **user, **{k: v for k, v in optional.items() if v}}
    raise MissingSecret(
        "No environment variables with a Swift account are set.",
        hint="Set OS_STORAGE_URL and OS_AUTH_TOKEN; or ST_AUTH, ST_USER and ST_KEY; or OS_AUTH_URL, "
        "OS_USERNAME, OS_PASSWORD and OS_PROJECT_NAME or OS_PROJECT_ID; or OS_AUTH_URL, "
        "OS_APPLICATION_CREDENTIAL_ID and OS_APPLICATION_CREDENTIAL_SECRET.",
    )


def _project_in(env: Mapping[str, str]) -> dict[str, str | None]:
    """Return the keys about the project and the domains; the id of a project is unique without its name."""
    is_version_2 = env.get("OS_IDENTITY_API_VERSION", "3").startswith("2")
    project_id = None if is_version_2 else env.get("OS_PROJECT_ID")
    return {
        "project_id": project_id,
        "project": None if project_id else env.get("OS_PROJECT_NAME") or env.get("OS_TENANT_NAME"),
        "user_domain": env.get("OS_USER_DOMAIN_NAME") or env.get("OS_DOMAIN_NAME"),
        "project_domain": env.get("OS_PROJECT_DOMAIN_NAME") or env.get("OS_DOMAIN_NAME"),
    }
