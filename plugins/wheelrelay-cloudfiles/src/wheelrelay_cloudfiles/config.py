"""The configuration of the two types of remotes: ``cloudfiles`` and ``swift``."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import unquote

from pydantic import AfterValidator, Field, model_validator

from wheelrelay.config import (
    ContainerConfig,
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
"""What identity services' addresses often end in; libcloud appends it by itself."""

_LIBCLOUD_VERSIONS = {"1": "1.0", "2": "2.0_password", "3": "3.x_password"}


def _container_name(name: str) -> str:
    if "/" in name or not name.strip() or len(name.encode()) > 256:
        raise ValueError("a container's name has no slash and 1 to 256 bytes; a folder in it is the prefix")
    return name


def _prefix(prefix: str) -> str:
    prefix = prefix.strip("/")
    if prefix and {"", ".", ".."} & set(prefix.split("/")):
        raise ValueError("a prefix is made of plain names with a slash between them")
    return prefix


def _secure(url: str) -> str:
    if not is_secure(url):
        raise ValueError("credentials would travel in plain text: give an https address")
    return url


SecureAddress = Annotated[WebAddress, AfterValidator(_secure)]


class _Container(ContainerConfig, NetworkConfig):
    """A container of a Swift cluster."""

    container: Annotated[str, AfterValidator(_container_name)] = Field(
        description="The container's name; it is made when the first file is put there."
    )
    prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        default="", description="The folder in the container; by default files lie at its top."
    )

    def address(self) -> str:
        """The web address of the files if they have one, else ``TYPE://container/prefix``."""
        return self.public_url or f"{self.type}://{self.container}/{self.prefix}".rstrip("/")

    def _options(self) -> dict[str, Any]:
        """What every container's store is told."""
        return {"pages": self.pages, "public_url": self.public_url, "cdn_lag": self.cdn_lag}


class SwiftConfig(_Container):
    """A container of an OpenStack Swift cluster."""

    type: Literal["swift"] = "swift"
    auth_url: SecureAddress | None = Field(default=None, description="Address of the identity service.")
    auth_version: Literal["1", "2", "3"] | None = Field(
        default=None, description="Version of its API; by default the one at the end of auth_url, or 3."
    )
    username: TextOrReference | None = Field(default=None, description="User name, or a reference to it.")
    password: SecretReference | None = Field(
        default=None, description="Reference to the password; in version 1 it is called the key."
    )
    project: str | None = Field(default=None, description="Name of the project, or tenant; not in version 1.")
    domain: str = Field(default="Default", description="Domain of the user and the project, in version 3.")
    region: str | None = Field(default=None, description="Region; needed where the cluster has several.")
    storage_url: SecureAddress | None = Field(
        default=None, description="Address of the account, to be used with a token instead of logging in."
    )
    token: SecretReference | None = Field(
        default=None, description="Reference to the token that belongs to storage_url."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        """Exactly one of the two ways, and that one complete."""
        by_token = {"storage_url": self.storage_url, "token": self.token}
        by_login = {"auth_url": self.auth_url, "username": self.username, "password": self.password}
        if any(by_token.values()) == any(by_login.values()):
            raise ValueError("give either auth_url, username and password, or storage_url and token")
        needed = by_token if any(by_token.values()) else by_login
        if needed is by_login and self._version() != "1":
            needed["project"] = self.project
        if missing := [key for key, value in needed.items() if not value]:
            given = ", ".join(key for key, value in needed.items() if value)
            raise ValueError(f"with {given} there must also be {' and '.join(missing)}")
        return self

    @classmethod
    def from_address(cls, address: str) -> Self:
        """``swift://container/prefix``, the account from the usual variables (``OS_...`` or ``ST_...``)."""
        return cls.model_validate({**_parts(address), **_swift_environment(os.environ)})

    @contextmanager
    def open(self) -> Iterator["SwiftStore"]:
        """The container as a store; logs in when it is first used."""
        from wheelrelay_cloudfiles.objects import SwiftObjects
        from wheelrelay_cloudfiles.store import SwiftStore

        account = self._account()
        with closing(HttpClient(timeout=self.timeout)) as http:
            objects = SwiftObjects(account, http, self.container, self.prefix)
            with closing(SwiftStore(account, objects, **self._options())) as store:
                yield store

    def _account(self) -> "Account":
        from wheelrelay_cloudfiles.account import Access, Account
        from wheelrelay_cloudfiles.identity import Login

        timeout = time_limits(self.timeout).timeout
        if self.storage_url and self.token:
            url, token = self.storage_url.rstrip("/"), SecretValue(self.token)
            return Account(lambda: Access(token.get(), url), token, timeout)
        assert self.auth_url
        assert self.username
        assert self.password
        password = SecretValue(self.password)
        login = Login(
            auth_url=_VERSION.sub("", self.auth_url),
            version=_LIBCLOUD_VERSIONS[self._version()],
            username=SecretValue(self.username),
            secret=password,
            project=self.project,
            domain=self.domain,
            region=self.region,
            timeout=timeout,
        )
        return Account(login, password, timeout)

    def _version(self) -> str:
        named = _VERSION.search(self.auth_url or "")
        return self.auth_version or (named[1] if named else "3")


class CloudFilesConfig(_Container):
    """A container of Rackspace Cloud Files."""

    type: Literal["cloudfiles"] = "cloudfiles"
    region: str = Field(description="Region, as ORD, DFW, IAD, LON, HKG or SYD.")
    username: TextOrReference = Field(description="User name, or a reference to it.")
    api_key: SecretReference = Field(description="Reference to the API key.")
    internal: bool = Field(
        default=False, description="Use Rackspace's internal network; for servers in the same region."
    )
    auth_url: SecureAddress | None = Field(
        default=None, description="Address of the identity service; Rackspace's by default."
    )

    @classmethod
    def from_address(cls, address: str) -> Self:
        """``cloudfiles://container/prefix``, with the account from the variables ``RACKSPACE_...``."""
        region = os.environ.get("RACKSPACE_REGION")
        if not region:
            raise MissingSecret(
                f"{address}: the environment variable RACKSPACE_REGION is not set.",
                hint="An address takes its account from RACKSPACE_USERNAME, RACKSPACE_API_KEY and "
                "RACKSPACE_REGION.",
            )
        keys = {"username": {"env": "RACKSPACE_USERNAME"}, "api_key": {"env": "RACKSPACE_API_KEY"}}
        return cls.model_validate({**_parts(address), "region": region, **keys})

    @contextmanager
    def open(self) -> Iterator["CloudFilesStore"]:
        """The container as a store; logs in when it is first used."""
        from wheelrelay_cloudfiles.cdn import Cdn
        from wheelrelay_cloudfiles.store import ChangingObjects, CloudFilesStore

        account = self._account()
        with closing(HttpClient(timeout=self.timeout)) as http:
            objects = ChangingObjects(account, http, self.container, self.prefix)
            cdn = Cdn(account, self.container, self.prefix)
            with closing(CloudFilesStore(account, objects, cdn, **self._options())) as store:
                yield store

    def _account(self) -> "Account":
        from libcloud.common.rackspace import AUTH_URL

        from wheelrelay_cloudfiles.account import Account
        from wheelrelay_cloudfiles.identity import Login

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
        raise ConfigError(f"{address!r} names no container.", hint="Write TYPE://container/prefix.")
    return {"container": unquote(container), "prefix": unquote(prefix)}


def _swift_environment(env: Mapping[str, str]) -> dict[str, Any]:
    """The keys that the usual variables give; secrets stay where they are and are referred to."""
    if env.get("OS_STORAGE_URL") and env.get("OS_AUTH_TOKEN"):
        return {"storage_url": env["OS_STORAGE_URL"], "token": {"env": "OS_AUTH_TOKEN"}}
    if env.get("ST_AUTH"):
        user = {"username": {"env": "ST_USER"}, "password": {"env": "ST_KEY"}}
        return {"auth_url": env["ST_AUTH"], "auth_version": "1", **user}
    if env.get("OS_AUTH_URL"):
        optional = {
            "auth_version": env.get("OS_IDENTITY_API_VERSION", "")[:1],
            "project": env.get("OS_PROJECT_NAME") or env.get("OS_TENANT_NAME"),
            "domain": env.get("OS_USER_DOMAIN_NAME") or env.get("OS_DOMAIN_NAME"),
            "region": env.get("OS_REGION_NAME"),
        }
        user = {"username": {"env": "OS_USERNAME"}, "password": {"env": "OS_PASSWORD"}}
        return {"auth_url": env["OS_AUTH_URL"], **user, **{k: v for k, v in optional.items() if v}}
    raise MissingSecret(
        "The environment does not say how to reach Swift.",
        hint="Set OS_STORAGE_URL and OS_AUTH_TOKEN; or ST_AUTH, ST_USER and ST_KEY; or OS_AUTH_URL, "
        "OS_USERNAME, OS_PASSWORD and OS_PROJECT_NAME.",
    )
