"""The configuration of remotes of the type ``azure``."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import unquote

from pydantic import Field, model_validator

from wheelrelay.config import (
    BucketName,
    ContainerConfig,
    FolderPrefix,
    NetworkConfig,
    SecretReference,
    SecretValue,
    WebAddress,
)
from wheelrelay.errors import ConfigError, MissingSecret
from wheelrelay.http import HttpClient, is_secure

if TYPE_CHECKING:
    from wheelrelay.containers import ContainerSource
    from wheelrelay_azure.container import Container

_ACCOUNT_VARIABLES = ("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME")
_SECRET_VARIABLES = {
    "AZURE_STORAGE_KEY": "account_key",
    "AZURE_STORAGE_ACCOUNT_KEY": "account_key",
    "AZURE_STORAGE_SAS_TOKEN": "sas_token",
}
"""Keys of the configuration by environment variable, as Azure's command line and adlfs read them."""

_CONNECTION_VARIABLE = "AZURE_STORAGE_CONNECTION_STRING"


class AzureConfig(ContainerConfig, NetworkConfig):
    """A container of Azure Blob Storage."""

    type: Literal["azure"] = "azure"
    account: str | None = Field(
        default=None, description="Name of the storage account, unless connection_string contains it."
    )
    container: BucketName = Field(description="Name of the container.")
    prefix: FolderPrefix = Field(default="", description="Folder in the container; the top level by default.")
    account_key: SecretReference | None = Field(
        default=None,
        description="Reference to a key of the account; by default credentials are looked up like Azure's "
        "own libraries do.",
    )
    sas_token: SecretReference | None = Field(
        default=None, description="Reference to a shared access signature."
    )
    connection_string: SecretReference | None = Field(
        default=None, description="Reference to a connection string, which contains account and key."
    )
    anonymous: bool = Field(
        default=False, description="Read a public container without credentials; it is read-only."
    )
    endpoint_url: WebAddress | None = Field(
        default=None,
        description="Address of the account's blobs, such as that of Azurite or of another cloud; "
        "https://ACCOUNT.blob.core.windows.net by default.",
    )

    @model_validator(mode="after")
    def _require_one_login(self) -> Self:
        logins = (self.account_key, self.sas_token, self.connection_string, self.anonymous)
        if sum(map(bool, logins)) > 1:
            raise ValueError("set only one of account_key, sas_token, connection_string and anonymous")
        if self.account and self.connection_string:
            raise ValueError("set either account or connection_string")
        if self.endpoint_url and not self.anonymous and not is_secure(self.endpoint_url):
            raise ValueError("endpoint_url: credentials would be sent over plain HTTP; use an https address")
        return self

    @classmethod
    def from_address(cls, address: str) -> Self:
        """Parse ``az://container/prefix``; the account comes from variables ``AZURE_STORAGE_...``."""
        container, _, prefix = address.partition("://")[2].partition("/")
        if not container:
            raise ConfigError(f"{address!r} contains no container.", hint="Write az://container/prefix.")
        keys = {"container": container, "prefix": unquote(prefix), **_environment(os.environ)}
        return cls.model_validate(keys)

    def address(self) -> str:
        """Return the public address of the files, or ``az://container/prefix`` without one."""
        return self.public_url or f"az://{self.container}/{self.prefix}".rstrip("/")

    @contextmanager
    def open(self) -> Iterator["ContainerSource"]:
        """Connect to the container as a store; as a read-only source if ``anonymous`` is set.

        Raises:
            MissingSecret: There are no credentials.
            ConfigError: The credentials are unusable.
        """
        from wheelrelay.containers import ContainerSource, ContainerStore
        from wheelrelay_azure.objects import AzureObjects, AzureReader

        options = self.container_options()
        with self.connect() as container:
            store = (
                ContainerSource(AzureReader(container), **options)
                if self.anonymous
                else ContainerStore(AzureObjects(container), **options)
            )
            with closing(store):
                yield store

    @contextmanager
    def connect(self) -> Iterator["Container"]:
        """Connect to the container for single calls of the API.

        Raises:
            WheelrelayError: As `open`.
        """
        from wheelrelay.http import SignedClient
        from wheelrelay_azure.container import Container
        from wheelrelay_azure.credentials import log_in
        from wheelrelay_azure.errors import raise_for

        place = f"az://{self.container}"
        if not (self.account or self.connection_string):
            raise MissingSecret(
                f"There is no storage account for {place}.",
                hint=f"Configure account, or set {_ACCOUNT_VARIABLES[0]} or {_CONNECTION_VARIABLE}.",
            )
        secrets = {
            "key": self.account_key,
            "sas": self.sas_token,
            "connection_string": self.connection_string,
        }
        with closing(HttpClient(timeout=self.timeout)) as http:
            endpoint, signer = log_in(
                self.account,
                self.endpoint_url,
                {name: SecretValue(reference) for name, reference in secrets.items() if reference},
                place,
                anonymous=self.anonymous,
                timeout=http.limits.timeout,
            )
            client = SignedClient(http, signer, raise_for)
            yield Container(client, endpoint, self.container, f"{self.prefix}/" if self.prefix else "")


def _environment(env: Mapping[str, str]) -> dict[str, Any]:
    """Return the keys that environment variables provide; secrets become references to them."""
    if env.get(_CONNECTION_VARIABLE):
        return {"connection_string": {"env": _CONNECTION_VARIABLE}}
    account = next(({"account": env[name]} for name in _ACCOUNT_VARIABLES if env.get(name)), {})
    secret = next(({key: {"env": name}} for name, key in _SECRET_VARIABLES.items() if env.get(name)), {})
    return {**account, **secret}
